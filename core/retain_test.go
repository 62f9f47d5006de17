package core_test

import (
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
	"unsafe"
	"weak"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

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
	for range 3 {
		runtime.GC()
	}
	require.Nil(t, watched.Value(), "the Cookie line is still in memory")
	runtime.KeepAlive(header)
	runtime.KeepAlive(session)
}
