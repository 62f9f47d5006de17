package storesuite

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// A lateCase is what a handler does whose client has gone, or whose response has begun: then no
// token can be handed out any more.
type lateCase struct {
	name    string
	steps   []raceStep
	refused bool              // the rest of the commit, and nothing of it is stored
	ended   bool              // the session that was there
	values  map[string]string // of the session that was there
}

func lateCases() []lateCase {
	was := raceValues()
	mine := map[string]string{"a": "mine", "b": "b0"}
	set := raceStep{"set", "a", "mine"}
	renew, destroy := raceStep{verb: "renew"}, raceStep{verb: "destroy"}
	owner := raceStep{verb: "owner", text: "user:1"}
	return []lateCase{
		{name: "a value set", steps: []raceStep{set}, values: mine},
		{name: "a value updated", steps: []raceStep{{"update", "a", "+"}},
			values: map[string]string{"a": "a0+", "b": "b0"}},
		{name: "a value taken once", steps: []raceStep{{verb: "takeOnce", name: "a"}},
			values: map[string]string{"b": "b0"}},
		{name: "all cleared", steps: []raceStep{{verb: "clear"}}, values: map[string]string{}},
		{name: "a renewal", steps: []raceStep{renew}, refused: true, values: was},
		{name: "a value and a renewal", steps: []raceStep{set, renew}, refused: true, values: was},
		{name: "a sign-in", steps: []raceStep{owner}, refused: true, values: was},
		{name: "a sign-in and a value", steps: []raceStep{owner, set}, refused: true, values: was},
		{name: "a destroy", steps: []raceStep{set, destroy}, ended: true},
		{name: "a destroy and a beginning", steps: []raceStep{destroy, set},
			refused: true, ended: true},
	}
}

// requireLate checks what became of the session that was there.
func requireLate(t *testing.T, site *raceSite, token string, c lateCase) {
	t.Helper()
	site.store.on = nil
	_, values, alive := site.contents(raceID(token))
	require.Equal(t, !c.ended, alive)
	require.Equal(t, c.values, values)
	require.Equal(t, !c.ended, site.opens(token), "the token that the client has")
	want := 1
	if c.ended {
		want = 0
	}
	require.Equal(t, want, site.records(), "records")
}

// The client has gone before Commit: what it did is kept, but what needs a new token is not begun,
// since nobody would get it.
func clientGone(t *testing.T, g *ground) {
	for _, c := range lateCases() {
		g.bubble(t, c.name, func(t *testing.T) {
			site := g.site(t, "cookie", core.Config{})
			token := site.start("", raceValues())
			ctx, cancel := context.WithCancel(t.Context())
			s, err := site.manager.Begin(ctx, site.header(token))
			require.NoError(t, err)
			for _, step := range c.steps {
				step.do(s)
			}
			cancel()
			site.store.on = func(call raceCall, do func() error) error {
				require.NoError(t, call.ctx.Err(), "a commit goes on without its client")
				return do()
			}
			err = site.manager.Commit(ctx, s, http.Header{})
			if c.refused {
				require.ErrorIs(t, err, context.Canceled)
				require.ErrorIs(t, s.Err(), context.Canceled, "and it does not go in silence")
			} else {
				require.NoError(t, err)
			}
			requireLate(t, site, token, c)
		})
		g.bubble(t, c.name+", without a session", func(t *testing.T) {
			site := g.site(t, "cookie", core.Config{})
			ctx, cancel := context.WithCancel(t.Context())
			s, err := site.manager.Begin(ctx, http.Header{})
			require.NoError(t, err)
			for _, step := range c.steps {
				step.do(s)
			}
			cancel()
			_ = site.manager.Commit(ctx, s, http.Header{})
			require.Zero(t, site.records(), "nobody would get its token")
		})
	}
	g.bubble(t, "while the commit runs, which goes on", func(t *testing.T) {
		site := g.site(t, "cookie", core.Config{})
		token := site.start("", raceValues())
		ctx, cancel := context.WithCancel(t.Context())
		s, err := site.manager.Begin(ctx, site.header(token))
		require.NoError(t, err)
		raceStep{"set", "a", "mine"}.do(s)
		raceHit(site, "update", false, cancel)
		require.NoError(t, site.manager.Commit(ctx, s, http.Header{}))
		_, values, _ := site.contents(raceID(token))
		require.Equal(t, "mine", values["a"])
	})
}

// After the first byte a change that needs no header is stored at the handler's end; what would
// need one fails, and says so.
func afterFirstByte(t *testing.T, g *ground) {
	for _, c := range lateCases() {
		g.bubble(t, c.name, func(t *testing.T) {
			site := g.site(t, "cookie", core.Config{})
			token := site.start("", raceValues())
			s := site.begin(token).session
			require.NoError(t, site.manager.Commit(t.Context(), s, http.Header{}))
			for _, step := range c.steps {
				step.do(s)
			}
			err := site.manager.Commit(t.Context(), s, nil)
			require.Equal(t, c.refused, errors.Is(err, core.ErrCommitted), "%v", err)
			require.Equal(t, c.refused, err != nil, "%v", err)
			requireLate(t, site, token, c)
		})
		g.bubble(t, c.name+", through the middleware", func(t *testing.T) {
			site := g.site(t, "cookie", core.Config{})
			token := site.start("", raceValues())
			site.tell()
			var failed, sticky error
			header := site.serveLate(token, &failed, func(s *core.Session) {
				for _, step := range c.steps {
					step.do(s)
				}
				sticky = s.Err()
			})
			require.Equal(t, http.Header{"X-App": {"1"}}, header)
			require.Equal(t, c.refused, errors.Is(failed, core.ErrCommitted), "%v", failed)
			require.Equal(t, c.refused, errors.Is(sticky, core.ErrCommitted), "%v", sticky)
			require.Equal(t, c.refused, site.told(core.ChangesLost))
			requireLate(t, site, token, c)
		})
	}
}

