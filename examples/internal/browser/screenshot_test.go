package browser

import (
	"context"
	"flag"
	"os"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// screenshot makes a picture of the site for people to look at:
//
//	go test ./examples/internal/browser -screenshot="$PWD/docs/site.png"
var screenshot = flag.String("screenshot", "", "write a picture of the site to this `file`")

func takeScreenshot(t *testing.T, c *chromium, home, file string) {
	w := c.profile(t)
	w.run(
		emulation.SetDeviceMetricsOverride(1200, 880, 1, false),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: "light"},
		}),
	)
	w.open(home)
	for _, item := range []string{"Green tea", "Two cups"} {
		w.addToCart(item)
	}
	w.signIn("Ada")
	var picture []byte
	w.run(chromedp.ActionFunc(func(ctx context.Context) error {
		return chromedp.CaptureScreenshot(&picture).Do(ctx)
	}))
	require.NoError(t, os.WriteFile(file, picture, 0o644))
}
