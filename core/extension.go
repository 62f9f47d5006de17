package core

import (
	"encoding/binary"
	"strings"
)

// An extension is the part of a frame that holds what not every session has: a sequence of fields,
// each a tag of one byte, a length and as many bytes. Fields with an unknown tag stay as they are.
type extension string

// The tags of the fields.
const (
	authenticatedField = 1 // when the owner signed in: 8 bytes as created
	levelField         = 2 // 1 byte
	labelField         = 3 // text
	stampField         = 4 // the Revision of the owner's entry: 8 bytes, big endian
	untilField         = 5 // the Until of the owner's entry: 8 bytes as created; none means never
)

// valid reports whether the fields that core knows are well formed.
func (x extension) valid() bool {
	for rest := string(x); rest != ""; {
		tag := rest[0]
		field, next, ok := takeField(rest[1:])
		if !ok || !rightSize(tag, field) {
			return false
		}
		rest = next
	}
	return true
}

func rightSize(tag byte, field string) bool {
	switch tag {
	case authenticatedField, stampField, untilField:
		return len(field) == 8
	case levelField:
		return len(field) == 1
	}
	return true
}

// get returns a field of a valid extension, "" if it is not there.
func (x extension) get(tag byte) string {
	for rest := string(x); rest != ""; {
		field, next, _ := takeField(rest[1:])
		if rest[0] == tag {
			return field
		}
		rest = next
	}
	return ""
}

// with returns the extension with a field set anew, or removed if it is empty.
func (x extension) with(tag byte, field string) extension {
	var b strings.Builder
	for rest := string(x); rest != ""; {
		_, next, _ := takeField(rest[1:])
		if rest[0] != tag {
			b.WriteString(rest[:len(rest)-len(next)])
		}
		rest = next
	}
	if field != "" {
		b.WriteByte(tag)
		writeField(&b, field)
	}
	return extension(b.String())
}

// number is a field of 8 bytes, zero if it is not there.
func (x extension) number(tag byte) uint64 {
	field := x.get(tag)
	if field == "" {
		return 0
	}
	return binary.BigEndian.Uint64([]byte(field))
}

func (x extension) withNumber(tag byte, n uint64) extension {
	if n == 0 {
		return x.with(tag, "")
	}
	return x.with(tag, string(binary.BigEndian.AppendUint64(nil, n)))
}

func (x extension) authenticated() moment { return moment(x.number(authenticatedField)) }
func (x extension) stamp() Revision       { return Revision(x.number(stampField)) }
func (x extension) until() moment         { return moment(x.number(untilField)) }
func (x extension) label() string         { return x.get(labelField) }

func (x extension) level() Level {
	if field := x.get(levelField); field != "" {
		return Level(field[0])
	}
	return 0
}

func (x extension) withLevel(l Level) extension {
	if l == 0 {
		return x.with(levelField, "")
	}
	return x.with(levelField, string([]byte{byte(l)}))
}
