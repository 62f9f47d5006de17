package browser

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/stretchr/testify/require"
)

// plantedTokenDies is session fixation: the attacker begins a session, gets its cookie into the
// victim's browser somehow, and waits for the victim to sign in.
func plantedTokenDies(t *testing.T, c *chromium, home string) {
	token := beginElsewhere(t, home)
	w := c.profile(t)
	w.run(network.SetCookie(cookieName, token).WithURL(home).WithPath("/").
		WithSecure(true).WithHTTPOnly(true).WithSameSite(network.CookieSameSiteLax))
	w.open(home)
	require.Equal(t, []string{"bait"}, w.cart(), "it is a real attempt")

	w.signIn("Ada")
	cookie := requireOneCookie(t, w, home)
	require.NotEqual(t, token, cookie.Value)
	requireWorthless(t, home, token)
	w.reload()
	w.requireSignedIn("Ada")
}

// beginElsewhere puts something into a cart without a browser, and returns the token.
func beginElsewhere(t *testing.T, home string) string {
	t.Helper()
	answer, _ := send(t, http.MethodPost, home+"cart",
		http.Header{"Content-Type": {"application/x-www-form-urlencoded"}},
		strings.NewReader(url.Values{"item": {"bait"}}.Encode()))
	require.Equal(t, http.StatusSeeOther, answer.StatusCode)
	cookies := answer.Cookies()
	require.Len(t, cookies, 1)
	return cookies[0].Value
}
