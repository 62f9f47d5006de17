package storesuite

import (
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// A fewCopies makes every write of a site unconfirmed until it is told to stop, and counts them.
type fewCopies struct {
	mu     sync.Mutex
	enough bool
	writes map[string]int
}

func newFewCopies(site *raceSite) *fewCopies {
	f := &fewCopies{writes: map[string]int{}}
	site.store.on = func(call raceCall, do func() error) error {
		f.mu.Lock()
		defer f.mu.Unlock()
		if call.verb == "load" || f.enough {
			return do()
		}
		f.writes[call.verb]++
		return raceUnconfirmed.answer(0, do)
	}
	return f
}

// stop lets everything be confirmed.
func (f *fewCopies) stop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.enough = true
}

// during lets time pass and returns the writes that came meanwhile.
func (f *fewCopies) during(d time.Duration) map[string]int {
	f.mu.Lock()
	f.writes = map[string]int{}
	f.mu.Unlock()
	pass(d)
	synctest.Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.writes
}

// An end or a renewal that took effect, but is not confirmed by as many copies as asked for, is
// 503, and the client's token goes, or comes, as if it were.
func notDurable(t *testing.T, g *ground) {
	cases := []struct {
		name    string
		token   bool // the request has one
		steps   []raceStep
		issues  bool
		expires bool
		verb    string // that confirms it
	}{
		{"a destroy", true, []raceStep{{verb: "destroy"}}, false, true, "delete"},
		{"a renewal", true, []raceStep{{verb: "renew"}}, true, false, "confirm"},
		{"a sign-in", true, []raceStep{{verb: "owner", text: "user:1"}}, true, false, "confirm"},
		{"a beginning", false, []raceStep{{"set", "a", "mine"}}, true, false, "confirm"},
		{"a destroy and a beginning", true, []raceStep{{verb: "destroy"}, {"set", "a", "mine"}},
			true, false, "delete"},
	}
	for _, c := range cases {
		g.bubble(t, c.name, func(t *testing.T) {
			site := g.site(t, "cookie", core.Config{})
			first := site.start("", raceValues())
			token := first
			if !c.token {
				token = ""
			}
			copies := newFewCopies(site)
			answer := site.request(token, c.steps...)
			require.ErrorIs(t, answer.err, core.ErrNotDurable)
			require.Equal(t, http.StatusServiceUnavailable, answer.status)
			require.Equal(t, "1", answer.header.Get("Retry-After"))
			require.Equal(t, "no-store", answer.header.Get("Cache-Control"))
			require.Equal(t, c.issues, answer.issued() != "")
			require.Equal(t, c.expires, answer.expires())
			require.True(t, site.told(core.EndUnconfirmed))
			require.Equal(t, !c.token, site.opens(first))
			if c.issues {
				require.True(t, site.opens(answer.issued()))
			}
			requireConfirmed(t, site, copies, c.verb)
			if c.issues {
				require.True(t, site.opens(answer.issued()))
			}
		})
	}
}

// requireConfirmed checks that the Manager goes on confirming in the background until it succeeds.
func requireConfirmed(t *testing.T, site *raceSite, copies *fewCopies, verb string) {
	t.Helper()
	tries := copies.during(10 * time.Second)[verb]
	require.Greater(t, tries, 1, "it is tried again and again")
	require.Less(t, tries, 20, "with growing pauses")
	copies.stop()
	copies.during(time.Minute)
	calls := 0
	site.store.on = func(_ raceCall, do func() error) error {
		calls++
		return do()
	}
	copies.during(10 * time.Minute)
	require.Zero(t, calls, "and not any more when it is confirmed")
	require.NoError(t, site.close())
}

func notDurableRevoke(t *testing.T, g *ground) {
	g.bubble(t, "is confirmed", func(t *testing.T) {
		site := g.site(t, "cookie", core.Config{})
		token := site.start("user:1", raceValues())
		copies := newFewCopies(site)
		err := site.manager.Revoke(t.Context(), raceID(token))
		require.ErrorIs(t, err, core.ErrNotDurable)
		require.False(t, site.opens(token))
		requireConfirmed(t, site, copies, "delete")
	})
	g.bubble(t, "Close reports what is not confirmed", func(t *testing.T) {
		site := g.site(t, "cookie", core.Config{})
		token := site.start("user:1", raceValues())
		copies := newFewCopies(site)
		require.Error(t, site.manager.Revoke(t.Context(), raceID(token)))
		err := site.close()
		require.ErrorIs(t, err, core.ErrNotDurable)
		require.ErrorContains(t, err, string(raceID(token)), "an ID is public")
		require.Empty(t, copies.during(time.Hour), "a closed Manager does nothing more")
	})
	g.bubble(t, "until the session would have expired anyway", func(t *testing.T) {
		site := g.site(t, "cookie", core.Config{})
		token := site.start("user:1", raceValues())
		copies := newFewCopies(site)
		require.Error(t, site.manager.Revoke(t.Context(), raceID(token)))
		copies.during(time.Hour + time.Minute)
		require.Empty(t, copies.during(time.Hour))
		require.NoError(t, site.close())
	})
}

// Confirming a renewal must not undo what came after it.
func confirmingUndoesNothing(t *testing.T, g *ground) {
	later := map[string]func(t *testing.T, site *raceSite, token string){
		"a change": func(t *testing.T, site *raceSite, token string) {
			require.NoError(t, site.request(token, raceStep{"set", "a", "later"}).err)
			requireConfirming(t)
			_, values, _ := site.contents(raceID(token))
			require.Equal(t, "later", values["a"])
		},
		"a renewal": func(t *testing.T, site *raceSite, token string) {
			good := site.request(token, raceStep{verb: "renew"}).issued()
			requireConfirming(t)
			require.False(t, site.opens(token))
			require.True(t, site.opens(good))
		},
		"an end": func(t *testing.T, site *raceSite, token string) {
			require.NoError(t, site.request(token, raceStep{verb: "destroy"}).err)
			requireConfirming(t)
			require.Zero(t, site.records())
		},
	}
	for name, check := range later {
		g.bubble(t, name, func(t *testing.T) {
			site := g.site(t, "cookie", core.Config{})
			token := site.start("", raceValues())
			copies := newFewCopies(site)
			token = site.request(token, raceStep{verb: "renew"}).issued()
			copies.stop()
			check(t, site, token)
		})
	}
}

// requireConfirming lets the Manager confirm.
func requireConfirming(t *testing.T) {
	t.Helper()
	pass(time.Minute)
	synctest.Wait()
}
