package storesuite

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// The random model tests: a browser with several requests at once, somebody who holds its old
// tokens, and an administrator, on a store whose answers get lost, while time passes. Each run
// follows from a seed, which a failure prints; go test -run Model -seed=… does it again.

// models runs the model in turns and in parallel, each with n usual seeds and a new one.
func (g *ground) models(t *testing.T, n int) {
	var chapters []chapter
	for _, seed := range g.Flags.Seeds(n) {
		chapters = append(chapters, chapter{fmt.Sprint("in turns, seed ", seed),
			func(t *testing.T) {
				g.inBubble(t, func(t *testing.T) { g.modelInTurns(t, seed) })
			}})
		chapters = append(chapters, chapter{fmt.Sprint("in parallel, seed ", seed),
			func(t *testing.T) {
				g.inBubble(t, func(t *testing.T) { g.modelInParallel(t, seed) })
			}})
	}
	if g.nodes == 1 && g.share() <= 10 {
		chapters = append(chapters, chapter{"a seed does the same each time", g.modelReplays})
	}
	g.each(t, chapters)
}

// modelInTurns lets only one request run at a time, and another one go on at each call to the
// store, so that a seed does exactly the same each time. It returns what happened.
func (g *ground) modelInTurns(t *testing.T, seed uint64) []string {
	w := g.model(t, seed)
	w.inTurns, w.site.store.on = true, w.turn
	for turn := range 800 {
		w.next()
		w.passTime()
		if g.Local || turn%4 == 0 { // it loads whatever there is, which a server answers slowly
			w.check()
		}
		if t.Failed() {
			break
		}
	}
	for len(w.running) > 0 {
		w.resume(w.running[0])
	}
	w.checkAll()
	w.goOn()
	if t.Failed() {
		w.print()
	}
	return w.log
}

func (g *ground) modelReplays(t *testing.T) {
	var runs [][]string
	for range 2 {
		g.inBubble(t, func(t *testing.T) { runs = append(runs, g.modelInTurns(t, 42)) })
	}
	require.Greater(t, len(runs[0]), 600)
	require.Equal(t, runs[0], runs[1])
}

// modelInParallel lets eight requests run at once, as fast as they can.
func (g *ground) modelInParallel(t *testing.T, seed uint64) {
	w := g.model(t, seed)
	w.site.store.on = w.atOnce
	for range 25 {
		w.round(8)
		w.passTime()
		w.checkAll()
		if t.Failed() {
			break
		}
	}
	w.goOn()
	if t.Failed() {
		w.print()
	}
}
