package sqlitestore_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/sqlitestore"
)

// A heard is what a watch was told, in order.
type heard struct {
	ready chan struct{}

	mu  sync.Mutex
	all []string
}

func newHeard() *heard { return &heard{ready: make(chan struct{})} }

func (h *heard) Ready()             { close(h.ready) }
func (h *heard) Ended(id core.ID)   { h.add(ended(id)) }
func (h *heard) Renewed(id core.ID) { h.add(renewed(id)) }

func ended(id core.ID) string   { return "ended " + string(id) }
func renewed(id core.ID) string { return "renewed " + string(id) }

func (h *heard) add(what string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all = append(h.all, what)
}

func (h *heard) list() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.all)
}

func (h *heard) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.all)
}

// waitFor waits until something has been told.
func (h *heard) waitFor(t testing.TB, what string) {
	t.Helper()
	eventually(t, func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		return slices.Contains(h.all, what)
	}, what)
}

// watch watches a store until the test ends, or stop is called, which returns what Watch returned.
func watch(t testing.TB, store *sqlitestore.Store) (h *heard, outcome <-chan error, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	h, answer := newHeard(), make(chan error, 1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		answer <- store.Watch(ctx, h)
	}()
	t.Cleanup(func() { cancel(); <-done })
	select {
	case <-h.ready:
	case <-done:
		require.NoError(t, <-answer, "Watch returned before it was ready")
	case <-time.After(time.Minute):
		require.Fail(t, "Watch is not ready")
	}
	return h, answer, cancel
}

// receive waits for what Watch returns.
func receive(t testing.TB, outcome <-chan error) error {
	t.Helper()
	select {
	case err := <-outcome:
		return err
	case <-time.After(time.Minute):
		require.Fail(t, "the watch goes on")
		return nil
	}
}

func TestAWatchIsToldBeforeTheCallReturns(t *testing.T) {
	store, _ := used(t, 3)
	h, _, _ := watch(t, store)
	require.NoError(t, store.Delete(t.Context(), record(0).ID))
	require.Contains(t, h.list(), ended(record(0).ID))
	require.NoError(t, store.Delete(t.Context(), record(9).ID))
	require.Contains(t, h.list(), ended(record(9).ID), "a Delete that found none")
	require.NoError(t, store.Renew(t.Context(), version(1, 2), 1))
	require.Contains(t, h.list(), renewed(record(1).ID))
	require.NotContains(t, h.list(), ended(record(1).ID))
	require.ErrorIs(t, store.Renew(t.Context(), version(2, 3), 2), core.ErrConflict)
	require.ErrorIs(t, store.Renew(t.Context(), version(9, 2), 1), core.ErrNotFound)
	require.NotContains(t, h.list(), renewed(record(2).ID))
	require.NotContains(t, h.list(), renewed(record(9).ID))
}

// TestAWatchHearsOfOtherStores is about those of other processes: to the file they are the same.
func TestAWatchHearsOfOtherStores(t *testing.T) {
	store, path := used(t, 6)
	other := open(t, path)
	require.NoError(t, other.Delete(t.Context(), record(5).ID), "before anybody watches")
	h, _, _ := watch(t, store)
	second, _, _ := watch(t, store)
	require.NoError(t, other.Renew(t.Context(), version(0, 2), 1))
	require.NoError(t, other.Update(t.Context(), version(1, 2), 1))
	require.NoError(t, other.Touch(t.Context(), version(1, 3), 2))
	require.ErrorIs(t, other.Renew(t.Context(), version(1, 3), 2), core.ErrConflict)
	require.NoError(t, other.Delete(t.Context(), record(2).ID))
	require.NoError(t, other.Delete(t.Context(), record(9).ID), "of nothing")
	require.NoError(t, other.Delete(t.Context(), record(4).ID))
	h.waitFor(t, ended(record(4).ID))
	second.waitFor(t, ended(record(4).ID))
	expect := []string{
		renewed(record(0).ID), ended(record(2).ID), ended(record(4).ID),
	}
	require.Equal(t, expect, h.list())
	require.Equal(t, expect, second.list())
}

