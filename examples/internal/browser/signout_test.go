package browser

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func signOutReachesOtherTab(t *testing.T, c *chromium, home string) {
	w := c.profile(t)
	w.open(home)
	w.signIn("Ada")
	w.addToCart("tea")
	token := w.token(home)
	other := w.another()
	other.open(home)
	other.requireSignedIn("Ada")

	w.signOut()
	require.Equal(t, "You have signed out.", w.text("#flash"))
	require.Empty(t, w.cookies(home), "the browser has forgotten the cookie")
	requireWorthless(t, home, token)
	other.reload()
	other.requireAnonymous()
}

// backShowsNothing goes back through the whole history. Whether the browser asks the server again,
// has kept the page in its cache, or has kept it alive as it was (bfcache) is the browser's affair.
func backShowsNothing(t *testing.T, c *chromium, home string) {
	w := c.profile(t)
	w.open(home)
	w.signIn("Ada")
	w.submit("nav a[href='/account']")
	require.True(t, w.has("#private"))
	w.submit("nav a[href='/']")
	w.back()
	require.True(t, w.has("#private"), "while signed in, the back button works")

	w.signOut()
	for range 3 { // the private page, the home page after signing in, and before
		w.back()
		require.False(t, w.has("#private, #who, #sign-out, #owner"), "at %s", w.url())
		require.NotContains(t, w.text("body"), "Ada")
		require.True(t, w.has("#sign-in"), "the page asks to sign in")
	}
}
