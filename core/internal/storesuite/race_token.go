package storesuite

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// raceOnlyVary is the header of an answer that sends nothing about the session.
func raceOnlyVary() http.Header {
	header := raceHandlerHeader()
	header.Set("Vary", "Cookie")
	return header
}

// renewed begins a session and renews it; both tokens come back.
func (site *raceSite) renewed(owner string) (old, good string) {
	old = site.start(owner, raceValues())
	answer := site.request(old, raceStep{verb: "renew"})
	require.NoError(site.t, answer.err)
	good = answer.issued()
	site.tell()
	return old, good
}

// A page's parallel requests may come with a token that one of them has just replaced.
func outdatedToken(t *testing.T, g *ground) {
	g.bubble(t, "is anonymous for reading, and sends nothing", func(t *testing.T) {
		site := g.site(t, "cookie", core.Config{})
		old, _ := site.renewed("user:1")
		answer := site.request(old, raceStep{verb: "get", name: "a"})
		require.NoError(t, answer.err)
		require.Equal(t, []string{"-"}, answer.saw)
		require.Equal(t, raceOnlyVary(), answer.header)
		require.Equal(t, []core.EventKind{core.TokenOutdated}, kindsOf(site.tell()))
	})
	nothing := []raceStep{
		{verb: "renew"}, {verb: "clear"}, {verb: "delete", name: "a"}, {verb: "take", name: "a"},
		{verb: "takeOnce", name: "a"},
	}
	for _, step := range nothing {
		g.bubble(t, "finds nothing to "+step.verb, func(t *testing.T) {
			site := g.site(t, "cookie", core.Config{})
			old, good := site.renewed("")
			answer := site.request(old, step)
			require.NoError(t, answer.err)
			require.Equal(t, raceOnlyVary(), answer.header)
			requireUnharmed(t, site, good)
		})
	}
}

func outdatedTokenCannotBegin(t *testing.T, g *ground) {
	begins := []raceStep{
		{"set", "a", "mine"}, {"update", "a", "+"}, {verb: "owner", text: "user:2"},
	}
	for _, step := range begins {
		g.bubble(t, step.verb, func(t *testing.T) {
			site := g.site(t, "cookie", core.Config{})
			old, good := site.renewed("")
			pending := site.begin(old).handle(step)
			require.ErrorIs(t, pending.session.Err(), core.ErrOutdated)
			answer := pending.commit()
			require.ErrorIs(t, answer.err, core.ErrOutdated)
			require.Equal(t, http.StatusConflict, answer.status)
			require.Equal(t, http.Header{"Vary": {"Cookie"}}, answer.header)
			require.Equal(t, 1, site.records())
			requireUnharmed(t, site, good)
		})
	}
}

func outdatedTokenIsRemembered(t *testing.T, g *ground) {
	g.bubble(t, "for a minute, and unknown afterwards", func(t *testing.T) {
		site := g.site(t, "cookie", core.Config{})
		old, good := site.renewed("")
		pass(time.Minute - time.Millisecond)
		require.ErrorIs(t, site.request(old, raceStep{"set", "a", "x"}).err, core.ErrOutdated)
		require.Equal(t, []core.EventKind{core.TokenOutdated}, kindsOf(site.tell()))
		pass(time.Millisecond)
		answer := site.request(old, raceStep{"set", "a", "x"})
		require.NoError(t, answer.err)
		require.NotEqual(t, raceID(old), raceID(answer.issued()), "another session begins")
		require.Equal(t, []core.EventKind{core.TokenUnknown, core.SessionCreated},
			kindsOf(site.tell()))
		requireUnharmed(t, site, good)
	})
	g.bubble(t, "for the last four renewals", func(t *testing.T) {
		site := g.site(t, "cookie", core.Config{})
		tokens := []string{site.start("", raceValues())}
		for i := range 5 {
			tokens = append(tokens, site.request(tokens[i], raceStep{verb: "renew"}).issued())
		}
		for i, token := range tokens {
			site.tell()
			require.Equal(t, i == 5, site.opens(token))
			require.Equal(t, 1 <= i && i < 5, site.told(core.TokenOutdated), "token %d", i)
		}
	})
}

// requireUnharmed checks that a session with raceValues is as it was.
func requireUnharmed(t *testing.T, site *raceSite, good string) {
	t.Helper()
	require.True(t, site.opens(good))
	_, values, alive := site.contents(raceID(good))
	require.True(t, alive)
	require.Equal(t, raceValues(), values)
}

