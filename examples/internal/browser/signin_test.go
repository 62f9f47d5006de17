package browser

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func staysSignedIn(t *testing.T, c *chromium, home string) {
	w := c.profile(t)
	w.open(home)
	w.requireAnonymous()
	require.Empty(t, w.cookies(home), "who only looks gets no cookie")
	w.signIn("Ada")
	w.reload()
	w.requireSignedIn("Ada")
	w.open(home + "account")
	w.requireSignedIn("Ada")
	w.another().open(home)
	w.requireSignedIn("Ada")
}

func profilesAreStrangers(t *testing.T, c *chromium, home string) {
	ada, bob := c.profile(t), c.profile(t)
	ada.open(home)
	ada.signIn("Ada")
	ada.addToCart("tea")
	bob.open(home)
	bob.requireAnonymous()

	bob.signIn("Bob")
	require.Empty(t, bob.cart())
	ada.reload()
	ada.requireSignedIn("Ada")
	require.Equal(t, []string{"tea"}, ada.cart())
	require.NotEqual(t, ada.text("#session-id"), bob.text("#session-id"))

	ada.signOut()
	bob.reload()
	bob.requireSignedIn("Bob")
}
