package storesuite

import (
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// node is the Manager to which the i-th of many requests comes.
func (site *raceSite) node(i int) *core.Manager {
	if i%2 == 0 {
		return site.manager
	}
	return site.far
}

// parallel lets n requests with one token begin, then do their steps, and then commit all at once.
func (site *raceSite) parallel(token string, n int, steps func(i int) []raceStep) []raceAnswer {
	answers := make([]raceAnswer, n)
	var ready, done sync.WaitGroup
	ready.Add(n)
	for i := range n {
		done.Go(func() {
			pending := site.beginAt(site.node(i), token).handle(steps(i)...)
			ready.Done()
			ready.Wait()
			answers[i] = pending.commit()
		})
	}
	done.Wait()
	return answers
}

// count says how many answers have a status, and returns the last one of them.
func countStatus(answers []raceAnswer, status int) (n int, last raceAnswer) {
	for _, a := range answers {
		if a.status == status {
			n, last = n+1, a
		}
	}
	return n, last
}

// Fifty parallel failed logins count fifty, and each of them is told so.
func parallelUpdates(t *testing.T, g *ground) {
	failures := core.NewValue[int]("failures")
	g.bubble(t, "direct", func(t *testing.T) {
		site := g.site(t, "cookie", core.Config{})
		token := site.start("", raceValues())
		var all sync.WaitGroup
		for i := range 50 {
			all.Go(func() {
				m := site.node(i)
				s := site.beginAt(m, token).session
				failures.Update(s, func(n int) int { return n + 1 })
				assert.NoError(t, m.Commit(t.Context(), s, http.Header{}))
			})
		}
		all.Wait()
		s := site.begin(token).session
		count, _ := failures.Get(s)
		require.Equal(t, 50, count)
	})
	g.bubble(t, "all begun before the first commits", func(t *testing.T) {
		site := g.site(t, "cookie", core.Config{})
		token := site.start("", raceValues())
		answers := site.parallel(token, 50, func(i int) []raceStep {
			return []raceStep{{"update", "failures", "+"}, {"set", fmt.Sprint("own", i), "x"}}
		})
		n, _ := countStatus(answers, http.StatusOK)
		require.Equal(t, 50, n)
		_, values, _ := site.contents(raceID(token))
		require.Len(t, values["failures"], 50)
		require.Len(t, values, 50+3, "each request's own value is there")
	})
	g.bubble(t, "through the middleware", func(t *testing.T) {
		site := g.site(t, "cookie", core.Config{})
		token := site.start("", raceValues())
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				answer := site.serve(token, func(s *core.Session) {
					failures.Update(s, func(n int) int { return n + 1 })
				})
				assert.NoError(t, answer.err)
			})
		}
		all.Wait()
		count, _ := failures.Get(site.begin(token).session)
		require.Equal(t, 50, count)
	})
}

// A one-time secret is taken by exactly one of many.
func parallelTakeOnce(t *testing.T, g *ground) {
	g.bubble(t, "exactly one succeeds", func(t *testing.T) {
		site := g.site(t, "cookie", core.Config{})
		token := site.start("", raceValues())
		answers := site.parallel(token, 20, func(i int) []raceStep {
			return []raceStep{{verb: "takeOnce", name: "a"}, {"set", fmt.Sprint("own", i), "x"}}
		})
		won, winner := countStatus(answers, http.StatusOK)
		lost, loser := countStatus(answers, http.StatusConflict)
		require.Equal(t, 1, won)
		require.Equal(t, 19, lost)
		require.Equal(t, "a0", winner.saw[0])
		require.ErrorIs(t, loser.err, core.ErrConflict)
		require.Equal(t, http.Header{"Vary": {"Cookie"}}, loser.header)
		_, values, _ := site.contents(raceID(token))
		require.NotContains(t, values, "a")
		require.Len(t, values, 2, "nothing else of those that lost is stored")
	})
	g.bubble(t, "a value that was replaced meanwhile is not the one taken", func(t *testing.T) {
		site := g.site(t, "cookie", core.Config{})
		token := site.start("", raceValues())
		pending := site.begin(token).handle(raceStep{verb: "takeOnce", name: "a"})
		require.NoError(t, site.request(token, raceStep{"set", "a", "another"}).err)
		require.ErrorIs(t, pending.commit().err, core.ErrConflict)
		_, values, _ := site.contents(raceID(token))
		require.Equal(t, "another", values["a"])
	})
}

