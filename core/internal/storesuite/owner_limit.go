package storesuite

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// limits are Configs of at most three sessions.
func limits() map[string]core.Config {
	return map[string]core.Config{
		"refuse the new one":         {MaxPerOwner: 3, OwnerPolicy: core.RefuseNew},
		"end the one unused longest": {MaxPerOwner: 3, OwnerPolicy: core.EndUnusedLongest},
	}
}

// signAllIn lets n sign-ins come at once, at both nodes, on new sessions and on those of nobody.
func (site *raceSite) signAllIn(owner string, n int) []raceAnswer {
	answers := make([]raceAnswer, n)
	var ready, all sync.WaitGroup
	ready.Add(n)
	for i := range n {
		all.Go(func() {
			m, token := site.node(i), ""
			if i%3 == 0 {
				visit := site.beginAt(m, "").handle(raceStep{"set", "cart", "full"})
				token = visit.commit().issued()
			}
			pending := site.beginAt(m, token).signsIn(owner, site.signIn(m, owner))
			ready.Done()
			ready.Wait()
			answers[i] = pending.commit()
		})
	}
	all.Wait()
	return answers
}

// An owner never has more sessions than may be, however many sign-ins come at once, and as many as
// may be in the end.
func limitOfSessions(t *testing.T, g *ground) {
	g.owners(t)
	for name, cfg := range limits() {
		g.bubble(t, name, func(t *testing.T) {
			site := g.site(t, "cookie", cfg)
			for round := range 4 {
				owner := fmt.Sprint("user:", round)
				var over atomic.Bool
				var watch sync.WaitGroup
				watch.Go(func() {
					for !over.Load() {
						assert.LessOrEqual(t, len(site.listed(site.far, owner)), cfg.MaxPerOwner)
					}
				})
				answers := site.signAllIn(owner, 12)
				over.Store(true)
				watch.Wait()
				site.checkLimit(owner, cfg, answers)
			}
			require.NoError(t, site.close())
		})
	}
}

// checkLimit checks what came of sign-ins of an owner who had none.
func (site *raceSite) checkLimit(owner string, cfg core.Config, answers []raceAnswer) {
	accepted := 0
	var tokens []string
	for _, answer := range answers {
		if answer.err == nil {
			accepted++
			tokens = append(tokens, answer.issued())
			continue
		}
		assert.ErrorIs(site.t, answer.err, core.ErrOwnerLimit)
		assert.Equal(site.t, 409, answer.status)
		assert.Empty(site.t, answer.issued())
	}
	want := len(answers)
	if cfg.OwnerPolicy == core.RefuseNew {
		want = cfg.MaxPerOwner
	}
	assert.Equal(site.t, want, accepted)
	assert.Equal(site.t, cfg.MaxPerOwner, site.alive(owner, tokens...))
	assert.Len(site.t, site.listed(site.manager, owner), cfg.MaxPerOwner)
}

// What is left in the index of sessions that are gone takes nobody's place.
func limitAndOrphans(t *testing.T, g *ground) {
	g.owners(t)
	for name, cfg := range limits() {
		g.bubble(t, name, func(t *testing.T) {
			site := g.site(t, "cookie", cfg)
			l := site.audit(nil)
			var orphans []string
			for range cfg.MaxPerOwner {
				orphans = append(orphans, site.device(site.manager, somebody))
			}
			site.store.onOwner = nil
			for _, token := range orphans {
				require.NoError(t, site.store.kept.Delete(t.Context(), raceID(token)))
			}
			require.Len(t, l.entries(), cfg.MaxPerOwner)
			site.checkLimit(somebody, cfg, site.signAllIn(somebody, 8))
			for _, e := range l.entries() {
				is := func(token string) bool { return raceID(token) == e.ID }
				require.False(t, slices.ContainsFunc(orphans, is))
			}
		})
	}
}

// Who is signed in already needs no other place, and makes one by leaving.
func limitAndPlaces(t *testing.T, g *ground) {
	g.owners(t)
	g.bubble(t, "a place of one's own", func(t *testing.T) {
		site := g.site(t, "cookie", limits()["refuse the new one"])
		tokens := site.devices(somebody, 3)
		in := site.signIn(site.manager, somebody)
		again := site.begin(tokens[0]).signsIn(somebody, in).commit()
		require.NoError(t, again.err, "a re-authentication")
		tokens[0] = again.issued()
		nobody := site.start("", raceValues())
		full := site.begin(nobody).signsIn(somebody, site.signIn(site.manager, somebody)).commit()
		require.ErrorIs(t, full.err, core.ErrOwnerLimit)
		requireAsBefore(t, site, nobody, raceID(nobody), raceValues())
		require.Equal(t, 3, site.alive(somebody, tokens...))

		require.NoError(t, site.request(tokens[1], raceStep{verb: "destroy"}).err)
		site.device(site.far, somebody)
		require.ErrorIs(t, site.request("", raceStep{verb: "owner", text: somebody}).err,
			core.ErrOwnerLimit)
		require.NoError(t, site.request("", raceStep{verb: "owner", text: "user:43"}).err)
	})
	g.bubble(t, "the one unused longest", func(t *testing.T) {
		site := g.site(t, "cookie", limits()["end the one unused longest"])
		tokens := site.devices(somebody, 3)
		for _, i := range []int{1, 0, 2} {
			pass(10 * 60e9)
			require.Equal(t, 1, site.alive(somebody, tokens[i])) // a use
		}
		for _, i := range []int{1, 0, 2} {
			pass(60e9)
			site.device(site.manager, somebody)
			require.False(t, site.opens(tokens[i]))
			require.Len(t, site.listed(site.far, somebody), 3)
		}
	})
}
