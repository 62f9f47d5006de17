package core

import (
	"encoding/binary"
	"math/bits"
	"strings"
)

// A patch is what becomes of some of a frame's values, at most once each.
type patch []patchEntry

// A patchEntry sets one value, in its old place if it has one, or deletes it.
type patchEntry struct {
	entry
	deleted  bool
	from, to int // where its old place is among the values; both zero: nowhere
}

// A patchRoom is memory for a patch of few values.
type patchRoom [4]patchEntry

// locate notes in the patch where the old values are, and returns how many there will be and of how
// many bytes.
func (v values) locate(p patch) (count, size int) {
	count, at := v.first()
	size = len(v) - at
	for i := range p {
		e := &p[i]
		e.from, e.to = v.find(e.name)
		if e.to > 0 {
			count--
			size -= e.to - e.from
		}
		if !e.deleted {
			count++
			size += fieldSize(e.name) + fieldSize(e.value)
		}
	}
	return count, size + uvarintSize(count)
}

// find returns where a value lies, with its name, zero and zero if there is none.
func (v values) find(name string) (from, to int) {
	n, at := v.first()
	for range n {
		key, keyEnd, _, to := entryAt(v, at)
		if string(v[key:keyEnd]) == name {
			return at, to
		}
		at = to
	}
	return 0, 0
}

// patchTo writes the values as the patch, which was located in them, leaves them.
func (v values) patchTo(b *strings.Builder, count int, p patch) {
	writeUvarint(b, count)
	_, at := v.first()
	for e := p.next(at); e != nil; e = p.next(at) {
		b.WriteString(string(v[at:e.from]))
		e.writeTo(b)
		at = e.to
	}
	b.WriteString(string(v[at:]))
	for i := range p {
		if p[i].to == 0 {
			p[i].writeTo(b)
		}
	}
}

// next is the first entry whose old place is not before a position.
func (p patch) next(at int) (first *patchEntry) {
	for i := range p {
		if e := &p[i]; e.to > 0 && e.from >= at && (first == nil || e.from < first.from) {
			first = e
		}
	}
	return first
}

func (e *patchEntry) writeTo(b *strings.Builder) {
	if !e.deleted {
		writeField(b, e.name)
		writeField(b, e.value)
	}
}

func writeUvarint(b *strings.Builder, n int) {
	var room [binary.MaxVarintLen64]byte
	b.Write(binary.AppendUvarint(room[:0], uint64(n)))
}

func writeField(b *strings.Builder, s string) {
	writeUvarint(b, len(s))
	b.WriteString(s)
}

func fieldSize(s string) int { return uvarintSize(len(s)) + len(s) }

func uvarintSize(n int) int { return (bits.Len(uint(n)|1) + 6) / 7 }
