package core

import (
	"math"
	"sync"
	"sync/atomic"
)

// A memoryRoom counts what a MemoryStore holds, and lets it hold no more than it may. A shard takes
// room while it is locked, after it has seen that it needs it: what is taken is used.
type memoryRoom struct {
	most          amount // of everything
	mostOwnerless amount // of what belongs to nobody
	limited       bool   // if not, nothing is said of what belongs to nobody

	_         [64]byte // a write to what follows must not slow down who reads what is above
	mu        sync.Mutex
	sessions  atomic.Int64 // written under mu if limited, as are the next two
	bytes     atomic.Int64
	ownerless amount // under mu
	_         [64]byte
}

// An amount is a number of sessions and of bytes: how much there is, or may be.
type amount struct{ sessions, bytes int64 }

// A charge is what one thing takes of the room. The zero charge is for what is not there.
type charge struct {
	kind  chargeKind
	bytes int64
}

type chargeKind uint8

const (
	ofNothing chargeKind = iota
	ofIndex              // what is kept for owners, which counts no session
	ofOwner              // a session that has an owner
	ofNobody             // a session that has none
)

func (c charge) amount() amount {
	if c.kind < ofOwner {
		return amount{0, c.bytes}
	}
	return amount{1, c.bytes}
}

// ownerless is what counts towards the share of sessions without an owner.
func (c charge) ownerless() amount {
	if c.kind == ofNobody {
		return amount{1, c.bytes}
	}
	return amount{}
}

func (a amount) plus(b amount) amount  { return amount{a.sessions + b.sessions, a.bytes + b.bytes} }
func (a amount) minus(b amount) amount { return amount{a.sessions - b.sessions, a.bytes - b.bytes} }

// within reports whether an amount that was grown by some is still what it may be. What did not
// grow is never too much.
func (a amount) within(most, grown amount) bool {
	return (grown.sessions <= 0 || a.sessions <= most.sessions) &&
		(grown.bytes <= 0 || a.bytes <= most.bytes)
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

// setLimits is for an empty room.
func (r *memoryRoom) setLimits(options MemoryOptions) {
	r.most = amount{limit(int64(options.MaxSessions)), limit(options.MaxBytes)}
	r.mostOwnerless = amount{
		shareOf(r.most.sessions, options.OwnerlessShare), shareOf(r.most.bytes, options.OwnerlessShare),
	}
	r.limited = r.most != amount{unlimited, unlimited}
}

// defaultShare is how much of a limit sessions without an owner may take, in percent.
const defaultShare = 90

// shareOf is so many percent of a limit, rounded up, so that a small one leaves room for one.
func shareOf(limit int64, percent int) int64 {
	switch {
	case percent == 0:
		percent = defaultShare
	case percent < 0:
		return 0
	}
	if limit == unlimited || percent >= 100 {
		return limit
	}
	p := int64(percent)
	return limit/100*p + (limit%100*p+99)/100
}

// A verdict says whether there is room.
type verdict uint8

const (
	fits verdict = iota
	full
	hopeless // as full, and were it only for what belongs to somebody, or for the share itself
)

// move takes room for what one thing becomes and gives back what it was, if there is room.
func (r *memoryRoom) move(from, to charge) verdict {
	if from == to {
		return fits
	}
	if !r.limited {
		r.count(to.amount().minus(from.amount()))
		return fits
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	v := r.judge(from, to)
	if v == fits {
		r.settle(from, to)
	}
	return v
}

// force is move for what must not be refused.
func (r *memoryRoom) force(from, to charge) {
	if r.limited {
		r.mu.Lock()
		defer r.mu.Unlock()
	}
	r.settle(from, to)
}

// remove gives the room of something back.
func (r *memoryRoom) remove(c charge) { r.force(c, charge{}) }

func (r *memoryRoom) settle(from, to charge) {
	r.count(to.amount().minus(from.amount()))
	if r.limited {
		r.ownerless = r.ownerless.plus(to.ownerless()).minus(from.ownerless())
	}
}

func (r *memoryRoom) count(by amount) {
	r.bytes.Add(by.bytes)
	if by.sessions != 0 {
		r.sessions.Add(by.sessions)
	}
}

// judge is under mu. What had an owner and has none any more, as a sign-in that is taken back, is
// not held to the share: only what is new there is, and what grows there.
func (r *memoryRoom) judge(from, to charge) verdict {
	grown := to.amount().minus(from.amount())
	held := amount{r.sessions.Load(), r.bytes.Load()}
	shared := to.ownerless().minus(from.ownerless())
	if from.kind == ofOwner {
		shared = amount{}
	}
	if held.plus(grown).within(r.most, grown) &&
		r.ownerless.plus(shared).within(r.mostOwnerless, shared) {
		return fits
	}
	// Would there be room if no other session without an owner were there?
	others := r.ownerless.minus(from.ownerless())
	if held.plus(grown).minus(others).within(r.most, grown) &&
		to.ownerless().within(r.mostOwnerless, shared) {
		return full
	}
	return hopeless
}
