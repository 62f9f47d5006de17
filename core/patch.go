package core

import (
	"encoding/binary"
	"strings"
)

// A patch is what becomes of some of a frame's values, at most once each.
type patch []patchEntry

// A patchEntry sets one value, in its old place if it has one, or deletes it.
type patchEntry struct {
	entry
	deleted bool
}

// A patchRoom is memory for a patch of few values.
type patchRoom [4]patchEntry

func (p patch) find(name string) *patchEntry {
	for i := range p {
		if p[i].name == name {
			return &p[i]
		}
	}
	return nil
}

// patchedSize is the size of the values as the patch leaves them.
func (v values) patchedSize(p patch) int {
	w := patchWriter{}
	w.write(v, p)
	return w.size
}

// patchTo writes the values as the patch leaves them, of which only those it names are looked at.
func (v values) patchTo(b *strings.Builder, p patch) {
	w := patchWriter{to: b}
	w.write(v, p)
}

// A patchWriter writes patched values, or counts their bytes only.
type patchWriter struct {
	to   *strings.Builder
	size int
}

func (w *patchWriter) text(s string) {
	w.size += len(s)
	if w.to != nil {
		w.to.WriteString(s)
	}
}

func (w *patchWriter) uvarint(n int) {
	var b [binary.MaxVarintLen64]byte
	w.text(string(b[:binary.PutUvarint(b[:], uint64(n))]))
}

func (w *patchWriter) field(s string) {
	w.uvarint(len(s))
	w.text(s)
}

func (w *patchWriter) entry(e entry) {
	w.field(e.name)
	w.field(e.value)
}

func (w *patchWriter) write(v values, p patch) {
	n, body, _ := takeUvarint(string(v))
	w.uvarint(v.patchedCount(p))
	from := body // what was not written yet, up to rest
	for rest := body; n > 0; n-- {
		before := rest
		var name string
		name, rest, _ = takeField(rest)
		_, rest, _ = takeField(rest)
		e := p.find(name)
		if e == nil {
			continue
		}
		w.text(from[:len(from)-len(before)])
		if !e.deleted {
			w.entry(e.entry)
		}
		from = rest
	}
	w.text(from)
	for i := range p {
		if _, there := v.get(p[i].name); !there && !p[i].deleted {
			w.entry(p[i].entry)
		}
	}
}

// patchedCount is the number of the values as the patch leaves them.
func (v values) patchedCount(p patch) int {
	n, _, _ := takeUvarint(string(v))
	for i := range p {
		switch _, there := v.get(p[i].name); {
		case there && p[i].deleted:
			n--
		case !there && !p[i].deleted:
			n++
		}
	}
	return n
}
