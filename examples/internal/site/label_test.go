package site

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestLabel(t *testing.T) {
	const webkit = "AppleWebKit/537.36 (KHTML, like Gecko) "
	const apple = "AppleWebKit/605.1.15 (KHTML, like Gecko) "
	for agent, want := range map[string]string{
		"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0": "Firefox on Linux",
		"Mozilla/5.0 (X11; Linux x86_64) " + webkit +
			"HeadlessChrome/126.0.0.0 Safari/537.36": "Chrome on Linux",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) " + webkit +
			"Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0": "Edge on Windows",
		"Mozilla/5.0 (Linux; Android 14; SM-S921B) " + webkit +
			"SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36": "Samsung Internet on Android",
		"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) " + webkit +
			"Chrome/126.0.0.0 Safari/537.36": "Chrome on ChromeOS",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) " + webkit +
			"Chrome/126.0.0.0 Safari/537.36 OPR/111.0": "Opera on macOS",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) " + apple +
			"Version/17.5 Safari/605.1.15": "Safari on macOS",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) " + apple +
			"CriOS/126.0 Mobile/15E148 Safari/604.1": "Chrome on iPhone",
		"Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) " + apple +
			"FxiOS/127.0 Mobile/15E148 Safari/605.1.15": "Firefox on iPad",
		"curl/8.5.0":             "curl",
		"Thing (Windows)":        "Windows",
		"":                       "Unknown device",
		"<script>alert</script>": "Unknown device",
	} {
		assert.Equal(t, want, label(agent), agent)
	}
}
