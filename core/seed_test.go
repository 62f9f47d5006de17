package core_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// A seedRow is one of the 50 behaviours that Elixir's SessionServerStore was seen to have, and what
// became of it here: it was kept, changed, or is better. docs/seed.md tells what the seed does.
type seedRow struct {
	verdict string
	holds   string
	check   func(t *testing.T)
}

// seedRows are numbered from 1 as in docs/seed.md.
func seedRows() []seedRow {
	return slices.Concat(seedLife(), seedWrites(), seedFlags(), seedHTTP())
}

func TestSeed(t *testing.T) {
	for i, row := range seedRows() {
		secBubble(t, fmt.Sprintf("seed %02d: %s", i+1, row.holds), row.check)
	}
}

func TestSeedTableIsTheDocumentedOne(t *testing.T) {
	text, err := os.ReadFile("../docs/seed.md")
	require.NoError(t, err)
	var documented []string
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		if len(cells) != 4 {
			continue
		}
		number := strings.TrimSpace(cells[0])
		if _, err := fmt.Sscanf(number, "%d", new(int)); err != nil {
			continue
		}
		documented = append(documented,
			number+" "+strings.TrimSpace(cells[2])+": "+strings.TrimSpace(cells[3]))
	}
	var tested []string
	for i, row := range seedRows() {
		tested = append(tested, fmt.Sprintf("%d %s: %s", i+1, row.verdict, row.holds))
	}
	require.Len(t, tested, 50)
	require.Equal(t, tested, documented)
}

// The two ways of use that the seed shows: Plug.Session with the cookie sid and a max_age of a day,
// and SessionHeaderPlug with the header session-id.
func TestSeedUsage(t *testing.T) {
	secBubble(t, "the cookie sid with a max_age of 86400", func(t *testing.T) {
		site := newSecSite(t, core.Config{
			Lifetime: 24 * time.Hour,
			Carrier:  core.Cookie{Name: "sid", Persist: true},
		})
		response := site.serve(nil, secSet("hello"))
		token := secIssued(response)
		require.Equal(t, []string{
			"sid=" + token + "; Path=/; Max-Age=86400; HttpOnly; Secure; SameSite=Lax",
		}, response.Header.Values("Set-Cookie"))

		note := ""
		site.serve(http.Header{"Cookie": {"theme=dark; sid=" + token}}, func(s *core.Session) {
			note, _ = secValue().Get(s)
		})
		require.Equal(t, "hello", note)
	})
	secBubble(t, "the header session-id", func(t *testing.T) {
		site := newSecSite(t, core.Config{Carrier: core.Header{Name: "session-id"}})
		response := site.serve(nil, secSet("hello"))
		token := response.Header.Get("session-id")
		require.Len(t, token, 128)
		require.Empty(t, response.Header.Values("Set-Cookie"))

		note := ""
		site.serve(http.Header{"Session-Id": {token}}, func(s *core.Session) {
			note, _ = secValue().Get(s)
		})
		require.Equal(t, "hello", note)
	})
	secBubble(t, "a token of 128 characters for 96 bytes", func(t *testing.T) {
		token := secIssued(newSecSite(t, core.Config{}).serve(nil, secSet("hello")))
		require.Len(t, token, core.TokenLength)
		raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
		require.NoError(t, err)
		require.Len(t, raw, 96)
	})
	secBubble(t, "timeouts of infinity", func(t *testing.T) {
		site := newSecSite(t, core.Config{Lifetime: core.Never, IdleTimeout: core.Never})
		token := secIssued(site.serve(nil, secSet("hello")))
		// The sweep would wake up every minute of these years.
		require.NoError(t, site.manager.Close())
		secPass(200 * 365 * 24 * time.Hour)
		note, alive := site.read(token)
		require.True(t, alive)
		require.Equal(t, "hello", note)
		require.Zero(t, site.begin(token).Expires())
	})
}
