package site

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

func TestAgo(t *testing.T) {
	for want, d := range map[string]time.Duration{
		"just now": time.Minute - 1, "1 min ago": time.Minute, "59 min ago": time.Hour - 1,
		"1 h ago": time.Hour, "30 h ago": 30*time.Hour + time.Minute,
	} {
		assert.Equal(t, want, ago(d))
	}
	assert.Equal(t, "just now", ago(-time.Second), "clocks differ")
}

// visit is a request of whoever has the cookie, and returns the cookie that is the browser's then.
func visit(t *testing.T, m *core.Manager, cookie string, f func(s *core.Session)) string {
	t.Helper()
	request, response := http.Header{}, http.Header{}
	if cookie != "" {
		request.Set("Cookie", cookie)
	}
	s, err := m.Begin(t.Context(), request)
	require.NoError(t, err)
	f(s)
	require.NoError(t, m.Commit(t.Context(), s, response))
	m.Seal(s)
	for _, set := range (&http.Response{Header: response}).Cookies() {
		cookie = set.Name + "=" + set.Value
	}
	return cookie
}

func signInAs(t *testing.T, m *core.Manager, name, agent string) (cookie string) {
	t.Helper()
	return visit(t, m, "", func(s *core.Session) {
		form := SignInForm{Name: name, Password: "tea"}
		require.NoError(t, SignIn(t.Context(), m, s, form, agent))
	})
}

func TestDevicesAreListedTheLastUsedFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t)
		first := signInAs(t, m, "Ada", "Firefox/1 (Linux)")
		began := time.Now()
		signInAs(t, m, "Bob", "Firefox/1 (Linux)")
		<-time.After(10 * time.Minute)
		signInAs(t, m, "Ada", "Chrome/1 (Android)")
		visit(t, m, first, func(s *core.Session) {
			page, ok, err := NewDevices(t.Context(), m, s)
			require.NoError(t, err)
			require.True(t, ok)
			require.True(t, page.Others)
			require.Len(t, page.Devices, 2)
			for _, device := range page.Devices {
				if device.This {
					assert.Equal(t, "Firefox on Linux", device.Label)
					assert.WithinDuration(t, began, device.Since, time.Millisecond)
					assert.WithinDuration(t, time.Now(), device.Used, time.Millisecond)
				} else {
					assert.Equal(t, "Chrome on Android", device.Label)
				}
			}
		})
	})
}

func TestASignInThatBeganBeforeAllWereSignedOutFails(t *testing.T) {
	m := newManager(t)
	first := signInAs(t, m, "Ada", "")
	s, err := m.Begin(t.Context(), http.Header{})
	require.NoError(t, err)
	form := SignInForm{Name: "Ada", Password: "tea"}
	require.NoError(t, SignIn(t.Context(), m, s, form, ""))
	visit(t, m, first, func(s *core.Session) {
		require.NoError(t, SignOutOthers(t.Context(), m, s))
	})
	require.ErrorIs(t, m.Commit(t.Context(), s, http.Header{}), core.ErrSignInStale)
}

func TestExpiryIsNoUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t)
		cookie := signInAs(t, m, "Ada", "")
		<-time.After(40 * time.Minute)
		s, err := m.BeginPassive(t.Context(), http.Header{"Cookie": {cookie}})
		require.NoError(t, err)
		assert.Equal(t, Expiry{ExpiresIn: 20 * 60}, NewExpiry(s))
		assert.Zero(t, NewExpiry(newSession(t)))
	})
	assert.True(t, Passive("/expires") && Passive("/events"))
	assert.False(t, Passive("/") || Passive("/devices"))
}
