package sqlitestore

import (
	"context"
	"time"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// A kind of operation.
type kind uint8

const (
	create kind = iota
	update
	touch
	renew
	remove
	sweep
	addOwned
	removeOwned
	raiseEpoch
	raiseMark
)

// An operation is one write that waits for the writer, is carried out, or is answered.
type operation struct {
	ctx  context.Context
	kind kind
	rec  core.Record   // of remove only the ID
	was  core.Revision // of update, touch and renew
	now  int64         // of sweep: what expires by then goes
	// of those on the index of owners
	owned *owned
	// of raiseMark
	mark   string
	markAt int64

	// What came of it. The writer closes done when they are settled.
	found   error // what the statements found, which holds once they are committed
	verdict error
	swept   int64 // how many records a sweep has removed
	moved   int64 // and of how many it has moved due
	tidied  int64 // and how many rows of the other tables it has removed
	done    chan struct{}

	// The queue's own, under its mutex. An operation whose queued is false has begun.
	queued         bool
	previous, next *operation
}

func newOperation(ctx context.Context, k kind, rec core.Record, was core.Revision) *operation {
	return &operation{ctx: ctx, kind: k, rec: rec, was: was, done: make(chan struct{})}
}

func newSweep(ctx context.Context, now time.Time) *operation {
	o := newOperation(ctx, sweep, core.Record{}, 0)
	o.now = now.UnixMilli()
	return o
}

// answer settles the operation.
func (o *operation) answer(err error) {
	o.verdict = err
	close(o.done)
}

// A queue is a list from whose middle an operation can be taken, so that those given up do not pile
// up behind a disk that hangs. Its owner's mutex guards it.
type queue struct {
	first, last *operation
}

func (q *queue) add(o *operation) {
	o.queued, o.previous = true, q.last
	if q.last == nil {
		q.first = o
	} else {
		q.last.next = o
	}
	q.last = o
}

func (q *queue) drop(o *operation) {
	if o.previous == nil {
		q.first = o.next
	} else {
		o.previous.next = o.next
	}
	if o.next == nil {
		q.last = o.previous
	} else {
		o.next.previous = o.previous
	}
	o.queued, o.previous, o.next = false, nil, nil
}
