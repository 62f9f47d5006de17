package core

import (
	"math"
	"sync"
	"sync/atomic"
)

// A memoryRoom counts what a MemoryStore holds, and lets it hold no more than it may. A shard takes
// room while it is locked, after it has seen that it needs it: what is taken is used.
type memoryRoom struct {
	maxSessions, maxBytes int64

	_               [64]byte // a write to what follows must not slow down who reads what is above
	adding          sync.Mutex
	sessions, bytes atomic.Int64
	_               [64]byte
}

// What a record takes beside its slot and text, about: its share of the index and of its chunk.
const (
	recordOverhead = 12
	largeOverhead  = recordOverhead + slotHead + 56 // its largeText, and what allocations round up
)

// unlimited is a limit that is none.
const unlimited = math.MaxInt64

// limit makes zero no limit, and less than zero no room at all.
func limit(n int64) int64 {
	if n == 0 {
		return unlimited
	}
	return max(n, 0)
}

// costOf is what a record takes in memory; size is that of its text, which only counts by itself if
// the record is large.
func costOf(c slotClass, size int) int64 {
	if c == largeClass {
		return int64(largeOverhead + size)
	}
	return int64(recordOverhead + c.width())
}

// add takes room for a new record, and reports whether there was. It takes none that it would
// have to give back, during which others would be refused for no reason.
func (r *memoryRoom) add(bytes int64) bool {
	if r.maxSessions < unlimited {
		r.adding.Lock() // nobody else makes the number greater
		defer r.adding.Unlock()
		if r.sessions.Load() >= r.maxSessions {
			return false
		}
	}
	if !take(&r.bytes, bytes, r.maxBytes) {
		return false
	}
	r.sessions.Add(1)
	return true
}

// change takes room for a record that grows, or gives back what another one has left; it reports
// whether there was room. There always is for what does not grow.
func (r *memoryRoom) change(bytes int64) bool {
	if bytes > 0 {
		return take(&r.bytes, bytes, r.maxBytes)
	}
	if bytes < 0 {
		r.bytes.Add(bytes)
	}
	return true
}

// remove gives the room of a record back.
func (r *memoryRoom) remove(bytes int64) {
	r.bytes.Add(-bytes)
	r.sessions.Add(-1)
}

// take adds n to a counter unless that makes it more than limit.
func take(counter *atomic.Int64, n, limit int64) bool {
	if limit == unlimited {
		counter.Add(n)
		return true
	}
	for {
		old := counter.Load()
		if n > limit-old {
			return false
		}
		if counter.CompareAndSwap(old, old+n) {
			return true
		}
	}
}
