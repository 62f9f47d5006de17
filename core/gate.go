package core

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
)

// A Gate lets nothing of a response out before its session is committed. It is what adapters of
// frameworks on net/http are made of: Open before the first byte, Finish after the handler,
// Rollback if it panicked. Its methods may be called at once, since a handler may write from any
// goroutine.
type Gate struct {
	manager *Manager
	session *Session
	request context.Context // the request's own, without the session
	handler gateContext     // what the handler gets
	header  http.Header
	before  http.Header // what header held when the gate was made
	fail    func(error)

	state atomic.Int32
	mu    sync.Mutex
	err   error
}

const (
	gateClosed int32 = iota
	gateOpen
	gateFailed
)

// NewGate makes a gate for one request, whose session Begin began. header is the response's. fail
// is called if the session cannot be committed, once, with the header set back to what it was when
// the gate was made and ErrorHeader added: it answers through the framework's own error path, past
// the gate.
func (m *Manager) NewGate(
	ctx context.Context, s *Session, header http.Header, fail func(err error),
) *Gate {
	g := &Gate{manager: m, session: s, request: ctx, header: header, fail: fail}
	g.handler.Context = NewContext(ctx, s)
	if len(header) > 0 {
		g.before = header.Clone()
	}
	return g
}

// Format writes a fixed text, whatever the verb: the header may hold the token.
func (g *Gate) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[session gate]") }

// Context is the context for the handler: the session is in it, and it is cancelled when the commit
// failed, so that a handler that streams stops.
func (g *Gate) Context() context.Context { return &g.handler }

// Open commits the session, the first time it is called. It returns the error of that commit, each
// time: then what the handler writes must go nowhere, since fail has answered.
func (g *Gate) Open() error {
	switch g.state.Load() {
	case gateOpen:
		return nil
	case gateFailed:
		return g.Failed()
	}
	first, err := g.open()
	if first && err != nil {
		g.fail(err)
	}
	return err
}

func (g *Gate) open() (first bool, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.state.Load() != gateClosed {
		return false, g.err
	}
	g.err = g.manager.Commit(g.request, g.session, g.header)
	g.session.mu.Lock()
	g.session.headerGone = true
	g.session.mu.Unlock()
	if g.err == nil {
		g.state.Store(gateOpen)
		return true, nil
	}
	clear(g.header)
	maps.Copy(g.header, g.before)
	g.manager.ErrorHeader(g.session, g.err, g.header)
	g.state.Store(gateFailed)
	g.handler.cancel()
	return true, g.err
}

// Failed is the error for which nothing of the handler's answer may go out, nil if there is none.
func (g *Gate) Failed() error {
	if g.state.Load() != gateFailed {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.err
}

// Finish is for when the handler has returned: it commits, if no byte was written, or stores what
// changed after the first, and seals the session. It returns the error only of a change that came
// after the first byte, and could not be stored: the answer is out, so that all one can do is log.
func (g *Gate) Finish() error {
	defer g.manager.Seal(g.session)
	defer g.handler.cancel()
	if g.Open() != nil {
		// fail has it. What the handler set afterwards must not follow the error page.
		maps.DeleteFunc(g.header, func(name string, _ []string) bool {
			return strings.HasPrefix(name, http.TrailerPrefix)
		})
		if g.session.endsAnew() {
			g.manager.Rollback(g.request, g.session)
		}
		return nil
	}
	// Also after a first commit: another goroutine may have changed something meanwhile.
	err := g.manager.Commit(g.request, g.session, nil)
	if err != nil {
		event := Event{Kind: ChangesLost, ID: g.session.ID(), Err: err}
		g.manager.emit(g.request, event)
	}
	return err
}

// Rollback is for when the handler panicked: see Manager.Rollback.
func (g *Gate) Rollback() {
	g.manager.Rollback(g.request, g.session)
	g.handler.cancel()
}

// A gateContext is cancelled when the commit fails. That costs something only where somebody waits.
type gateContext struct {
	context.Context

	mu      sync.Mutex
	over    bool
	derived context.Context
	end     context.CancelFunc
}

func (c *gateContext) cancel() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over = true
	if c.end != nil {
		c.end()
	}
}

func (c *gateContext) derive() context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.derived == nil {
		c.derived, c.end = context.WithCancel(c.Context)
		if c.over {
			c.end()
		}
	}
	return c.derived
}

// Done implements context.Context.
func (c *gateContext) Done() <-chan struct{} { return c.derive().Done() }

// Err implements context.Context.
func (c *gateContext) Err() error {
	c.mu.Lock()
	derived, over := c.derived, c.over
	c.mu.Unlock()
	switch {
	case derived != nil:
		return derived.Err()
	case c.Context.Err() != nil:
		return c.Context.Err()
	case over:
		return context.Canceled
	}
	return nil
}

// Value implements context.Context. It lets a context derived from this one find its parent's
// cancellation without a goroutine.
func (c *gateContext) Value(key any) any {
	c.mu.Lock()
	derived := c.derived
	c.mu.Unlock()
	if derived != nil {
		return derived.Value(key)
	}
	return c.Context.Value(key)
}
