package sqlitestore_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/sqlitestore"
)

// open makes a store on a file, and closes it at the test's end.
func open(t testing.TB, path string) *sqlitestore.Store {
	t.Helper()
	store, err := sqlitestore.Open(path, sqlitestore.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	return store
}

// memory returns the name of a file in memory, where there is such a directory: a sync costs
// nothing there. Most tests need no disk.
func memory(t testing.TB) string {
	dir, err := os.MkdirTemp("/dev/shm", "sqlitestore")
	if err != nil {
		dir = t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return filepath.Join(dir, "sessions.db")
}

// fresh makes a store on a file of its own.
func fresh(t testing.TB) *sqlitestore.Store { return open(t, memory(t)) }

// record is the n-th record, in its first version.
func record(n int) core.Record { return version(n, 1) }

// version is the n-th record with another Revision and Data.
func version(n, revision int) core.Record {
	used := time.Date(2027, 1, 2, 3, 4, 5, 0, time.UTC)
	return core.Record{
		ID: core.ID(fmt.Sprintf("%032d", n)), Revision: core.Revision(revision),
		Used: used, Expires: used.Add(time.Hour), Data: fmt.Sprint("version ", revision),
	}
}

// create puts the first n records into a store.
func create(t testing.TB, store core.Store, n int) {
	t.Helper()
	together(min(n, 20), func(g int) {
		for i := g; i < n; i += min(n, 20) {
			if err := store.Create(context.Background(), record(i)); err != nil {
				t.Errorf("Create: %v", err)
				return
			}
		}
	})
	require.False(t, t.Failed())
}

// revisions loads the first n records, of which those that are not there have none.
func revisions(t testing.TB, store core.Store, n int) []core.Revision {
	t.Helper()
	list := make([]core.Revision, n)
	for i := range list {
		rec, err := store.Load(context.Background(), record(i).ID)
		if err != core.ErrNotFound {
			require.NoError(t, err)
			list[i] = rec.Revision
		}
	}
	return list
}

func TestRecordsOutliveTheStore(t *testing.T) {
	path := memory(t)
	first, err := sqlitestore.Open(path, sqlitestore.Options{})
	require.NoError(t, err)
	rec := record(1)
	rec.Owner, rec.Data = "user:42", "\x00\xff bytes"
	require.NoError(t, first.Create(t.Context(), rec))
	require.NoError(t, first.Create(t.Context(), record(2)))
	require.NoError(t, first.Delete(t.Context(), record(2).ID))
	require.NoError(t, first.Close())

	got, err := open(t, path).Load(t.Context(), rec.ID)
	require.NoError(t, err)
	require.Equal(t, rec, got)
	_, err = open(t, path).Load(t.Context(), record(2).ID)
	require.ErrorIs(t, err, core.ErrNotFound)
}

func TestTwoStoresUseOneFile(t *testing.T) {
	path := memory(t)
	a, b := open(t, path), open(t, path)
	together(2, func(i int) { create(t, []core.Store{a, b}[i], 0) })
	require.NoError(t, a.Create(t.Context(), record(1)))
	require.ErrorIs(t, b.Create(t.Context(), record(1)), core.ErrExists)
	require.NoError(t, b.Update(t.Context(), version(1, 2), 1))
	require.ErrorIs(t, a.Update(t.Context(), version(1, 3), 1), core.ErrConflict)
	require.NoError(t, a.Delete(t.Context(), record(1).ID))
	_, err := b.Load(t.Context(), record(1).ID)
	require.ErrorIs(t, err, core.ErrNotFound)
	require.ErrorIs(t, b.Touch(t.Context(), version(1, 3), 2), core.ErrNotFound)
}

func TestTwoApplicationsShareAFileByTheirTables(t *testing.T) {
	path := memory(t)
	a := open(t, path)
	b, err := sqlitestore.Open(path, sqlitestore.Options{Table: "Other_2"})
	require.NoError(t, err)
	defer b.Close()
	require.NoError(t, a.Create(t.Context(), record(1)))
	require.NoError(t, b.Create(t.Context(), version(1, 2)))
	require.NoError(t, a.Delete(t.Context(), record(1).ID))
	got, err := b.Load(t.Context(), record(1).ID)
	require.NoError(t, err)
	require.Equal(t, version(1, 2), got)
}

// TestStoresOpenANewFileAtOnce is about the moment at which the file and its table are made.
func TestStoresOpenANewFileAtOnce(t *testing.T) {
	t.Parallel()
	for range 5 {
		path := memory(t)
		list := make([]*sqlitestore.Store, 8)
		for i := range list {
			list[i] = open(t, path)
		}
		together(len(list), func(i int) {
			if err := list[i].Create(context.Background(), record(i)); err != nil {
				t.Error(err)
			}
		})
		require.NotContains(t, revisions(t, list[0], len(list)), core.Revision(0))
	}
}

func TestDurabilityIsDurable(t *testing.T) {
	require.Equal(t, core.Durable, fresh(t).Durability())
}

func TestAStorePrintsNothingOfWhatItHolds(t *testing.T) {
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d"} {
		require.Equal(t, "[session sqlite store]", fmt.Sprintf(verb, fresh(t)))
	}
}

func TestPing(t *testing.T) {
	store := fresh(t)
	require.NoError(t, store.Ping(t.Context()))
	require.NoError(t, store.Create(t.Context(), record(1)))
	require.NoError(t, store.Ping(t.Context()))
}

func TestAClosedStoreSaysSo(t *testing.T) {
	store := fresh(t)
	require.NoError(t, store.Create(t.Context(), record(1)))
	require.NoError(t, store.Close())
	require.NoError(t, store.Close(), "closed twice")

	const closed = "sqlitestore: the store is closed"
	ctx := t.Context()
	_, err := store.Load(ctx, record(1).ID)
	require.EqualError(t, err, closed)
	_, err = store.DeleteExpired(ctx, time.Now())
	require.EqualError(t, err, closed)
	require.EqualError(t, store.Create(ctx, record(2)), closed)
	require.EqualError(t, store.Update(ctx, version(1, 2), 1), closed)
	require.EqualError(t, store.Touch(ctx, version(1, 2), 1), closed)
	require.EqualError(t, store.Delete(ctx, record(1).ID), closed)
	require.EqualError(t, store.Ping(ctx), closed)
}

// TestCloseLeavesOneFile is about what a forgotten connection or statement would keep.
func TestCloseLeavesOneFile(t *testing.T) {
	dir := t.TempDir()
	store := open(t, filepath.Join(dir, "sessions.db"))
	create(t, store, 50)
	together(20, func(n int) { _, _ = store.Load(context.Background(), record(n).ID) })
	require.Len(t, openFiles(t, dir), 3)
	require.NoError(t, store.Close())
	require.Empty(t, openFiles(t, dir), "open after Close")
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	require.Equal(t, []string{filepath.Join(dir, "sessions.db")}, names)
}

// openFiles lists the files under a directory that this process has open.
func openFiles(t testing.TB, dir string) map[string]bool {
	t.Helper()
	links, err := filepath.Glob("/proc/self/fd/*")
	require.NoError(t, err)
	if len(links) == 0 {
		t.Skip("SKIPPED, NOT TESTED: this system has no /proc/self/fd")
	}
	list := make(map[string]bool)
	for _, link := range links {
		if name, err := os.Readlink(link); err == nil && filepath.Dir(name) == dir {
			list[name] = true
		}
	}
	return list
}

func TestAStoreThatWasNeverUsedCloses(t *testing.T) {
	store, err := sqlitestore.Open(memory(t), sqlitestore.Options{})
	require.NoError(t, err)
	require.NoError(t, store.Close())
	require.EqualError(t, store.Ping(t.Context()), "sqlitestore: the store is closed")
}

// TestAGreatRecordMayBeGivenUp writes as much as a session may hold, and a little more. Who gives
// up does not wait, and what came of it is one of two things.
func TestAGreatRecordMayBeGivenUp(t *testing.T) {
	store := open(t, filepath.Join(t.TempDir(), "sessions.db"))
	sixteens := 65 << 20 / 16
	if raced {
		sixteens /= 16
	}
	great := record(1)
	great.Data = strings.Repeat("sixteen bytes...", sixteens)
	require.NoError(t, store.Create(t.Context(), great))
	got, err := store.Load(t.Context(), great.ID)
	require.NoError(t, err)
	require.True(t, great == got)

	ctx, cancel := context.WithCancel(t.Context())
	answer := make(chan error, 1)
	great.Revision, great.Data = 2, strings.Repeat("other bytes.....", sixteens)
	go func() { answer <- store.Update(ctx, great, 1) }()
	cancel()
	if err := <-answer; err != nil {
		require.ErrorIs(t, err, context.Canceled)
	}
	require.NoError(t, store.Create(t.Context(), record(2)), "what comes later is carried out")
	require.Contains(t, []core.Revision{1, 2}, revisions(t, store, 2)[1])
}
