package faults_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/internal/faults"
	"github.com/sessionserverstore/sessionserverstore/core/sessiontest"
)

// silence ends a session on a store that goes away just before the end is sent, and comes back.
func silence(t *testing.T, store *badStore, used core.Store) faults.Verdict {
	trap := faults.Trap(used)
	near := faults.NewNode(t, "near", store, patient())
	run := faults.Start(t, settings.Seed(), near)
	run.Create(1)
	trap.Arm(func() { store.set(func(s *badStore) { s.away = true }) })
	run.Use(faults.NewNode(t, "far", trap, patient()))
	require.True(t, trap.Armed())
	run.End(0, 1)
	require.False(t, trap.Armed())
	require.True(t, store.away)
	store.set(func(s *badStore) { s.away = false })
	run.Use(near)
	run.ReadAll()
	return run.Verdict()
}

func TestNoAnswerIsNoViolation(t *testing.T) {
	store := newBadStore()
	requireNone(t, silence(t, store, store))
}

func TestAStoreThatTakesNoAnswerForYesBreaksItsPromise(t *testing.T) {
	store := newBadStore()
	require.Len(t, silence(t, store, faults.Believe(store)).Ends, 1)
}

func TestWrappersAreStoresLikeOthersWhileNothingIsWrong(t *testing.T) {
	for name, wrap := range map[string]func(core.Store) core.Store{
		"believing": func(s core.Store) core.Store { return faults.Believe(s) },
		"trapped":   func(s core.Store) core.Store { return faults.Trap(s) },
		"shifted":   func(s core.Store) core.Store { return faults.Shift(s, 0) },
	} {
		for inner, store := range map[string]core.Store{
			"memory": core.NewMemoryStore(core.MemoryOptions{}), "map": newBadStore(),
		} {
			t.Run(name+" over "+inner, func(t *testing.T) {
				run := faults.Start(t, settings.Seed(), nodes(t, wrap(store))...)
				run.Create(5)
				run.Work(faults.Load{Steps: 40})
				run.ReadAll()
				requireNone(t, run.Verdict())
			})
		}
	}
}

func TestWrappersKeepTheContract(t *testing.T) {
	for name, wrap := range map[string]func(core.Store) core.Store{
		"trapped": func(s core.Store) core.Store { return faults.Trap(s) },
		"shifted": func(s core.Store) core.Store { return faults.Shift(s, -time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			sessiontest.TestStore(t, func(testing.TB) core.Store {
				return wrap(core.NewMemoryStore(core.MemoryOptions{}))
			})
		})
	}
}