// Of many requests that renew one token exactly one gets a new one.
func parallelRenewals(t *testing.T, g *ground) {
	for name, step := range map[string]raceStep{
		"renewals": {verb: "renew"},
		"sign-ins": {verb: "owner", text: "user:1"},
	} {
		g.bubble(t, name, func(t *testing.T) {
			site := g.site(t, "cookie", core.Config{})
			token := site.start("", raceValues())
			answers := site.parallel(token, 20, func(i int) []raceStep {
				return []raceStep{step, {"set", fmt.Sprint("own", i), "x"}}
			})
			won, winner := countStatus(answers, http.StatusOK)
			lost, loser := countStatus(answers, http.StatusConflict)
			require.Equal(t, 1, won)
			require.Equal(t, 19, lost)
			require.ErrorIs(t, loser.err, core.ErrConflict)
			require.Equal(t, http.Header{"Vary": {"Cookie"}}, loser.header)
			require.True(t, site.opens(winner.issued()))
			require.False(t, site.opens(token))
			_, values, _ := site.contents(raceID(token))
			require.Len(t, values, 3, "nothing of those that lost is stored")
		})
	}
}

// However many requests end, renew and change a session at once, it is over afterwards.
func parallelEnds(t *testing.T, g *ground) {
	ends := map[string][]raceStep{
		"destroys":                  {{verb: "destroy"}},
		"changes of a session over": {{verb: "destroy"}, {"set", "a", "mine"}},
	}
	for name, end := range ends {
		g.bubble(t, name, func(t *testing.T) {
			site := g.site(t, "cookie", core.Config{})
			token := site.start("user:1", raceValues())
			all := [][]raceStep{
				end, {{"set", "a", "late"}}, {{verb: "renew"}}, {{verb: "owner", text: "user:1"}},
				{{"update", "b", "+"}},
			}
			answers := site.parallel(token, 25, func(i int) []raceStep { return all[i%len(all)] })
			_, _, alive := site.contents(raceID(token))
			require.False(t, alive)
			tokens := []string{token}
			for i, answer := range answers {
				if i%len(all) == 0 {
					require.NoError(t, answer.err, "a Destroy always works")
				}
				if issued := answer.issued(); issued != "" {
					tokens = append(tokens, issued)
				}
				require.False(t, answer.expires() && i%len(all) != 0,
					"only who destroys tells the client to forget its token")
			}
			for _, token := range tokens {
				over := raceID(token) == raceID(tokens[0])
				require.Equal(t, !over, site.opens(token))
			}
		})
	}
}

// Several goroutines of one request change its session, while it is committed again and again and
// other requests change it, too: everything counts.
func manyGoroutinesOfOneRequest(t *testing.T, g *ground) {
	count := core.NewValue[int]("count")
	more := func(n int) int { return n + 1 }
	g.bubble(t, "count", func(t *testing.T) {
		site := g.site(t, "cookie", core.Config{})
		token := site.start("", raceValues())
		s := site.begin(token).session
		var all, others sync.WaitGroup
		for i := range 8 {
			own := core.NewValue[int](fmt.Sprint("own", i))
			all.Go(func() {
				for range 25 {
					count.Update(s, more)
					own.Update(s, more)
					_, _, _ = s.Names(), s.ID(), s.Err()
				}
			})
		}
		for range 8 {
			others.Go(func() {
				for range 5 {
					other := site.beginAt(site.far, token).session
					count.Update(other, more)
					assert.NoError(t, site.far.Commit(t.Context(), other, nil))
				}
			})
		}
		for range 20 {
			require.NoError(t, site.manager.Commit(t.Context(), s, nil))
		}
		all.Wait()
		others.Wait()
		require.NoError(t, site.manager.Commit(t.Context(), s, nil))
		last := site.begin(token).session
		sum, _ := count.Get(last)
		require.Equal(t, 8*25+8*5, sum)
		for i := range 8 {
			own, _ := core.NewValue[int](fmt.Sprint("own", i)).Get(last)
			require.Equal(t, 25, own)
		}
	})
}
