package parity

import (
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

func concurrencyBehaviours() []behaviour {
	return []behaviour{
		{row: "68", name: "concurrent-one-session", check: concurrentUpdates,
			promise: "twenty parallel increments of one value count twenty"},
		{row: "68b", name: "concurrent-values", check: concurrentValues,
			promise: "parallel requests that set different values keep them all"},
		{row: "69", name: "concurrent-destroy", check: concurrentDestroy,
			promise: "a slow request does not bring back a session that ended meanwhile"},
		{row: "70", name: "goroutines-in-handler", check: goroutinesInHandler,
			promise: "a handler's goroutines may use its session at once"},
		{row: "72", name: "users-under-load", check: usersUnderLoad,
			promise: "no visitor ever sees another's session"},
	}
}

const crowd = 20

// together lets a handler go on only when all of a crowd have come.
func together(t testing.TB, h Handler) Handler {
	var came atomic.Int64
	all := make(chan struct{})
	return func(c Ctx) error {
		if came.Add(1) == crowd {
			close(all)
		}
		hold(t, all)
		return h(c)
	}
}

// visitAll sends a request for each of a crowd with one token, and then reads all answers.
func visitAll(s *site, token string, path func(i int) string) {
	s.t.Helper()
	visitors := make([]*visitor, crowd)
	for i := range visitors {
		visitors[i] = s.visitor()
		visitors[i].send(http.MethodGet, path(i), "", cookie(token))
	}
	for _, v := range visitors {
		a := v.receive(http.MethodGet).is(200).silent()
		a.finish()
	}
}

func concurrentUpdates(t *testing.T, f framework) {
	n := core.NewValue[int]("n")
	s, token := seeded(t, f, get("/count", together(t, func(c Ctx) error {
		n.Update(c.Session(), func(n int) int { return n + 1 })
		return c.Text(200, "")
	})))
	visitAll(s, token, func(int) string { return "/count" })
	count, _ := n.Get(s.holds(token, "x"))
	require.Equal(t, crowd, count)
	require.Equal(t, 1, s.store.Len())
}

func concurrentValues(t *testing.T, f framework) {
	s, token := seeded(t, f, get("/name", together(t, func(c Ctx) error {
		core.NewValue[string](c.Query("name")).Set(c.Session(), c.Query("name"))
		return c.Text(200, "")
	})))
	name := func(i int) string { return fmt.Sprintf("name-%d", i) }
	visitAll(s, token, func(i int) string { return "/name?name=" + name(i) })
	found := s.holds(token, "x")
	for i := range crowd {
		val, _ := core.NewValue[string](name(i)).Get(found)
		require.Equal(t, name(i), val)
	}
}

func concurrentDestroy(t *testing.T, f framework) {
	entered, goOn := make(chan struct{}), make(chan struct{})
	s, token := seeded(t, f, lifecycle, get("/slow", func(c Ctx) error {
		u.Set(c.Session(), "slow")
		close(entered)
		hold(t, goOn)
		return c.Text(200, "slow")
	}))
	v := s.visitor()
	v.send(http.MethodGet, "/slow", "", cookie(token))
	receive(t, entered, "the slow handler")
	s.visitor().get("/destroy", cookie(token)).is(200).forgets()
	close(goOn)
	a := v.receive(http.MethodGet).is(200).silent()
	a.finish()
	a.says("slow")
	require.Equal(t, 1, s.heard(core.ChangesDropped))
	require.Zero(t, s.store.Len())
}

func goroutinesInHandler(t *testing.T, f framework) {
	const workers = 8
	val := func(i int) core.Value[int] { return core.NewValue[int](fmt.Sprintf("n%d", i)) }
	s := open(t, f, get("/parallel", func(c Ctx) error {
		s := c.Session()
		u.Set(s, "x")
		var group sync.WaitGroup
		for i := range workers {
			group.Go(func() {
				val(i).Set(s, i)
				val(0).Get(s)
				u.Update(s, func(was string) string { return was + "x" })
				_, _, _ = s.ID(), s.Err(), s.Names()
			})
		}
		group.Wait()
		return c.Text(200, "text")
	}))
	token := s.visitor().get("/parallel").is(200).issues()
	found := s.holds(token, "xxxxxxxxx")
	for i := range workers {
		n, ok := val(i).Get(found)
		require.True(t, ok)
		require.Equal(t, i, n)
	}
	require.EqualValues(t, 1, s.store.writes.Load())
}

func usersUnderLoad(t *testing.T, f framework) {
	s := open(t, f)
	visitors := make([]*visitor, 8)
	for i := range visitors {
		visitors[i] = s.visitor()
		visitors[i].get(fmt.Sprintf("/set?u=user-%d", i)).issues()
	}
	for range 20 {
		for _, v := range visitors { // all are under way at once
			v.send(http.MethodGet, "/read", "")
		}
		for i, v := range visitors {
			a := v.receive(http.MethodGet).is(200).silent()
			a.finish()
			a.says(fmt.Sprintf("u=user-%d", i))
		}
	}
	require.EqualValues(t, len(visitors), s.store.writes.Load())
}
