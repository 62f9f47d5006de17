package core_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

// The random model tests: a browser with several requests at once, somebody who holds its old
// tokens, and an administrator, on a store whose answers get lost, while time passes. Each run
// follows from a seed, which a failure prints; go test -run Model -seed=… does it again.
var modelSeed = flag.Uint64("seed", 0, "of the random model tests; 0: the usual ones and a new one")

func modelSeeds() []uint64 {
	if *modelSeed != 0 {
		return []uint64{*modelSeed}
	}
	seeds := []uint64{rand.Uint64()}
	for seed := range uint64(20) {
		seeds = append(seeds, seed+1)
	}
	return seeds
}

// TestModelInTurns lets only one request run at a time, and another one go on at each call to the
// store, so that a seed does exactly the same each time.
func TestModelInTurns(t *testing.T) {
	for _, seed := range modelSeeds() {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { runInTurns(t, seed) })
		})
	}
}

// runInTurns returns what happened.
func runInTurns(t *testing.T, seed uint64) []string {
	w := newModelWorld(t, seed)
	w.inTurns, w.site.store.on = true, w.turn
	for range 800 {
		w.next()
		w.passTime()
		w.check()
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

func TestModelSeedReplays(t *testing.T) {
	var runs [][]string
	for range 2 {
		synctest.Test(t, func(t *testing.T) { runs = append(runs, runInTurns(t, 42)) })
	}
	require.Greater(t, len(runs[0]), 600)
	require.Equal(t, runs[0], runs[1])
}

// TestModelInParallel lets eight requests run at once, as fast as they can.
func TestModelInParallel(t *testing.T) {
	for _, seed := range modelSeeds() {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { runInParallel(t, seed) })
		})
	}
}

func runInParallel(t *testing.T, seed uint64) {
	w := newModelWorld(t, seed)
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
