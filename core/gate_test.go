package core_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// A gated is a gate with what it was told.
type gated struct {
	core.Gate
	session *core.Session
	header  http.Header
	failed  []error
}

func (g *gated) Fail(err error) { g.failed = append(g.failed, err) }

// gate makes a gate for a request with a token, or none. The header is what outer layers had set.
func (s *site) gate(ctx context.Context, token string, outer http.Header) *gated {
	s.t.Helper()
	request := http.Header{}
	if token != "" {
		request = cookies(token)
	}
	g := &gated{header: outer}
	require.NoError(s.t, s.BeginGate(ctx, &g.Gate, request, outer, g))
	g.session = g.Session()
	return g
}

func TestAGateCommitsOnceBeforeTheFirstByte(t *testing.T) {
	m := newSite(t, core.Config{})
	g := m.gate(t.Context(), "", http.Header{"X-Outer": {"1"}})
	note.Set(g.session, "x")
	require.NoError(t, g.Open())
	token := tokenIn(t, g.header)
	assert.Equal(t, "1", g.header.Get("X-Outer"))
	assert.Equal(t, 1, m.store.writes())
	require.NoError(t, g.Open())
	require.NoError(t, g.Failed())
	assert.Equal(t, 1, m.store.writes())

	note.Set(g.session, "late")
	require.NoError(t, g.Open())
	assert.Equal(t, "x", m.read(token), "late changes wait for the end")
	require.NoError(t, g.Finish())
	assert.Equal(t, "late", m.read(token))
	note.Set(g.session, "too late")
	require.ErrorIs(t, g.session.Err(), core.ErrCommitted)
	assert.Empty(t, g.failed)
}

func TestFinishOpensAGateThatWasNot(t *testing.T) {
	m := newSite(t, core.Config{})
	g := m.gate(t.Context(), "", http.Header{})
	note.Set(g.session, "x")
	require.NoError(t, g.Finish())
	assert.Equal(t, "x", m.read(tokenIn(t, g.header)))
}

func TestWhatNeedsAHeaderAfterTheGateWasOpenedIsTooLate(t *testing.T) {
	m := newSite(t, core.Config{})
	g := m.gate(t.Context(), "", http.Header{})
	require.NoError(t, g.Open())
	note.Set(g.session, "x")
	require.ErrorIs(t, g.session.Err(), core.ErrCommitted, "where it was made")
	require.NoError(t, g.Open(), "that is no matter of this")
	m.events.take()
	err := g.Finish()
	require.ErrorIs(t, err, core.ErrCommitted)
	assert.Equal(t, []core.EventKind{core.ChangesLost}, m.events.takeKinds())
	assert.Empty(t, g.failed, "the answer is out")
	assert.NotContains(t, g.header, "Set-Cookie")
	assert.Zero(t, m.store.writes())
}

func TestAFailedGateSetsTheHeaderBackAndStaysShut(t *testing.T) {
	tests := map[string]struct {
		outer, inner, want http.Header
	}{
		"nothing before": {http.Header{}, http.Header{"Etag": {"1"}, "Set-Cookie": {"a=b"}},
			http.Header{"Retry-After": {"1"}, "Vary": {"Cookie"}}},
		"outer layers' header": {
			http.Header{
				"X-Request-Id": {"1"}, "Access-Control-Allow-Origin": {"*"}, "Vary": {"Origin"},
			},
			http.Header{"Location": {"/"}, "Cache-Control": {"public"}, "X-Request-Id": {"2"}},
			http.Header{"X-Request-Id": {"1"}, "Access-Control-Allow-Origin": {"*"},
				"Vary": {"Origin", "Cookie"}, "Retry-After": {"1"}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			m := newSite(t, core.Config{})
			m.store.fail(errDown, opCreate)
			g := m.gate(t.Context(), "", test.outer)
			for name, values := range test.inner {
				g.header[name] = values
			}
			note.Set(g.session, "x")
			err := g.Open()
			require.ErrorIs(t, err, errDown)
			assert.Equal(t, test.want, g.header)
			assert.Equal(t, []error{err}, g.failed)
			require.Equal(t, err, g.Failed())

			m.store.fail(nil, opCreate)
			require.Equal(t, err, g.Open(), "also when the store is well again")
			require.NoError(t, g.Finish())
			assert.Len(t, g.failed, 1, "fail is called once")
			assert.Equal(t, 0, m.store.Len())
			require.Error(t, g.session.Err())
			note.Set(g.session, "too late")
			require.ErrorIs(t, g.session.Err(), core.ErrCommitted)
		})
	}
}

func TestWhatAHandlerDoesToTheLinesOfOuterLayersIsTakenBackAsWell(t *testing.T) {
	m := newSite(t, core.Config{})
	m.store.fail(errDown, opCreate)
	lines := make([]string, 1, 4)
	lines[0] = "outer"
	g := m.gate(t.Context(), "", http.Header{"X-Lines": lines})
	g.header["X-Lines"][0] = "changed in place"
	g.header.Add("X-Lines", "added in place")
	note.Set(g.session, "x")
	require.Error(t, g.Open())
	assert.Equal(t, []string{"outer"}, g.header["X-Lines"])
}

func TestASessionHeaderThatIsOwedGoesOutWithTheError(t *testing.T) {
	m := newSite(t, core.Config{})
	token, _ := m.start(setNote("x"))
	m.store.unconfirmedBy(opDelete)
	g := m.gate(t.Context(), token, http.Header{})
	g.session.Destroy()
	g.header.Set("Location", "/goodbye")
	require.ErrorIs(t, g.Open(), core.ErrNotDurable)
	requireExpired(t, g.header)
	assert.NotContains(t, g.header, "Location")
	assert.Equal(t, "1", g.header.Get("Retry-After"))
	_ = m.Close()
}

