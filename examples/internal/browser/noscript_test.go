package browser

import (
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/stretchr/testify/require"
)

func worksWithoutScript(t *testing.T, c *chromium, home string) {
	w := c.profile(t)
	w.run(emulation.SetScriptExecutionDisabled(true))
	w.open(`data:text/html,<p>off</p><script>document.querySelector("p").innerText = "on"</script>`)
	require.Equal(t, "off", w.text("p"), "scripts of pages do not run")

	w.open(home)
	w.addToCart("tea")
	w.addToCart("milk")
	w.submit("#cart li:first-child button")
	require.Equal(t, []string{"milk"}, w.cart())
	w.signIn("Ada")
	require.Equal(t, []string{"milk"}, w.cart())
	w.submit("nav a[href='/account']")
	require.True(t, w.has("#private"))
	w.signOut()
	w.reload()
	w.requireAnonymous()
}