// TestTheSweepTellsNothing: what it removes no Manager takes for alive.
func TestTheSweepTellsNothing(t *testing.T) {
	store, path := used(t, 2)
	other := open(t, path)
	for n := range 300 {
		rec := record(10 + n)
		rec.Expires = rec.Used
		require.NoError(t, other.Create(t.Context(), rec))
	}
	h, _, _ := watch(t, store)
	n, err := other.DeleteExpired(t.Context(), record(0).Used)
	require.NoError(t, err)
	require.Equal(t, 300, n)
	require.NoError(t, other.Delete(t.Context(), record(0).ID))
	h.waitFor(t, ended(record(0).ID))
	require.Equal(t, []string{ended(record(0).ID)}, h.list())
}

// TestTheRingGoesRound ends more sessions than it has rows, from two Stores in turns, which it does
// not make larger.
func TestTheRingGoesRound(t *testing.T) {
	const n, ring = 4800, 4096
	path := memory(t)
	stores := []*sqlitestore.Store{open(t, path), open(t, path)}
	h, outcome, _ := watch(t, open(t, path))
	require.NoError(t, stores[0].Ping(t.Context()))
	rival := newRival(t, path)
	takes := func() int64 {
		return rival.number("SELECT sum(pgsize) FROM dbstat WHERE name = 'sessions_ends'")
	}
	before := takes()
	next := func(from, to int) { // 150 at a time, of which one Store may write more than the other
		together(50, func(g int) {
			for i := from + g; i < to; i += 50 {
				store := stores[i/150%2]
				err := store.Create(t.Context(), record(i))
				if err == nil {
					err = store.Delete(t.Context(), record(i).ID)
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
		eventually(t, func() bool { return h.count() == to }, "all are told")
	}
	for from := 0; from < n; from += 1200 {
		next(from, from+1200)
	}
	all := h.list()
	slices.Sort(all)
	for i, what := range all {
		require.Equal(t, ended(record(i).ID), what, "each once")
	}
	require.Empty(t, outcome)
	require.EqualValues(t, ring, rival.number("SELECT count(*) FROM sessions_ends"))
	require.EqualValues(t, ring-1, rival.number("SELECT max(seq) - min(seq) FROM sessions_ends"))
	require.Zero(t, rival.number("SELECT count(*) FROM sessions_ends WHERE seq % 4096 <> slot"))
	require.Equal(t, before, takes(), "an end needs no room")
}

func TestAWatchThatMissesSomethingSaysSo(t *testing.T) {
	const missed = "more ended than is kept for those who watch"
	for name, statement := range map[string]string{
		"once round":               "UPDATE sessions_ends SET seq = seq + 4096",
		"the next one":             "UPDATE sessions_ends SET seq = seq + 8192 WHERE slot = 3",
		"the last one, and others": "UPDATE sessions_ends SET seq = seq + 4096 WHERE slot <= 2",
		"an older state is back":   "UPDATE sessions_ends SET seq = seq - 4096 WHERE slot = 2",
		"all is gone":              "DELETE FROM sessions_ends",
		"something is gone":        "DELETE FROM sessions_ends WHERE slot > 1",
	} {
		t.Run(name, func(t *testing.T) {
			store, path := used(t, 3)
			for n := range 3 {
				require.NoError(t, store.Delete(t.Context(), record(n).ID))
			}
			_, outcome, _ := watch(t, store)
			newRival(t, path).exec(statement)
			require.ErrorContains(t, receive(t, outcome), missed)
		})
	}
	t.Run("it goes on anew", func(t *testing.T) {
		store, path := used(t, 5)
		require.NoError(t, store.Delete(t.Context(), record(4).ID))
		_, outcome, _ := watch(t, store)
		newRival(t, path).exec("UPDATE sessions_ends SET seq = seq + 4096")
		require.ErrorContains(t, receive(t, outcome), missed)
		h, outcome, _ := watch(t, store)
		other := open(t, path)
		for n := range 4 {
			require.NoError(t, []*sqlitestore.Store{store, other}[n%2].Delete(t.Context(),
				record(n).ID))
		}
		h.waitFor(t, ended(record(3).ID))
		require.Empty(t, outcome)
	})
	t.Run("no table", func(t *testing.T) {
		store, path := used(t, 1)
		_, outcome, _ := watch(t, store)
		newRival(t, path).exec("DROP TABLE sessions_ends")
		require.ErrorContains(t, receive(t, outcome), "no such table")
		require.ErrorContains(t, store.Watch(t.Context(), newHeard()), "no such table")
	})
}

// TestAnEndThatIsRolledBackLeavesNoGap has ends that share their transaction with what finds no
// room, so that all of it is rolled back and each end gets a transaction of its own.
func TestAnEndThatIsRolledBackLeavesNoGap(t *testing.T) {
	path := memory(t)
	store := open(t, path)
	create(t, store, 4)
	h, outcome, _ := watch(t, open(t, path))
	require.NoError(t, store.LimitPages(true))
	answers := queued(t, store, path,
		func(ctx context.Context) error { return store.Delete(ctx, record(0).ID) },
		func(ctx context.Context) error { return store.Renew(ctx, version(1, 2), 1) },
		func(ctx context.Context) error {
			rec := record(9)
			rec.Data = strings.Repeat("x", 100_000)
			return store.Create(ctx, rec)
		},
		func(ctx context.Context) error { return store.Delete(ctx, record(2).ID) })
	require.ErrorIs(t, answers[2], core.ErrStoreFull)
	require.NoError(t, errors.Join(answers[0], answers[1], answers[3]))
	require.NoError(t, store.Delete(t.Context(), record(3).ID))
	h.waitFor(t, ended(record(3).ID))
	require.Equal(t, []string{
		ended(record(0).ID), renewed(record(1).ID), ended(record(2).ID), ended(record(3).ID),
	}, h.list())
	require.Empty(t, outcome)
	require.NoError(t, store.LimitPages(false))
}

// An older state of the file was put back in place, and the connection that writes is as old.
func TestAWatchHearsWhereAnOlderStateIsBack(t *testing.T) {
	store, path := used(t, 9)
	for n := range 5 {
		require.NoError(t, store.Delete(t.Context(), record(n).ID))
	}
	newRival(t, path).exec("UPDATE sessions_ends SET seq = seq - 4096 WHERE slot IN (2, 3, 4)")
	h, outcome, _ := watch(t, open(t, path))
	require.NoError(t, store.Delete(t.Context(), record(6).ID))
	require.NoError(t, store.Delete(t.Context(), record(7).ID))
	h.waitFor(t, ended(record(7).ID))
	require.Empty(t, outcome)
}

func TestAWatchOfAFileThatIsGoneIsAnError(t *testing.T) {
	for name, replace := range map[string]bool{"removed": false, "replaced": true} {
		t.Run(name, func(t *testing.T) {
			store, path := used(t, 1)
			_, outcome, _ := watch(t, store)
			for _, suffix := range []string{"", "-wal", "-shm"} {
				require.NoError(t, os.Remove(path+suffix))
			}
			if replace {
				require.NoError(t, open(t, path).Create(t.Context(), record(0)))
			}
			require.ErrorContains(t, receive(t, outcome), path+" was removed or replaced")
			require.Error(t, store.Watch(t.Context(), newHeard()))
		})
	}
	missing := open(t, filepath.Join(t.TempDir(), "no", "sessions.db"))
	require.ErrorContains(t, missing.Watch(t.Context(), newHeard()), "does not exist")
}

func TestAWatchEndsWithItsContextOrItsStore(t *testing.T) {
	dir := t.TempDir()
	store := open(t, filepath.Join(dir, "sessions.db"))
	create(t, store, 2)
	h, outcome, stop := watch(t, store)
	stop()
	require.ErrorIs(t, receive(t, outcome), context.Canceled)
	require.NoError(t, store.Delete(t.Context(), record(0).ID))
	require.Empty(t, h.list(), "nothing is told after that")

	_, outcome, _ = watch(t, store)
	require.NoError(t, store.Close())
	require.EqualError(t, receive(t, outcome), "sqlitestore: the store is closed")
	require.Empty(t, openFiles(t, dir), "open after Close")
}

// TestAWatchDoesNotWaitForWhoWrites is about another process's long transaction.
func TestAWatchDoesNotWaitForWhoWrites(t *testing.T) {
	store, path := used(t, 2)
	require.NoError(t, open(t, path).Delete(t.Context(), record(0).ID))
	unlock := newRival(t, path).lock()
	_, outcome, _ := watch(t, store)
	unlock()
	require.NoError(t, store.Delete(t.Context(), record(1).ID))
	require.Empty(t, outcome)
}