func TestManyGoroutinesMayOpenAGate(t *testing.T) {
	for name, trouble := range map[string]error{"well": nil, "down": errDown} {
		t.Run(name, func(t *testing.T) {
			m := newSite(t, core.Config{})
			var started sync.WaitGroup
			started.Add(16)
			m.store.setBefore(opCreate, func(context.Context, error) error {
				started.Wait() // the others stand before the gate meanwhile
				return trouble
			})
			g := m.gate(t.Context(), "", http.Header{})
			note.Set(g.session, "x")
			var wg sync.WaitGroup
			var failures atomic.Int32
			for range 16 {
				wg.Go(func() {
					started.Done()
					if g.Open() != nil && g.Failed() != nil {
						failures.Add(1)
					}
				})
			}
			wg.Wait()
			if trouble == nil {
				assert.Zero(t, failures.Load())
				assert.Equal(t, 1, m.store.writes())
				return
			}
			assert.EqualValues(t, 16, failures.Load())
			assert.Len(t, g.failed, 1)
		})
	}
}

func TestARolledBackGate(t *testing.T) {
	m := newSite(t, core.Config{})
	token, _ := m.start(setNote("x"))
	g := m.gate(t.Context(), token, http.Header{})
	note.Set(g.session, "y")
	g.session.Renew()
	ctx := g.Context()
	g.Rollback()
	require.ErrorIs(t, ctx.Err(), context.Canceled)
	assert.Equal(t, "x", m.read(token))
	assert.Empty(t, g.header)
	require.NoError(t, g.Open(), "what an outer layer writes through it passes")
	assert.NotContains(t, g.header, "Set-Cookie")
}

func TestTheHandlersContext(t *testing.T) {
	type key struct{}
	start := func(t *testing.T, ctx context.Context) *gated {
		m := newSite(t, core.Config{})
		m.store.fail(errDown, opCreate)
		g := m.gate(context.WithValue(ctx, key{}, "value"), "", http.Header{})
		note.Set(g.session, "x")
		return g
	}
	ends := map[string]func(*gated, context.CancelFunc){
		"a failed commit": func(g *gated, _ context.CancelFunc) { _ = g.Open() },
		"a rollback":      func(g *gated, _ context.CancelFunc) { g.Rollback() },
		"the handler's end": func(g *gated, _ context.CancelFunc) {
			g.session.Destroy()
			_ = g.Finish()
		},
		"the client": func(_ *gated, cancel context.CancelFunc) { cancel() },
	}
	for name, end := range ends {
		t.Run(name+" ends it where somebody waits", func(t *testing.T) {
			above, cancel := context.WithCancel(t.Context())
			defer cancel()
			g := start(t, above)
			ctx := g.Context()
			done := ctx.Done()
			below, cancelBelow := context.WithTimeout(ctx, time.Hour)
			defer cancelBelow()
			require.NoError(t, ctx.Err())
			end(g, cancel)
			<-done
			<-below.Done()
			require.Equal(t, context.Canceled, ctx.Err())
			require.Equal(t, context.Canceled, below.Err())
		})
		t.Run(name+" ends it where nobody does", func(t *testing.T) {
			above, cancel := context.WithCancel(t.Context())
			defer cancel()
			g := start(t, above)
			ctx := g.Context()
			end(g, cancel)
			require.Equal(t, context.Canceled, ctx.Err())
			<-ctx.Done()
			require.Equal(t, context.Canceled, ctx.Err())
		})
	}
	t.Run("it holds the session, the values and the deadline of the request's", func(t *testing.T) {
		above, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		g := start(t, above)
		for range 2 {
			ctx := g.Context()
			got, ok := core.FromContext(ctx)
			require.True(t, ok)
			assert.Same(t, g.session, got)
			assert.Equal(t, "value", ctx.Value(key{}))
			want, _ := above.Deadline()
			deadline, ok := ctx.Deadline()
			assert.True(t, ok)
			assert.Equal(t, want, deadline)
			_ = ctx.Done() // from which on somebody waits
		}
	})
	t.Run("a commit that succeeds does not end it", func(t *testing.T) {
		m := newSite(t, core.Config{})
		g := m.gate(t.Context(), "", http.Header{})
		note.Set(g.session, "x")
		require.NoError(t, g.Open())
		require.NoError(t, g.Context().Err())
	})
	t.Run("why the client's ended can be told", func(t *testing.T) {
		above, cancel := context.WithCancelCause(t.Context())
		g := start(t, above)
		_ = g.Context().Done()
		cause := errors.New("cause")
		cancel(cause)
		assert.Equal(t, cause, context.Cause(g.Context()))
	})
}

func TestPrintingAGateShowsNothingOfTheHeader(t *testing.T) {
	m := newSite(t, core.Config{})
	g := m.gate(t.Context(), "", http.Header{})
	note.Set(g.session, "x")
	require.NoError(t, g.Open())
	token := tokenIn(t, g.header)
	assert.NotContains(t, fmt.Sprintf("%+v %v %#v", &g.Gate, &g.Gate, &g.Gate), token[32:40])
}

func TestAGateWithoutAHeaderStillCommits(t *testing.T) {
	m := newSite(t, core.Config{})
	token, _ := m.start(setNote("x"))
	g := m.gate(t.Context(), token, nil)
	require.NoError(t, g.Open())
	note.Set(g.session, "y")
	require.NoError(t, g.Finish())
	assert.Equal(t, "y", m.read(token))
}