func kindsOf(events []core.Event) []core.EventKind {
	var kinds []core.EventKind
	for _, e := range events {
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

// Destroy ends the session of a token that was replaced: whoever held it wants it to end, and
// whatever was done to the session meanwhile does not change that.
func destroyWithOutdatedToken(t *testing.T, g *ground) {
	meanwhile := map[string][]raceStep{
		"renewed":             {{verb: "renew"}},
		"signed in":           {{verb: "owner", text: "user:1"}},
		"renewed and changed": {{"set", "a", "x"}, {verb: "renew"}},
	}
	for name, steps := range meanwhile {
		for _, slow := range []time.Duration{0, time.Second, 2 * time.Minute} {
			g.bubble(t, name+" while it ran for "+slow.String(), func(t *testing.T) {
				site := g.site(t, "cookie", core.Config{})
				old := site.start("", raceValues())
				pending := site.begin(old).handle(raceStep{verb: "destroy"})
				good := site.request(old, steps...).issued()
				pass(slow)
				requireDestroys(t, site, pending, old, good)
			})
		}
		g.bubble(t, name+" before it began", func(t *testing.T) {
			site := g.site(t, "cookie", core.Config{})
			old := site.start("", raceValues())
			good := site.request(old, steps...).issued()
			pass(time.Minute - time.Millisecond)
			pending := site.begin(old).handle(raceStep{verb: "destroy"})
			pass(time.Minute)
			requireDestroys(t, site, pending, old, good)
		})
	}
	g.bubble(t, "and a value set afterwards begins another session", func(t *testing.T) {
		site := g.site(t, "cookie", core.Config{})
		old, good := site.renewed("user:1")
		answer := site.request(old, raceStep{verb: "destroy"}, raceStep{"set", "a", "mine"})
		require.NoError(t, answer.err)
		require.NotEqual(t, raceID(old), raceID(answer.issued()))
		require.False(t, site.opens(good))
		require.True(t, site.opens(answer.issued()))
	})
}

func requireDestroys(t *testing.T, site *raceSite, pending *racePending, tokens ...string) {
	t.Helper()
	site.tell()
	answer := pending.commit()
	require.NoError(t, answer.err)
	require.True(t, answer.expires())
	require.True(t, site.told(core.SessionExpired), "an end is told")
	require.Zero(t, site.records())
	for _, token := range tokens {
		require.False(t, site.opens(token))
	}
}

// Whoever only knows a session's ID, which is public, can do nothing to it.
func wrongSecret(t *testing.T, g *ground) {
	forge := func(token string) string {
		return token[:core.IDLength] + strings.Repeat("A", core.TokenLength-core.IDLength)
	}
	attacks := map[string][]raceStep{
		"destroy":                 {{verb: "destroy"}},
		"destroy and a beginning": {{verb: "destroy"}, {"set", "a", "mine"}},
		"renew":                   {{verb: "renew"}},
		"set":                     {{"set", "a", "mine"}},
		"sign in":                 {{verb: "owner", text: "user:2"}},
		"clear":                   {{verb: "clear"}},
		"take once":               {{verb: "takeOnce", name: "a"}},
		"read":                    {{verb: "get", name: "a"}},
	}
	for name, steps := range attacks {
		g.bubble(t, name, func(t *testing.T) {
			site := g.site(t, "cookie", core.Config{})
			good := site.start("user:1", raceValues())
			was, err := site.store.kept.Load(t.Context(), raceID(good))
			require.NoError(t, err)
			pass(10 * time.Minute) // a use would be noted
			site.tell()
			answer := site.request(forge(good), steps...)
			require.NoError(t, answer.err)
			require.Equal(t, "-", answer.saw[0])
			if token := answer.issued(); token != "" {
				require.NotEqual(t, raceID(good), raceID(token), "the client's is not adopted")
			}
			require.False(t, site.told(core.SessionExpired), "nothing ended")
			is, err := site.store.kept.Load(t.Context(), raceID(good))
			require.NoError(t, err)
			require.Equal(t, was, is, "an unknown token has no effect whatever on the session")
		})
	}
	g.bubble(t, "destroy with a token replaced more than a minute ago", func(t *testing.T) {
		site := g.site(t, "cookie", core.Config{})
		old, good := site.renewed("user:1")
		pass(time.Minute)
		require.NoError(t, site.request(old, raceStep{verb: "destroy"}).err)
		require.True(t, site.opens(good), "an unknown token has no effect whatever on the session")
	})
}

// A retry of an end that was not confirmed must be confirmed: it reaches the store even if there is
// nothing left to end.
func destroyReachesStoreWithoutRecord(t *testing.T, g *ground) {
	for name, again := range map[string]func(site *raceSite, token string) error{
		"by its own token": func(site *raceSite, token string) error {
			return site.request(token, raceStep{verb: "destroy"}).err
		},
		"by Revoke": func(site *raceSite, token string) error {
			return site.manager.Revoke(site.t.Context(), raceID(token))
		},
	} {
		g.bubble(t, name, func(t *testing.T) {
			site := g.site(t, "cookie", core.Config{})
			token := site.start("", raceValues())
			require.NoError(t, site.request(token, raceStep{verb: "destroy"}).err)
			deletes := 0
			site.store.on = func(call raceCall, do func() error) error {
				if call.verb == "delete" && call.id == raceID(token) {
					deletes++
				}
				return do()
			}
			require.NoError(t, again(site, token))
			require.Equal(t, 1, deletes)
		})
	}
}
