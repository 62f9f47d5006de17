package browser

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// evilToken is well-formed and no session's.
func evilToken() string { return strings.Repeat("evil", 32) }

// scriptCannotReplaceCookie is about a script that got to run on the page. It cannot touch the
// cookie that is there; it can set one where there is none, which then opens nothing.
func scriptCannotReplaceCookie(t *testing.T, c *chromium, home string) {
	w := c.profile(t)
	w.open(home)
	for _, value := range []string{"evil", evilToken()} {
		seen := w.setCookie(cookieName + "=" + value + "; Secure; Path=/")
		require.Equal(t, cookieName+"="+value, seen, "the browser allows it: it is a real attempt")
		w.reload()
		w.requireAnonymous()
	}
	w.signIn("Ada")
	cookie := requireOneCookie(t, w, home)
	require.NotEqual(t, evilToken(), cookie.Value)

	for _, line := range []string{
		cookieName + "=" + evilToken() + "; Secure; Path=/",
		cookieName + "=; Secure; Path=/; Max-Age=0",
	} {
		require.Empty(t, w.setCookie(line))
	}
	require.Equal(t, cookie.Value, w.token(home))
	w.open(home + "account")
	w.requireSignedIn("Ada")
}

// twinIsHealed is about the one way in which a script can put a second cookie of the session's name
// beside the first: the browser keeps partitioned cookies apart, and sends both. Neither counts
// then, and the server has both removed.
func twinIsHealed(t *testing.T, c *chromium, home string) {
	w := c.profile(t)
	w.open(home)
	w.signIn("Ada")
	w.setCookie(cookieName + "=" + evilToken() + "; Secure; Path=/; Partitioned")
	require.Len(t, w.cookies(home), 2, "the browser allows it: it is a real attempt")
	w.reload()
	w.requireAnonymous()
	require.Empty(t, w.cookies(home))
	w.signIn("Bob")
	requireOneCookie(t, w, home)
}

// otherPortSignsNobodyIn is about another program on the same machine: cookies know no ports. It
// can throw away the cookie, and with it the sign-in, but opens nothing.
func otherPortSignsNobodyIn(t *testing.T, c *chromium, home string) {
	w := c.profile(t)
	w.open(home)
	w.signIn("Ada")
	token := w.token(home)
	w.open(withHost(t, strange(t, cookieName+"="+evilToken()+"; Path=/"), "localhost"))
	require.Equal(t, token, w.token(home), "without Secure the prefix forbids it")
	w.open(home)
	w.requireSignedIn("Ada")

	w.open(withHost(t, strange(t, cookieName+"="+evilToken()+"; Path=/; Secure"), "localhost"))
	require.Equal(t, evilToken(), w.token(home), "the browser allows it: it is a real attempt")
	w.open(home)
	w.requireAnonymous()
	w.signIn("Bob")
	require.NotEqual(t, evilToken(), requireOneCookie(t, w, home).Value)
}

// siblingCannotInterfere is about another host of the same site, such as a subdomain that somebody
// took over. It can set cookies for all of the site's hosts.
func siblingCannotInterfere(t *testing.T, c *chromium, home string) {
	home = withHost(t, home, "shop.test.localhost")
	w := c.profile(t)
	w.open(home)
	w.signIn("Ada")
	token := w.token(home)

	const all = "; Domain=test.localhost; Path=/; Secure"
	w.open(withHost(t, strange(t,
		cookieName+"="+evilToken()+all,
		"__host-sid="+evilToken()+all,
		"="+cookieName+"="+evilToken()+all,
		"sid="+evilToken()+all,
		// The browser takes this for another name, and a server that trims more than blanks would
		// take it for the session's.
		"\u2000"+cookieName+"="+evilToken()+all,
	), "evil.test.localhost"))
	w.open(home)
	w.requireSignedIn("Ada")
	assert.Equal(t, token, w.token(home))
	var names []string
	for _, cookie := range w.cookies(home) {
		names = append(names, cookie.Name)
	}
	assert.ElementsMatch(t, []string{cookieName, "sid", "\u2000" + cookieName}, names,
		"the browser lets some of them through: it is a real attempt")

	w.signOut()
	w.reload()
	w.requireAnonymous()
	require.Empty(t, w.token(home))
}

// setCookie sets a cookie as a script of the page would, and returns all that such a script can see
// then. Only by looking it waits until the browser has dealt with the cookie.
func (w *tab) setCookie(line string) string {
	w.t.Helper()
	var seen string
	w.eval("document.cookie = "+quote(line)+", document.cookie", &seen)
	return seen
}

// strange starts a server that sets cookies, and returns its URL.
func strange(t *testing.T, setCookie ...string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Set-Cookie"] = setCookie
		w.Header().Set("Content-Type", "text/html")
		_, err := io.WriteString(w, "<!DOCTYPE html><title>Another server</title>")
		assert.NoError(t, err)
	}))
	t.Cleanup(server.Close)
	return server.URL + "/"
}
