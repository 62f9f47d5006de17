package browser

import (
	"fmt"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/stretchr/testify/require"
)

func cartSurvives(t *testing.T, c *chromium, home string) {
	w := c.profile(t)
	w.open(home)
	w.addToCart("tea")
	require.Equal(t, "Added to the cart: tea.", w.text("#flash"))
	w.reload()
	require.Equal(t, []string{"tea"}, w.cart())
	require.False(t, w.has("#flash"), "a message is shown once")
	id, token := w.text("#session-id"), w.token(home)

	w.signIn("Ada")
	require.Equal(t, []string{"tea"}, w.cart())
	require.Equal(t, id, w.text("#session-id"), "it is the same session")
	require.NotEqual(t, token, w.token(home), "it has a new token")
	w.addToCart("milk")
	w.reload()
	require.Equal(t, []string{"tea", "milk"}, w.cart())
	w.submit("#cart li:first-child button")
	require.Equal(t, []string{"milk"}, w.cart())
}

func tabsAddAtOnce(t *testing.T, c *chromium, home string) { addAtOnce(t, c, home, home) }

// addAtOnce lets two tabs send forms while the other's are under way: first as a user would, by
// clicks as close to each other as can be, and then by scripts, many at once.
func addAtOnce(t *testing.T, c *chromium, left, right string) {
	w := c.profile(t)
	w.open(left)
	w.signIn("Ada")
	tabs := map[string]*tab{"left": w, "right": w.another()}
	homes := map[string]string{"left": left, "right": right}
	var want []string
	var next []*arrival
	for name, tab := range tabs {
		tab.run(page.SetBypassCSP(true)) // or the scripts below could send nothing
		tab.open(homes[name])
		tab.fill("#add [name=item]", name)
		want = append(want, name)
		next = append(next, tab.nextPage())
	}
	for _, tab := range tabs {
		tab.click("#add button")
	}
	for _, page := range next {
		page.wait()
	}

	const each = 8
	for name, tab := range tabs {
		tab.eval(fmt.Sprintf(`void (window.sent = Promise.all(Array.from({length: %d}, (_, i) =>
			fetch("/cart", {
				method: "POST",
				body: new URLSearchParams({item: %s + " " + i}),
				redirect: "manual",
			}).then(answer => answer.type))))`, each, quote(name)), nil)
		for i := range each {
			want = append(want, fmt.Sprintf("%s %d", name, i))
		}
	}
	for _, tab := range tabs {
		var answers []string
		tab.eval("window.sent", &answers)
		for _, answer := range answers {
			require.Equal(t, "opaqueredirect", answer)
		}
	}
	for _, tab := range tabs {
		tab.reload()
		tab.requireSignedIn("Ada")
		require.ElementsMatch(t, want, tab.cart(), "every item is there, once")
	}
}
