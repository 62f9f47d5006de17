package store_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/store"
)

// small is a measurement of seconds: what it yields are figures, not truths.
func small(stores ...string) store.Config {
	cfg := store.Config{
		Sessions: 4000, Life: 6 * time.Second, Gap: 3 * time.Second, Rounds: 2,
		Window: 60 * time.Millisecond, Settle: 500 * time.Millisecond, Stores: stores,
	}
	if slices.Contains(stores, "bigcache") {
		cfg.Settle = 0 // it knows only whole seconds
	}
	return cfg
}

func TestAMeasurementYieldsAllFigures(t *testing.T) {
	for _, name := range []string{
		"ours", "map", "sharded map", "arena", "otter", "bigcache", "quasoft",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var told []string
			results, err := store.Measure(t.Context(), small(name), func(s string) {
				told = append(told, s)
			})
			require.NoError(t, err)
			require.Len(t, results, 1)
			require.NotEmpty(t, told)
			r := results[0]
			assert.Equal(t, name, r.Store)
			assert.Greater(t, r.BytesPerSession, 100.0, "more than the key and the payload")
			assert.Less(t, r.BytesPerSession, 5000.0)
			assert.Len(t, r.Collections, 5)
			assert.Contains(t, r.Collections, r.Collection)
			assert.Zero(t, r.LostFull)
			assert.Positive(t, r.Machine.Samples)
			if r.Traits.Ends == store.EndsNever {
				assert.Positive(t, r.Quiet.Samples)
				assert.Nil(t, r.Expiry)
				assert.Equal(t, 100.0, r.LeftPercent)
				return
			}
			require.NotNil(t, r.Expiry)
			assert.Equal(t, 2000, r.Expiry.Ended)
			assert.Zero(t, r.Expiry.Missed, "a live session was always there")
			assert.Zero(t, r.Expiry.LostLive)
			assert.Zero(t, r.Lost())
			rounds(t, r)
			assert.Positive(t, r.Expiry.Get.Samples)
			assert.LessOrEqual(t, r.Expiry.Get.P999, r.Expiry.Get.Worst)
			if r.Module == "" && r.Traits.Removal != store.RemovedNever {
				assert.Less(t, r.LeftPercent, 100.0)
			}
		})
	}
}

// rounds looks whether each has a whole window and a control.
func rounds(t *testing.T, r store.Result) {
	want := 2
	if r.Traits.Ends == store.EndsAlike {
		want = 1
	}
	require.Len(t, r.Expiry.Rounds, want)
	for _, round := range r.Expiry.Rounds {
		assert.GreaterOrEqual(t, round.Read, 55*time.Millisecond, "the same window for all")
		assert.GreaterOrEqual(t, round.Get.Samples, 100_000)
		assert.GreaterOrEqual(t, round.Machine.Samples, 100_000)
		if r.Traits.Removal == store.RemovedWhenTold {
			assert.Positive(t, round.Sweep)
			assert.GreaterOrEqual(t, round.Read, round.Sweep, "the sweep is within the window")
		}
	}
}

func TestALostSessionIsCountedWhereverItWasLost(t *testing.T) {
	require.Zero(t, store.Result{}.Lost())
	require.Equal(t, 1, store.Result{LostFull: 1}.Lost())
	require.Equal(t, 7, store.Result{LostFull: 1, Expiry: &store.Expiry{
		Missed: 2, LostLive: 4,
	}}.Lost())
}

func TestTheDataOfOneSessionIsWhatTheTablesSay(t *testing.T) {
	require.Equal(t, 31, store.PayloadBytes)
}

func TestAnUnknownStoreIsAnErrorOfItsOwn(t *testing.T) {
	results, err := store.Measure(t.Context(), small("no such", "map"), nil)
	require.ErrorContains(t, err, `no store is called "no such"`)
	require.Len(t, results, 1, "the others are measured all the same")
}
