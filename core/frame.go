package core

import (
	"encoding/binary"
	"strings"
)

// A frame is what core keeps in Record.Data. docs/record-format.md describes it byte by byte, with
// test vectors. In short:
//
//	version   1 byte, 1
//	flags     1 byte: 1 Persist was called, 2 with true
//	domain    16 bytes
//	verifier  32 bytes
//	created   8 bytes, milliseconds since the epoch, big endian
//	previous  1 byte, at most 4; of each, newest first: verifier 32 bytes, replaced 8 bytes
//	extension length, then as many bytes: fields that not every session has
//	values    count; of each: length of name, name, length of value, value (JSON)
//
// Lengths and counts are unsigned varints in their shortest form.

const (
	frameVersion  = 1
	maxPrevious   = 4
	maxNameLength = 255

	flagPersistSet  = 1
	flagPersistTrue = 2

	previousSize   = len(verifier{}) + 8
	domainOffset   = 2
	verifierOffset = domainOffset + len(domain{})
	createdOffset  = verifierOffset + len(verifier{})
	fixedHeadSize  = createdOffset + 8 + 1
)

// A head is core's own part of a frame.
type head struct {
	flags     byte
	domain    domain
	verifier  verifier
	created   moment
	previous  previous
	extension extension
}

// previous are the verifiers that were replaced, newest first, each with the moment. Each proves
// that a token is outdated, as opposed to unknown.
type previous string

// find reports when v was replaced, noMoment if it is not among the verifiers.
func (p previous) find(v *verifier) moment {
	for rest := string(p); rest != ""; {
		var old verifier
		var at moment
		rest = rest[copy(old[:], rest):]
		at, rest = takeMoment(rest)
		if old.equal(v) {
			return at
		}
	}
	return noMoment
}

