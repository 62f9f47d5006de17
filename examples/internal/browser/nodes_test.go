package browser

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/examples/internal/program"
)

// A pair is two nodes of one site, of different frameworks, on ports of one host. Cookies know no
// ports, so the browser has one cookie for both.
type pair struct {
	gin, fiber *node
}

// A node is a running program.
type node struct {
	*program.Program
	path, store string
	home        string
}

// nodeScenario is something that people do with a site that has two nodes.
type nodeScenario struct {
	sentence string
	check    func(t *testing.T, c *chromium, p pair)
}

func nodeScenarios() []nodeScenario {
	return []nodeScenario{
		{"who signs in on one is known on the other, with the cart", knownOnBoth},
		{"two tabs that add to the cart on both at once lose nothing", nodesAddAtOnce},
		{"signing out on one ends an open page of the other", signOutReachesOtherNode},
		{"a device that one on the other node signs out says so at once", nodeSignsOutAnother},
		{"signing out all other devices reaches those on the other node", nodeSignsOutOthers},
		{"a restart and a crash keep the session", restartKeepsSession},
	}
}

func visitNodes(t *testing.T, c *chromium, p pair) {
	for _, s := range nodeScenarios() {
		t.Run(s.sentence, func(t *testing.T) { s.check(t, c, p) })
	}
}

func startPair(t *testing.T, dir, store string) pair {
	t.Helper()
	p := pair{
		gin:   &node{path: filepath.Join(dir, "gin"), store: store},
		fiber: &node{path: filepath.Join(dir, "fiber"), store: store},
	}
	p.gin.start(t)
	p.fiber.start(t)
	return p
}

// start starts the node, or starts it again: at another port, since the former may be taken.
func (n *node) start(t *testing.T) {
	t.Helper()
	n.Program = program.Start(t, n.path, 1, "-addr", "127.0.0.1:0", "-store", n.store)
	n.home = n.Lines[0]
}

func knownOnBoth(t *testing.T, c *chromium, p pair) {
	w := c.profile(t)
	w.open(p.gin.home)
	require.Equal(t, "on gin", w.text(".on"))
	w.addToCart("tea")
	w.signIn("Ada")
	id, token := w.text("#session-id"), w.token(p.gin.home)

	other := w.another()
	other.open(p.fiber.home)
	require.Equal(t, "on fiber", other.text(".on"))
	other.requireSignedIn("Ada")
	require.Equal(t, []string{"tea"}, other.cart())
	require.Equal(t, id, other.text("#session-id"), "it is the same session")
	other.addToCart("milk")
	require.Equal(t, "Added to the cart: milk.", other.text("#flash"))

	w.reload()
	require.Equal(t, []string{"tea", "milk"}, w.cart())
	w.submit("#cart li:first-child button")
	other.reload()
	require.Equal(t, []string{"milk"}, other.cart())
	other.open(p.fiber.home + "account")
	other.requireSignedIn("Ada")
	require.Equal(t, "user:Ada", other.text("#owner"))
	for _, home := range []string{p.gin.home, p.fiber.home} {
		require.Equal(t, token, requireOneCookie(t, w, home).Value, "one cookie for both")
	}
}

func nodesAddAtOnce(t *testing.T, c *chromium, p pair) { addAtOnce(t, c, p.gin.home, p.fiber.home) }

func signOutReachesOtherNode(t *testing.T, c *chromium, p pair) {
	w := c.profile(t)
	w.open(p.gin.home)
	w.addToCart("tea")
	w.signIn("Ada")
	token := w.token(p.gin.home)
	other := w.another()
	other.open(p.fiber.home)
	other.requireSignedIn("Ada")

	other.signOut()
	require.Equal(t, "You have signed out.", other.text("#flash"))
	require.Empty(t, w.cookies(p.gin.home), "the browser has forgotten the one cookie")
	for _, home := range []string{p.gin.home, p.fiber.home} {
		requireWorthless(t, home, token)
	}
	w.requireSignedIn("Ada") // The page is as it was: nothing has told it.
	w.submit("nav a[href='/account']")
	require.False(t, w.has("#private, #who, #sign-out"), "the next click finds nobody")
	require.True(t, w.has("#sign-in"))
	require.Empty(t, w.cart())
}

// restartKeepsSession stops one node in good order and the other as a crash would. It comes last,
// since the nodes that it starts end with it.
func restartKeepsSession(t *testing.T, c *chromium, p pair) {
	w := c.profile(t)
	w.open(p.gin.home)
	w.signIn("Ada")
	w.addToCart("tea")
	p.gin.Stop()
	w.open(p.fiber.home)
	w.requireSignedIn("Ada")
	w.addToCart("milk")
	p.fiber.Kill()

	p.gin.start(t)
	w.open(p.gin.home)
	w.requireSignedIn("Ada")
	require.Equal(t, []string{"tea", "milk"}, w.cart())
	w.addToCart("salt")
	p.fiber.start(t)
	w.open(p.fiber.home)
	w.requireSignedIn("Ada")
	require.Equal(t, []string{"tea", "milk", "salt"}, w.cart())
}
