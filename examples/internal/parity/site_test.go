package parity

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

const cookieName = "__Host-sid"

// patience is how long a check waits for what must happen; only a failing test waits that long.
const patience = 30 * time.Second

var u = core.NewValue[string]("u")

// A site is one application under test: a framework, what is installed and routed in it, and the
// store and Manager behind it.
type site struct {
	t         testing.TB
	framework framework
	store     *store
	config    core.Config
	manager   *core.Manager
	other     *core.Manager // of the layer another
	inspector *core.Manager // looks into the store past its counters

	layers []layer // of all requests, outermost first
	group  []layer // of the routes below
	routes []route
	mounts map[string]http.Handler // by path, in the group

	logged       chan int                        // what the layer logs saw
	passive      func(path string) bool          // Config.Passive, if not nil
	shutdown     func(context.Context) error     // of the server, when it serves
	terse        chan error                      // the error path tells here and sends a status only
	mute         bool                            // not even that
	wrap         func(http.Handler) http.Handler // around all, where writers is an ability
	exactHeaders bool                            // fiber's DisableHeaderNormalizing
	smallBuffer  bool                            // fiber's own ReadBufferSize
	secure       bool                            // HTTP/2 over TLS, where http2 is an ability
	client       *http.Client                    // for that

	addr string

	mu     sync.Mutex
	events []core.Event
	news   chan struct{}
}

type route struct {
	method, path string
	handler      Handler
}

// open starts a site with the adapter installed and two routes, /read and /set, that most checks
// want. Each change is made before it starts.
func open(t testing.TB, f framework, changes ...func(s *site)) *site {
	t.Helper()
	s := &site{
		t: t, framework: f, store: newStore(), layers: []layer{session},
		mounts: map[string]http.Handler{}, news: make(chan struct{}, 1),
		logged: make(chan int, 10),
	}
	s.config.Observe = s.observe
	s.handle(http.MethodGet, "/read", func(c Ctx) error {
		val, _ := u.Get(c.Session())
		return c.Text(http.StatusOK, "u="+val)
	})
	s.handle(http.MethodGet, "/set", func(c Ctx) error {
		u.Set(c.Session(), c.Query("u"))
		return c.Text(http.StatusOK, "set")
	})
	for _, change := range changes {
		change(s)
	}
	s.manage()
	s.addr = f.serve(t, s)
	return s
}

func (s *site) manage() {
	s.config.Store = s.store
	s.manager = newManager(s.t, s.config)
	if s.other == nil {
		s.other = newManager(s.t, core.Config{
			Store: s.store, Carrier: core.Cookie{Name: "__Host-other"}, Namespace: "other",
		})
	}
	s.inspector = newManager(s.t, core.Config{
		Store: s.store.MemoryStore, Carrier: core.Bearer{}, Namespace: s.config.Namespace,
		Lifetime: s.config.Lifetime, IdleTimeout: s.config.IdleTimeout,
	})
}

func newManager(t testing.TB, cfg core.Config) *core.Manager {
	t.Helper()
	m, err := core.New(cfg)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, m.Close()) })
	return m
}

// handle adds a route, and replaces an earlier one.
func (s *site) handle(method, path string, h Handler) {
	for i, r := range s.routes {
		if r.method == method && r.path == path {
			s.routes[i].handler = h
			return
		}
	}
	s.routes = append(s.routes, route{method, path, h})
}

// get is handle for GET, as a change for open.
func get(path string, h Handler) func(s *site) {
	return func(s *site) { s.handle(http.MethodGet, path, h) }
}

// with installs layers, outermost first.
func with(layers ...layer) func(s *site) { return func(s *site) { s.layers = layers } }

// carry sets the carrier.
func carry(c core.Carrier) func(s *site) { return func(s *site) { s.config.Carrier = c } }

func (s *site) observe(_ context.Context, e core.Event) {
	s.mu.Lock()
	s.events = append(s.events, e)
	s.mu.Unlock()
	select {
	case s.news <- struct{}{}:
	default:
	}
}

// heard counts the events of a kind so far.
func (s *site) heard(kind core.EventKind) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.events {
		if e.Kind == kind {
			n++
		}
	}
	return n
}

// await waits for the first event of a kind.
func (s *site) await(kind core.EventKind) core.Event {
	s.t.Helper()
	limit := time.After(patience)
	for {
		s.mu.Lock()
		for _, e := range s.events {
			if e.Kind == kind {
				s.mu.Unlock()
				return e
			}
		}
		s.mu.Unlock()
		select {
		case <-s.news:
		case <-limit:
			require.FailNow(s.t, "no event "+string(kind))
		}
	}
}

// opens finds what a token opens, judged by the store alone.
func (s *site) opens(token string) *core.Session {
	s.t.Helper()
	h := http.Header{"Authorization": {"Bearer " + token}}
	found, err := s.inspector.Begin(s.t.Context(), h)
	require.NoError(s.t, err)
	return found
}

// holds requires that a token opens a session in which u is want.
func (s *site) holds(token, want string) *core.Session {
	s.t.Helper()
	found := s.opens(token)
	require.NotEmpty(s.t, found.ID(), "the token opens no session")
	val, _ := u.Get(found)
	require.Equal(s.t, want, val, "the value u in the store")
	return found
}

// idOf is the public part of a token.
func idOf(t testing.TB, text string) core.ID {
	t.Helper()
	token, ok := core.ParseToken(text)
	require.True(t, ok, "%q is no token", text)
	return token.ID()
}

// hold keeps a handler waiting until the channel is closed, and no longer than the test runs: else
// a check that fails would hang.
func hold(t testing.TB, until <-chan struct{}) {
	select {
	case <-until:
	case <-t.Context().Done():
	}
}

// receive waits for a value from another goroutine.
func receive[T any](t testing.TB, from <-chan T, what string) T {
	t.Helper()
	select {
	case val := <-from:
		return val
	case <-time.After(patience):
		require.FailNow(t, "waited in vain for "+what)
		panic("unreachable")
	}
}
