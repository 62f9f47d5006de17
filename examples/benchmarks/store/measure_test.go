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
		Sessions: 4000, Life: 4 * time.Second, Gap: 3 * time.Second,
		Calm: 20 * time.Millisecond, Settle: 500 * time.Millisecond, Stores: stores,
	}
	if slices.Contains(stores, "bigcache") {
		cfg.Settle = 0 // it knows only whole seconds
	}
	return cfg
}

func TestAMeasurementYieldsAllFigures(t *testing.T) {
	for _, name := range []string{"ours", "map", "otter", "bigcache", "quasoft"} {
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
			assert.Positive(t, r.Quiet.Samples)
			if r.Traits.Ends == store.EndsNever {
				assert.Nil(t, r.Expiry)
				assert.Equal(t, 100.0, r.LeftPercent)
				return
			}
			require.NotNil(t, r.Expiry)
			assert.Equal(t, 2000, r.Expiry.Ended)
			assert.Zero(t, r.Expiry.Missed, "a live session was always there")
			assert.Zero(t, r.Expiry.LostLive)
			assert.Positive(t, r.Expiry.Get.Samples)
			assert.LessOrEqual(t, r.Expiry.Get.P999, r.Expiry.Get.Worst)
			if r.Module == "" {
				assert.Less(t, r.LeftPercent, 100.0)
			}
		})
	}
}

func TestTheDataOfOneSessionIsWhatTheTablesSay(t *testing.T) {
	require.Equal(t, 31, store.PayloadBytes)
}

func TestAnUnknownStoreIsAnErrorOfItsOwn(t *testing.T) {
	results, err := store.Measure(t.Context(), small("no such", "map"), nil)
	require.ErrorContains(t, err, `no store is called "no such"`)
	require.Len(t, results, 1, "the others are measured all the same")
}
