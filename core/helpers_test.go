package core_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// The values that tests without a subject of their own use.
var (
	note = core.NewValue[string]("note")
	hits = core.NewValue[int]("hits")
)

var errDown = errors.New("the store is down")

// The operations of a spyStore.
const (
	opCreate = "create"
	opLoad   = "load"
	opUpdate = "update"
	opDelete = "delete"
	opTouch  = "touch"
	opSweep  = "sweep"
)

// A hook stands before or after a call to the store. It gets the call's context and what the answer
// is so far, and returns what the answer shall be.
type hook func(ctx context.Context, err error) error

// A spyStore is a MemoryStore that counts the calls and has hooks.
type spyStore struct {
	*core.MemoryStore

	mu            sync.Mutex
	calls         map[string]int
	before, after map[string]hook
}

func newSpyStore() *spyStore {
	return &spyStore{
		MemoryStore: core.NewMemoryStore(core.MemoryOptions{}),
		calls:       map[string]int{}, before: map[string]hook{}, after: map[string]hook{},
	}
}

func (s *spyStore) do(ctx context.Context, op string, call func() error) error {
	s.mu.Lock()
	s.calls[op]++
	before, after := s.before[op], s.after[op]
	s.mu.Unlock()
	if before != nil {
		if err := before(ctx, nil); err != nil {
			return err
		}
	}
	err := call()
	if after != nil {
		return after(ctx, err)
	}
	return err
}

func (s *spyStore) Create(ctx context.Context, rec core.Record) error {
	return s.do(ctx, opCreate, func() error { return s.MemoryStore.Create(ctx, rec) })
}

func (s *spyStore) Load(ctx context.Context, id core.ID) (rec core.Record, err error) {
	err = s.do(ctx, opLoad, func() error {
		rec, err = s.MemoryStore.Load(ctx, id)
		return err
	})
	return rec, err
}

func (s *spyStore) Update(ctx context.Context, rec core.Record, was core.Revision) error {
	return s.do(ctx, opUpdate, func() error { return s.MemoryStore.Update(ctx, rec, was) })
}

func (s *spyStore) Delete(ctx context.Context, id core.ID) error {
	return s.do(ctx, opDelete, func() error { return s.MemoryStore.Delete(ctx, id) })
}

func (s *spyStore) Touch(ctx context.Context, rec core.Record, was core.Revision) error {
	return s.do(ctx, opTouch, func() error { return s.MemoryStore.Touch(ctx, rec, was) })
}

func (s *spyStore) DeleteExpired(ctx context.Context, now time.Time) (n int, err error) {
	err = s.do(ctx, opSweep, func() error {
		n, err = s.MemoryStore.DeleteExpired(ctx, now)
		return err
	})
	return n, err
}

// setBefore and setAfter put a hook in place, or remove it.
func (s *spyStore) setBefore(op string, h hook) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before[op] = h
}

func (s *spyStore) setAfter(op string, h hook) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.after[op] = h
}

// fail makes operations answer err without taking effect; nil heals them.
func (s *spyStore) fail(err error, ops ...string) {
	for _, op := range ops {
		s.setBefore(op, func(context.Context, error) error { return err })
	}
}

// hang makes operations wait until their context ends.
func (s *spyStore) hang(ops ...string) {
	for _, op := range ops {
		s.setBefore(op, func(ctx context.Context, _ error) error {
			<-ctx.Done()
			return ctx.Err()
		})
	}
}

// once makes a hook that does its work at the first call and nothing afterwards.
func once(h hook) hook {
	var done atomic.Bool
	return func(ctx context.Context, err error) error {
		if done.Swap(true) {
			return err
		}
		return h(ctx, err)
	}
}

func (s *spyStore) count(ops ...string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, op := range ops {
		n += s.calls[op]
	}
	return n
}

func (s *spyStore) writes() int { return s.count(opCreate, opUpdate, opDelete, opTouch) }

func (s *spyStore) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.calls)
}

// bareStore hides what a Store can do beside the Store interface.
type bareStore struct{ core.Store }

// A recorder keeps events.
type recorder struct {
	mu     sync.Mutex
	events []core.Event
}

func (r *recorder) observe(_ context.Context, e core.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
}

// take returns the events since the last call.
func (r *recorder) take() []core.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	events := r.events
	r.events = nil
	return events
}

