package postgresstore_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	mathrand "math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/internal/servers"
	"github.com/sessionserverstore/sessionserverstore/core/postgresstore"
)

func newEpoch() core.Epoch { return core.Epoch(mathrand.Uint64() | 1) }

// newEntry returns an entry of an hour.
func newEntry() core.OwnerEntry {
	until := time.Now().UTC().Truncate(time.Millisecond).Add(time.Hour)
	return core.OwnerEntry{ID: newID(), Revision: newRevision(), Until: until}
}

// add adds an entry, whatever the limit.
func add(
	t testing.TB, store core.OwnerIndex, owner string, epoch core.Epoch,
) core.OwnerEntry {
	t.Helper()
	entry := newEntry()
	_, err := store.AddOwned(t.Context(), owner, entry, epoch, 0)
	require.NoError(t, err)
	return entry
}

// requireOwned requires that an owner's entries are these.
func requireOwned(
	t testing.TB, store core.OwnerIndex, owner string, want ...core.OwnerEntry,
) {
	t.Helper()
	got, err := store.ListOwned(t.Context(), owner)
	require.NoError(t, err)
	require.ElementsMatch(t, want, got)
}

// useOwners uses all operations on owners and marks, with every answer that they have.
func useOwners(t *testing.T, store *postgresstore.Store, owner string) {
	t.Helper()
	ctx := t.Context()
	epoch, err := store.OwnerEpoch(ctx, owner)
	require.NoError(t, err)
	require.Zero(t, epoch)
	requireOwned(t, store, owner)
	require.NoError(t, store.RemoveOwned(ctx, owner, newEntry()))
	_, err = store.AddOwned(ctx, owner, newEntry(), 7, 0)
	require.ErrorIs(t, err, core.ErrConflict)
	requireOwned(t, store, owner)

	first, never := add(t, store, owner, 0), newEntry()
	first.Revision, never.Revision, never.Until = math.MaxUint64, 1<<63, time.Time{}
	for _, entry := range []core.OwnerEntry{first, never, first} {
		_, err := store.AddOwned(ctx, owner, entry, 0, 2)
		require.NoError(t, err)
	}
	requireOwned(t, store, owner, first, never)
	_, err = store.AddOwned(ctx, owner, newEntry(), 0, 2)
	require.ErrorIs(t, err, core.ErrOwnerLimit)
	_, err = store.AddOwned(ctx, owner, newEntry(), 5, 2)
	require.ErrorIs(t, err, core.ErrConflict, "the epoch comes first")
	n, err := store.AddOwned(ctx, owner, first, 0, 2)
	require.NoError(t, err)
	require.Equal(t, 2, n)

	raised := newEpoch()
	for _, was := range []core.Epoch{0, raised} {
		before, entries, err := store.RaiseEpoch(ctx, owner, raised, time.Now().Add(time.Hour))
		require.NoError(t, err)
		require.Equal(t, was, before)
		require.ElementsMatch(t, []core.OwnerEntry{first, never}, entries)
	}
	epoch, err = store.OwnerEpoch(ctx, owner)
	require.NoError(t, err)
	require.Equal(t, raised, epoch)
	_, err = store.AddOwned(ctx, owner, first, 0, 0)
	require.ErrorIs(t, err, core.ErrConflict)
	second := add(t, store, owner, raised)

	slow := first
	slow.Revision--
	require.NoError(t, store.RemoveOwned(ctx, owner, slow, newEntry()))
	require.NoError(t, store.RemoveOwned(ctx, owner))
	requireOwned(t, store, owner, first, never, second)
	require.NoError(t, store.RemoveOwned(ctx, owner, slow, never, second))
	requireOwned(t, store, owner, first)

	useMarks(t, store, fmt.Sprintf("mark-%x", raised))
}

func useMarks(t *testing.T, store *postgresstore.Store, name string) {
	t.Helper()
	at, err := store.Mark(t.Context(), name)
	require.NoError(t, err)
	require.True(t, at.IsZero())
	later := time.Now().UTC().Truncate(time.Millisecond)
	for _, mark := range []time.Time{later.Add(-time.Hour), later, later.Add(-time.Minute)} {
		require.NoError(t, store.RaiseMark(t.Context(), name, mark))
	}
	at, err = store.Mark(t.Context(), name)
	require.NoError(t, err)
	require.Equal(t, later, at)
}

func TestOwnersInEveryModeOfPgx(t *testing.T) {
	url := servers.SharedPostgres(t).Database(t)
	for _, mode := range modes {
		t.Run(mode, func(t *testing.T) {
			store := open(t, url+inMode(mode), postgresstore.Options{})
			for _, owner := range []string{
				"user:42", "{}", "*", `a"b'c\d`, "line\nfeed\x01", "ä€😀", strings.Repeat("x", 255), " ",
				"$1", "%", "NULL", "''", "user:42 ", "USER:42",
			} {
				useOwners(t, store, mode+owner)
			}
		})
	}
}

