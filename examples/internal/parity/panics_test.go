package parity

import (
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

func panicBehaviours() []behaviour {
	return []behaviour{
		{row: "24", name: "panic-recover-outside", check: panicRecoveredOutside,
			promise: "a panic that passes the middleware stores nothing and sends no cookie"},
		{row: "24b", name: "panic-after-destroy", check: panicAfterDestroy,
			promise: "a session that was destroyed before the panic is over all the same"},
		{row: "25", name: "panic-recover-inside", check: panicRecoveredInside,
			promise: "a panic that is recovered below the middleware is an answer like any other"},
		{row: "26", name: "panic-unrecovered", check: panicUnrecovered, needs: survivesPanics,
			promise: "a panic that nobody recovers stores nothing, and the server lives"},
		{row: "27", name: "abort-handler", check: abortHandler, needs: survivesPanics,
			promise: "http.ErrAbortHandler stores nothing and sends nothing"},
		{row: "28", name: "panic-after-flush", check: panicAfterFlush, needs: survivesPanics,
			promise: "what was committed before the first byte stays, what came after it does not"},
	}
}

// panics sets u and panics.
func panics(with any) func(s *site) {
	return get("/panic", func(c Ctx) error {
		u.Set(c.Session(), "lost")
		panic(with)
	})
}

func panicRecoveredOutside(t *testing.T, f framework) {
	s := open(t, f, with(recovers, session), panics("on purpose"))
	s.visitor().get("/panic").is(500).silent()
	require.Zero(t, s.store.writes.Load())

	v := s.visitor()
	v.get("/set?u=x").issues()
	v.get("/panic").is(500).silent()
	require.EqualValues(t, 1, s.store.writes.Load())
	v.get("/read").is(200).says("u=x")
}

func panicAfterDestroy(t *testing.T, f framework) {
	s := open(t, f, with(recovers, session), get("/panic", func(c Ctx) error {
		c.Session().Destroy()
		panic("on purpose")
	}))
	v := s.visitor()
	v.get("/set?u=x").issues()
	v.get("/panic").is(500).silent()
	require.Zero(t, s.store.Len())
	v.get("/read").is(200).says("u=").silent()
}

func panicRecoveredInside(t *testing.T, f framework) {
	s := open(t, f, with(session, recovers), panics("on purpose"))
	s.holds(s.visitor().get("/panic").is(500).issues(), "lost")
}

func panicUnrecovered(t *testing.T, f framework) {
	requireNothingSent(t, open(t, f, panics("on purpose")))
}

func abortHandler(t *testing.T, f framework) {
	requireNothingSent(t, open(t, f, panics(http.ErrAbortHandler)))
}

func requireNothingSent(t *testing.T, s *site) {
	t.Helper()
	v := s.visitor()
	v.get("/set?u=x").issues()
	v.send(http.MethodGet, "/panic", "")
	v.broken()
	require.EqualValues(t, 1, s.store.writes.Load())
	v.get("/read").is(200).says("u=x")
}

func panicAfterFlush(t *testing.T, f framework) {
	s := open(t, f, get("/panic", func(c Ctx) error {
		u.Set(c.Session(), "x")
		return c.Stream(func(w io.Writer, flush func() error) {
			_, _ = io.WriteString(w, firstChunk)
			_ = flush()
			u.Set(c.Session(), "lost")
			panic(http.ErrAbortHandler)
		})
	}))
	v := s.visitor()
	a := v.start(http.MethodGet, "/panic", "").is(200)
	token := a.issues()
	_, err := io.ReadAll(a.stream)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF, "the body must not look whole")
	s.holds(token, "x")
	require.EqualValues(t, 1, s.store.writes.Load())
}
