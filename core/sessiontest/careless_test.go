package sessiontest_test

import (
	"context"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/sessiontest"
)

// A buffering adapter sends nothing before the handler has returned. Its steps can be replaced.
type buffering struct {
	m *core.Manager

	inside  func(ctx context.Context) bool
	begin   func(r *http.Request) (*core.Session, error)
	context func(ctx context.Context, s *core.Session) context.Context
	panics  func(r *http.Request, s *core.Session)
	commit  func(r *http.Request, s *core.Session, a *httptest.ResponseRecorder) error
	fail    func(w http.ResponseWriter, s *core.Session, a *httptest.ResponseRecorder, err error)
	sent    func(r *http.Request, s *core.Session)
}

// newBuffering makes an adapter that is right as yet.
func newBuffering(m *core.Manager) *buffering {
	b := &buffering{m: m}
	b.inside = func(ctx context.Context) bool { _, ok := m.FromContext(ctx); return ok }
	b.begin = func(r *http.Request) (*core.Session, error) { return m.Begin(r.Context(), r.Header) }
	b.context = core.NewContext
	b.panics = func(r *http.Request, s *core.Session) { m.Rollback(r.Context(), s) }
	b.commit = func(r *http.Request, s *core.Session, a *httptest.ResponseRecorder) error {
		return m.Commit(r.Context(), s, a.Header())
	}
	b.fail = func(
		w http.ResponseWriter, s *core.Session, _ *httptest.ResponseRecorder, err error,
	) {
		m.ErrorHeader(s, err, w.Header())
		w.WriteHeader(core.Status(err))
	}
	b.sent = func(_ *http.Request, s *core.Session) { m.Seal(s) }
	return b
}

func (b *buffering) serve(w http.ResponseWriter, r *http.Request, next http.Handler) {
	if b.inside(r.Context()) {
		next.ServeHTTP(w, r)
		return
	}
	s, err := b.begin(r)
	if err != nil {
		b.fail(w, nil, httptest.NewRecorder(), err)
		return
	}
	answer := httptest.NewRecorder()
	returned := false
	defer func() {
		if !returned {
			b.panics(r, s)
		}
	}()
	next.ServeHTTP(answer, r.WithContext(b.context(r.Context(), s)))
	returned = true
	if err := b.commit(r, s, answer); err != nil {
		b.fail(w, s, answer, err)
		b.sent(r, s)
		return
	}
	maps.Copy(w.Header(), answer.Header())
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes())
	b.sent(r, s)
}

type failFunc func(error)

func (f failFunc) Fail(err error) { f(err) }

// A gating adapter commits before the first byte. Its steps can be replaced.
type gating struct {
	m *core.Manager

	wrap    func(g *core.Gate, s *core.Session, w http.ResponseWriter) http.ResponseWriter
	context func(g *core.Gate, r *http.Request, s *core.Session) context.Context
	answer  func(w http.ResponseWriter, err error)
	panics  func(g *core.Gate)
	finish  func(g *core.Gate, s *core.Session)
}

// newGating makes an adapter that is right as yet.
func newGating(m *core.Manager) *gating {
	return &gating{
		m: m,
		wrap: func(g *core.Gate, _ *core.Session, w http.ResponseWriter) http.ResponseWriter {
			return g.Wrap(w)
		},
		context: func(g *core.Gate, _ *http.Request, _ *core.Session) context.Context {
			return g.Context()
		},
		answer: func(w http.ResponseWriter, err error) {
			w.Header().Set("Content-Length", "0")
			w.WriteHeader(core.Status(err))
			_ = http.NewResponseController(w).Flush()
		},
		panics: (*core.Gate).Rollback,
		finish: func(g *core.Gate, _ *core.Session) { _ = g.Finish() },
	}
}

func (g *gating) serve(w http.ResponseWriter, r *http.Request, next http.Handler) {
	if _, ok := g.m.FromContext(r.Context()); ok {
		next.ServeHTTP(w, r)
		return
	}
	gate := new(core.Gate)
	failer := failFunc(func(err error) { g.answer(w, err) })
	if err := g.m.BeginGate(r.Context(), gate, r.Header, w.Header(), failer); err != nil {
		g.answer(w, err)
		return
	}
	s := gate.Session()
	returned := false
	defer func() {
		if !returned {
			g.panics(gate)
		}
	}()
	next.ServeHTTP(g.wrap(gate, s, w), r.WithContext(g.context(gate, r, s)))
	returned = true
	g.finish(gate, s)
}

// A slip is a mistake that somebody who writes an adapter can make, and the checks that must see
// it.
type slip struct {
	name   string
	buffer func(b *buffering)
	gate   func(g *gating)
	get    func(r *http.Request) *core.Session // nil: what is right
	seen   []string
	may    []string // checks that see it if requests come on one connection
}

// mount mounts an adapter with the slip in it.
func (l slip) mount(t testing.TB, h sessiontest.Handler, managers ...*core.Manager) string {
	if l.get == nil {
		l.get = get
	}
	handler := sessiontest.HTTPHandler(h, l.get)
	for _, m := range slices.Backward(managers) {
		handler = l.middleware(m)(handler)
	}
	return serve(t, handler)
}

func (l slip) middleware(m *core.Manager) func(http.Handler) http.Handler {
	serve := newBuffering(m).serve
	if l.gate != nil {
		g := newGating(m)
		l.gate(g)
		serve = g.serve
	} else if l.buffer != nil {
		b := newBuffering(m)
		l.buffer(b)
		serve = b.serve
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { serve(w, r, next) })
	}
}

// failingOf runs the checks and returns the names of those that fail. A buffering adapter does not
// stream.
func failingOf(t *testing.T, mount sessiontest.Mount, streams bool) []string {
	var names []string
	for _, check := range sessiontest.AdapterChecks() {
		if check.Needs == sessiontest.Streams && !streams {
			continue
		}
		t.Run(check.Name, func(t *testing.T) {
			if err := check.Run(t, mount); err != nil {
				t.Log(err)
				names = append(names, check.Name)
			}
		})
	}
	return names
}

func TestAnAdapterWithoutAMistakePasses(t *testing.T) {
	t.Parallel()
	require.Empty(t, failingOf(t, slip{}.mount, false), "buffering")
	right := slip{gate: func(*gating) {}}
	require.Empty(t, failingOf(t, right.mount, true), "gating")
}

func TestEachMistakeOfAnAdapterIsSeen(t *testing.T) {
	t.Parallel()
	for _, l := range slices.Concat(commitSlips(), headerSlips(), requestSlips(), streamSlips()) {
		t.Run(l.name, l.test)
	}
}

// Each of these takes as long as the checks wait for what never happens. They wait together.
func TestWhatNeverHappensIsSeen(t *testing.T) {
	t.Parallel()
	var all sync.WaitGroup
	for _, l := range slowSlips() {
		all.Go(func() { t.Run(l.name, l.test) })
	}
	all.Wait()
}

func (l slip) test(t *testing.T) {
	seen := failingOf(t, l.mount, l.gate != nil)
	for _, name := range l.may {
		if slices.Contains(seen, name) {
			l.seen = append(l.seen, name)
		}
	}
	require.ElementsMatch(t, l.seen, seen)
}
