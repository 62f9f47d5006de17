package core

import (
	"context"
	"sync"
	"time"
)

// A deadline bounds a call to the store. It is a context.WithDeadline that costs a timer only where
// somebody waits for it, which a store in memory never does.
type deadline struct {
	context.Context
	at       time.Time
	detached bool // from the end of Context, as by context.WithoutCancel

	mu      sync.Mutex
	derived context.Context
	cancel  context.CancelFunc
}

func newDeadline(ctx context.Context, at time.Time) *deadline {
	if earlier, ok := ctx.Deadline(); ok && earlier.Before(at) {
		at = earlier
	}
	return &deadline{Context: ctx, at: at}
}

// newDetachedDeadline is for what must be done although ctx may have ended.
func newDetachedDeadline(ctx context.Context, at time.Time) *deadline {
	return &deadline{Context: ctx, at: at, detached: true}
}

// above is the context that the deadline is put on top of.
func (d *deadline) above() context.Context {
	if d.detached {
		return context.WithoutCancel(d.Context)
	}
	return d.Context
}

// Deadline implements context.Context.
func (d *deadline) Deadline() (time.Time, bool) { return d.at, true }

// Done implements context.Context. It is the first call that costs a timer.
func (d *deadline) Done() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.derived == nil {
		d.derived, d.cancel = context.WithDeadline(d.above(), d.at)
	}
	return d.derived.Done()
}

// Err implements context.Context.
func (d *deadline) Err() error {
	d.mu.Lock()
	derived := d.derived
	d.mu.Unlock()
	switch {
	case derived != nil:
		return derived.Err()
	case !d.detached && d.Context.Err() != nil:
		return d.Context.Err()
	case !time.Now().Before(d.at):
		return context.DeadlineExceeded
	}
	return nil
}

// Value implements context.Context. It lets a context derived from this one find its parent's
// cancellation without a goroutine.
func (d *deadline) Value(key any) any {
	d.mu.Lock()
	derived := d.derived
	d.mu.Unlock()
	if derived != nil {
		return derived.Value(key)
	}
	return d.above().Value(key)
}

// stop frees the timer, if there is one.
func (d *deadline) stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cancel != nil {
		d.cancel()
	}
}
