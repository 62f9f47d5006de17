package core

import (
	"context"
	"sync"
	"time"
)

// ContextKey is the key under which a request's innermost *Session is found: in the context that
// NewContext makes, and, for frameworks that keep values beside the context, under the same string
// in gin's Keys and fiber's Locals. It is a string because those, and a WebSocket's copy of them,
// show no other keys.
const ContextKey = "github.com/sessionserverstore/sessionserverstore"

// FromContext finds the innermost session of a request, from any depth below the middleware. It
// reports false if no middleware ran.
func FromContext(ctx context.Context) (*Session, bool) {
	s, ok := ctx.Value(ContextKey).(*Session)
	return s, ok
}

// FromContext finds the session that this Manager's middleware began, where several Managers serve
// one request.
func (m *Manager) FromContext(ctx context.Context) (*Session, bool) {
	for s, _ := FromContext(ctx); s != nil; s = s.outer {
		if s.manager == m {
			return s, true
		}
	}
	return nil, false
}

// NewContext returns a context in which FromContext finds the session. It is for adapters, which
// call it once for each session that they began.
func NewContext(ctx context.Context, s *Session) context.Context {
	if outer, ok := FromContext(ctx); ok && outer != s {
		s.outer = outer
	}
	return &sessionContext{Context: ctx, session: s}
}

// A sessionContext answers for ContextKey.
type sessionContext struct {
	context.Context
	session *Session
}

// Value implements context.Context.
func (c *sessionContext) Value(key any) any {
	if name, ok := key.(string); ok && name == ContextKey {
		return c.session
	}
	return c.Context.Value(key)
}

// A deadline bounds a call to the store. It is a context.WithDeadline that costs a timer only where
// somebody waits for it, which a store in memory never does.
type deadline struct {
	context.Context
	at time.Time

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

// Deadline implements context.Context.
func (d *deadline) Deadline() (time.Time, bool) { return d.at, true }

// Done implements context.Context. It is the first call that costs a timer.
func (d *deadline) Done() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.derived == nil {
		d.derived, d.cancel = context.WithDeadline(d.Context, d.at)
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
	case d.Context.Err() != nil:
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
	return d.Context.Value(key)
}

// stop frees the timer, if there is one.
func (d *deadline) stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cancel != nil {
		d.cancel()
	}
}
