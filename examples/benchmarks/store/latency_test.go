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

func TestTheMedianOfRoundsIsThatOfEachFigure(t *testing.T) {
	require.Zero(t, medianOf(nil))
	l := Latency{Samples: 3, P50: 1, P999: 2, Worst: 3, Stalled: 4}
	require.Equal(t, l, medianOf([]Latency{l}))
	require.Equal(t, Latency{Samples: 6, P50: 2, P999: 20, Worst: 100, Stalled: 0},
		medianOf([]Latency{
			{Samples: 1, P50: 3, P999: 10, Worst: 100, Stalled: 0},
			{Samples: 2, P50: 1, P999: 20, Worst: 99, Stalled: 0},
			{Samples: 3, P50: 2, P999: 30, Worst: 900, Stalled: 900},
		}))
}

func TestAReaderReadsAsOftenAsItMustEvenIfItIsStoppedAtOnce(t *testing.T) {
	l, read, missed := startReader(new(histogram), []string{"a", "b"}, 1000,
		func(key string) bool { return key == "a" }).finish()
	require.GreaterOrEqual(t, l.Samples, 1000)
	require.Equal(t, l.Samples/2, missed)
	require.GreaterOrEqual(t, read, l.Worst)
}

func TestATickIsTheFirstThatIsNotBefore(t *testing.T) {
	at := func(s float64) time.Time { return time.Unix(0, int64(s*1e9)) }
	require.Equal(t, at(3), tick(at(0), 3*time.Second, at(0.5)))
	require.Equal(t, at(3), tick(at(0), 3*time.Second, at(3)))
	require.Equal(t, at(7), tick(at(1), 3*time.Second, at(4.1)))
}

// A timer's tick must remove what has ended, and the one before it nothing.
func TestSessionsEndBetweenTwoTicksAndAfterAWindow(t *testing.T) {
	for _, name := range []string{"scs", "fiber v2", "otter"} {
		m, err := Find(name)
		require.NoError(t, err)
		trial := &trial{
			maker: m, config: Config{}.withDefaults(), pace: time.Second,
			made: time.Now().Add(-12345 * time.Millisecond),
		}
		now := time.Now()
		end, err := trial.endAll(0, 0, trial.config.Window)
		require.NoError(t, err)
		every := m.Traits.Every
		require.Zero(t, end.sweep.Sub(trial.made)%every, name)
		near := end.sweep.Add(-trial.lag())
		require.True(t, near.After(now.Add(2*trial.pace)), name)
		require.Less(t, trial.lag(), every, name)
		begin := end.sweep.Add(-trial.lead())
		require.True(t, begin.After(now.Add(trial.pace+trial.config.Window)), name)
		require.False(t, end.by.Before(end.sweep), name)
	}
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
