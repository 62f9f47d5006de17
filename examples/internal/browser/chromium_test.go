package browser

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// installSetting is the environment variable that lets tests install what they need.
const installSetting = "SESSIONSERVERSTORE_INSTALL"

// patience bounds every single wait. It is long because the machine may be busy with the tests of
// other packages; nothing waits for it unless something is wrong.
const patience = time.Minute

// reserve is what is left of go test's own time limit when waiting is over, so that a browser in
// which nothing works any more ends in good order, too.
const reserve = 30 * time.Second

// chromium is a browser process. What is a context here is chromedp's handle on it.
type chromium struct {
	ctx context.Context
}

// startChromium starts a browser with an empty profile. At the test's end it and all its processes
// are gone.
func startChromium(t *testing.T) *chromium {
	t.Helper()
	path := chromiumPath(t)
	home := chromiumHome(t)
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(path),
		chromedp.UserDataDir(filepath.Join(home, "profile")),
		chromedp.Env("HOME="+home, "TMPDIR="+home), // for what does not go into the profile
		chromedp.WSURLReadTimeout(patience),
		chromedp.Flag("headless", "new"),
		chromedp.NoFirstRun,
		chromedp.NoDefaultBrowserCheck,
		chromedp.DisableGPU,
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-breakpad", true),
		chromedp.Flag("disable-dev-shm-usage", true), // a container's may be small
		chromedp.Flag("force-color-profile", "srgb"),
		chromedp.Flag("hide-scrollbars", true),
		chromedp.Flag("no-proxy-server", true),
		chromedp.Flag("password-store", "basic"),
		// Without it a click that comes before a page's first frame is dropped.
		chromedp.Flag("allow-pre-commit-input", true),
	}
	deadline, ok := t.Deadline()
	if !ok {
		deadline = time.Now().Add(time.Hour)
	}
	limited, over := context.WithDeadline(
		context.WithoutCancel(t.Context()), deadline.Add(-reserve))
	allocator, free := chromedp.NewExecAllocator(limited, options...)
	ctx, cancel := chromedp.NewContext(allocator, chromedp.WithErrorf(complaints(t)))
	t.Cleanup(func() {
		stopChromium(t, ctx)
		cancel()
		free()
		over()
	})
	require.NoError(t, chromedp.Run(ctx), "Chromium does not start")
	return &chromium{ctx: ctx}
}

// chromiumHome is a directory for all that the browser writes. What still writes there when the
// browser itself has ended, such as a helper that has another parent now, is waited for.
func chromiumHome(t *testing.T) string {
	t.Helper()
	home, err := os.MkdirTemp("", "chromium")
	require.NoError(t, err)
	t.Cleanup(func() {
		assert.EventuallyWithT(t, func(c *assert.CollectT) {
			assert.NoError(c, os.RemoveAll(home))
		}, patience, 100*time.Millisecond)
	})
	return home
}

// stopChromium closes the browser as a user would, so that it ends its helpers itself, and makes
// sure that it did.
func stopChromium(t *testing.T, ctx context.Context) {
	running := chromedp.FromContext(ctx).Browser
	if running == nil {
		return // it did not start
	}
	family := descendants(running.Process().Pid)
	ending, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	assert.NoError(t, chromedp.Cancel(ending), "Chromium does not end")
	assert.EventuallyWithT(t, func(c *assert.CollectT) {
		for _, p := range family {
			assert.False(c, p.runs(), "%s has outlived the test", p)
		}
	}, patience, 20*time.Millisecond)
}

// complaints returns what chromedp calls when something is odd. Two things are left out, since they
// only say that Chromium has learned something since this version of chromedp was made: events in
// which an address space is called "Loopback", and kinds of page events without a name there. No
// test listens to these, and there are several for each page.
func complaints(t *testing.T) func(format string, args ...any) {
	return func(format string, args ...any) {
		text := fmt.Sprintf(format, args...)
		if strings.Contains(text, "unknown IPAddressSpace value: Loopback") ||
			strings.HasPrefix(text, "unhandled page event") {
			return
		}
		t.Logf("chromedp: %s", text)
	}
}

// chromiumPath finds Chromium, or installs it if that is wished for.
func chromiumPath(t *testing.T) string {
	t.Helper()
	path := findChromium()
	if path != "" {
		return path
	}
	if os.Getenv(installSetting) != "1" {
		t.Skipf("Chromium is not installed: with %s=1 this test installs it, by apt-get as root",
			installSetting)
	}
	installChromium(t)
	path = findChromium()
	require.NotEmpty(t, path, "Chromium is installed and cannot be found")
	return path
}

func findChromium() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// installChromium installs Debian's package. Tests of other packages may be installing something at
// the same time, and apt-get waits for others only in part of what it does, hence the lock.
func installChromium(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	lock := filepath.Join(os.TempDir(), "sessionserverstore-install.lock")
	script := strings.Join([]string{
		"export DEBIAN_FRONTEND=noninteractive",
		"command -v chromium && exit", // another test was faster
		"apt-get update",
		"apt-get install -y --no-install-recommends chromium",
	}, "\n")
	out, err := exec.CommandContext(ctx, "flock", lock, "sh", "-e", "-c", script).CombinedOutput()
	require.NoError(t, err, "%s is set, but Chromium cannot be installed:\n%s", installSetting, out)
}
