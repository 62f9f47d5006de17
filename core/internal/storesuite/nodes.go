package storesuite

import (
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// atOnce lets both nodes work as fast as they can, by the real clock.
func (g *ground) atOnce(t *testing.T) {
	g.each(t, []chapter{
		{"Updates", func(t *testing.T) { parallelUpdates(t, g.open) }},
		{"TakeOnce", func(t *testing.T) { parallelTakeOnce(t, g.open) }},
		{"Renewals", func(t *testing.T) { parallelRenewals(t, g.open) }},
		{"Ends", func(t *testing.T) { parallelEnds(t, g.open) }},
		{"Goroutines", func(t *testing.T) { manyGoroutinesOfOneRequest(t, g.open) }},
		{"ValuesOfTheirOwn", g.open.valuesOfTheirOwn},
		{"OverIsOver", g.open.overIsOver},
		{"OneTokenIsGood", g.open.oneTokenIsGood},
		{"NoUseIsForgotten", g.open.noUseIsForgotten},
	})
}

// hurry makes a site on open ground.
func (g *ground) hurry(t *testing.T) *raceSite {
	site := g.site(t, "cookie", core.Config{})
	t.Cleanup(func() { assert.NoError(t, site.close()) })
	return site
}

// other is the node to which the i-th request does not come.
func (site *raceSite) other(i int) *core.Manager { return site.node(i + 1) }

// valuesOfTheirOwn lets many requests set different values. What one was told to be stored the
// other node sees at once, and nobody's is lost.
func (g *ground) valuesOfTheirOwn(t *testing.T) {
	site := g.hurry(t)
	token := site.start("", raceValues())
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			name := fmt.Sprint("own", i)
			answer := site.beginAt(site.node(i), token).handle(raceStep{"set", name, "x"}).commit()
			assert.NoError(t, answer.err)
			saw := site.beginAt(site.other(i), token).handle(raceStep{verb: "get", name: name})
			assert.Equal(t, []string{"x"}, saw.answer.saw, "the other node sees it")
		})
	}
	all.Wait()
	_, values, _ := site.contents(raceID(token))
	require.Len(t, values, 40+len(raceValues()))
}

// overIsOver lets requests of both nodes use, change, renew and sign in a session without a pause,
// while one ends it. Whoever asks after the end was acknowledged finds nothing, and so it stays.
func (g *ground) overIsOver(t *testing.T) {
	site := g.hurry(t)
	for round := range 8 {
		token := site.start("", raceValues())
		h := &hustle{site: site, id: raceID(token), tokens: []string{token}}
		h.run(t, round)
		for i := range 2 {
			require.False(t, h.alive(t, i))
		}
		_, err := site.store.kept.Load(t.Context(), h.id)
		require.ErrorIs(t, err, core.ErrNotFound)
	}
}

// A hustle is a session that many use at once.
type hustle struct {
	site *raceSite
	id   core.ID
	done atomic.Int64 // requests
	over atomic.Bool  // the end was acknowledged
	stop atomic.Bool  // it failed

	mu     sync.Mutex
	tokens []string // in the order of the answers, which need not be that of the renewals
}

// token is one of the last that were issued.
func (h *hustle) token(i int) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.tokens[len(h.tokens)-1-i%min(len(h.tokens), 4)]
}

func (h *hustle) keep(token string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.tokens = append(h.tokens, token)
}

// run lets the session be used, ends it, and lets all go on for a while.
func (h *hustle) run(t *testing.T, round int) {
	var all sync.WaitGroup
	defer func() {
		h.stop.Store(!h.over.Load())
		all.Wait()
	}()
	for i := range 8 {
		all.Go(func() { h.work(t, i) })
	}
	for range 2 {
		all.Go(func() { h.watch(t) })
	}
	for h.done.Load() < int64(10+4*round) { // a part of the work is done before the end
		require.True(t, h.alive(t, round))
	}
	require.NoError(t, h.end(t, round))
	h.over.Store(true)
}