// takeKinds returns the kinds of the events since the last call.
func (r *recorder) takeKinds() []core.EventKind {
	kinds := []core.EventKind{}
	for _, e := range r.take() {
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

// A site is a Manager with a store and events to look at.
type site struct {
	*core.Manager
	t      *testing.T
	store  *spyStore
	events *recorder
}

// newSite makes a site. The Config's Store and Observe are the site's own unless they are set.
func newSite(t *testing.T, cfg core.Config) *site {
	t.Helper()
	s := &site{t: t, store: newSpyStore(), events: &recorder{}}
	if cfg.Store == nil {
		cfg.Store = s.store
	}
	if cfg.Observe == nil {
		cfg.Observe = s.events.observe
	}
	m, err := core.New(cfg)
	require.NoError(t, err)
	s.Manager = m
	t.Cleanup(func() { _ = m.Close() })
	return s
}

// cookies is the header of a request with these tokens in the default cookie.
func cookies(tokens ...string) http.Header {
	h := http.Header{}
	for _, token := range tokens {
		h.Add("Cookie", "__Host-sid="+token)
	}
	return h
}

// begin begins a request that holds a token, or none.
func (s *site) begin(token ...string) *core.Session {
	s.t.Helper()
	session, err := s.Begin(s.t.Context(), cookies(token...))
	require.NoError(s.t, err)
	return session
}

// commit ends a request well and returns the response's header.
func (s *site) commit(session *core.Session) http.Header {
	s.t.Helper()
	response := s.commitUnsealed(session)
	s.Seal(session)
	return response
}

// commitUnsealed stores and goes on.
func (s *site) commitUnsealed(session *core.Session) http.Header {
	s.t.Helper()
	response := http.Header{}
	require.NoError(s.t, s.Commit(s.t.Context(), session, response))
	return response
}

// visit is a whole request with a token, or none.
func (s *site) visit(token string, f func(*core.Session)) http.Header {
	s.t.Helper()
	header := http.Header{}
	if token != "" {
		header = cookies(token)
	}
	session, err := s.Begin(s.t.Context(), header)
	require.NoError(s.t, err)
	f(session)
	return s.commit(session)
}

// start begins a session and returns its token and ID.
func (s *site) start(f func(*core.Session)) (token string, id core.ID) {
	s.t.Helper()
	token = tokenIn(s.t, s.visit("", f))
	return token, core.ID(token[:core.IDLength])
}

// alive reports whether a token opens a session.
func (s *site) alive(token string) bool {
	s.t.Helper()
	return s.begin(token).ID() != ""
}

// read returns a session's note as the next request sees it.
func (s *site) read(token string) string {
	s.t.Helper()
	text, _ := note.Get(s.begin(token))
	return text
}

// record returns what the store holds.
func (s *site) record(id core.ID) core.Record {
	s.t.Helper()
	rec, err := s.store.MemoryStore.Load(s.t.Context(), id)
	require.NoError(s.t, err)
	return rec
}

// setNote is a handler that sets the note.
func setNote(text string) func(*core.Session) {
	return func(s *core.Session) { note.Set(s, text) }
}

// signIn is a handler that names an owner.
func signIn(owner string) func(*core.Session) {
	return func(s *core.Session) { s.SetOwner(owner) }
}

// tokenIn returns the token that a response hands out in the default cookie.
func tokenIn(t *testing.T, response http.Header) string {
	t.Helper()
	lines := response.Values("Set-Cookie")
	require.Len(t, lines, 1, "session cookies of the response")
	cookie, err := http.ParseSetCookie(lines[0])
	require.NoError(t, err)
	require.Equal(t, "__Host-sid", cookie.Name)
	_, ok := core.ParseToken(cookie.Value)
	require.True(t, ok, "a well-formed token")
	return strings.Clone(cookie.Value)
}

// requireExpired checks that a response tells the client to forget the default cookie.
func requireExpired(t *testing.T, response http.Header) {
	t.Helper()
	require.Equal(t, []string{
		"__Host-sid=; Path=/; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=0; " +
			"HttpOnly; Secure; SameSite=Lax",
	}, response.Values("Set-Cookie"))
}

// bubble is a subtest in which time stands still until everybody waits.
func bubble(t *testing.T, name string, f func(t *testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { synctest.Test(t, f) })
}

// pass lets time pass in a bubble, where nobody waits for it.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// Handlers that do one thing.
func doRenew(s *core.Session)      { s.Renew() }
func doDestroy(s *core.Session)    { s.Destroy() }
func doClear(s *core.Session)      { s.Clear() }
func doPersist(s *core.Session)    { s.Persist(true) }
func deleteNote(s *core.Session)   { note.Delete(s) }
func takeNote(s *core.Session)     { note.Take(s) }
func takeNoteOnce(s *core.Session) { note.TakeOnce(s) }