// What fails after the first byte is told to the error hook, and nothing else is.
func afterFirstByteFails(t *testing.T, g *ground) {
	g.bubble(t, "a session cannot begin", func(t *testing.T) {
		site := g.site(t, "cookie", core.Config{})
		var failed error
		site.serveLate("", &failed, func(s *core.Session) { raceStep{"set", "a", "x"}.do(s) })
		require.ErrorIs(t, failed, core.ErrCommitted)
		require.True(t, site.told(core.ChangesLost))
		require.Zero(t, site.records())
	})
	g.bubble(t, "a session that another request ended is gone in silence", func(t *testing.T) {
		site := g.site(t, "cookie", core.Config{})
		token := site.start("", raceValues())
		var failed error
		site.serveLate(token, &failed, func(s *core.Session) {
			raceStep{"set", "a", "x"}.do(s)
			require.NoError(t, site.request(token, raceStep{verb: "destroy"}).err)
		})
		require.NoError(t, failed)
		require.True(t, site.told(core.ChangesDropped))
		require.Zero(t, site.records())
	})
	g.bubble(t, "a store that fails is told to the error hook", func(t *testing.T) {
		site := g.site(t, "cookie", core.Config{})
		token := site.start("", raceValues())
		var failed error
		site.serveLate(token, &failed, func(s *core.Session) {
			raceStep{"set", "a", "x"}.do(s)
			site.store.on = func(raceCall, func() error) error { return errRaceStore }
		})
		require.ErrorIs(t, failed, errRaceStore)
		require.True(t, site.told(core.ChangesLost))
	})
}

// serveLate serves a request whose handler does something to its session after the first byte, and
// returns the header that went out.
func (site *raceSite) serveLate(
	token string, failed *error, handle func(s *core.Session),
) http.Header {
	cfg := core.HandlerConfig{
		ErrorHandler: func(_ http.ResponseWriter, _ *http.Request, err error) { *failed = err },
	}
	next := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-App", "1")
		w.WriteHeader(http.StatusOK)
		s, _ := core.FromContext(r.Context())
		handle(s)
	}
	r := httptest.NewRequestWithContext(site.t.Context(), http.MethodGet, "/", nil)
	r.Header = site.header(token)
	w := httptest.NewRecorder()
	site.manager.HandlerWithConfig(cfg)(http.HandlerFunc(next)).ServeHTTP(w, r)
	require.Equal(site.t, http.StatusOK, w.Code)
	return w.Result().Header
}

// A panic rolls back: nothing is stored and no header sent, but a Destroy that was called is
// carried out.
func rollback(t *testing.T, g *ground) {
	for _, c := range lateCases() {
		if !c.ended {
			c.values = raceValues()
		}
		g.bubble(t, c.name, func(t *testing.T) {
			site := g.site(t, "cookie", core.Config{})
			token := site.start("", raceValues())
			header := site.servePanic(token, false, c.steps)
			require.Empty(t, header)
			requireLate(t, site, token, c)
		})
		g.bubble(t, c.name+", after the first byte", func(t *testing.T) {
			site := g.site(t, "cookie", core.Config{})
			token := site.start("", raceValues())
			header := site.servePanic(token, true, c.steps)
			require.NotContains(t, header, "Set-Cookie")
			requireLate(t, site, token, c)
		})
		g.bubble(t, c.name+", and the client has gone", func(t *testing.T) {
			site := g.site(t, "cookie", core.Config{})
			token := site.start("", raceValues())
			ctx, cancel := context.WithCancel(t.Context())
			s, err := site.manager.Begin(ctx, site.header(token))
			require.NoError(t, err)
			for _, step := range c.steps {
				step.do(s)
			}
			cancel()
			site.manager.Rollback(ctx, s)
			requireLate(t, site, token, c)
		})
	}
	others := map[string]raceStep{
		"renews it": {verb: "renew"}, "signs in": {verb: "owner", text: "user:1"},
		"changes it": {"set", "a", "other"}, "ends it": {verb: "destroy"},
	}
	for name, step := range others {
		g.bubble(t, "a destroy, and meanwhile another request "+name, func(t *testing.T) {
			site := g.site(t, "cookie", core.Config{})
			token := site.start("", raceValues())
			raceHit(site, "delete", false, func() { site.request(token, step) })
			site.servePanic(token, false, []raceStep{{verb: "destroy"}})
			require.Zero(t, site.records())
		})
	}
}

// servePanic serves a request whose handler panics after its steps, and returns the header so far.
func (site *raceSite) servePanic(token string, written bool, steps []raceStep) http.Header {
	next := func(w http.ResponseWriter, r *http.Request) {
		if written {
			w.WriteHeader(http.StatusOK)
		}
		s, _ := core.FromContext(r.Context())
		for _, step := range steps {
			step.do(s)
		}
		panic("handler")
	}
	r := httptest.NewRequestWithContext(site.t.Context(), http.MethodGet, "/", nil)
	r.Header = site.header(token)
	w := httptest.NewRecorder()
	require.PanicsWithValue(site.t, "handler", func() {
		site.manager.Handler(http.HandlerFunc(next)).ServeHTTP(w, r)
	})
	return w.Header()
}
