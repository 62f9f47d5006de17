package faults_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/internal/faults"
)

// patience is how long what succeeds may take: here no store is slow, but a machine may be.
const patience = 30 * time.Second

// patient is a Config of nodes that wait.
func patient() core.Config {
	return core.Config{LoadTimeout: patience, CommitTimeout: patience}
}

// nodes are two over one store.
func nodes(t *testing.T, store core.Store) []faults.Node {
	return []faults.Node{
		faults.NewNode(t, "a", store, patient()), faults.NewNode(t, "b", store, patient()),
	}
}

func requireNone(t *testing.T, v faults.Verdict) {
	t.Helper()
	sum := len(v.Ends) + len(v.Changes) + len(v.Renewals) + len(v.Views) + len(v.Owners)
	require.Zero(t, sum, "%v", v)
}

func TestAStoreThatIsRightBreaksNoInvariant(t *testing.T) {
	for name, store := range map[string]core.Store{
		"memory": core.NewMemoryStore(core.MemoryOptions{}), "map": newBadStore(),
	} {
		t.Run(name, func(t *testing.T) {
			run := faults.Start(t, settings.Seed(), nodes(t, store)...)
			run.Create(20)
			run.Work(faults.Load{Workers: 8, Steps: 100})
			run.ReadAll()
			requireNone(t, run.Verdict())

			h := run.History()
			for _, kind := range []faults.Kind{
				faults.Create, faults.Save, faults.Read, faults.Renew, faults.Destroy, faults.Revoke,
			} {
				assert.Positive(t, h.Count(faults.OK, kind), "%s", kind)
			}
			assert.Zero(t, h.Count(faults.Unknown))
			assert.True(t, slices.ContainsFunc(h, func(o faults.Operation) bool {
				return o.Kind == faults.Read && o.Round == 0 && o.Token < newestBefore(h, o)
			}), "somebody showed a token that had been replaced")
		})
	}
}

// newestBefore is the newest token that the session had when an operation was invoked.
func newestBefore(h faults.History, o faults.Operation) int {
	newest := 0
	for _, other := range h {
		if other.Session == o.Session && 0 < other.Completed && other.Completed < o.Invoked {
			newest = max(newest, other.Issued)
		}
	}
	return newest
}

func TestAStoreThatIsSetBackBreaksEveryInvariant(t *testing.T) {
	store := newBadStore()
	run := faults.Start(t, settings.Seed(), nodes(t, store)...)
	run.Create(60)
	store.snapshot()
	require.Equal(t, 20, run.End(0, 20))
	require.Equal(t, 20, run.Each(faults.Save, 20, 40))
	require.Equal(t, 20, run.Each(faults.Renew, 40, 60))
	store.crash()
	run.ReadAll()
	v := run.Verdict()
	assert.Len(t, v.Ends, 20)
	assert.Len(t, v.Changes, 20)
	assert.Len(t, v.Renewals, 20)
	assert.Len(t, v.Views, 20)
}

func TestAStoreThatComparesNoRevisionsLosesChanges(t *testing.T) {
	store := newBadStore()
	store.careless, store.slow = true, time.Millisecond
	run := faults.Start(t, settings.Seed(), nodes(t, store)...)
	run.Create(1)
	run.Work(faults.Load{Workers: 8, Steps: 20, Mix: []faults.Kind{faults.Save}})
	run.ReadAll()
	require.NotEmpty(t, run.Verdict().Changes)
}

func TestWritesWithoutAnAnswerAreUnknownAndBreakNothing(t *testing.T) {
	store := newBadStore()
	run := faults.Start(t, settings.Seed(), nodes(t, store)...)
	run.Create(20)
	store.set(func(s *badStore) { s.flaky = rand.New(rand.NewPCG(settings.Seed(), 0)) })
	run.Work(faults.Load{Workers: 8, Steps: 100})
	store.set(func(s *badStore) { s.flaky = nil })
	run.ReadAll()
	requireNone(t, run.Verdict())
	assert.Positive(t, run.History().Count(faults.Unknown))
}

func TestClientsThatHangUpBreakNothing(t *testing.T) {
	store := newBadStore()
	store.slow = 5 * time.Millisecond
	run := faults.Start(t, settings.Seed(), nodes(t, store)...)
	run.Create(10)
	run.Work(faults.Load{Workers: 8, Steps: 60, Hangups: 1}) // before the session is loaded
	run.ReadAll()
	requireNone(t, run.Verdict())
	assert.Positive(t, run.History().Count(faults.Failed))
}

func TestEndsThatAreConfirmedLaterCountFromThenOn(t *testing.T) {
	store := newBadStore()
	run := faults.Start(t, settings.Seed(), nodes(t, store)...)
	run.Create(10)
	store.snapshot()
	store.set(func(s *badStore) { s.few = true })
	require.Zero(t, run.End(0, 10), "none is acknowledged")
	store.crash() // they come back
	run.ReadAll()
	require.Empty(t, run.Verdict().Ends, "of which nobody was told that they were over")

	store.set(func(s *badStore) { s.few = false })
	run.AwaitEnds()
	require.Eventually(t, func() bool {
		store.mu.Lock()
		defer store.mu.Unlock()
		return store.confirmed >= 10
	}, patience, 10*time.Millisecond)
	require.NoError(t, run.Close())
	require.Equal(t, 10, run.History().Count(faults.OK, faults.Confirm))
	run.ReadAll()
	requireNone(t, run.Verdict())

	store.crash()
	run.ReadAll()
	require.Len(t, run.Verdict().Ends, 10)
}

