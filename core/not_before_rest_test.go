package core

import (
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whoever is told that the moment is known, and asked for again and again, must not find that nobody
// asks any more: a stream that begins just then would not hear of RevokeBefore.
func TestWhoFindsTheMomentKnownHasItAskedForAgain(t *testing.T) {
	const rounds = 100_000
	var n atomic.Pointer[notBefore]
	var turn, done atomic.Int64
	var known atomic.Bool
	go func() {
		for i := range int64(rounds) {
			for turn.Load() <= i {
			}
			for range i % 40 { // so that all orders come up
				_ = turn.Load()
			}
			known.Store(n.Load().fresh())
			done.Store(i + 1)
		}
	}()
	broken := 0
	for i := range int64(rounds) {
		x := &notBefore{asking: true, idle: markTurns - 1}
		x.known.Store(true)
		n.Store(x)
		turn.Store(i + 1)
		rests := x.rest(false)
		for done.Load() <= i {
		}
		if rests && known.Load() {
			broken++
		}
	}
	require.Zero(t, broken, "times of %d", rounds)
}
