package core_test

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// seedWrites are the seed's behaviours 15 to 26: the cookie, and what makes or ends a session.
func seedWrites() []seedRow {
	return []seedRow{
		{"changed", "the cookie is as strict as a cookie can be", seedCookie},
		{"changed", "Secure is a setting, and not guessed from the request", seedSecure},
		{"changed", "reading sends no cookie, and a kept one lasts as long as its session", seedMaxAge},
		{"changed", "only a new token is sent, for what is left of the lifetime", seedReissue},
		{"better", "clearing what is not there creates nothing", seedClearNothing},
		{"better", "deleting a value that is not there creates nothing", seedDeleteNothing},
		{"kept", "ending an unknown session deletes the cookie", seedDropUnknown},
		{"changed", "ending an expired session deletes the cookie, reading does not", seedDropExpired},
		{"kept", "ending without a token sends nothing", seedDropNothing},
		{"changed", "renewing replaces the token of one record, the old one is dead", seedRenew},
		{"better", "renewing what is not there creates nothing", seedRenewNothing},
		{"better", "renew does not reset created", seedRenewCreated},
	}
}

func seedCookie(t *testing.T) {
	response := newSecSite(t, core.Config{}).serve(nil, secSet("a"))
	require.Equal(t, []string{
		"__Host-sid=" + secIssued(response) + "; Path=/; HttpOnly; Secure; SameSite=Lax",
	}, response.Header.Values("Set-Cookie"))
}

func seedSecure(t *testing.T) {
	secure := func(cfg core.Config, tlsState *tls.ConnectionState) bool {
		site := newSecSite(t, cfg)
		request := httptest.NewRequest(http.MethodGet, "/", nil)
		request.TLS = tlsState
		response := site.serveRequest(request, http.Header{"X-Forwarded-Proto": {"http"}},
			func(_ http.ResponseWriter, r *http.Request) {
				s, _ := core.FromContext(r.Context())
				secValue().Set(s, "a")
			})
		return response.Cookies()[0].Secure
	}
	require.True(t, secure(core.Config{}, nil), "behind a proxy that ends TLS")
	require.True(t, secure(core.Config{}, &tls.ConnectionState{}))
	insecure := core.Config{Carrier: core.Cookie{Insecure: true}}
	require.False(t, secure(insecure, &tls.ConnectionState{}))
}

func seedMaxAge(t *testing.T) {
	site := newSecSite(t, core.Config{Carrier: core.Cookie{Persist: true}})
	response := site.serve(nil, secSet("a"))
	token := secIssued(response)
	require.Equal(t, 86400, response.Cookies()[0].MaxAge)
	// Two clocks run, the browser's and the server's, and both end here: idle time or not.
	for range 47 {
		secPass(30 * time.Minute)
		response = site.serve(secWith(token), secRead)
		require.Empty(t, response.Header.Values("Set-Cookie"))
	}
	_, alive := site.read(token)
	require.True(t, alive)
	secPass(30 * time.Minute)
	site.requireDead(token)
}

func seedReissue(t *testing.T) {
	site := newSecSite(t, core.Config{Carrier: core.Cookie{Persist: true}})
	visitor := site.visitor()
	visitor.visit(secSet("a"))
	secPass(30 * time.Minute)
	response := visitor.visit(secSet("b"))
	require.Empty(t, response.Header.Values("Set-Cookie"))
	response = visitor.visit((*core.Session).Renew)
	require.Equal(t, 86400-1800, response.Cookies()[0].MaxAge)
}

// requireNothing checks that a request without a session made no session.
func requireNothing(t *testing.T, f func(*core.Session)) {
	t.Helper()
	site := newSecSite(t, core.Config{})
	response := site.serve(nil, func(s *core.Session) {
		f(s)
		require.NoError(t, s.Err())
	})
	require.Equal(t, http.StatusOK, response.StatusCode)
	require.Empty(t, response.Header.Values("Set-Cookie"))
	require.Zero(t, site.store.count())
	require.Empty(t, site.seen())

	// With a token of no session there is nothing to be created, either.
	response = site.serve(secWith(core.NewToken().Reveal()), f)
	require.Empty(t, secIssued(response))
	require.Zero(t, site.store.Len())
	require.Zero(t, site.store.count("create", "update", "touch"))
}

func seedClearNothing(t *testing.T) { requireNothing(t, (*core.Session).Clear) }

func seedDeleteNothing(t *testing.T) {
	requireNothing(t, func(s *core.Session) {
		secValue().Delete(s)
		_, ok := secValue().Take(s)
		require.False(t, ok)
		_, ok = secValue().TakeOnce(s)
		require.False(t, ok)
		s.SetOwner("") // signing out who is not signed in
	})
}

func seedRenewNothing(t *testing.T) {
	requireNothing(t, func(s *core.Session) {
		s.Renew()
		s.Persist(true)
	})
}

func seedDropUnknown(t *testing.T) {
	site := newSecSite(t, core.Config{})
	response := site.serve(secWith(core.NewToken().Reveal()), (*core.Session).Destroy)
	require.Equal(t, []string{
		"__Host-sid=; Path=/; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=0; " +
			"HttpOnly; Secure; SameSite=Lax",
	}, response.Header.Values("Set-Cookie"))
}

func seedDropExpired(t *testing.T) {
	site := newSecSite(t, core.Config{IdleTimeout: time.Hour})
	token := secIssued(site.serve(nil, secSet("a")))
	secPass(time.Hour)
	response := site.serve(secWith(token), secRead)
	require.Empty(t, response.Header.Values("Set-Cookie"),
		"a deletion could hit the cookie that a sign-in beside this request has just set")
	response = site.serve(secWith(token), (*core.Session).Destroy)
	require.True(t, secExpired(response))
	require.Zero(t, site.store.Len())
}

func seedDropNothing(t *testing.T) { requireNothingSent(t, (*core.Session).Destroy) }

// requireNothingSent is for what a request without a token does in vain.
func requireNothingSent(t *testing.T, f func(*core.Session)) {
	t.Helper()
	site := newSecSite(t, core.Config{})
	response := site.serve(nil, f)
	require.Empty(t, response.Header.Values("Set-Cookie"))
	require.Zero(t, site.store.count())
}

func seedRenew(t *testing.T) {
	site := newSecSite(t, core.Config{})
	visitor := site.visitor()
	visitor.visit(secSet("kept"))
	old := visitor.token
	before := site.store.count("create", "delete")
	visitor.visit((*core.Session).Renew)
	require.Equal(t, before, site.store.count("create", "delete"), "the record is one and the same")
	require.Equal(t, old[:32], visitor.token[:32])
	require.NotEqual(t, old[32:], visitor.token[32:])
	site.requireDead(old)
	note, _ := site.read(visitor.token)
	require.Equal(t, "kept", note)
	require.Equal(t, 1, site.store.Len())
}

func seedRenewCreated(t *testing.T) {
	site := newSecSite(t, core.Config{Lifetime: 2 * time.Hour})
	visitor := site.visitor()
	visitor.visit(secSet("a"))
	created := site.begin(visitor.token).Created()
	for range 3 {
		secPass(30 * time.Minute)
		visitor.visit((*core.Session).Renew)
		visitor.visit(func(s *core.Session) { s.SetOwner("alice") })
		require.Equal(t, created, site.begin(visitor.token).Created())
	}
	secPass(30 * time.Minute)
	site.requireDead(visitor.token)
}
