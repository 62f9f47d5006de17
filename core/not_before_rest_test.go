package core

import (
	"math"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Whoever is told that the moment is known, and asked for again and again, must not find that nobody
// asks any more: a stream that begins just then would not hear of RevokeBefore.
func TestWhoFindsTheMomentKnownHasItAskedForAgain(t *testing.T) {
	const rounds, most = 100_000, 5 * time.Second // two processors are not always free for it
	var n atomic.Pointer[notBefore]
	var turn, done atomic.Int64
	var known atomic.Bool
	const enough = math.MaxInt64
	go func() {
		for i := range int64(rounds) {
			for spins := 0; turn.Load() <= i; spins++ {
				lookUp(spins)
			}
			if turn.Load() == enough {
				return
			}
			for range i % 40 { // so that all orders come up
				_ = turn.Load()
			}
			known.Store(n.Load().fresh())
			done.Store(i + 1)
		}
	}()
	broken, begun := 0, time.Now()
	for i := range int64(rounds) {
		if time.Since(begun) > most {
			turn.Store(enough)
			break
		}
		x := &notBefore{asking: true, idle: markTurns - 1}
		x.known.Store(true)
		n.Store(x)
		turn.Store(i + 1)
		rests := x.rest(false)
		for spins := 0; done.Load() <= i; spins++ {
			lookUp(spins)
		}
		if rests && known.Load() {
			broken++
		}
	}
	require.Zero(t, broken, "times of %d", rounds)
}

// lookUp lets others have the processor from time to time: there may be only one.
func lookUp(spins int) {
	if spins%1000 == 999 {
		runtime.Gosched()
	}
}
