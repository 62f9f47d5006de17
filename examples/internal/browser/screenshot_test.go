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

// These make pictures of the site for people to look at:
//
//	go test ./examples/internal/browser -screenshot="$PWD/docs/site.png"
//	go test ./examples/internal/browser -devices="$PWD/docs/devices.png"
var (
	screenshot = flag.String("screenshot", "", "write a picture of the site to this `file`")
	devices    = flag.String("devices", "", "write a picture of the page of devices to this `file`")
)

func takeScreenshot(t *testing.T, c *chromium, home, file string) {
	w := c.profile(t)
	w.pose(1200, 880)
	w.open(home)
	for _, item := range []string{"Green tea", "Two cups"} {
		w.addToCart(item)
	}
	w.signIn("Ada")
	w.capture(file)
}

func takeDevicesScreenshot(t *testing.T, c *chromium, home, file string) {
	const windows = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/126.0.0.0 Edg/126.0.0.0"
	for _, agent := range []string{windows, safari} {
		c.device(t, agent, home, "Ada")
	}
	w := c.profile(t)
	w.run(emulation.SetUserAgentOverride(firefox))
	w.pose(1200, 660)
	w.open(home)
	w.signIn("Ada")
	w.openDevices(home)
	w.capture(file)
}

// pose gives the page a size, and the colours of the day.
func (w *tab) pose(width, height int64) {
	w.t.Helper()
	w.run(
		emulation.SetDeviceMetricsOverride(width, height, 1, false),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: "light"},
		}),
	)
}

func (w *tab) capture(file string) {
	w.t.Helper()
	var picture []byte
	w.run(chromedp.ActionFunc(func(ctx context.Context) error {
		return chromedp.CaptureScreenshot(&picture).Do(ctx)
	}))
	require.NoError(w.t, os.WriteFile(file, picture, 0o644))
}
