package core

import (
	"encoding/binary"
	"math"
	"strings"
	"time"
)

// A slot is the room of one record in a vector. It is plain bytes without a pointer, so that the
// garbage collector need not look at it:
//
//	revision  8 bytes
//	used      8 bytes, milliseconds since the epoch
//	expires   8 bytes, likewise
//	lengths   of Data 2 bytes, of Owner 1, of ID 1
//	text      ID, Owner and Data, one after the other
//
// All numbers are little endian. What is not whole milliseconds is cut off.
type slot []byte

const (
	slotUsed    = 8
	slotExpires = 16
	slotLengths = 24
	slotHead    = 28 // where the text begins

	slotStep    = 16  // how slots of different classes grow
	longestSlot = 512 // what needs more is a large record
)

// A slotClass says how long the slots of a vector are. Class n is for records that need at most n
// times slotStep bytes. The lowest ones are too short for anything; one of them means that the
// record is large: its slot holds no text and its lengths are zero, see largeText.
type slotClass uint

const (
	largeClass   slotClass = 1
	shortClasses slotClass = longestSlot / slotStep // the greatest class
)

// classOf chooses the shortest slot that a record fits.
func classOf(rec *Record) slotClass {
	size := slotHead + textSize(rec)
	if size > longestSlot || len(rec.ID) > math.MaxUint8 || len(rec.Owner) > math.MaxUint8 {
		return largeClass
	}
	return slotClass((size + slotStep - 1) / slotStep)
}

// textSize is the length of all that is not of a fixed one.
func textSize(rec *Record) int { return len(rec.ID) + len(rec.Owner) + len(rec.Data) }

// width is the length of a slot in bytes.
func (c slotClass) width() int {
	if c == largeClass {
		return slotHead
	}
	return int(c) * slotStep
}

// unixMilliZero is the zero time in milliseconds since the epoch, in the year 1. The epoch itself,
// which is 0, is a time as any other.
const unixMilliZero = -62_135_596_800_000

// never is later than any time at which something can expire.
const never = math.MaxInt64

func (s slot) revision() Revision { return Revision(binary.LittleEndian.Uint64(s)) }
func (s slot) used() int64        { return int64(binary.LittleEndian.Uint64(s[slotUsed:])) }
func (s slot) expires() int64     { return int64(binary.LittleEndian.Uint64(s[slotExpires:])) }

// due is when the record may be removed, never if Expires is zero.
func (s slot) due() int64 { return dueOf(s.expires()) }

func dueOf(expires int64) int64 {
	if expires == unixMilliZero {
		return never
	}
	return expires
}

// lengths returns how long ID, Owner and Data are.
func (s slot) lengths() (id, owner, data int) {
	b := s[slotLengths:slotHead]
	return int(b[3]), int(b[2]), int(binary.LittleEndian.Uint16(b))
}

// id is the ID's place in the slot.
func (s slot) id() []byte {
	n := int(s[slotLengths+3])
	return s[slotHead : slotHead+n]
}

// setHead writes what a touch changes.
func (s slot) setHead(rec *Record) {
	binary.LittleEndian.PutUint64(s, uint64(rec.Revision))
	binary.LittleEndian.PutUint64(s[slotUsed:], uint64(rec.Used.UnixMilli()))
	binary.LittleEndian.PutUint64(s[slotExpires:], uint64(rec.Expires.UnixMilli()))
}

// setText copies a short record's text; the record must be of the slot's class.
func (s slot) setText(rec *Record) {
	b := s[slotLengths:slotHead]
	binary.LittleEndian.PutUint16(b, uint16(len(rec.Data)))
	b[2], b[3] = byte(len(rec.Owner)), byte(len(rec.ID))
	text := s[slotHead:]
	text = text[copy(text, rec.ID):]
	text = text[copy(text, rec.Owner):]
	copy(text, rec.Data)
}

// head reads what setHead wrote.
func (s slot) head(rec *Record) {
	rec.Revision = s.revision()
	rec.Used = time.UnixMilli(s.used()).UTC()
	rec.Expires = time.UnixMilli(s.expires()).UTC()
}

// text reads what setText wrote. All of it is parts of one new string.
func (s slot) text() (id ID, owner, data string) {
	idLen, ownerLen, dataLen := s.lengths()
	text := string(s[slotHead : slotHead+idLen+ownerLen+dataLen])
	return ID(text[:idLen]), text[idLen : idLen+ownerLen], text[idLen+ownerLen:]
}

// A largeText holds the text of a large record, which is loaded without copying it.
type largeText struct {
	key  string // ID and Owner, one after the other, in memory of their own
	id   int    // how long the ID is
	data string // as it came: a string that nobody changes
}

func newLargeText(rec *Record) largeText {
	var key strings.Builder // adding the two with + copies nothing if one is empty
	key.Grow(len(rec.ID) + len(rec.Owner))
	key.WriteString(string(rec.ID))
	key.WriteString(rec.Owner)
	return largeText{key: key.String(), id: len(rec.ID), data: rec.Data}
}

func (t *largeText) size() int { return len(t.key) + len(t.data) }

// with returns the text of a later version of the record.
func (t *largeText) with(rec *Record) largeText {
	if t.key[t.id:] != rec.Owner {
		return newLargeText(rec)
	}
	return largeText{key: t.key, id: t.id, data: rec.Data}
}
