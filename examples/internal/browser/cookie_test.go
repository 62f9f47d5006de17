package browser

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func cookieIsOutOfReach(t *testing.T, c *chromium, home string) {
	w := c.profile(t)
	w.open(home)
	w.signIn("Ada")
	cookie := requireOneCookie(t, w, home)
	assert.Equal(t, "localhost", cookie.Domain, "no other host gets it")
	assert.True(t, cookie.Session, "it ends with the browser")
	w.requireScriptsSeeNoCookie()
	require.NotContains(t, w.source(), cookie.Value, "the page does not show it")
}

func cookieIsKept(t *testing.T, c *chromium, home string) {
	w := c.profile(t)
	w.open(home)
	w.addToCart("tea")
	require.True(t, requireOneCookie(t, w, home).Session)
	w.click("#sign-in [name=remember]")
	w.signIn("Ada")
	cookie := requireOneCookie(t, w, home)
	assert.False(t, cookie.Session)
	expires := time.Unix(int64(cookie.Expires), 0)
	assert.WithinRange(t, expires, time.Now().Add(23*time.Hour), time.Now().Add(24*time.Hour),
		"it is kept for as long as the session can live")
	w.requireScriptsSeeNoCookie()

	w.signOut()
	require.Empty(t, w.cookies(home))
	w.signIn("Ada")
	require.True(t, requireOneCookie(t, w, home).Session, "the wish was the former session's")
}

// cookieWorksOnLoopback holds that development needs no HTTPS: the browser takes a Secure cookie,
// with the prefix __Host-, from its own machine, whatever that is called.
func cookieWorksOnLoopback(t *testing.T, c *chromium, home string) {
	w := c.profile(t)
	for _, host := range []string{"localhost", "127.0.0.1"} {
		at := withHost(t, home, host)
		w.open(at)
		w.requireAnonymous()
		w.signIn("Ada")
		w.reload()
		w.requireSignedIn("Ada")
		assert.Equal(t, host, requireOneCookie(t, w, at).Domain)
	}
}

// requireOneCookie fails the test unless the browser holds exactly one cookie for a URL, the
// session's, with all that protects it, and returns it.
func requireOneCookie(t *testing.T, w *tab, home string) *network.Cookie {
	t.Helper()
	cookies := w.cookies(home)
	require.Len(t, cookies, 1)
	cookie := cookies[0]
	assert.Equal(t, "__Host-sid", cookie.Name)
	assert.Len(t, cookie.Value, 128)
	assert.Equal(t, w.text("#session-id"), cookie.Value[:32])
	assert.Equal(t, "/", cookie.Path)
	assert.False(t, strings.HasPrefix(cookie.Domain, "."), "subdomains do not get it")
	assert.True(t, cookie.Secure)
	assert.True(t, cookie.HTTPOnly)
	assert.Equal(t, network.CookieSameSiteLax, cookie.SameSite)
	return cookie
}

// requireScriptsSeeNoCookie looks as a script of the page would.
func (w *tab) requireScriptsSeeNoCookie() {
	w.t.Helper()
	var old string
	w.eval("document.cookie", &old)
	assert.Empty(w.t, old)
	var all []string
	w.eval("cookieStore.getAll().then(list => list.map(cookie => cookie.name))", &all)
	assert.Empty(w.t, all)
}

// source is the page as HTML.
func (w *tab) source() string {
	w.t.Helper()
	var html string
	w.eval("document.documentElement.outerHTML", &html)
	return html
}

// withHost is the same URL by another name of this machine.
func withHost(t *testing.T, home, host string) string {
	t.Helper()
	at, err := url.Parse(home)
	require.NoError(t, err)
	at.Host = host + ":" + at.Port()
	return at.String()
}
