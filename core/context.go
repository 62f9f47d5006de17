package core

import (
	"context"
	"fmt"
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
	if !s.within(ctx) {
		return &anotherContext{ctx, s}
	}
	return (*sessionContext)(s)
}

// within makes ctx the request's context, and notes the session that it has already, of another
// Manager: now, for a framework's context may show another one later. It reports false, and does
// nothing, if the request's context is known.
func (s *Session) within(ctx context.Context) bool {
	outer, _ := FromContext(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.request != nil {
		return false
	}
	s.request = ctx
	for o := outer; o != s; o = o.outer {
		if o == nil {
			s.outer = outer
			break
		}
	}
	return true
}

// An anotherContext is for a session that is put into more than one context.
type anotherContext struct {
	context.Context
	session *Session
}

// Value implements context.Context.
func (c *anotherContext) Value(key any) any {
	if name, ok := key.(string); ok && name == ContextKey {
		return c.session
	}
	return c.Context.Value(key)
}

// A sessionContext is a Session as a handler's context: the request's, in which the Session itself
// is found, and, behind a Gate, until its end. That costs something only where somebody waits.
type sessionContext Session

// A derivedContext is made for whoever waits.
type derivedContext struct {
	context.Context
	cancel context.CancelFunc
}

func endedContext() *derivedContext {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return &derivedContext{ctx, cancel}
}

// end cancels the handler's context.
func (s *Session) end() {
	if s.request.Err() != nil {
		(*sessionContext)(s).derive() // which keeps the request's own error, and its cause
	}
	if !s.derived.CompareAndSwap(nil, s.manager.ended) {
		s.derived.Load().cancel()
	}
}

// derive makes the context for whoever waits, once.
func (c *sessionContext) derive() *derivedContext {
	if d := c.derived.Load(); d != nil {
		return d
	}
	ctx, cancel := context.WithCancel(c.request)
	d := &derivedContext{ctx, cancel}
	if !c.derived.CompareAndSwap(nil, d) {
		cancel()
		return c.derived.Load()
	}
	return d
}

// Format writes what the Session's does: neither values nor tokens are for a log.
func (c *sessionContext) Format(f fmt.State, verb rune) { (*Session)(c).Format(f, verb) }

// Deadline implements context.Context.
func (c *sessionContext) Deadline() (time.Time, bool) { return c.request.Deadline() }

// Done implements context.Context.
func (c *sessionContext) Done() <-chan struct{} {
	if !c.gated {
		return c.request.Done()
	}
	return c.derive().Done()
}

// Err implements context.Context.
func (c *sessionContext) Err() error {
	if d := c.derived.Load(); d != nil {
		return d.Err()
	}
	return c.request.Err()
}

// Value implements context.Context. It lets a context derived from this one find its parent's
// cancellation without a goroutine.
func (c *sessionContext) Value(key any) any {
	if name, ok := key.(string); ok && name == ContextKey {
		return (*Session)(c)
	}
	if d := c.derived.Load(); d != nil && d != c.manager.ended {
		return d.Value(key)
	}
	return c.request.Value(key)
}
