package core

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
)

// A Gate is one request's session, and lets nothing of the response out before it is committed. It
// is what adapters of frameworks on net/http are made of: Manager.BeginGate before the handler,
// Open before the first byte, Finish after the handler, Rollback if it panicked. Its methods may be
// called concurrently, since a handler may write from any goroutine.
//
// The zero Gate is ready for BeginGate, and for nothing else but setting Passive. An adapter makes
// it a field of what it keeps of a request, so that all of that is one piece of memory; it must not
// be copied or used again.
type Gate struct {
	// Passive, set before BeginGate, has the session begin as by BeginPassive.
	Passive bool

	session *Session
	writer  writer // of the first Wrap
	header  http.Header
	before  http.Header // what header held when the gate was made
	failer  Failer

	mu      sync.Mutex // held while the session is committed
	outcome atomic.Pointer[outcome]
}

// An outcome is what became of the commit that opens a gate.
type outcome struct{ err error }

// A Failer answers for a session that cannot be committed.
type Failer interface {
	// Fail answers through the framework's own error path, past the gate: to the writer that Wrap
	// was given. It is called at most once, with the response's header set back to what it was when
	// the gate was made and ErrorHeader added, in whatever goroutine writes first. The answer must
	// be complete, and flushed, when it returns: the handler may go on for long.
	Fail(err error)
}

// BeginGate begins the session of a request, as Begin does, behind a gate that keeps back the
// response until it is committed; the headers are the request's and the response's. The error is
// that of Begin. Then ErrorHeader was added already, and the gate must not be used.
func (m *Manager) BeginGate(
	ctx context.Context, g *Gate, request, response http.Header, f Failer,
) error {
	s, err := m.begin(ctx, netHeader(request), g.Passive)
	if err != nil {
		m.ErrorHeader(nil, err, response)
		return err
	}
	s.gated = true
	g.session, g.header, g.failer = s, response, f
	s.within(ctx)
	if len(response) > 0 {
		g.before = response.Clone()
	}
	return nil
}

// Format writes a fixed text, whatever the verb: the header may hold the token.
func (g *Gate) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[session gate]") }

// Session is the request's session.
func (g *Gate) Session() *Session { return g.session }

// Context is the context for the handler: the session is in it, and it is cancelled when the commit
// failed, so that a handler that streams stops, and when the request is over.
func (g *Gate) Context() context.Context { return (*sessionContext)(g.session) }

// Open commits the session, the first time it is called. It returns the error of that commit, each
// time: then what the handler writes must go nowhere, since the Failer has answered.
func (g *Gate) Open() error {
	if o := g.outcome.Load(); o != nil {
		return o.err
	}
	first, err := g.open()
	if first && err != nil {
		g.failer.Fail(err)
	}
	return err
}

func (g *Gate) open() (first bool, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if o := g.outcome.Load(); o != nil {
		return false, o.err
	}
	s, m := g.session, g.session.manager
	err = m.commit(s.request, s, (*gateHeader)(g), true)
	if err == nil {
		g.outcome.Store(m.opened)
		return true, nil
	}
	clear(g.header)
	maps.Copy(g.header, g.before)
	m.ErrorHeader(s, err, g.header)
	g.outcome.Store(&outcome{err})
	s.end()
	return true, err
}

// Failed is the error for which nothing of the handler's answer may go out, nil if there is none.
func (g *Gate) Failed() error {
	if o := g.outcome.Load(); o != nil {
		return o.err
	}
	return nil
}

// Finish is for when the handler has returned: it commits, if no byte was written, or stores what
// changed after the first, and seals the session. It returns the error only of a change that came
// after the first byte, and could not be stored: the answer is out, so that all one can do is log.
func (g *Gate) Finish() error {
	s, m := g.session, g.session.manager
	defer m.Seal(s)
	defer s.end()
	if g.Open() != nil {
		// The Failer has it. What the handler set afterwards must not follow the error page.
		maps.DeleteFunc(g.header, func(name string, _ []string) bool {
			return strings.HasPrefix(name, http.TrailerPrefix)
		})
		if s.endsAnew() {
			m.Rollback(s.request, s)
		}
		return nil
	}
	// Also after a first commit: another goroutine may have changed something meanwhile.
	err := m.Commit(s.request, s, nil)
	if err != nil && !errors.Is(err, ErrNotDurable) { // which was told, and is no loss
		m.emit(s.request, Event{Kind: ChangesLost, ID: s.ID(), Err: err})
	}
	return err
}

// Rollback is for when the handler panicked: see Manager.Rollback.
func (g *Gate) Rollback() {
	g.session.manager.Rollback(g.session.request, g.session)
	g.session.end()
}

// A netHeader is an http.Header that is asked for names in canonical form only, as core does.
type netHeader http.Header

// Values implements RequestHeader.
func (h netHeader) Values(name string) []string { return h[name] }

// A gateHeader is the response's header as Commit sees it, which names lines in canonical form.
type gateHeader Gate

// Values implements ResponseHeader.
func (h *gateHeader) Values(name string) []string { return h.header[name] }

// Add implements ResponseHeader.
func (h *gateHeader) Add(name, value string) {
	h.header[name] = append(h.header[name], value)
}

// Set implements ResponseHeader. The line has memory of its own: a header may be kept for long, by
// a cache or a log, and must not hold on to the request.
func (h *gateHeader) Set(name, value string) { h.header[name] = []string{value} }