func TestEndsThatAreNotConfirmedAtTheCloseStayUnknown(t *testing.T) {
	store := newBadStore()
	run := faults.Start(t, settings.Seed(), nodes(t, store)...)
	run.Create(2)
	store.set(func(s *badStore) { s.few = true })
	run.End(0, 2)
	require.ErrorIs(t, run.Close(), core.ErrNotDurable)
	require.Zero(t, run.History().Count(faults.OK, faults.Confirm))
}

func TestWhatIsInsistedOnIsTriedUntilItIsAcknowledged(t *testing.T) {
	store := newBadStore()
	run := faults.Start(t, settings.Seed(), nodes(t, store)...)
	run.Create(4)
	store.set(func(s *badStore) { s.few = true })
	tried := make(chan struct{})
	go func() {
		defer close(tried)
		assert.Eventually(t, func() bool {
			return run.History().Count(faults.Unknown, faults.Revoke) >= 4
		}, 30*time.Second, time.Millisecond)
		store.set(func(s *badStore) { s.few = false })
	}()
	run.Insist(faults.Revoke, 2, 0, 4)
	<-tried
	require.Equal(t, 2, run.History().Count(faults.OK, faults.Revoke), "each second session")
	run.ReadAll()
	requireNone(t, run.Verdict())
}

func TestALoadGoesOnUntilItIsStopped(t *testing.T) {
	store := newBadStore()
	run := faults.Start(t, settings.Seed(), nodes(t, store)...)
	run.Create(4)
	stop := run.Go(faults.Load{To: 2, Mix: faults.Keep()})
	require.Eventually(t, func() bool { return len(run.History()) > 100 },
		patience, time.Millisecond)
	stop()
	before := len(run.History())
	run.Await()
	h := run.History()
	require.Len(t, h, before, "nothing was under way, and to wait records nothing")
	require.Zero(t, h.Count(faults.OK, faults.Destroy, faults.Revoke))
	require.False(t, slices.ContainsFunc(h[4:], func(o faults.Operation) bool {
		return o.Session >= 2
	}))
	run.ReadAll()
	requireNone(t, run.Verdict())
}

func TestAStoreThatIsAwayMakesOperationsFailOrUnknown(t *testing.T) {
	store := newBadStore()
	run := faults.Start(t, settings.Seed(), nodes(t, store)...)
	run.Create(4)
	store.set(func(s *badStore) { s.away = true })
	require.Zero(t, run.End(0, 4))
	require.Zero(t, run.Each(faults.Save, 0, 4))
	h := run.History()
	assert.Equal(t, 8, h.Count(faults.Failed), "it could not even be loaded")
	store.set(func(s *badStore) { s.away = false })
	run.Await()
	run.ReadAll()
	requireNone(t, run.Verdict())
	assert.Len(t, run.Verdict().Changes, 0)
}

func TestAClientThatHangsUpIsOneThatNobodyAnswers(t *testing.T) {
	for name, wrap := range map[string]func(core.Store) core.Store{
		"right":     func(s core.Store) core.Store { return s },
		"believing": func(s core.Store) core.Store { return faults.Believe(s) },
	} {
		t.Run(name, func(t *testing.T) {
			ctx, hangUp := context.WithCancel(t.Context())
			defer hangUp()
			trap := faults.Trap(wrap(newBadStore()))
			run := faults.Start(t, settings.Seed(), faults.NewNode(t, "a", trap, patient()))
			run.Create(1)
			trap.Arm(hangUp)
			acknowledged := run.In(ctx).Each(faults.Revoke, 0, 1)
			run.ReadAll()
			v := run.Verdict()
			if name == "right" {
				require.Zero(t, acknowledged)
				requireNone(t, v)
				return
			}
			require.Len(t, v.Ends, 1)
		})
	}
}

func TestWhatHealsByItselfIsWaitedFor(t *testing.T) {
	store := newBadStore()
	run := faults.Start(t, settings.Seed(), nodes(t, store)...)
	run.Create(10)
	store.snapshot()
	require.Equal(t, 10, run.Each(faults.Renew, 0, 10))
	require.Equal(t, 5, run.End(0, 5))
	after := func() (records map[core.ID]core.Record) {
		store.set(func(s *badStore) { records = s.records })
		return records
	}()
	store.crash()
	healed := make(chan struct{})
	go func() {
		defer close(healed)
		store.set(func(s *badStore) { s.records = after })
	}()
	run.AwaitEnds()
	run.AwaitRenewals()
	<-healed
	run.ReadAll()
	requireNone(t, run.Verdict())
}
