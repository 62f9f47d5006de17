package core_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
	"unsafe"
	"weak"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// requireFreed requires that nobody holds a text. A pool may for one collection or two, and so may
// what the machine still has in a register or on a stack just then.
func requireFreed(t *testing.T, watched weak.Pointer[byte], what string) {
	t.Helper()
	for range 20 {
		runtime.GC()
		if watched.Value() == nil {
			return
		}
		runtime.Gosched()
	}
	require.Fail(t, what)
}

// A cache or a log may keep a response's header for long, and a program a Session, or its context.
// The request, whose Cookie line is the token, must not stay in memory with them.
func TestT90_WhatIsKeptOfAResponseHoldsNothingOfTheRequest(t *testing.T) {
	site := newSecSite(t, core.Config{})
	token := secIssued(site.serve(nil, secOwned("alice", "hers")))
	serve := func() (http.Header, *core.Session, weak.Pointer[byte]) {
		line := []byte(secCookie + "=" + token)
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Cookie", string(line))
		text := r.Header["Cookie"][0]
		watched := weak.Make(unsafe.StringData(text))
		w := httptest.NewRecorder()
		var session *core.Session
		site.manager.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			session, _ = core.FromContext(r.Context())
			secRead(session)
			_, _ = w.Write([]byte("x"))
		})).ServeHTTP(w, r)
		return w.Header(), session, watched
	}
	header, session, watched := serve()
	require.Equal(t, []string{"Cookie"}, header["Vary"])
	requireFreed(t, watched, "the Cookie line is still in memory")
	runtime.KeepAlive(header)
	runtime.KeepAlive(session)
}

// IDs are kept for long: by logs, and by whoever lists the streams that are open. What the session
// holds must not stay in memory with them.
func TestAnIDThatIsKeptHoldsNothingOfTheSession(t *testing.T) {
	var seen []core.ID
	m, err := core.New(core.Config{
		Observe: func(_ context.Context, e core.Event) { seen = append(seen, e.ID) },
	})
	require.NoError(t, err)
	defer func() { require.NoError(t, m.Close()) }()
	session, err := m.Begin(t.Context(), http.Header{})
	require.NoError(t, err)
	note.Set(session, "what the session holds")
	header := http.Header{}
	require.NoError(t, m.Commit(t.Context(), session, header))
	token := tokenIn(t, header)
	read := func() (core.ID, weak.Pointer[byte]) {
		session, err := m.Begin(t.Context(), cookies(token))
		require.NoError(t, err)
		text, _ := note.Get(session)
		id := session.ID()
		session.Destroy()
		require.NoError(t, m.Commit(t.Context(), session, http.Header{}))
		return id, weak.Make(unsafe.StringData(text))
	}
	id, watched := read()
	requireFreed(t, watched, "the session's values are still in memory")
	require.Len(t, seen, 2)
	require.Equal(t, id, seen[1])
}
