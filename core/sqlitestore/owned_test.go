package sqlitestore_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/sqlitestore"
)

// entry is the entry of the n-th record.
func entry(n int) core.OwnerEntry {
	rec := record(n)
	return core.OwnerEntry{ID: rec.ID, Revision: rec.Revision, Until: rec.Expires}
}

func TestOwnersOutliveTheStore(t *testing.T) {
	path := memory(t)
	first, err := sqlitestore.Open(path, sqlitestore.Options{})
	require.NoError(t, err)
	ctx, at := t.Context(), record(0).Used
	forever := entry(2)
	forever.Until, forever.Revision = time.Time{}, 1<<63+5
	const epoch = core.Epoch(1<<63 + 7)
	_, _, err = first.RaiseEpoch(ctx, "user:1", epoch, at)
	require.NoError(t, err)
	for n, e := range []core.OwnerEntry{entry(1), forever} {
		count, err := first.AddOwned(ctx, "user:1", e, epoch, 0)
		require.NoError(t, err)
		require.Equal(t, n+1, count)
	}
	require.NoError(t, first.RaiseMark(ctx, "not-before", at))
	require.NoError(t, first.Close())

	store := open(t, path)
	got, err := store.OwnerEpoch(ctx, "user:1")
	require.NoError(t, err)
	require.Equal(t, epoch, got)
	list, err := store.ListOwned(ctx, "user:1")
	require.NoError(t, err)
	require.ElementsMatch(t, []core.OwnerEntry{entry(1), forever}, list)
	mark, err := store.Mark(ctx, "not-before")
	require.NoError(t, err)
	require.Equal(t, at, mark)
}

func TestAnOwnerIsWhateverItIsMadeOf(t *testing.T) {
	store := fresh(t)
	owners := []string{
		"a", "A", "a:", ":", "{}", "*", "%", "_", "a\nb", `"`, "'; DROP TABLE sessions; --", "ä",
		"a\u0308", " ", "?1", strings.Repeat("x", 255), strings.Repeat("x", 254), "\U0001F600",
	}
	for n, owner := range owners {
		count, err := store.AddOwned(t.Context(), owner, entry(n), 0, 1)
		require.NoError(t, err, owner)
		require.Equal(t, 1, count, owner)
	}
	for n, owner := range owners {
		before, list, err := store.RaiseEpoch(t.Context(), owner, core.Epoch(n+1), time.Time{})
		require.NoError(t, err)
		require.Zero(t, before)
		require.Equal(t, []core.OwnerEntry{entry(n)}, list, owner)
	}
}

// TestAnOwnerMayHaveTenThousandEntries is about a device that signs in again and again.
func TestAnOwnerMayHaveTenThousandEntries(t *testing.T) {
	store, path := used(t, 0)
	const n = 10_000
	newRival(t, path).exec(`WITH RECURSIVE c (n) AS (SELECT 10 UNION ALL SELECT n + 1 FROM c
		WHERE n < 9999) INSERT INTO sessions_owned SELECT 'one', printf('%032d', n), 1, 5 FROM c`)
	together(10, func(i int) {
		if _, err := store.AddOwned(context.Background(), "one", entry(i), 0, n); err != nil {
			t.Error(err)
		}
	})
	_, err := store.AddOwned(t.Context(), "one", entry(n), 0, n)
	require.ErrorIs(t, err, core.ErrOwnerLimit)
	count, err := store.AddOwned(t.Context(), "one", entry(n-1), 0, n)
	require.NoError(t, err)
	require.Equal(t, n, count)
	_, list, err := store.RaiseEpoch(t.Context(), "one", 1, time.Time{})
	require.NoError(t, err)
	require.Len(t, list, n)
	require.NoError(t, store.RemoveOwned(t.Context(), "one", list...))
	list, err = store.ListOwned(t.Context(), "one")
	require.NoError(t, err)
	require.Empty(t, list)
}

