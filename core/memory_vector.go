package core

import "slices"

// A vector holds the records of one class, without a gap: where one is removed, the last one takes
// its place. So it never needs more room than for the records that there are, in chunks that are
// let go one by one. The zero vector is empty.
type vector struct {
	n      int
	chunks []chunk
}

// chunkSlots is how many records a chunk holds, and how many of them are looked at in one go while
// no reader may.
const (
	chunkBits  = 6
	chunkSlots = 1 << chunkBits
	leastSlots = 2 // of the first chunk, which grows with its records
)

// A chunk holds some records of a vector.
type chunk struct {
	// due is not after the time at which the first of the records expires. It is that time after
	// the chunk was looked through.
	due int64
	// idle is likewise not after the first Used of those records that have no owner.
	idle  int64
	slots []byte
	texts []largeText // for large records, else nil
}

func (v *vector) slot(c slotClass, i int) slot {
	at, width := i%chunkSlots, c.width()
	return v.chunks[i/chunkSlots].slots[at*width : (at+1)*width]
}

func (v *vector) text(i int) *largeText { return &v.chunks[i/chunkSlots].texts[i%chunkSlots] }

// due is not after the time at which the first of all records expires.
func (v *vector) due() int64 {
	first := int64(never)
	for i := range v.chunks {
		first = min(first, v.chunks[i].due)
	}
	return first
}

// push makes room for one more record, and returns its number.
func (v *vector) push(c slotClass) int {
	i := v.n
	switch {
	case i < chunkSlots:
		if v.firstChunk(c) == i {
			v.resizeFirst(c, max(leastSlots, 2*i))
		}
	case i == chunkSlots*len(v.chunks):
		v.chunks = append(v.chunks, newChunk(c, chunkSlots))
	}
	v.n++
	return i
}

// pop gives up the last record's room. One empty chunk stays, so that the next record does not
// ask for it again, while what is in use is more than half a chunk.
func (v *vector) pop(c slotClass) {
	v.n--
	if c == largeClass {
		*v.text(v.n) = largeText{} // let the strings go
	}
	if v.n%chunkSlots == 0 {
		k := &v.chunks[v.n/chunkSlots]
		k.due, k.idle = never, never
		v.keep(v.n/chunkSlots + 1)
	}
	if v.n > chunkSlots/2 {
		return
	}
	v.keep(1)
	switch size := v.firstChunk(c); {
	case v.n == 0:
		v.chunks = nil
	case v.n <= size/4:
		v.resizeFirst(c, size/2)
	}
}

// keep lets all but the first chunks go.
func (v *vector) keep(chunks int) {
	if chunks >= len(v.chunks) {
		return
	}
	clear(v.chunks[chunks:])
	v.chunks = v.chunks[:chunks]
	if 4*chunks < cap(v.chunks) {
		v.chunks = slices.Clone(v.chunks)
	}
}

// firstChunk is for how many records the first chunk has room.
func (v *vector) firstChunk(c slotClass) int {
	if len(v.chunks) == 0 {
		return 0
	}
	return len(v.chunks[0].slots) / c.width()
}

func (v *vector) resizeFirst(c slotClass, size int) {
	k := newChunk(c, size)
	if len(v.chunks) == 0 {
		v.chunks = append(v.chunks, k)
		return
	}
	old := &v.chunks[0]
	copy(k.slots, old.slots)
	copy(k.texts, old.texts)
	k.due, k.idle = old.due, old.idle
	*old = k
}

func newChunk(c slotClass, slots int) chunk {
	k := chunk{due: never, idle: never, slots: make([]byte, slots*c.width())}
	if c == largeClass {
		k.texts = make([]largeText, slots)
	}
	return k
}
