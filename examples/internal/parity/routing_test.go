package parity

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

func routingBehaviours() []behaviour {
	return []behaviour{
		{row: "31", name: "framework-abort", check: abortOutside,
			promise: "a request that is refused further out costs no store access"},
		{row: "31b", name: "framework-abort-inside", check: abortInside,
			promise: "a request that is refused further in leaves the session as it was"},
		{row: "32", name: "not-found", check: notFound,
			promise: "a path that is not there begins no session and sends no cookie"},
		{row: "33", name: "method-not-allowed", check: methodNotAllowed,
			promise: "a method that is not there begins no session and sends no cookie"},
		{row: "38", name: "double-install", check: doubleInstall,
			promise: "installed twice, the middleware works once"},
		{row: "40", name: "redispatch", check: redispatch,
			promise: "a request that is routed anew keeps its session and is committed once"},
		{row: "40b", name: "redispatch-wrapped", check: redispatchWrapped,
			promise: "it does so, too, with a writer of other middleware outside or inside"},
		{row: "40c", name: "redispatch-two-managers", check: redispatchTwoManagers,
			promise: "routed anew, a request keeps the sessions of two Managers apart"},
		{row: "78", name: "mounted", check: mounted,
			promise: "a plain http.Handler in the framework finds and changes the same session"},
		{row: "78b", name: "mounted-under-net-http", check: mountedUnderNetHTTP, needs: writers,
			promise: "under net/http's middleware with the same Manager the framework's does nothing"},
		{row: "78c", name: "mounted-gin", check: mountedGin,
			promise: "gin below the framework, both with the middleware, has one session and one commit"},
		{row: "78d", name: "response-controller", check: responseController, needs: writers,
			promise: "http.ResponseController reaches the server's writer through the middleware's"},
	}
}

func abortOutside(t *testing.T, f framework) {
	s := open(t, f, with(denies, session))
	v := s.visitor()
	v.jar[cookieName] = core.NewToken().Reveal()
	v.get("/set?u=x").is(401).silent()
	require.Zero(t, s.store.loads.Load())
	require.Zero(t, s.store.writes.Load())
}

func abortInside(t *testing.T, f framework) {
	s := open(t, f, with(session, denies))
	s.visitor().get("/set?u=x").is(401).silent()
	require.Zero(t, s.store.writes.Load())
}

func notFound(t *testing.T, f framework) {
	s := open(t, f)
	v := s.visitor()
	v.get("/nope").is(404).silent()
	require.Zero(t, s.store.Len())
	v.get("/set?u=x").issues()
	v.get("/nope").is(404).silent()
	s.holds(v.token(), "x")
	require.EqualValues(t, 1, s.store.writes.Load())
}

func methodNotAllowed(t *testing.T, f framework) {
	s := open(t, f)
	v := s.visitor()
	v.do(http.MethodPost, "/set?u=x", "").is(405).silent()
	v.get("/set?u=x").issues()
	v.do(http.MethodPost, "/set?u=y", "").is(405).silent()
	s.holds(v.token(), "x")
}

func doubleInstall(t *testing.T, f framework) {
	s := open(t, f, func(s *site) { s.group = []layer{session} })
	v := s.visitor()
	s.holds(v.get("/set?u=x").is(200).issues(), "x")
	require.EqualValues(t, 1, s.store.writes.Load())
	v.get("/set?u=y").is(200).silent()
	s.holds(v.token(), "y")
	require.EqualValues(t, 1, s.store.loads.Load())
	require.EqualValues(t, 2, s.store.writes.Load())
}

// anew has a route that changes the session and routes the request anew, to /read or to a handler
// that answers nothing.
func anew(s *site) {
	s.handle(http.MethodGet, "/first", func(c Ctx) error {
		u.Set(c.Session(), c.Query("u"))
		return c.Redispatch("/read")
	})
	s.handle(http.MethodGet, "/first-silent", func(c Ctx) error {
		u.Set(c.Session(), c.Query("u"))
		return c.Redispatch("/silent")
	})
	s.handle(http.MethodGet, "/silent", func(c Ctx) error { return c.NoContent(204) })
}