func TestWritesOfTheIndexShareATransactionWithOthers(t *testing.T) {
	store, path := used(t, 2)
	before := commits(t, path)
	var count int
	var list []core.OwnerEntry
	errs := queued(t, store, path,
		func(ctx context.Context) (err error) {
			count, err = store.AddOwned(ctx, "a", entry(1), 0, 0)
			return err
		},
		func(ctx context.Context) error { return store.Update(ctx, version(0, 2), 1) },
		func(ctx context.Context) error {
			_, err := store.AddOwned(ctx, "a", entry(2), 7, 0)
			return err
		},
		func(ctx context.Context) error {
			_, err := store.AddOwned(ctx, "a", entry(2), 0, 1)
			return err
		},
		func(ctx context.Context) (err error) {
			_, list, err = store.RaiseEpoch(ctx, "a", 7, time.Time{})
			return err
		},
		func(ctx context.Context) error { return store.RaiseMark(ctx, "mark", record(0).Used) },
		func(ctx context.Context) error { return store.RemoveOwned(ctx, "a", entry(1)) },
	)
	require.Equal(t, []error{
		nil, nil, core.ErrConflict, core.ErrOwnerLimit, nil, nil, nil,
	}, errs)
	require.Equal(t, 1, commits(t, path)-before)
	require.Equal(t, 1, count)
	require.Equal(t, []core.OwnerEntry{entry(1)}, list)
}

// TestNoSignInSurvivesLogOutEverywhere lets, for each of a thousand owners, two sign-ins race with
// one end of all: each has read the Epoch before, and writes the record first. The three use two
// handles of the file.
func TestNoSignInSurvivesLogOutEverywhere(t *testing.T) {
	const owners = 1000
	path := memory(t)
	stores := []*sqlitestore.Store{open(t, path), open(t, path)}
	var mu sync.Mutex
	added, refused, revoked := 0, 0, 0
	together(20, func(g int) {
		for n := g; n < owners; n += 20 {
			owner := fmt.Sprint("user:", n)
			epochs := make([]core.Epoch, 2)
			for i := range epochs {
				var err error
				epochs[i], err = stores[i].OwnerEpoch(t.Context(), owner)
				if err != nil {
					t.Error(err)
				}
			}
			together(3, func(i int) {
				store := stores[i%2]
				if i == 2 {
					ended, err := logOutEverywhere(store, owner)
					if err != nil {
						t.Error(err)
					}
					mu.Lock()
					revoked += ended
					mu.Unlock()
					return
				}
				err := signIn(store, owner, 2*n+i, epochs[i])
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					added++
				case refusedSignIn(err):
					refused++
				default:
					t.Error(err)
				}
			})
		}
	})
	t.Logf("%d sign-ins were completed before the end of all, %d were refused", added, refused)
	require.Equal(t, 2*owners, added+refused)
	require.Equal(t, added, revoked)
	require.NotZero(t, refused, "sign-ins that come after the end of all: is there a race?")
	require.NotZero(t, added, "sign-ins that come before the end of all: is there a race?")
	require.Equal(t, make([]core.Revision, 2*owners), revisions(t, stores[0], 2*owners))
}

// signIn does what a Manager does.
func signIn(store *sqlitestore.Store, owner string, n int, epoch core.Epoch) error {
	ctx := context.Background()
	rec := record(n)
	rec.Owner = owner
	if err := store.Create(ctx, rec); err != nil {
		return err
	}
	_, err := store.AddOwned(ctx, owner, entry(n), epoch, 0)
	if err != nil {
		return errors.Join(err, store.Delete(ctx, rec.ID))
	}
	return nil
}

func refusedSignIn(err error) bool { return errors.Is(err, core.ErrConflict) }

// logOutEverywhere returns how many sessions it has ended.
func logOutEverywhere(store *sqlitestore.Store, owner string) (int, error) {
	ctx := context.Background()
	_, list, err := store.RaiseEpoch(ctx, owner, 1, record(0).Expires)
	if err != nil {
		return 0, err
	}
	for _, e := range list {
		if err := store.Delete(ctx, e.ID); err != nil {
			return 0, err
		}
	}
	return len(list), store.RemoveOwned(ctx, owner, list...)
}

