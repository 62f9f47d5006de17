package storesuite

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// To revoke what is another one's, unknown or over has no effect and tells nothing.
func revokeOwned(t *testing.T, g *ground) {
	g.owners(t)
	g.bubble(t, "what is not the owner's", func(t *testing.T) {
		site := g.site(t, "cookie", core.Config{})
		mine := site.devices(somebody, 2)
		other := site.device(site.far, "user:4")
		nobody := site.start("", raceValues())
		over := site.device(site.manager, somebody)
		require.NoError(t, site.request(over, raceStep{verb: "destroy"}).err)
		before := map[string]core.Record{}
		for _, token := range []string{mine[0], mine[1], other, nobody} {
			rec, err := site.store.kept.Load(t.Context(), raceID(token))
			require.NoError(t, err)
			before[token] = rec
		}
		for _, id := range []core.ID{
			raceID(other), raceID(nobody), raceID(over), core.NewToken().ID(),
			"", "../etc/passwd", core.ID(other), raceID(other)[:31],
		} {
			for n := range 2 {
				ok, err := site.node(n).RevokeOwned(t.Context(), somebody, id)
				require.NoError(t, err)
				require.False(t, ok)
			}
		}
		for token, was := range before {
			rec, err := site.store.kept.Load(t.Context(), raceID(token))
			require.NoError(t, err)
			require.Equal(t, was, rec)
		}
		require.ElementsMatch(t, []core.ID{raceID(mine[0]), raceID(mine[1])},
			site.listed(site.far, somebody))
		require.Equal(t, []core.ID{raceID(other)}, site.listed(site.manager, "user:4"))
	})
	g.bubble(t, "one's own", func(t *testing.T) {
		site := g.site(t, "cookie", core.Config{})
		l := site.audit(nil)
		tokens := site.devices(somebody, 3)
		ok, err := site.far.RevokeOwned(t.Context(), somebody, raceID(tokens[0]))
		require.NoError(t, err)
		require.True(t, ok)
		ok, err = site.manager.RevokeOwned(t.Context(), somebody, raceID(tokens[0]))
		require.NoError(t, err)
		require.False(t, ok, "the second time there is none")
		require.False(t, site.opens(tokens[0]))
		require.Equal(t, 2, site.alive(somebody, tokens[1:]...))
		require.Len(t, l.entries(), 2)
	})
	g.bubble(t, "all", func(t *testing.T) {
		site := g.site(t, "cookie", core.Config{})
		l := site.audit(nil)
		tokens := site.devices(somebody, 4)
		other := site.device(site.manager, "user:4")
		require.NoError(t, site.store.kept.Delete(t.Context(), raceID(tokens[0])))
		l.name = "" // of the next call
		n, err := site.far.RevokeOwner(t.Context(), somebody)
		require.NoError(t, err)
		require.Equal(t, 3, n, "an orphan is no session")
		require.Zero(t, site.alive(somebody, tokens...))
		require.Empty(t, l.entries())
		require.Equal(t, 1, site.alive("user:4", other))
		n, err = site.manager.RevokeOwner(t.Context(), somebody)
		require.NoError(t, err)
		require.Zero(t, n)
		require.Equal(t, 1, site.alive(somebody, site.device(site.far, somebody)))
	})
}

// Signing out all others leaves one's own session, also while that is just being signed in.
func revokeOthers(t *testing.T, g *ground) {
	g.owners(t)
	for name, c := range map[string]struct {
		existing string // whose the session is: nobody's, or the owner's; "" for a new one
		signsIn  bool
		signIn   bool // with a SignIn
	}{
		"in a request of its own":                   {somebody, false, false},
		"after a re-authentication":                 {somebody, true, false},
		"after a re-authentication with a SignIn":   {somebody, true, true},
		"at the sign-in of a new session":           {"", true, false},
		"at that of a new session, with a SignIn":   {"", true, true},
		"at the sign-in of one of nobody's":         {"nobody", true, false},
		"at that of one of nobody's, with a SignIn": {"nobody", true, true},
	} {
		g.bubble(t, name, func(t *testing.T) {
			site := g.site(t, "cookie", core.Config{})
			others := site.devices(somebody, 3)
			stranger := site.device(site.far, "user:4")
			token := ""
			switch c.existing {
			case somebody:
				token = site.device(site.far, somebody)
			case "nobody":
				token = site.start("", raceValues())
			}
			in := site.signIn(site.manager, somebody)
			late := site.beginAt(site.far, "").signsIn(somebody, site.signIn(site.far, somebody))
			pending := site.begin(token)
			switch {
			case c.signIn:
				pending.signsIn(somebody, in)
			case c.signsIn:
				pending.signsIn(somebody)
			}
			n, err := site.manager.RevokeOthers(t.Context(), pending.session)
			require.NoError(t, err)
			require.Equal(t, 3, n)
			answer := pending.commit()
			require.NoError(t, answer.err)
			if c.signsIn {
				token = answer.issued()
			}
			require.ErrorIs(t, late.commit().err, core.ErrSignInStale)
			require.Equal(t, 1, site.alive(somebody, token))
			require.Zero(t, site.alive(somebody, others...))
			require.Equal(t, 1, site.alive("user:4", stranger))
			require.Equal(t, []core.ID{raceID(token)}, site.listed(site.far, somebody))
			require.Equal(t, 1, site.alive(somebody, site.device(site.far, somebody)))
		})
	}
	g.bubble(t, "twice in the request that signs in", func(t *testing.T) {
		site := g.site(t, "cookie", core.Config{})
		pending := site.begin("").signsIn(somebody, site.signIn(site.manager, somebody))
		for range 2 {
			site.device(site.far, somebody)
			n, err := site.manager.RevokeOthers(t.Context(), pending.session)
			require.NoError(t, err)
			require.Equal(t, 1, n)
		}
		answer := pending.commit()
		require.NoError(t, answer.err)
		require.Equal(t, []core.ID{raceID(answer.issued())}, site.listed(site.far, somebody))
	})
	g.bubble(t, "it does not save a sign-in that was revoked before", func(t *testing.T) {
		site := g.site(t, "cookie", core.Config{})
		pending := site.begin("").signsIn(somebody, site.signIn(site.manager, somebody))
		_, err := site.far.RevokeOwner(t.Context(), somebody)
		require.NoError(t, err)
		_, err = site.manager.RevokeOthers(t.Context(), pending.session)
		require.NoError(t, err)
		require.ErrorIs(t, pending.commit().err, core.ErrSignInStale)
		require.Empty(t, site.listed(site.far, somebody))
	})
}

// Who becomes somebody else, or nobody, is not in the former owner's list any more.
func changeOfOwner(t *testing.T, g *ground) {
	g.owners(t)
	for name, next := range map[string]string{"somebody else": "user:4", "nobody": ""} {
		g.bubble(t, name, func(t *testing.T) {
			site := g.site(t, "cookie", core.Config{})
			l := site.audit(nil)
			token := site.device(site.manager, somebody)
			l.replies = nil
			site.store.onOwner = nil
			answer := site.request(token, raceStep{verb: "owner", text: next},
				raceStep{"set", "a", "anew"})
			require.NoError(t, answer.err)
			require.False(t, site.opens(token))
			require.NotEqual(t, raceID(token), raceID(answer.issued()))
			require.Empty(t, l.entries())
			if next != "" {
				require.Equal(t, []core.ID{raceID(answer.issued())}, site.listed(site.manager, next))
			}
			n, err := site.manager.RevokeOwner(t.Context(), somebody)
			require.NoError(t, err)
			require.Zero(t, n)
			require.True(t, site.opens(answer.issued()))
		})
	}
}