func redispatch(t *testing.T, f framework) {
	s := open(t, f, anew)
	v := s.visitor()
	s.holds(v.get("/first?u=x").is(200).says("u=x").issues(), "x")
	require.EqualValues(t, 1, s.store.writes.Load())
	v.get("/first?u=y").is(200).says("u=y").silent()
	s.holds(v.token(), "y")
	require.EqualValues(t, 1, s.store.loads.Load())
	require.EqualValues(t, 2, s.store.writes.Load())
	s.holds(s.visitor().get("/first-silent?u=z").is(204).says("").issues(), "z")
}

func redispatchWrapped(t *testing.T, f framework) {
	for _, order := range [][]layer{
		{wraps, session}, {session, wraps}, {session, wraps, session}, {wraps, session, wraps},
	} {
		s := open(t, f, with(order...), anew)
		s.holds(s.visitor().get("/first?u=x").is(200).says("u=x").issues(), "x")
		require.EqualValues(t, 1, s.store.writes.Load(), "%v", order)
		s.holds(s.visitor().get("/first-silent?u=z").is(204).says("").issues(), "z")
	}
}

func redispatchTwoManagers(t *testing.T, f framework) {
	s := open(t, f, with(session, another), anew)
	v := s.visitor()
	a := v.get("/first?u=x").is(200).says("u=x")
	require.Len(t, a.named("Set-Cookie"), 1)
	require.NotEmpty(t, v.jar["__Host-other"], "the innermost Manager's")
	require.Equal(t, 1, s.store.Len())
	v.get("/read").is(200).says("u=x")
}

func mounted(t *testing.T, f framework) {
	s := open(t, f, func(s *site) {
		s.mounts["/mounted"] = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			found, ok := core.FromContext(r.Context())
			if !ok {
				http.Error(w, "no session", http.StatusInternalServerError)
				return
			}
			was, _ := u.Get(found)
			u.Set(found, "x")
			_, _ = io.WriteString(w, "was "+was)
		})
	})
	v := s.visitor()
	s.holds(v.get("/mounted").is(200).says("was ").issues(), "x")
	v.get("/set?u=y").is(200).silent()
	v.get("/mounted").is(200).says("was y").silent()
	require.Equal(t, 1, s.store.Len())
}

func mountedUnderNetHTTP(t *testing.T, f framework) {
	p := newPausing(t)
	s := open(t, f, get("/stream", p.handler(setTo("x"), nothing)), func(s *site) {
		s.wrap = func(next http.Handler) http.Handler { return s.manager.Handler(next) }
	})
	v := s.visitor()
	p.open(v, func(a *answer) { s.holds(a.issues(), "x") })
	v.get("/set?u=y").is(200).silent()
	s.holds(v.token(), "y")
	require.EqualValues(t, 1, s.store.loads.Load())
	require.EqualValues(t, 2, s.store.writes.Load())
}

func mountedGin(t *testing.T, f framework) {
	s := open(t, f, func(s *site) {
		inner := sync.OnceValue(func() http.Handler { return ginFramework{}.app(s) })
		s.mounts["/inner"] = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r = r.Clone(r.Context())
			r.URL.Path = "/set"
			inner().ServeHTTP(w, r)
		})
	})
	v := s.visitor()
	s.holds(v.get("/inner?u=x").is(200).says("set").issues(), "x")
	v.get("/inner?u=y").is(200).says("set").silent()
	s.holds(v.token(), "y")
	require.EqualValues(t, 1, s.store.loads.Load())
	require.EqualValues(t, 2, s.store.writes.Load())
}

func responseController(t *testing.T, f framework) {
	s := open(t, f, func(s *site) {
		s.mounts["/mounted"] = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			found, _ := core.FromContext(r.Context())
			u.Set(found, "x")
			control := http.NewResponseController(w)
			err := errors.Join(control.SetReadDeadline(time.Time{}),
				control.SetWriteDeadline(time.Time{}), control.EnableFullDuplex())
			_, _ = fmt.Fprint(w, err)
		})
	})
	s.holds(s.visitor().get("/mounted").is(200).says("<nil>").issues(), "x")
}