// with puts v before the others, of which it keeps those not older than outdatedFor, at most four
// in all.
func (p previous) with(v *verifier, at moment) previous {
	b := append(make([]byte, 0, maxPrevious*previousSize), v[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(at))
	for rest := string(p); rest != "" && len(b) < cap(b); rest = rest[previousSize:] {
		if replaced, _ := takeMoment(rest[len(v):]); at-replaced < outdatedFor {
			b = append(b, rest[:previousSize]...)
		}
	}
	return previous(b)
}

// persist returns what Session.Persist was called with, nil if it was not.
func (h *head) persist() *bool {
	if h.flags&flagPersistSet == 0 {
		return nil
	}
	on := h.flags&flagPersistTrue != 0
	return &on
}

func (h *head) setPersist(on bool) {
	h.flags |= flagPersistSet | flagPersistTrue
	if !on {
		h.flags &^= flagPersistTrue
	}
}

// replace puts v in the verifier's place and keeps the old one among the previous.
func (h *head) replace(v verifier, at moment) {
	h.previous = h.previous.with(&h.verifier, at)
	h.verifier = v
}

// outdated reports whether v was replaced so lately that the request that shows it began before.
func (h *head) outdated(v *verifier, at moment) bool {
	replaced := h.previous.find(v)
	return replaced != noMoment && at-replaced < outdatedFor && replaced-at <= clockTolerance
}

// append writes the head, all but the values.
func (h *head) append(b []byte) []byte {
	b = append(b, frameVersion, h.flags)
	b = append(b, h.domain[:]...)
	b = append(b, h.verifier[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(h.created))
	b = append(b, byte(len(h.previous)/previousSize))
	b = append(b, h.previous...)
	b = binary.AppendUvarint(b, uint64(len(h.extension)))
	return append(b, h.extension...)
}

// join writes a frame of the head and the values as the patch leaves them, which begin at valuesAt.
func (h *head) join(v values, p patch) (data string, valuesAt int) {
	first := h.append(make([]byte, 0, fixedHeadSize+maxPrevious*previousSize+1))
	count, size := v.locate(p)
	var b strings.Builder // whose String is no copy
	b.Grow(len(first) + size)
	b.Write(first)
	v.patchTo(&b, count, p)
	return b.String(), len(first)
}

// parseFrame takes a record's Data apart. Nothing is decoded or copied, but the whole structure is
// checked, so that reading a value later cannot fail on it.
func parseFrame(data string) (head, values, error) {
	h, v, err := parseHead(data)
	if err == nil && !v.valid() {
		return h, "", &FrameError{Reason: "is damaged"}
	}
	return h, v, err
}

// parseHead is parseFrame for a frame whose values were checked before.
func parseHead(data string) (head, values, error) {
	var h head
	extensionAt, valuesAt, err := frameLayout(data)
	if err != nil {
		return h, "", err
	}
	h.flags = data[1]
	copy(h.domain[:], data[domainOffset:])
	copy(h.verifier[:], data[verifierOffset:])
	h.created, _ = takeMoment(data[createdOffset:])
	h.previous = previous(data[fixedHeadSize:extensionAt])
	h.extension = extensionIn(data, extensionAt, valuesAt)
	return h, values(data[valuesAt:]), nil
}

// frameLayout finds where a frame's extension, with its length, and its values begin.
func frameLayout(data string) (extensionAt, valuesAt int, err error) {
	if len(data) == 0 {
		return 0, 0, &FrameError{Reason: "is empty"}
	}
	if data[0] != frameVersion {
		return 0, 0, &FrameError{Version: int(data[0]), Reason: "is not one this program knows"}
	}
	if len(data) < fixedHeadSize {
		return 0, 0, &FrameError{Reason: "is truncated"}
	}
	count := int(data[fixedHeadSize-1])
	extensionAt = fixedHeadSize + count*previousSize
	if count > maxPrevious || len(data) < extensionAt {
		return 0, 0, &FrameError{Reason: "is damaged"}
	}
	if _, valuesAt = fieldAt(values(data), extensionAt); valuesAt > len(data) {
		return 0, 0, &FrameError{Reason: "is truncated"}
	}
	if valuesAt > extensionAt+1 && !extensionIn(data, extensionAt, valuesAt).valid() {
		return 0, 0, &FrameError{Reason: "is damaged"}
	}
	return extensionAt, valuesAt, nil
}

// extensionIn is the extension whose length is written at from.
func extensionIn(data string, from, to int) extension {
	field, _, _ := takeField(data[from:to])
	return extension(field)
}

func takeMoment(s string) (moment, string) {
	var b [8]byte
	copy(b[:], s)
	return moment(binary.BigEndian.Uint64(b[:])), s[8:]
}

// takeUvarint reads an unsigned varint of at most four bytes, in its shortest form.
func takeUvarint(s string) (n int, rest string, ok bool) {
	for i := range min(len(s), 4) {
		c := s[i]
		n |= int(c&0x7f) << (7 * i)
		if c < 0x80 {
			return n, s[i+1:], c != 0 || i == 0
		}
	}
	return 0, "", false
}

// takeField reads a length and as many bytes.
func takeField(s string) (field, rest string, ok bool) {
	n, rest, ok := takeUvarint(s)
	if !ok || n > len(rest) {
		return "", "", false
	}
	return rest[:n], rest[n:], true
}

// entryAt is where the name and the value of the entry at i begin and end, in values that are
// valid.
func entryAt(v values, i int) (name, nameEnd, value, valueEnd int) {
	if n := v[i]; n < 0x80 { // as nearly all are
		name, nameEnd = i+1, i+1+int(n)
	} else {
		name, nameEnd = fieldAt(v, i)
	}
	if n := v[nameEnd]; n < 0x80 {
		return name, nameEnd, nameEnd + 1, nameEnd + 1 + int(n)
	}
	value, valueEnd = fieldAt(v, nameEnd)
	return name, nameEnd, value, valueEnd
}

// fieldAt is where the field whose length is written at i begins and ends, in any bytes: the end
// may lie beyond that of v.
func fieldAt(v values, i int) (from, to int) {
	n, rest, ok := takeUvarint(string(v[min(i, len(v)):]))
	if !ok {
		return len(v), len(v) + 1
	}
	from = len(v) - len(rest)
	return from, from + n
}

// values is the part of a frame that holds the values, ready to be scanned for a name.
type values string

const noValues values = "\x00"

// first is how many values there are, and where the first one begins.
func (v values) first() (n, at int) {
	n, rest, _ := takeUvarint(string(v))
	return n, len(v) - len(rest)
}

func (v values) valid() bool {
	n, rest, ok := takeUvarint(string(v))
	if !ok {
		return false
	}
	at := len(v) - len(rest)
	for range 2 * n {
		if at < len(v) && v[at] < 0x80 {
			at += 1 + int(v[at])
			continue
		}
		if _, at = fieldAt(v, at); at > len(v) {
			return false
		}
	}
	return at == len(v)
}

// get finds the value of one name without decoding the others and without allocating.
func (v values) get(name string) (value string, ok bool) {
	n, at := v.first()
	for range n {
		key, keyEnd, from, to := entryAt(v, at)
		if string(v[key:keyEnd]) == name {
			return string(v[from:to]), true
		}
		at = to
	}
	return "", false
}

// An entry is one value with its name.
type entry struct {
	name, value string
}

// entries lists the values in their order.
func (v values) entries() []entry {
	n, rest, _ := takeUvarint(string(v))
	list := make([]entry, 0, min(n, len(rest)/2))
	for range n {
		var e entry
		e.name, rest, _ = takeField(rest)
		e.value, rest, _ = takeField(rest)
		list = append(list, e)
	}
	return list
}

// size is what Config.MaxData bounds: the bytes of all values, their names and lengths.
func (v values) size() int { return len(v) }
