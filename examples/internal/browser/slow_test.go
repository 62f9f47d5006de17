package browser

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// slowRequestIsTooLate signs out while a request of another tab is under way, which changes the
// session when it is over.
func slowRequestIsTooLate(t *testing.T, c *chromium, home string) {
	overtake(t, c, home, func(w *tab, token string) (after func()) {
		w.signOut()
		return func() {
			assert.Empty(t, w.cookies(home))
			w.reload()
			w.requireAnonymous()
			requireWorthless(t, home, token)
		}
	})
}

// slowRequestLeavesSuccessor is the same, but somebody else signs in before the late answer comes.
func slowRequestLeavesSuccessor(t *testing.T, c *chromium, home string) {
	overtake(t, c, home, func(w *tab, token string) (after func()) {
		w.signOut()
		w.signIn("Bob")
		bobs := w.token(home)
		return func() {
			assert.Equal(t, bobs, w.token(home), "the cookie is still that of the new session")
			w.reload()
			w.requireSignedIn("Bob")
			assert.Empty(t, w.cart())
			requireWorthless(t, home, token)
		}
	})
}

// slowRequestLosesNothing changes the session while a request of another tab is under way, which
// began with the session as it was and changes it, too.
func slowRequestLosesNothing(t *testing.T, c *chromium, home string) {
	overtake(t, c, home, func(w *tab, _ string) (after func()) {
		w.addToCart("milk")
		return func() {
			w.reload()
			w.requireSignedIn("Ada")
			assert.Equal(t, []string{"tea", "milk"}, w.cart())
			assert.True(t, w.has("#last-seen"), "what the slow request wrote is there, too")
		}
	})
}

// overtake signs in, starts a slow request in another tab, calls meanwhile with the token, waits
// until the request is answered, and calls after. If the machine is so busy that the slow request
// begins only when meanwhile has begun, or is answered before that has come to its end, which would
// prove nothing, it tries again, with the slowest request there is.
func overtake(
	t *testing.T, c *chromium, home string, meanwhile func(w *tab, token string) (after func()),
) {
	t.Helper()
	for _, ms := range []string{"1500", "5000", "5000", "5000"} {
		w := c.profile(t)
		w.open(home)
		w.addToCart("tea")
		w.signIn("Ada")

		slow := w.another()
		slow.open(home)
		slow.requireSignedIn("Ada")
		sent, answer := slow.nextRequest("/slow"), slow.nextPage()
		slow.eval(`location.assign("/slow?ms=`+ms+`")`, nil)
		sent()
		w.reload() // one round trip more, so that the slow request has surely begun
		w.requireSignedIn("Ada")

		after := meanwhile(w, w.token(home))
		inTime := !answer.hasCome()
		answer.wait()
		began := strings.Contains(slow.text("body"), "then wrote to the session")
		if !inTime || !began {
			t.Logf("%s ms: answered late enough: %t, begun early enough: %t", ms, inTime, began)
			continue
		}
		after()
		return
	}
	require.Fail(t, "the slow request came too late or was answered too early: nothing is proven")
}
