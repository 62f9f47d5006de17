package storesuite

import (
	"context"
	"testing"
	"time"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// A store that waits for a network or a disk cannot live in a testing/synctest bubble: its driver's
// timers and goroutines belong to the real clock. Here the Manager alone is in the bubble. Its
// calls are handed to goroutines that began outside, over channels that were made outside. To wait
// for such a channel is not to be durably blocked, so that the bubble's clock stands still until
// the answer is there, and a call takes no time at all, as one to a MemoryStore does.

// patience is how long a call may really take. Whoever needs longer fails its test.
const patience = time.Minute

// An outside is a store whose calls leave the bubble that they come from.
type outside struct {
	store core.Store
	idle  chan *hand
}

// A hand does one call after another.
type hand struct {
	work chan func(ctx context.Context)
	done chan struct{}
}

// newOutside must be called outside of every bubble.
func newOutside(t testing.TB, store core.Store) core.Store {
	const hands = 64 // more calls than that at once wait for each other
	o := &outside{store: store, idle: make(chan *hand, hands)}
	for range hands {
		h := &hand{work: make(chan func(context.Context)), done: make(chan struct{})}
		go h.run()
		t.Cleanup(func() { close(h.work) })
		o.idle <- h
	}
	return able(o, store)
}

func (h *hand) run() {
	for call := range h.work {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		call(ctx)
		cancel()
		h.done <- struct{}{}
	}
}

// do lets a call be done outside. The caller's context, whose timer is one of the bubble, does not
// go there: it cannot end while the bubble's clock stands still, unless it has ended already.
func (o *outside) do(ctx context.Context, call func(ctx context.Context) error) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	h := <-o.idle
	h.work <- func(ctx context.Context) { err = call(ctx) }
	<-h.done
	o.idle <- h
	return err
}

// Load implements core.Store.
func (o *outside) Load(ctx context.Context, id core.ID) (rec core.Record, err error) {
	err = o.do(ctx, func(ctx context.Context) (err error) {
		rec, err = o.store.Load(ctx, id)
		return err
	})
	return rec, err
}

// Create implements core.Store.
func (o *outside) Create(ctx context.Context, rec core.Record) error {
	return o.do(ctx, func(ctx context.Context) error { return o.store.Create(ctx, rec) })
}

// Update implements core.Store.
func (o *outside) Update(ctx context.Context, rec core.Record, was core.Revision) error {
	return o.do(ctx, func(ctx context.Context) error { return o.store.Update(ctx, rec, was) })
}

// Touch implements core.Toucher.
func (o *outside) Touch(ctx context.Context, rec core.Record, was core.Revision) error {
	toucher := o.store.(core.Toucher)
	return o.do(ctx, func(ctx context.Context) error { return toucher.Touch(ctx, rec, was) })
}

// Renew implements core.Renewer.
func (o *outside) Renew(ctx context.Context, rec core.Record, was core.Revision) error {
	renewer := o.store.(core.Renewer)
	return o.do(ctx, func(ctx context.Context) error { return renewer.Renew(ctx, rec, was) })
}

// Delete implements core.Store.
func (o *outside) Delete(ctx context.Context, id core.ID) error {
	return o.do(ctx, func(ctx context.Context) error { return o.store.Delete(ctx, id) })
}
