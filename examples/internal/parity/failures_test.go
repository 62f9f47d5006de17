package parity

import (
	"io"
	"net/http"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

func failureBehaviours() []behaviour {
	return []behaviour{
		{row: "57", name: "store-down-load", check: loadFails,
			promise: "where a session cannot be loaded no handler runs, and who has none is served"},
		{row: "58", name: "store-down-commit", check: commitFails,
			promise: "where a session cannot be stored nothing of the handler's answer goes out"},
		{row: "58b", name: "value-fault", check: valueFault,
			promise: "a value that cannot be stored is 500, and nothing of the answer goes out"},
		{row: "58c", name: "gone-meanwhile", check: goneMeanwhile,
			promise: "a renewal of a session that ended meanwhile is 409, without a cookie"},
		{row: "58d", name: "custom-error-handler", check: customErrorHandler,
			promise: "an error handler of the program's own answers alone, once, and is told the cause"},
		{row: "58f", name: "mute-error-handler", check: muteErrorHandler,
			promise: "an error handler that answers nothing does not make the failure a success"},
		{row: "58g", name: "error-page-cache", check: errorPageCache,
			promise: "an error page is not to be cached, whatever middleware further out has said"},
		{row: "59", name: "store-down-clean", check: writesFailButNoneIsNeeded,
			promise: "who only reads does not notice that the store takes no writes"},
		{row: "61", name: "store-down-endless-stream", check: endlessStream,
			promise: "a stream that ignores all errors does not hold back the 503"},
		{row: "61b", name: "store-down-cancels", check: failureCancels, needs: clientGone,
			promise: "the handler's context is over once its session cannot be stored"},
		{row: "63", name: "store-down-renew", check: renewFails,
			promise: "where a renewal definitely failed the old token still works"},
		{row: "63b", name: "lost-reply", check: lostReply,
			promise: "where the store's reply is lost, what it holds decides"},
		{row: "64", name: "touch-failure", check: touchFails,
			promise: "a use that cannot be noted is logged, and costs the visitor nothing"},
		{row: "64b", name: "touch", check: touches,
			promise: "a use is noted once in a while, and sends nothing"},
	}
}

// requireUnavailable requires the framework's own 503 with nothing of what a handler answered.
func requireUnavailable(t testing.TB, f framework, a *answer) {
	t.Helper()
	a.is(503).silent()
	want := f.unavailable()
	require.Equal(t, want.body, a.body)
	require.Equal(t, []string{"Content-Type: " + want.contentType}, a.named("Content-Type"))
	require.Equal(t, []string{"Retry-After: 1"}, a.named("Retry-After"))
	requireNothingOfHandler(t, a)
	require.Equal(t, []string{"Vary: Cookie"}, a.named("Vary"))
}

func requireNothingOfHandler(t testing.TB, a *answer) {
	t.Helper()
	require.Empty(t, a.named("Cache-Control", "Etag", "Location", "X-Handler", "Trailer",
		"Last-Modified", "Accept-Ranges", "Content-Range", "Content-Encoding"))
}

func loadFails(t *testing.T, f framework) {
	ran := make(chan string, 10)
	s, token := seeded(t, f, get("/told", func(c Ctx) error {
		ran <- c.Query("u")
		return c.Text(200, "text")
	}))
	s.store.interrupt(failing("load"))
	v := s.visitor()
	v.jar[cookieName] = token
	requireUnavailable(t, f, v.get("/told"))
	require.Empty(t, ran)
	require.ErrorIs(t, s.await(core.StoreFailure).Err, errDown)
	s.visitor().get("/told").is(200)
	s.store.interrupt(nil)
	v.get("/read").is(200).says("u=x")
}

// commitFails takes every reply there is, and holds the failure against what the framework answers
// where no handler ran at all.
func commitFails(t *testing.T, f framework) {
	for _, r := range replies() {
		t.Run(r.name, func(t *testing.T) {
			s := open(t, f, r.install(t))
			s.store.interrupt(failingWrites())
			a := r.ask(s).is(503).silent()
			requireNothingOfHandler(t, a)
			if r.method != http.MethodHead {
				requireUnavailable(t, f, a)
			}
			require.Zero(t, s.store.Len())
			s.store.interrupt(failing())
			clean := s.visitor().do(r.verb(), "/reply", r.body, cookie(core.NewToken().Reveal()))
			require.Equal(t, clean.failureLines(), a.failureLines())
			require.Equal(t, clean.body, a.body)
		})
	}
}

// failureLines are the header's lines in order of their names, but for how the body is framed.
func (a *answer) failureLines() []string {
	return slices.Sorted(slices.Values(a.but("Date", "Content-Length", "Transfer-Encoding")))
}

func valueFault(t *testing.T, f framework) {
	wrong := core.NewValue[func()]("wrong")
	s, token := seeded(t, f, get("/wrong", func(c Ctx) error {
		u.Set(c.Session(), "y")
		wrong.Set(c.Session(), nil)
		c.SetHeader("X-Handler", "was here")
		return c.Text(200, "secret")
	}))
	for _, lines := range [][]string{nil, {cookie(token)}} {
		a := s.visitor().get("/wrong", lines...).is(500).silent()
		requireNothingOfHandler(t, a)
		require.NotContains(t, a.body, "secret")
		require.NotContains(t, a.body, "wrong")
	}
	s.holds(token, "x")
	require.Equal(t, 1, s.store.Len())
}

// customErrorHandler sends a status and nothing else, which shows what was left of the handler's.
func customErrorHandler(t *testing.T, f framework) {
	insistent := reply{name: "insistent", handle: func(c Ctx, _ string) error {
		_ = c.Text(200, "one")
		return c.Text(200, "two")
	}}
	for _, r := range append(replies(), insistent) {
		t.Run(r.name, func(t *testing.T) {
			s := open(t, f, r.install(t), func(s *site) { s.terse = make(chan error, 10) })
			for _, down := range []string{"create", "load"} {
				s.store.interrupt(failing(down))
				token := cookie(core.NewToken().Reveal())
				a := s.visitor().do(r.verb(), "/reply", r.body, append(r.lines, token)...)
				a.is(503).silent().says("")
				requireNothingOfHandler(t, a)
				err := receive(t, s.terse, "the error")
				require.ErrorIs(t, err, errDown)
				require.ErrorAs(t, err, new(*core.StoreError))
				require.Empty(t, s.terse, "told more than once")
			}
		})
	}
}

func muteErrorHandler(t *testing.T, f framework) {
	for _, r := range replies() {
		t.Run(r.name, func(t *testing.T) {
			s := open(t, f, r.install(t), func(s *site) {
				s.terse, s.mute = make(chan error, 10), true
			})
			for _, down := range []string{"create", "load"} {
				s.store.interrupt(failing(down))
				token := cookie(core.NewToken().Reveal())
				a := s.visitor().do(r.verb(), "/reply", r.body, append(r.lines, token)...)
				requireNothingOfHandler(t, a.is(503).silent().says(""))
			}
		})
	}
}

func errorPageCache(t *testing.T, f framework) {
	s := open(t, f, with(caches, session))
	s.store.interrupt(failingWrites())
	a := s.visitor().get("/set?u=x").is(503).silent()
	require.Equal(t, []string{"Cache-Control: no-store"}, a.named("Cache-Control"))
	a = s.visitor().get("/read").is(200)
	require.Equal(t, []string{"Cache-Control: public"}, a.named("Cache-Control"))
}

func goneMeanwhile(t *testing.T, f framework) {
	s, token := seeded(t, f, func(s *site) {
		s.handle("GET", "/renew", func(c Ctx) error {
			c.Session().Renew()
			if err := s.manager.Revoke(t.Context(), c.Session().ID()); err != nil {
				return err
			}
			c.SetHeader("X-Handler", "was here")
			return c.Text(200, "renewed")
		})
	})
	a := s.visitor().get("/renew", cookie(token)).is(409).silent()
	requireNothingOfHandler(t, a)
	require.NotContains(t, a.body, "renewed")
	require.Zero(t, s.store.Len())
}

func writesFailButNoneIsNeeded(t *testing.T, f framework) {
	s, token := seeded(t, f)
	s.store.interrupt(failingWrites())
	s.visitor().get("/read").is(200).says("u=").silent()
	s.visitor().get("/read", cookie(token)).is(200).says("u=x").silent()
	require.Zero(t, s.store.writes.Load())
}

// endless streams until it is released, whatever happens.
func endless(release <-chan struct{}) Handler {
	return func(c Ctx) error {
		u.Set(c.Session(), "x")
		return c.Stream(func(w io.Writer, flush func() error) {
			for {
				_, _ = io.WriteString(w, "data: x\n\n")
				_ = flush()
				select {
				case <-release:
					return
				default:
					runtime.Gosched()
				}
			}
		})
	}
}

func endlessStream(t *testing.T, f framework) {
	release := make(chan struct{})
	defer close(release)
	s := open(t, f, get("/stream", endless(release)))
	s.store.interrupt(failingWrites())
	v := s.visitor()
	v.send(http.MethodGet, "/stream", "")
	a := v.receive(http.MethodGet)
	a.finish()
	requireUnavailable(t, f, a)
}

func failureCancels(t *testing.T, f framework) {
	over := make(chan error, 1)
	s := open(t, f, get("/waits", func(c Ctx) error {
		u.Set(c.Session(), "x")
		ctx := c.Contexts()[0]
		assert.NoError(t, ctx.Err())
		_ = c.Text(200, "text") // a handler that does not look at the error
		hold(t, ctx.Done())
		over <- ctx.Err()
		return nil
	}))
	s.store.interrupt(failingWrites())
	requireUnavailable(t, f, s.visitor().get("/waits"))
	require.Error(t, receive(t, over, "the end of the handler's context"))
}

func renewFails(t *testing.T, f framework) {
	s, token := seeded(t, f, lifecycle)
	s.store.interrupt(failingWrites())
	v := s.visitor()
	v.jar[cookieName] = token
	requireUnavailable(t, f, v.get("/renew"))
	s.store.interrupt(nil)
	v.get("/read").is(200).says("u=x").silent()
	require.NotEqual(t, token, v.get("/renew").is(200).issues())
}

func lostReply(t *testing.T, f framework) {
	s, old := seeded(t, f, lifecycle)
	s.store.loseReply(failing("create", "update", "delete"))
	v := s.visitor()
	v.jar[cookieName] = old
	token := v.get("/renew").is(200).issues()
	require.NotEqual(t, old, token)
	s.holds(token, "x")
	s.holds(s.visitor().get("/set?u=y").is(200).issues(), "y")
	v.get("/set?u=z").is(200).silent()
	s.holds(token, "z")
	require.EqualValues(t, 3, s.store.writes.Load())
}

func touchFails(t *testing.T, f framework) {
	s, token := seeded(t, f)
	s.store.age(t, idOf(t, token), 30*time.Minute)
	s.store.interrupt(failing("touch"))
	s.visitor().get("/read", cookie(token)).is(200).says("u=x").silent()
	e := s.await(core.StoreFailure)
	require.Equal(t, "touch", e.Reason)
	require.Equal(t, idOf(t, token), e.ID)
	require.ErrorIs(t, e.Err, errDown)
}

func touches(t *testing.T, f framework) {
	s, token := seeded(t, f)
	s.store.age(t, idOf(t, token), 30*time.Minute)
	for range 3 {
		s.visitor().get("/read", cookie(token)).is(200).says("u=x").silent()
	}
	require.EqualValues(t, 1, s.store.writes.Load())
	require.WithinDuration(t, time.Now(), s.holds(token, "x").Used(), time.Minute)
}
