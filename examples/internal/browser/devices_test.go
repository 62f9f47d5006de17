package browser

import (
	"slices"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/stretchr/testify/require"
)

// What the browsers of two devices call themselves.
const (
	firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
	safari  = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Version/17.5 Safari/604.1"
)

// device opens a profile on a device of its own, and signs in there.
func (c *chromium) device(t *testing.T, agent, home, name string) *tab {
	t.Helper()
	w := c.profile(t)
	w.run(emulation.SetUserAgentOverride(agent))
	w.open(home)
	w.signIn(name)
	return w
}

// openDevices opens the page of devices, and waits until it listens.
func (w *tab) openDevices(home string) {
	w.t.Helper()
	w.open(home + "devices")
	w.eval(`new Promise((resolve, reject) => {
		if (events.readyState === EventSource.OPEN) resolve();
		events.addEventListener("open", resolve);
		events.addEventListener("error", reject);
	})`, nil)
}

// requireDevices fails the test unless the page lists these devices, its own first.
func (w *tab) requireDevices(own string, others ...string) {
	w.t.Helper()
	require.Equal(w.t, []string{own}, w.texts("#this-device .device"))
	got := w.texts("#devices li:not(#this-device) .device")
	slices.Sort(got)
	slices.Sort(others)
	require.Equal(w.t, others, append([]string(nil), got...))
	require.Equal(w.t, len(others) > 0, w.has("#sign-out-others"))
}

// requireTold waits until a page says that it was signed out, and nothing private any more.
func (w *tab) requireTold() {
	w.t.Helper()
	w.waitText("#flash", "You have been signed out.")
	require.False(w.t, w.has("#devices, #sign-out"))
	require.NotContains(w.t, w.text("main"), " on ")
}

func deviceSignsOutAnother(t *testing.T, c *chromium, home string) {
	signOutAcross(t, c, home, home)
}

func nodeSignsOutAnother(t *testing.T, c *chromium, p pair) {
	signOutAcross(t, c, p.gin.home, p.fiber.home)
	signOutAcross(t, c, p.fiber.home, p.gin.home)
}

// signOutAcross lets the device on one node sign out that on the other, while that one's page of
// devices is open.
func signOutAcross(t *testing.T, c *chromium, here, there string) {
	desk := c.device(t, firefox, here, "Grace")
	phone := c.device(t, safari, there, "Grace")
	token := desk.token(here)
	phone.openDevices(there)
	phone.requireDevices("Safari on iPhone", "Firefox on Linux")
	desk.openDevices(here)
	desk.requireDevices("Firefox on Linux", "Safari on iPhone")

	desk.eval(`globalThis.told = new Promise(resolve => {
		new MutationObserver(() => resolve(Date.now())).observe(document.body,
			{subtree: true, childList: true});
	}); null`, nil)
	phone.eval(`document.addEventListener("submit", () => sessionStorage.clicked = Date.now())`, nil)
	phone.submit("#devices li:not(#this-device) button")
	desk.requireTold()
	var clicked, told int64
	phone.eval("Number(sessionStorage.clicked)", &clicked)
	desk.eval("told", &told)
	t.Logf("from the click on one device to the message on the other: %d ms", told-clicked)
	phone.requireDevices("Safari on iPhone")
	require.Equal(t, "The device is signed out.", phone.text("#flash"))
	requireWorthless(t, here, token)
	requireWorthless(t, there, token)

	desk.reload()
	require.True(t, desk.has("#sign-in"), "at %s", desk.url())
	require.False(t, desk.has("#who, #devices"))
	require.Contains(t, desk.text("#flash"), "Sign in first")
	phone.signOut() // or the next of that name would see it
}

func othersAreSignedOut(t *testing.T, c *chromium, home string) {
	signOutOthersAcross(t, c, home, home)
}

func nodeSignsOutOthers(t *testing.T, c *chromium, p pair) {
	signOutOthersAcross(t, c, p.gin.home, p.fiber.home)
	signOutOthersAcross(t, c, p.fiber.home, p.gin.home)
}

func signOutOthersAcross(t *testing.T, c *chromium, here, there string) {
	desk := c.device(t, firefox, here, "Barbara")
	near := c.device(t, safari, here, "Barbara")
	far := c.device(t, safari, there, "Barbara")
	near.openDevices(here)
	far.openDevices(there)
	stranger := c.device(t, safari, there, "Alan")
	stranger.openDevices(there)
	stranger.requireDevices("Safari on iPhone")

	desk.openDevices(here)
	desk.requireDevices("Firefox on Linux", "Safari on iPhone", "Safari on iPhone")
	desk.submit("#sign-out-others button")
	near.requireTold()
	far.requireTold()
	desk.requireDevices("Firefox on Linux")
	require.Equal(t, "Other devices signed out: 2.", desk.text("#flash"))
	stranger.reload()
	stranger.requireDevices("Safari on iPhone")
	desk.signOut()
	stranger.signOut()
}

// otherTabSignsInAgain replaces the token that the page of devices listens with. It listens with
// the new one then, which is the same browser's.
func otherTabSignsInAgain(t *testing.T, c *chromium, home string) {
	w := c.device(t, firefox, home, "Edsger")
	w.openDevices(home)
	w.eval(`globalThis.again = new Promise(resolve => {
		events.addEventListener("open", () => resolve("listens again"));
	}); null`, nil)
	other := w.another()
	other.open(home)
	other.eval(`fetch("/sign-in", {
		method: "POST", body: new URLSearchParams({name: "Edsger", password: "tea"}),
	}).then(answer => answer.text())`, nil)
	var said string
	w.eval("again", &said)
	require.Equal(t, "listens again", said)
	w.requireDevices("Firefox on Linux")

	other.reload()
	other.signOut()
	w.requireTold()
}