func TestALimitIsNeverExceeded(t *testing.T) {
	path := memory(t)
	stores := []*sqlitestore.Store{open(t, path), open(t, path)}
	const owners, each, limit = 100, 8, 3
	together(owners*each, func(i int) {
		owner := fmt.Sprint("user:", i%owners)
		_, err := stores[i%2].AddOwned(context.Background(), owner, entry(i), 0, limit)
		if err != nil && !errors.Is(err, core.ErrOwnerLimit) {
			t.Error(err)
		}
	})
	for n := range owners {
		list, err := stores[0].ListOwned(t.Context(), fmt.Sprint("user:", n))
		require.NoError(t, err)
		require.Len(t, list, limit)
	}
}

// TestTheSweepForgetsWhatIsOver looks at the table itself: what is over need not be listed.
func TestTheSweepForgetsWhatIsOver(t *testing.T) {
	store, path := used(t, 0)
	const n = 450
	ctx, end := t.Context(), record(0).Expires
	together(50, func(g int) {
		for i := g; i < n; i += 50 {
			owner := fmt.Sprint("user:", i%7)
			if _, err := store.AddOwned(ctx, owner, entry(i), 0, 0); err != nil {
				t.Error(err)
			}
		}
	})
	forever := entry(n)
	forever.Until = time.Time{}
	_, err := store.AddOwned(ctx, "user:0", forever, 0, 0)
	require.NoError(t, err)
	for owner, until := range map[string]time.Time{
		"over": end, "later": end.Add(time.Hour), "never": {},
	} {
		_, _, err := store.RaiseEpoch(ctx, owner, 1, until)
		require.NoError(t, err)
	}
	_, _, err = store.RaiseEpoch(ctx, "later", 2, end) // asks for no less than before
	require.NoError(t, err)

	rows := func() []int64 {
		r := newRival(t, path)
		return []int64{r.number("SELECT count(*) FROM sessions_owned"),
			r.number("SELECT count(*) FROM sessions_epochs")}
	}
	for _, c := range []struct {
		at              time.Duration
		entries, epochs int64
	}{
		{5*time.Minute - time.Millisecond, n + 1, 3},
		{5 * time.Minute, 1, 2},
		{65 * time.Minute, 1, 1},
	} {
		swept, err := store.DeleteExpired(ctx, end.Add(c.at))
		require.NoError(t, err)
		require.Zero(t, swept, "records")
		require.Equal(t, []int64{c.entries, c.epochs}, rows(), "after %v", c.at)
	}
	epoch, err := store.OwnerEpoch(ctx, "over")
	require.NoError(t, err)
	require.Zero(t, epoch)
}

func TestAnEntryThatFindsNoRoomIsRefused(t *testing.T) {
	store := fresh(t)
	create(t, store, 1)
	require.NoError(t, store.LimitPages(true))
	var err error
	for n := 0; err == nil && n < 1000; n++ {
		_, err = store.AddOwned(t.Context(), "one", entry(n), 0, 0)
	}
	full(t, err)
	_, list, err := store.RaiseEpoch(t.Context(), "one", 1, time.Time{})
	require.NoError(t, err, "what ends sessions")
	require.NoError(t, store.RemoveOwned(t.Context(), "one", list...))
	require.NoError(t, store.LimitPages(false))
}

func TestAClosedStoreKeepsNoIndex(t *testing.T) {
	store := fresh(t)
	require.NoError(t, store.Close())
	const closed = "sqlitestore: the store is closed"
	ctx := t.Context()
	_, err := store.OwnerEpoch(ctx, "a")
	require.EqualError(t, err, closed)
	_, err = store.ListOwned(ctx, "a")
	require.EqualError(t, err, closed)
	_, err = store.AddOwned(ctx, "a", entry(1), 0, 0)
	require.EqualError(t, err, closed)
	_, _, err = store.RaiseEpoch(ctx, "a", 1, time.Time{})
	require.EqualError(t, err, closed)
	require.EqualError(t, store.RemoveOwned(ctx, "a"), closed)
	require.EqualError(t, store.RemoveOwned(ctx, "a", entry(1)), closed)
	_, err = store.Mark(ctx, "a")
	require.EqualError(t, err, closed)
	require.EqualError(t, store.RaiseMark(ctx, "a", time.Now()), closed)
	require.EqualError(t, store.Renew(ctx, version(1, 2), 1), closed)
	require.EqualError(t, store.Watch(ctx, newHeard()), closed)
}
