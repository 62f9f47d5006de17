package growth

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/store"
)

func TestASliceIsCalibratedWithinBounds(t *testing.T) {
	assert.Equal(t, 20_000, operationsIn(20*time.Millisecond, 1000))
	assert.Equal(t, firstOperations, operationsIn(time.Millisecond, 1e6))
	assert.Equal(t, mostOperations, operationsIn(time.Second, 1))
}

// A write that changed nothing would be fast.
func TestARequestThatWritesIsSeenByTheNext(t *testing.T) {
	r, err := newRequests(2)
	require.NoError(t, err)
	h := r.newHand()
	for range 3 {
		require.NoError(t, h.do(Write, r.key(1)))
	}
	require.NoError(t, h.do(Read, r.key(1)))
	want := store.ValuesOf(1)
	want.Visits += 4 // the proof wrote once
	require.Equal(t, want, h.last)
	require.NoError(t, h.do(Read, r.key(0)))
	want = store.ValuesOf(0)
	want.Visits++
	require.Equal(t, want, h.last, "another session's values are its own")
	require.ErrorIs(t, h.do(Read, r.key(0)+"x"), errLost)
	require.ErrorIs(t, h.do(Read, ""), errLost)
}

// An operation that finds nothing must not be counted as a fast one.
func TestASliceFailsIfASessionIsLost(t *testing.T) {
	maker, err := store.Find("map")
	require.NoError(t, err)
	c, err := maker.New(store.Settings{Sessions: 1})
	require.NoError(t, err)
	w := worker{subject: &stored{Contestant: c, maker: maker}, sessions: 1}
	for _, operation := range []Operation{Read, Write} {
		_, err = w.work(slice{Operation: operation, Goroutines: 2, Operations: 10, Seed: 1})
		require.Error(t, err)
	}
	require.NoError(t, c.Put(0, time.Now().Add(time.Hour)))
	d, err := w.work(slice{Operation: Read, Goroutines: 2, Operations: 10, Seed: 1})
	require.NoError(t, err)
	require.Positive(t, d.PerOperation)
}
