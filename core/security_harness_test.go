package core_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// The security tests work on a whole site, as an attacker would: a Manager behind its middleware,
// requests with whatever headers somebody likes to send, and what comes back.

const secCookie = "__Host-sid"

// secValue is the value that the security tests set where any will do.
func secValue() core.Value[string] { return core.NewValue[string]("note") }

// set returns a handler that sets a note.
func secSet(note string) func(*core.Session) {
	return func(s *core.Session) { secValue().Set(s, note) }
}

// secRead is a handler that only looks.
func secRead(s *core.Session) { s.ID() }

// secBubble runs a subtest on a clock of its own, which stands still while anything runs.
func secBubble(t *testing.T, name string, f func(t *testing.T)) {
	t.Run(name, func(t *testing.T) { synctest.Test(t, f) })
}

// secPass lets time pass in a bubble.
func secPass(d time.Duration) { <-time.After(d) }

// secStore is a MemoryStore that notes what is asked of it, and may be made to fail, or to run
// something else first.
type secStore struct {
	*core.MemoryStore

	mu     sync.Mutex
	calls  []string
	before func(op string) error
}

func (s *secStore) call(ctx context.Context, op string) error {
	if err := ctx.Err(); err != nil {
		return err // as a store does that waits
	}
	s.mu.Lock()
	s.calls = append(s.calls, op)
	before := s.before
	s.mu.Unlock()
	if before == nil {
		return nil
	}
	return before(op)
}

// hook makes every later call run f first. What f returns, if anything, is the call's answer.
func (s *secStore) hook(f func(op string) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before = f
}

// once runs f right before the next call of op, and then never again.
func (s *secStore) once(op string, f func()) {
	s.hook(func(called string) error {
		if called == op {
			s.hook(nil)
			f()
		}
		return nil
	})
}

// count returns how often the given operations were called, or any if none is given.
func (s *secStore) count(ops ...string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, op := range s.calls {
		if len(ops) == 0 || slices.Contains(ops, op) {
			n++
		}
	}
	return n
}

func (s *secStore) Create(ctx context.Context, rec core.Record) error {
	if err := s.call(ctx, "create"); err != nil {
		return err
	}
	return s.MemoryStore.Create(ctx, rec)
}

func (s *secStore) Load(ctx context.Context, id core.ID) (core.Record, error) {
	if err := s.call(ctx, "load"); err != nil {
		return core.Record{}, err
	}
	return s.MemoryStore.Load(ctx, id)
}

func (s *secStore) Update(ctx context.Context, rec core.Record, was core.Revision) error {
	if err := s.call(ctx, "update"); err != nil {
		return err
	}
	return s.MemoryStore.Update(ctx, rec, was)
}

func (s *secStore) Touch(ctx context.Context, rec core.Record, was core.Revision) error {
	if err := s.call(ctx, "touch"); err != nil {
		return err
	}
	return s.MemoryStore.Touch(ctx, rec, was)
}

func (s *secStore) Delete(ctx context.Context, id core.ID) error {
	if err := s.call(ctx, "delete"); err != nil {
		return err
	}
	return s.MemoryStore.Delete(ctx, id)
}

// secSite is a Manager behind its middleware for net/http.
type secSite struct {
	t       *testing.T
	manager *core.Manager
	store   *secStore
	logger  *secLevels // if a test listens

	mu     sync.Mutex
	events []core.Event
}

// newSecSite makes a site. Its store is in memory, whatever cfg says.
func newSecSite(t *testing.T, cfg core.Config) *secSite {
	t.Helper()
	site := &secSite{
		t:     t,
		store: &secStore{MemoryStore: core.NewMemoryStore(core.MemoryOptions{})},
	}
	cfg.Store = site.store
	other := cfg.Observe
	cfg.Observe = func(ctx context.Context, e core.Event) {
		site.observe(ctx, e)
		if other != nil {
			other(ctx, e)
		}
	}
	manager, err := core.New(cfg)
	require.NoError(t, err)
	t.Cleanup(func() {
		if err := manager.Close(); err != nil {
			require.ErrorContains(t, err, " more, given up", "nothing else may be left")
		}
	})
	site.manager = manager
	return site
}

