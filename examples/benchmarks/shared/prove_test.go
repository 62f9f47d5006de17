package shared_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/shared"
)

func TestAnHonestContestantPasses(t *testing.T) {
	for _, guarded := range []bool{true, false} {
		require.NoError(t, shared.Prove(t.Context(), honestMaker(guarded, unchanged), ""))
	}
}

// A proof that proves everything proves nothing.
func TestAContestantThatCheatsIsFoundOut(t *testing.T) {
	for _, cheat := range []struct {
		name, fault string
		make        func(shared.Contestant) shared.Contestant
	}{
		{"keeps nothing", "session 0 is", func(c shared.Contestant) shared.Contestant {
			return forgetful{c}
		}},
		{"finds what is not there", "is there, which is not",
			func(c shared.Contestant) shared.Contestant { return agreeable{c} }},
		{"gives everybody the same session", "session 0 is",
			func(c shared.Contestant) shared.Contestant { return confused{c} }},
		{"changes nothing", "session 0 is", func(c shared.Contestant) shared.Contestant {
			return lazy{c}
		}},
		{"loses the values in a touch", "session 0 is",
			func(c shared.Contestant) shared.Contestant { return careless{c} }},
		{"ends nothing", "is there, which is not",
			func(c shared.Contestant) shared.Contestant { return immortal{c} }},
		{"does not refuse", "is not refused",
			func(c shared.Contestant) shared.Contestant { return late{c} }},
	} {
		t.Run(cheat.name, func(t *testing.T) {
			require.ErrorContains(t,
				shared.Prove(t.Context(), honestMaker(true, cheat.make), ""), cheat.fault)
		})
	}
}

func TestAContestantIsWhatItIsSaidToBe(t *testing.T) {
	m := honestMaker(true, unchanged)
	m.Guarded = false
	require.Error(t, shared.Prove(t.Context(), m, ""), "it refuses what it is said not to")
	m = honestMaker(false, unchanged)
	m.Guarded = true
	require.ErrorContains(t, shared.Prove(t.Context(), m, ""), "is not refused")
}

// Each engine that is on this machine is measured for a moment: its contestants pass their proofs,
// and every operation finds its sessions.
func TestEveryEngineIsMeasured(t *testing.T) {
	for _, name := range shared.Engines() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := shared.Measure(t.Context(), shared.Config{
				Rounds: 1, Slice: time.Millisecond, Together: 4, Sessions: 40, Sized: 100,
				Touches: 200,
				Engines: []string{name},
			}, func(string) {})
			require.NoError(t, err)
			if len(r.Missing) != 0 {
				t.Skip("not on this machine")
			}
			e, ok := r.Engine(name)
			require.True(t, ok)
			require.NotEmpty(t, e.Version)
			for _, operation := range []shared.Operation{
				shared.Load, shared.Change, shared.Touch, shared.Create, shared.Delete,
			} {
				entry, ok := e.Entry(shared.Ours, operation, 4)
				require.True(t, ok, operation)
				require.Positive(t, entry.PerSecond.Median, operation)
				require.Positive(t, entry.P50.Median, operation)
			}
			for _, values := range []int{2, 20} {
				bytes, ok := r.Size(name, shared.Ours, values)
				require.True(t, ok)
				require.Greater(t, bytes, float64(r.Frame[values]))
			}
		})
	}
}

func TestASessionThatIsLostEndsTheMeasurement(t *testing.T) {
	m := honestMaker(true, func(c shared.Contestant) shared.Contestant { return agreeable{c} })
	err := shared.Try(t.Context(), m, shared.Delete, shared.Load)
	require.True(t, errors.Is(err, shared.ErrLost), "%v", err)
}
