package store

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestBucketsFollowOneAnotherWithoutAGap(t *testing.T) {
	next := time.Duration(0)
	for bucket := range 40 * subBuckets {
		require.Equal(t, bucket, bucketOf(uint64(next)), "first of its bucket: %d", next)
		require.Equal(t, bucket, bucketOf(uint64(topOf(bucket))), "last of its bucket")
		next = topOf(bucket) + 1
	}
}

func TestQuantilesAreThoseOfTheSortedSamples(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var h histogram
	var all []time.Duration
	for range 10_000 {
		d := time.Duration(random.ExpFloat64() * 3000)
		h.add(d)
		all = append(all, d)
	}
	slices.Sort(all)
	for _, q := range []float64{0, 0.5, 0.9, 0.999} {
		want := float64(all[int(q*10_000)])
		assert.InEpsilon(t, want+1, float64(h.quantile(q))+1, 1.0/subBuckets, "%v", q)
	}
	l := h.latency()
	assert.Equal(t, all[len(all)-1], l.Worst)
	assert.Equal(t, 10_000, l.Samples)
	assert.Zero(t, l.Stalled, "nothing took a millisecond")
}

func TestStallsAreSummedUp(t *testing.T) {
	var h histogram
	for range 1_000_000 {
		h.add(100)
	}
	h.add(stall)
	h.add(80 * time.Millisecond)
	h.add(20 * time.Millisecond)
	l := h.latency()
	assert.Equal(t, 100*time.Millisecond, l.Stalled)
	assert.Equal(t, 80*time.Millisecond, l.Worst)
	assert.Less(t, l.P999, time.Microsecond, "which is why stalls are shown beside quantiles")
	assert.Zero(t, new(histogram).latency(), "no samples, no figures")
}

func TestNoTwoSessionsHaveOneKeyOrTheSameValues(t *testing.T) {
	keys, values := map[string]bool{}, map[Values]bool{}
	for n := range 100_000 {
		key := keyOf(n, idLength)
		require.Len(t, key, idLength)
		keys[key], values[ValuesOf(n)] = true, true
		require.Len(t, ValuesOf(n).User, 14)
	}
	assert.Len(t, keys, 100_000)
	assert.Len(t, values, 100_000)
	assert.Len(t, keyOf(1, 53), 53)
}

// A record that core did not make itself must be as long as one that it did, and open as one.
func TestFramesAreCoresOwn(t *testing.T) {
	f, err := newFrames()
	require.NoError(t, err)
	defer func() { require.NoError(t, f.Close()) }()
	for _, n := range []int{0, 1, 89_999, 90_000, 9_999_999} {
		rec := f.of(n, time.Now().Add(time.Hour))
		require.Len(t, rec.Data, len(f.data))
		v, ok, err := f.values(rec)
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, ValuesOf(n), v)
		require.Equal(t, rec, unpack(string(rec.ID), pack(nil, rec)))
	}
	_, ok, err := f.values(f.of(1, time.Now().Add(-time.Second)))
	require.NoError(t, err)
	require.False(t, ok, "an ended session opens no more")
}