func (s *secSite) observe(_ context.Context, e core.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, e)
}

// seen lists the kinds of events since the last call.
func (s *secSite) seen() []core.EventKind {
	kinds := []core.EventKind{}
	for _, e := range s.seenEvents() {
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

func (s *secSite) seenEvents() []core.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.events
	s.events = nil
	return list
}

// serve sends one request with the given header; f is the handler's whole work.
func (s *secSite) serve(header http.Header, f func(*core.Session)) *http.Response {
	s.t.Helper()
	return s.serveHTTP(header, func(w http.ResponseWriter, r *http.Request) {
		session, ok := s.manager.FromContext(r.Context())
		require.True(s.t, ok)
		f(session)
	})
}

func (s *secSite) serveHTTP(header http.Header, f http.HandlerFunc) *http.Response {
	s.t.Helper()
	return s.serveRequest(httptest.NewRequest(http.MethodGet, "/", nil), header, f)
}

func (s *secSite) serveRequest(
	r *http.Request, header http.Header, f http.HandlerFunc,
) *http.Response {
	s.t.Helper()
	r.Header = header.Clone()
	if r.Header == nil {
		r.Header = http.Header{}
	}
	w := httptest.NewRecorder()
	s.manager.Handler(f).ServeHTTP(w, r)
	return w.Result()
}

// begin opens a session with a token and leaves it to the test to commit it later.
func (s *secSite) begin(token string) *core.Session {
	s.t.Helper()
	session, err := s.manager.Begin(s.t.Context(), secWith(token))
	require.NoError(s.t, err)
	return session
}

// secWith is the header of a request that holds a token in the default cookie.
func secWith(token string) http.Header {
	header := http.Header{}
	if token != "" {
		header.Set("Cookie", secCookie+"="+token)
	}
	return header
}

// secIssued is the token that a response brings in a cookie or in a header, "" if none.
func secIssued(response *http.Response) string {
	for _, c := range response.Cookies() {
		if len(c.Value) == core.TokenLength {
			return c.Value
		}
	}
	for _, lines := range response.Header {
		if _, ok := core.ParseToken(lines[0]); ok {
			return lines[0]
		}
	}
	return ""
}

// secExpired reports whether a response tells a browser to forget the cookie.
func secExpired(response *http.Response) bool {
	return slices.ContainsFunc(response.Cookies(), func(c *http.Cookie) bool {
		return c.Value == "" && c.MaxAge < 0
	})
}

// secVisitor is a browser with one cookie; tokens are all that it was ever given.
type secVisitor struct {
	site   *secSite
	token  string
	tokens []string
}

func (s *secSite) visitor() *secVisitor { return &secVisitor{site: s} }

// visit sends a request with the visitor's cookie, and keeps what comes back.
func (v *secVisitor) visit(f func(*core.Session)) *http.Response {
	v.site.t.Helper()
	response := v.site.serve(secWith(v.token), f)
	switch token := secIssued(response); {
	case token != "":
		v.token = token
		v.tokens = append(v.tokens, token)
	case secExpired(response):
		v.token = ""
	}
	return response
}

// read returns the note that a request with a token sees, and whether it has a session at all.
func (s *secSite) read(token string) (note string, alive bool) {
	s.t.Helper()
	s.serve(secWith(token), func(session *core.Session) {
		note, _ = secValue().Get(session)
		alive = session.ID() != ""
	})
	return note, alive
}

// requireDead checks that a token opens nothing.
func (s *secSite) requireDead(token string) {
	s.t.Helper()
	note, alive := s.read(token)
	require.Empty(s.t, note)
	require.False(s.t, alive)
}
