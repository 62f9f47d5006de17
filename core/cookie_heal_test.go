package core_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// healing is what a response does about two different cookies.
func healing(t *testing.T, m *site, header http.Header, f func(*core.Session)) []string {
	t.Helper()
	session, err := m.Begin(t.Context(), header)
	require.NoError(t, err)
	assert.Empty(t, session.ID(), "no session, whichever it might be")
	f(session)
	return m.commit(session).Values("Set-Cookie")
}

func TestTwoDifferentCookiesAreHealedWhereNobodyElseCanSetThem(t *testing.T) {
	const own = "__Host-sid=; Path=/; " + deletion + "; HttpOnly; Secure; SameSite=Lax"
	const twin = own + "; Partitioned"
	one, two := core.NewToken().Reveal(), core.NewToken().Reveal()

	t.Run("our own and its partitioned twin are expired", func(t *testing.T) {
		m := newSite(t, core.Config{})
		assert.Equal(t, []string{own, twin}, healing(t, m, cookies(one, two), nothing))
		assert.Equal(t, []core.EventKind{core.TokenAmbiguous}, m.events.takeKinds())
		assert.Zero(t, m.store.count(opLoad))
	})
	t.Run("the other way round where ours is partitioned", func(t *testing.T) {
		m := newSite(t, core.Config{Carrier: core.Cookie{Partitioned: true}})
		assert.Equal(t, []string{twin, own}, healing(t, m, cookies(one, two), nothing))
	})
	t.Run("one that is ill-formed counts as another", func(t *testing.T) {
		m := newSite(t, core.Config{})
		assert.Equal(t, []string{own, twin}, healing(t, m, cookies(one, "junk"), nothing))
	})
	t.Run("an untouched response says no-store", func(t *testing.T) {
		m := newSite(t, core.Config{})
		session, err := m.Begin(t.Context(), cookies(one, two))
		require.NoError(t, err)
		response := m.commit(session)
		assert.Equal(t, "no-store", response.Get("Cache-Control"))
		assert.Equal(t, "Cookie", response.Get("Vary"))
	})
	t.Run("a new session replaces ours, and the twin goes", func(t *testing.T) {
		m := newSite(t, core.Config{})
		lines := healing(t, m, cookies(one, two), setNote("x"))
		require.Len(t, lines, 2)
		cookie, err := http.ParseSetCookie(lines[0])
		require.NoError(t, err)
		assert.Len(t, cookie.Value, core.TokenLength)
		assert.Equal(t, twin, lines[1])
		assert.Equal(t, "x", m.read(cookie.Value))
	})
	t.Run("identical repeats are one", func(t *testing.T) {
		m := newSite(t, core.Config{})
		token, _ := m.start(setNote("x"))
		text, _ := note.Get(m.begin(token, token, token))
		assert.Equal(t, "x", text)
	})
	t.Run("without the prefix nothing is sent", func(t *testing.T) {
		for _, cookie := range []core.Cookie{
			{Name: "sid"}, {Insecure: true}, {Domain: "example.com"}, {Path: "/x"},
		} {
			m := newSite(t, core.Config{Carrier: cookie})
			name, _, _ := strings.Cut(setCookie(t, m.visit("", setNote("x"))), "=")
			header := http.Header{"Cookie": {name + "=" + one + "; " + name + "=" + two}}
			m.events.take()
			assert.Empty(t, healing(t, m, header, nothing))
			assert.Equal(t, []core.EventKind{core.TokenAmbiguous}, m.events.takeKinds())
		}
	})
	t.Run("a cookie and a header that differ are not healed", func(t *testing.T) {
		for _, carrier := range []core.Carrier{
			core.Carriers(core.Cookie{}, core.Header{}),
			core.Carriers(core.Header{}, core.Cookie{}),
		} {
			m := newSite(t, core.Config{Carrier: carrier})
			header := cookies(one)
			header.Set("Session-Id", two)
			assert.Empty(t, healing(t, m, header, nothing))
		}
	})
	t.Run("destroying what is ambiguous ends nothing", func(t *testing.T) {
		m := newSite(t, core.Config{})
		token, _ := m.start(setNote("x"))
		session := m.begin(token, two)
		session.Destroy()
		assert.Equal(t, []string{own, twin}, m.commit(session).Values("Set-Cookie"))
		assert.True(t, m.alive(token))
	})
	t.Run("it is done once", func(t *testing.T) {
		m := newSite(t, core.Config{})
		session := m.begin(one, two)
		response := m.commitUnsealed(session)
		require.NoError(t, m.Commit(t.Context(), session, response))
		assert.Len(t, response.Values("Set-Cookie"), 2)
	})
}