// What the naive forms get wrong: a sign-in that began before everything was revoked survives it.
func TestNoEntryOfAnEarlierEpochSurvivesARaise(t *testing.T) {
	url := servers.SharedPostgres(t).Database(t)
	for _, isolation := range isolations {
		t.Run(isolation, func(t *testing.T) {
			owners := 1000
			if isolation != isolations[0] {
				owners = 100
			}
			store := open(t, withIsolation(url, isolation)+"&pool_max_conns=8",
				postgresstore.Options{Table: newTable()})
			added, refused := 0, 0
			for n := range owners {
				owner := fmt.Sprint("user:", n)
				if n%2 == 1 {
					add(t, store, owner, 0)
				}
				epoch, err := store.OwnerEpoch(t.Context(), owner)
				require.NoError(t, err)
				raised := newEpoch()
				var group sync.WaitGroup
				var mu sync.Mutex
				var listed []core.OwnerEntry
				group.Go(func() {
					_, entries, err := store.RaiseEpoch(
						t.Context(), owner, raised, time.Now().Add(time.Hour))
					assert.NoError(t, err)
					listed = entries
				})
				for range 2 {
					group.Go(func() {
						_, err := store.AddOwned(t.Context(), owner, newEntry(), epoch, 0)
						mu.Lock()
						defer mu.Unlock()
						if err == nil {
							added++
							return
						}
						refused++
						assert.ErrorIs(t, err, core.ErrConflict)
					})
				}
				group.Wait()
				require.NoError(t, store.RemoveOwned(t.Context(), owner, listed...))
				requireOwned(t, store, owner)
			}
			t.Logf("%d came before, %d too late", added, refused)
			require.NotZero(t, added)
			require.NotZero(t, refused)
		})
	}
}

func TestParallelAdditionsDoNotExceedTheLimit(t *testing.T) {
	url := servers.SharedPostgres(t).Database(t)
	for _, isolation := range isolations {
		t.Run(isolation, func(t *testing.T) {
			const owners, limit, racers = 20, 3, 8
			store := open(t, withIsolation(url, isolation)+"&pool_max_conns=8",
				postgresstore.Options{Table: newTable()})
			for n := range owners {
				owner := fmt.Sprint("user:", n)
				kept := []core.OwnerEntry{add(t, store, owner, 0)}
				var mu sync.Mutex
				var counts []int
				var group sync.WaitGroup
				for range racers {
					group.Go(func() {
						entry := newEntry()
						count, err := store.AddOwned(t.Context(), owner, entry, 0, limit)
						mu.Lock()
						defer mu.Unlock()
						if err != nil {
							assert.ErrorIs(t, err, core.ErrOwnerLimit)
							return
						}
						kept, counts = append(kept, entry), append(counts, count)
					})
				}
				group.Wait()
				slices.Sort(counts)
				require.Equal(t, []int{2, 3}, counts, "each tells how many there are then")
				requireOwned(t, store, owner, kept...)
			}
		})
	}
}

func TestAnOwnerMayHaveTenThousandEntries(t *testing.T) {
	url := servers.SharedPostgres(t).Database(t)
	store, conn := open(t, url, postgresstore.Options{}), connect(t, url)
	run(t, conn, `INSERT INTO sessions_owners SELECT 'user:42', 0, 0, 0, NULL,
		(SELECT jsonb_object_agg(lpad(n::text, 32, 'x'), n || ' 0') FROM generate_series(1, 10000) n)`)
	begin := time.Now()
	entry := newEntry()
	n, err := store.AddOwned(t.Context(), "user:42", entry, 0, 20_000)
	require.NoError(t, err)
	require.Equal(t, 10_001, n)
	t.Logf("added in %v", time.Since(begin))
	_, err = store.AddOwned(t.Context(), "user:42", newEntry(), 0, 10_000)
	require.ErrorIs(t, err, core.ErrOwnerLimit)
	begin = time.Now()
	_, entries, err := store.RaiseEpoch(t.Context(), "user:42", newEpoch(), time.Now())
	require.NoError(t, err)
	require.Len(t, entries, 10_001)
	t.Logf("raised in %v", time.Since(begin))
	begin = time.Now()
	require.NoError(t, store.RemoveOwned(t.Context(), "user:42", entries[1:]...))
	t.Logf("removed in %v", time.Since(begin))
	requireOwned(t, store, "user:42", entries[0])
}

func TestWithoutItsTableAnOwnerMethodSaysWhatToDo(t *testing.T) {
	url := servers.SharedPostgres(t).Database(t)
	store, conn := open(t, url, postgresstore.Options{}), connect(t, url)
	rec := created(t, store)
	run(t, conn, "DROP TABLE sessions_owners, sessions_marks") // as an earlier version left it
	ctx := t.Context()
	for name, call := range ownerCalls(store) {
		t.Run(name, func(t *testing.T) {
			err := call(ctx)
			require.ErrorContains(t, err, "there is no table \"sessions_")
			require.ErrorContains(t, err, ": call Migrate")
			require.NotErrorIs(t, err, errors.ErrUnsupported, "it must not be lost silently")
		})
	}
	requireHolds(t, store, rec)
	require.NoError(t, store.Ping(ctx))
	n, err := store.DeleteExpired(ctx, rec.Expires)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	_, err = store.DeleteExpired(ctx, rec.Expires)
	require.NoError(t, err)

	require.NoError(t, store.Migrate(ctx))
	useOwners(t, store, "user:42")
}

// ownerCalls are all that a store is asked of owners and marks.
func ownerCalls(store *postgresstore.Store) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"epoch": func(ctx context.Context) error {
			_, err := store.OwnerEpoch(ctx, "user:1")
			return err
		},
		"add": func(ctx context.Context) error {
			_, err := store.AddOwned(ctx, "user:1", newEntry(), 0, 0)
			return err
		},
		"list": func(ctx context.Context) error {
			_, err := store.ListOwned(ctx, "user:1")
			return err
		},
		"remove": func(ctx context.Context) error {
			return store.RemoveOwned(ctx, "user:1", newEntry())
		},
		"raise": func(ctx context.Context) error {
			_, _, err := store.RaiseEpoch(ctx, "user:1", 1, time.Now())
			return err
		},
		"mark": func(ctx context.Context) error {
			_, err := store.Mark(ctx, "a")
			return err
		},
		"raise mark": func(ctx context.Context) error {
			return store.RaiseMark(ctx, "a", time.Now())
		},
	}
}