// work does one request after another until some after the end.
func (h *hustle) work(t *testing.T, i int) {
	steps := [][]raceStep{
		nil, {{"set", "a", "x"}}, {{"update", "b", "+"}}, {{verb: "renew"}},
		{{verb: "delete", name: "a"}}, {{verb: "owner", text: "user:1"}}, {{verb: "clear"}},
	}
	for n, late := 0, 0; late < 5 && !h.stop.Load(); n++ {
		over := h.over.Load()
		if over {
			late++
		}
		pending := h.site.beginAt(h.site.node(i+n), h.token(n))
		if over && assert.NotNil(t, pending.session) {
			assert.Empty(t, pending.session.ID(), "a token opens a session that is over")
		}
		answer := pending.handle(steps[(i+n)%len(steps)]...).commit()
		status := []int{http.StatusOK, http.StatusConflict}
		assert.Contains(t, status, answer.status, "%v", answer.err)
		if issued := answer.issued(); raceID(issued) == h.id {
			assert.False(t, over, "a token is issued for a session that is over")
			h.keep(issued)
		}
		h.done.Add(1)
	}
}

// watch looks until some time after the end.
func (h *hustle) watch(t *testing.T) {
	for late := 0; late < 20 && !h.stop.Load(); {
		over := h.over.Load()
		alive := h.alive(t, late)
		if over {
			late++
			assert.False(t, alive, "a session came back")
		}
	}
}

func (h *hustle) alive(t *testing.T, i int) bool {
	_, err := h.site.node(i).Open(t.Context(), h.id)
	if err != nil {
		assert.ErrorIs(t, err, core.ErrNotFound)
	}
	return err == nil
}

// end ends the session, in one of two ways, at one of two nodes.
func (h *hustle) end(t *testing.T, round int) error {
	m := h.site.node(round / 2)
	if round%2 == 0 {
		return m.Revoke(t.Context(), h.id)
	}
	for i, until := 0, time.Now().Add(patience/3); time.Now().Before(until); i++ {
		// A token may have been replaced often meanwhile; then it proves nothing any more. Whoever
		// holds the good one may not have got to say so yet.
		runtime.Gosched()
		pending := h.site.beginAt(m, h.token(i))
		if pending.session != nil && pending.session.ID() != "" || pending.answer.err != nil {
			return pending.handle(raceStep{verb: "destroy"}).commit().err
		}
	}
	return errors.New("no token opens the session")
}

// oneTokenIsGood lets many requests with the good token renew it, again and again: one of them gets
// the next, and each node knows at once which is good.
func (g *ground) oneTokenIsGood(t *testing.T) {
	site := g.hurry(t)
	token := site.start("", raceValues())
	for range 12 {
		answers := site.parallel(token, 10, func(int) []raceStep {
			return []raceStep{{verb: "renew"}}
		})
		won, winner := countStatus(answers, http.StatusOK)
		lost, loser := countStatus(answers, http.StatusConflict)
		require.Equal(t, 1, won)
		require.Equal(t, 9, lost)
		require.ErrorIs(t, loser.err, core.ErrConflict)
		old := token
		token = winner.issued()
		for i := range 2 {
			require.Empty(t, site.beginAt(site.node(i), old).session.ID())
			require.Equal(t, raceID(token), site.beginAt(site.node(i), token).session.ID())
		}
	}
	require.Equal(t, 1, site.records())
}

// noUseIsForgotten lets both nodes note uses while others write: Used never goes back, and Expires
// follows it.
func (g *ground) noUseIsForgotten(t *testing.T) {
	site := g.hurry(t)
	token := site.start("", raceValues())
	var users, watchers sync.WaitGroup
	var over atomic.Bool
	for i := range 8 {
		users.Go(func() {
			for range 25 {
				pending := site.beginAt(site.node(i), token)
				if i < 4 {
					pending.handle(raceStep{"update", "a", "+"})
				}
				assert.NoError(t, pending.commit().err)
			}
		})
	}
	for range 2 {
		watchers.Go(func() {
			last, err := site.store.kept.Load(t.Context(), raceID(token))
			for !over.Load() && assert.NoError(t, err) {
				was := last
				last, err = site.store.kept.Load(t.Context(), raceID(token))
				assert.False(t, last.Used.Before(was.Used), "a use is forgotten")
				assert.False(t, last.Expires.Before(was.Expires), "the end comes closer")
			}
		})
	}
	users.Wait()
	over.Store(true)
	watchers.Wait()
	_, values, _ := site.contents(raceID(token))
	require.Len(t, values["a"], len("a0")+4*25)
}
