package browser

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/examples/internal/program"
)

// scenario is something that people do with a site. Its sentence must be true of each of them.
type scenario struct {
	sentence string
	check    func(t *testing.T, c *chromium, home string)
}

func siteScenarios() []scenario {
	return []scenario{
		{"whoever signs in is still signed in after a reload", staysSignedIn},
		{"a cart survives a reload and signing in", cartSurvives},
		{"another profile is somebody else", profilesAreStrangers},
		{"signing out in one tab signs out the other", signOutReachesOtherTab},
		{"after signing out the back button shows nothing private", backShowsNothing},
		{"no script can read the cookie", cookieIsOutOfReach},
		{"the cookie outlives the browser only for who asks to be remembered", cookieIsKept},
		{"a slow request cannot bring back the session that was signed out", slowRequestIsTooLate},
		{"a slow request leaves the next session alone", slowRequestLeavesSuccessor},
		{"a slow request loses nothing of what another tab did", slowRequestLosesNothing},
		{"a script cannot replace the cookie", scriptCannotReplaceCookie},
		{"a second cookie of the same name signs nobody in, and goes away", twinIsHealed},
		{"a program on another port can sign nobody in", otherPortSignsNobodyIn},
		{"a sibling domain cannot interfere", siblingCannotInterfere},
		{"a planted token is dead after signing in", plantedTokenDies},
		{"two tabs that add to the cart at once lose nothing", tabsAddAtOnce},
		{"a device that another signs out says so at once", deviceSignsOutAnother},
		{"signing out all other devices reaches each", othersAreSignedOut},
		{"a page goes on listening when another tab signs in again", otherTabSignsInAgain},
		{"everything works without scripts", worksWithoutScript},
		{"the cookie needs no HTTPS on this machine", cookieWorksOnLoopback},
	}
}

func TestInChromium(t *testing.T) {
	sites := []string{"gin", "echo", "fiber", "chi"}
	c := startChromium(t)
	dir := program.Build(t, "examples/gin", "examples/echo", "examples/fiber", "examples/chi",
		"examples/api", program.Servers)
	for _, name := range sites {
		t.Run(name, func(t *testing.T) {
			home := program.Start(t, filepath.Join(dir, name), 1, "-addr", "127.0.0.1:0").Lines[0]
			require.Regexp(t, `^http://localhost:\d+/$`, home)
			for _, s := range siteScenarios() {
				t.Run(s.sentence, func(t *testing.T) { s.check(t, c, home) })
			}
			if name == "gin" && *screenshot != "" {
				t.Run("screenshot", func(t *testing.T) { takeScreenshot(t, c, home, *screenshot) })
			}
			if name == "gin" && *devices != "" {
				t.Run("devices", func(t *testing.T) { takeDevicesScreenshot(t, c, home, *devices) })
			}
		})
	}
	t.Run("api", func(t *testing.T) {
		lines := program.Start(t, filepath.Join(dir, "api"), 2,
			"-page", "127.0.0.1:0", "-addr", "127.0.0.1:0").Lines
		page, isPage := strings.CutPrefix(lines[0], "page ")
		api, isAPI := strings.CutPrefix(lines[1], "api  ")
		require.True(t, isPage && isAPI, "%q", lines)
		for _, s := range apiScenarios() {
			t.Run(s.sentence, func(t *testing.T) { s.check(t, c, page, api) })
		}
	})
	for _, kind := range []string{"sqlite", "postgres", "redis"} {
		t.Run("two nodes on "+kind, func(t *testing.T) {
			visitNodes(t, c, startPair(t, dir, program.StartStore(t, dir, kind)))
		})
	}
}
