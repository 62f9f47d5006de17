package redisstore

import (
	"encoding/binary"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// A value is a record as it is stored: a head of fixed size, whose beginning alone a script reads
// to compare the Revision, and which a touch replaces alone; then the Owner's length in one byte,
// the Owner, and the Data to the end.
const (
	format       = 1 // the first byte, which tells a record from what somebody else put there
	revisionSize = 1 + 8
	headSize     = revisionSize + 8 + 8
	longestOwner = 255
)

var (
	errNoRecord = errors.New("redisstore: what is stored under the key is no session record")
	errOwner    = errors.New("redisstore: Record.Owner is longer than 255 bytes")
)

// revisionText is what the value of a record of that Revision begins with.
func revisionText(r core.Revision) string {
	var b [revisionSize]byte
	b[0] = format
	binary.BigEndian.PutUint64(b[1:], uint64(r))
	return string(b[:])
}

func appendHead(b []byte, rec *core.Record) []byte {
	b = append(b, format)
	b = binary.BigEndian.AppendUint64(b, uint64(rec.Revision))
	b = binary.BigEndian.AppendUint64(b, uint64(millis(rec.Used)))
	return binary.BigEndian.AppendUint64(b, uint64(millis(rec.Expires)))
}

func headText(rec *core.Record) string {
	var room [headSize]byte
	return string(appendHead(room[:0], rec))
}

// encode returns the value of a record.
func encode(rec *core.Record) (string, error) {
	if len(rec.Owner) > longestOwner {
		return "", errOwner
	}
	var head [headSize + 1]byte
	b := append(appendHead(head[:0], rec), byte(len(rec.Owner)))
	var text strings.Builder
	text.Grow(len(b) + len(rec.Owner) + len(rec.Data))
	text.Write(b)
	text.WriteString(rec.Owner)
	text.WriteString(rec.Data)
	return text.String(), nil
}

// decode is encode's inverse. The record's texts are parts of the value.
func decode(id core.ID, value string) (core.Record, error) {
	if len(value) <= headSize || value[0] != format {
		return core.Record{}, errNoRecord
	}
	owner := headSize + 1
	data := owner + int(value[headSize])
	if len(value) < data {
		return core.Record{}, errNoRecord
	}
	return core.Record{
		ID:       id,
		Revision: core.Revision(number(value[1:])),
		Used:     moment(int64(number(value[revisionSize:]))),
		Expires:  moment(int64(number(value[revisionSize+8:]))),
		Owner:    value[owner:data],
		Data:     value[data:],
	}, nil
}

func number(s string) uint64 {
	_ = s[7]
	return uint64(s[0])<<56 | uint64(s[1])<<48 | uint64(s[2])<<40 | uint64(s[3])<<32 |
		uint64(s[4])<<24 | uint64(s[5])<<16 | uint64(s[6])<<8 | uint64(s[7])
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

const (
	slack      = 5 * 60 * 1000                   // milliseconds beyond Expires
	longestTTL = 100 * 365 * 24 * 60 * 60 * 1000 // more would overflow the server's own sum
	noTTL      = "0"
)

// ttl is for how many milliseconds the server keeps the record, noTTL for ever. It is relative, so
// that the server's clock need not agree with this machine's.
func ttl(expires, now time.Time) string {
	if expires.IsZero() {
		return noTTL
	}
	end, at := expires.UnixMilli(), now.UnixMilli()
	switch {
	case end <= at:
		return strconv.Itoa(slack)
	case end > at+longestTTL:
		return strconv.Itoa(longestTTL)
	}
	return strconv.FormatInt(end-at+slack, 10)
}
