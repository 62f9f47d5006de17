package core

// A memoryIndex finds the place of a record by the hash of its ID: a table with open addressing,
// whose entries hold part of the hash, so that it grows, shrinks and removes without looking at a
// record. The zero memoryIndex is empty.
//
// Entries lie about where their hash lies among all hashes, so that a table of any length is
// possible and need not double, and copying one into another goes through both from one end to the
// other.
type memoryIndex struct {
	entries []indexEntry
	n       int // how many are not empty
}

// An indexEntry is 32 bits of hash, then the place of the record. Zero is empty: no place is.
type indexEntry uint64

// A place is where in its shard a record lies: 6 bits of class, which is never zero, then 26 bits
// of number in the class's vector, enough for more records than any memory holds.
type place uint32

const placeBits = 26

func placeOf(c slotClass, i int) place { return place(c)<<placeBits | place(i) }

func (p place) class() slotClass { return slotClass(p >> placeBits) }
func (p place) number() int      { return int(p & (1<<placeBits - 1)) }

func entryOf(hash uint32, p place) indexEntry { return indexEntry(hash)<<32 | indexEntry(p) }

func (e indexEntry) hash() uint32 { return uint32(e >> 32) }
func (e indexEntry) place() place { return place(e) }

// The table is from a quarter to four fifths full, and a bit less than two thirds after it was made
// anew. Growing by a quarter each time costs an insertion as much as five more, which is little
// here, and saves half of what doubling would leave empty.
const leastIndex = 8

func (x *memoryIndex) crowded() bool { return 5*x.n >= 4*len(x.entries) }
func (x *memoryIndex) deserted() bool {
	return 4*x.n < len(x.entries) && len(x.entries) > leastIndex
}

// fit is how long a table of n entries ought to be.
func fit(n int) int { return max(leastIndex, n+n/2+n/16) }

// home is where an entry of that hash would best be.
func (x *memoryIndex) home(hash uint32) int {
	return int(uint64(hash) * uint64(len(x.entries)) >> 32)
}

// after is the position behind another one, in a circle.
func (x *memoryIndex) after(position int) int {
	if position++; position < len(x.entries) {
		return position
	}
	return 0
}

// first returns the position of the first entry with that hash, -1 if there is none.
func (x *memoryIndex) first(hash uint32) int {
	if len(x.entries) == 0 {
		return -1
	}
	return x.from(x.home(hash), hash)
}

// next returns the position of the next entry with that hash.
func (x *memoryIndex) next(position int, hash uint32) int {
	return x.from(x.after(position), hash)
}

func (x *memoryIndex) from(position int, hash uint32) int {
	for {
		switch e := x.entries[position]; {
		case e == 0:
			return -1
		case e.hash() == hash:
			return position
		}
		position = x.after(position)
	}
}

// at returns the position of an entry that is there.
func (x *memoryIndex) at(e indexEntry) int {
	position := x.home(e.hash())
	for x.entries[position] != e {
		position = x.after(position)
	}
	return position
}

// insert adds an entry that is not there.
func (x *memoryIndex) insert(e indexEntry) {
	if x.crowded() {
		x.resize(fit(x.n + 1))
	}
	x.put(e)
	x.n++
}

func (x *memoryIndex) put(e indexEntry) {
	position := x.home(e.hash())
	for x.entries[position] != 0 {
		position = x.after(position)
	}
	x.entries[position] = e
}

// remove empties a position. It leaves no mark there: entries that were pushed beyond it by
// others move back.
func (x *memoryIndex) remove(position int) {
	hole := position
	for next := x.after(hole); ; next = x.after(next) {
		e := x.entries[next]
		if e == 0 {
			break
		}
		if x.distance(x.home(e.hash()), next) >= x.distance(hole, next) {
			x.entries[hole], hole = e, next
		}
	}
	x.entries[hole] = 0
	x.n--
	switch {
	case x.n == 0:
		x.entries = nil
	case x.deserted():
		x.resize(fit(x.n))
	}
}

// distance is how many steps lead from one position to another.
func (x *memoryIndex) distance(from, to int) int {
	if to < from {
		to += len(x.entries)
	}
	return to - from
}

func (x *memoryIndex) resize(size int) {
	old := x.entries
	x.entries = make([]indexEntry, size)
	for _, e := range old {
		if e != 0 {
			x.put(e)
		}
	}
}
