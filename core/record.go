package core

import (
	"crypto/rand"
	"encoding/binary"
	"math"
	"strconv"
	"time"
)

// A Record is the stored form of a session. To a store it is five fields to keep and give back as
// they came: a store judges nothing, neither the times nor the Data.
type Record struct {
	// ID is the key: 32 characters of A-Z, a-z, 0-9, '-' and '_'.
	ID ID
	// Revision changes with each write.
	Revision Revision
	// Owner is whom the session belongs to, for stores that index it; "" for nobody. It is valid
	// UTF-8 without NUL, of at most 255 bytes.
	Owner string
	// Used is the time of the last use that was noted. It is UTC, in whole milliseconds.
	Used time.Time
	// Expires is when the record may be removed, UTC, in whole milliseconds; zero means never. It
	// is for a store's housekeeping alone: a record that is past it may still be loaded, and only
	// the Manager judges it.
	Expires time.Time
	// Data is opaque to the store: arbitrary bytes, not text.
	Data string
}

// A Revision names one write of a record: 64 random bits, new with each write. Unlike a counter it
// cannot come to the same value twice when a store is set back to an older state.
type Revision uint64

// String returns the revision in decimal, as stores whose numbers are not whole above 2^53 keep it.
func (r Revision) String() string { return strconv.FormatUint(uint64(r), 10) }

func newRevision() Revision {
	var b [8]byte
	_, _ = rand.Read(b[:])
	return Revision(binary.BigEndian.Uint64(b[:]))
}

// A moment is a time in milliseconds since the epoch, which is what records keep; zero means none.
type moment int64

const noMoment moment = 0

func now() moment { return momentOf(time.Now()) }

func momentOf(t time.Time) moment {
	if t.IsZero() {
		return noMoment
	}
	return moment(t.UnixMilli())
}

// time returns the moment in UTC, and the zero time for none.
func (m moment) time() time.Time {
	if m == noMoment {
		return time.Time{}
	}
	return time.UnixMilli(int64(m)).UTC()
}

// add saturates: what is added to by Never, or would overflow, has no end.
func (m moment) add(d time.Duration) moment {
	ms := moment(d.Milliseconds())
	if d == Never || m > math.MaxInt64-ms {
		return noMoment
	}
	return m + ms
}

// earliest returns the first of two ends, of which none is later than any.
func earliest(a, b moment) moment {
	if a == noMoment || b != noMoment && b < a {
		return b
	}
	return a
}
