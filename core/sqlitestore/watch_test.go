package sqlitestore_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
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

// waitFor waits until something has been told.
func (h *heard) waitFor(t testing.TB, what string) {
	t.Helper()
	eventually(t, func() bool { return slices.Contains(h.list(), what) }, what)
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
	newRival(t, path).exec("DELETE FROM sessions WHERE id = '" + string(record(3).ID) + "'")
	require.NoError(t, other.Delete(t.Context(), record(4).ID))
	h.waitFor(t, ended(record(4).ID))
	second.waitFor(t, ended(record(4).ID))
	expect := []string{
		renewed(record(0).ID), ended(record(2).ID), ended(record(3).ID), ended(record(4).ID),
	}
	require.Equal(t, expect, h.list())
	require.Equal(t, expect, second.list())
}

// TestTheSweepTellsNothing is about what expired long ago.
func TestTheSweepTellsNothing(t *testing.T) {
	store, path := used(t, 2)
	other := open(t, path)
	for n := range 300 {
		rec := record(10 + n)
		rec.Expires = time.Now().Add(-2 * time.Minute).UTC().Truncate(time.Millisecond)
		require.NoError(t, other.Create(t.Context(), rec))
	}
	h, _, _ := watch(t, store)
	n, err := other.DeleteExpired(t.Context(), time.Now().Add(-time.Minute))
	require.NoError(t, err)
	require.Equal(t, 300, n)
	require.NoError(t, other.Delete(t.Context(), record(0).ID))
	h.waitFor(t, ended(record(0).ID))
	require.Equal(t, []string{ended(record(0).ID)}, h.list())
}

func TestEndsAreForgottenAfterAMinute(t *testing.T) {
	store, path := used(t, 600)
	other, rival := open(t, path), newRival(t, path)
	h, outcome, _ := watch(t, store)
	ends := func() int64 { return rival.number("SELECT count(*) FROM sessions_ends") }
	clear := func() {
		_, err := other.DeleteExpired(t.Context(), time.Now())
		require.NoError(t, err)
	}
	together(500, func(n int) {
		if err := other.Delete(t.Context(), record(n).ID); err != nil {
			t.Error(err)
		}
	})
	for n := range 500 {
		h.waitFor(t, ended(record(n).ID))
	}
	clear()
	require.EqualValues(t, 500, ends(), "none is a minute old")
	rival.exec("UPDATE sessions_ends SET at = at - 59000")
	clear()
	require.EqualValues(t, 500, ends(), "nor is any now")
	rival.exec("UPDATE sessions_ends SET at = at - 2000 WHERE seq <= 450")
	clear()
	require.EqualValues(t, 50, ends())
	rival.exec("UPDATE sessions_ends SET at = at + 3600000") // the clock was ahead
	clear()
	require.EqualValues(t, 1, ends(), "the last one stays, by which the next gets its number")
	require.NoError(t, other.Delete(t.Context(), record(500).ID))
	clear()
	require.EqualValues(t, 1, ends())
	require.NoError(t, other.Delete(t.Context(), record(501).ID))
	h.waitFor(t, ended(record(501).ID))
	require.Len(t, h.list(), 502)
	require.Empty(t, outcome, "the watch goes on")
}

func TestAWatchThatMissesSomethingSaysSo(t *testing.T) {
	for name, statement := range map[string]string{
		"a gap": "INSERT INTO sessions_ends SELECT max(seq) + 2, 'x', 0, 0 FROM sessions_ends",
		"what is left begins later": "INSERT INTO sessions_ends SELECT max(seq) + 2, 'x', 0, 0 " +
			"FROM sessions_ends; DELETE FROM sessions_ends WHERE id <> 'x'",
		"all is gone":            "DELETE FROM sessions_ends",
		"an older state is back": "DELETE FROM sessions_ends WHERE seq > 1",
		"no table":               "DROP TABLE sessions_ends",
	} {
		t.Run(name, func(t *testing.T) {
			store, path := used(t, 3)
			for n := range 3 {
				require.NoError(t, store.Delete(t.Context(), record(n).ID))
			}
			_, outcome, _ := watch(t, store)
			newRival(t, path).exec(statement)
			err := <-outcome
			require.Error(t, err)
			require.ErrorContains(t, err, "sqlitestore: ")
			if name == "no table" {
				require.ErrorContains(t, store.Watch(t.Context(), newHeard()), "no such table")
				return
			}
			require.ErrorContains(t, err, "ends were removed before they were told")
			_, outcome, _ = watch(t, store)
			require.Empty(t, outcome, "a new one goes on from there")
		})
	}
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
			require.ErrorContains(t, <-outcome, path+" was removed or replaced")
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
	require.ErrorIs(t, <-outcome, context.Canceled)
	require.NoError(t, store.Delete(t.Context(), record(0).ID))
	require.Empty(t, h.list(), "nothing is told after that")

	_, outcome, _ = watch(t, store)
	require.NoError(t, store.Close())
	require.EqualError(t, <-outcome, "sqlitestore: the store is closed")
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
