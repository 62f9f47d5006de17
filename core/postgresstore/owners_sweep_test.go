package postgresstore_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/internal/servers"
	"github.com/sessionserverstore/sessionserverstore/core/postgresstore"
)

// slack is how long owners are kept beyond what they must.
const slack = 10 * time.Minute

func TestASweepForgetsWhatIsOver(t *testing.T) {
	url := servers.SharedPostgres(t).Database(t)
	store, conn := open(t, url, postgresstore.Options{}), connect(t, url)
	at := func(minute int) time.Time { return time.UnixMilli(int64(minute) * 60_000).UTC() }
	addUntil := func(owner string, until time.Time) core.OwnerEntry {
		entry := newEntry()
		entry.Until = until
		_, err := store.AddOwned(t.Context(), owner, entry, 0, 0)
		require.NoError(t, err)
		return entry
	}
	sweep := func(minute int) {
		n, err := store.DeleteExpired(t.Context(), at(minute).Add(slack))
		require.NoError(t, err)
		require.Zero(t, n)
	}
	known := func(owner string) bool {
		return ask[bool](t, conn, "SELECT EXISTS (SELECT FROM sessions_owners WHERE owner = $1)", owner)
	}
	addUntil("one", at(10))
	first, last := addUntil("two", at(10)), addUntil("two", at(20))
	never := addUntil("never", time.Time{})
	addUntil("mixed", at(10))
	mixed := addUntil("mixed", time.Time{})
	removed := addUntil("removed", time.Time{})
	epoch := addUntil("epoch", at(10))
	_, _, err := store.RaiseEpoch(t.Context(), "epoch", 7, at(30))
	require.NoError(t, err)
	_, _, err = store.RaiseEpoch(t.Context(), "epoch", 8, at(20)) // the longer time counts
	require.NoError(t, err)
	_, _, err = store.RaiseEpoch(t.Context(), "for ever", 9, time.Time{})
	require.NoError(t, err)

	sweep(9)
	requireOwned(t, store, "two", first, last)
	requireOwned(t, store, "epoch", epoch)
	require.NoError(t, store.RemoveOwned(t.Context(), "removed", removed))
	require.True(t, known("one"))
	sweep(10)
	require.False(t, known("one"))
	require.False(t, known("removed"))
	requireOwned(t, store, "two", last)
	requireOwned(t, store, "mixed", mixed)
	requireOwned(t, store, "epoch")
	require.True(t, known("epoch"))
	again := addUntil("two", at(15))
	sweep(19)
	requireOwned(t, store, "two", last)
	addUntil("two", at(19))
	require.NoError(t, store.RemoveOwned(t.Context(), "two", again, last))
	sweep(29)
	require.False(t, known("two"))
	before, err := store.OwnerEpoch(t.Context(), "epoch")
	require.NoError(t, err)
	require.Equal(t, core.Epoch(8), before)
	sweep(30)
	require.False(t, known("epoch"))
	sweep(1e9)
	requireOwned(t, store, "never", never)
	requireOwned(t, store, "mixed", mixed)
	require.True(t, known("for ever"))
}

func TestSeveralNodesForgetOwnersAtOnce(t *testing.T) {
	url := servers.SharedPostgres(t).Database(t)
	store, conn := open(t, url, postgresstore.Options{}), connect(t, url)
	const over, alive, nodes = 3000, 1000, 4
	run(t, conn, fmt.Sprintf(`INSERT INTO sessions_owners SELECT 'user:' || n, 0, 0, 0, 1,
		CASE WHEN n <= %d THEN '{"a": "1 1"}' ELSE '{"a": "1 1", "b": "1 9e6"}'::jsonb END
		FROM generate_series(1, %d) n`, over, over+alive))
	run(t, conn, `UPDATE sessions_owners SET entries = '{"a": "1 1", "b": "1 9000000"}'
		WHERE entries ? 'b'`)
	var group sync.WaitGroup
	for range nodes {
		group.Go(func() {
			_, err := store.DeleteExpired(t.Context(), time.UnixMilli(1000).Add(slack))
			assert.NoError(t, err)
		})
	}
	group.Wait()
	_, err := store.DeleteExpired(t.Context(), time.UnixMilli(1000).Add(slack))
	require.NoError(t, err)
	assert.Equal(t, alive, ask[int](t, conn, `SELECT count(*) FROM sessions_owners
		WHERE due = 9000000 AND entries = '{"b": "1 9000000"}'`))
	assert.Equal(t, alive, ask[int](t, conn, "SELECT count(*) FROM sessions_owners"))
}

// What is added while a sweep looks at an owner stays, and what a sweep has forgotten comes anew.
func TestNothingThatIsAddedIsLostToASweep(t *testing.T) {
	url := servers.SharedPostgres(t).Database(t)
	for _, isolation := range isolations {
		t.Run(isolation, func(t *testing.T) {
			store := open(t, withIsolation(url, isolation)+"&pool_max_conns=8",
				postgresstore.Options{Table: newTable()})
			now := time.Now().UTC().Truncate(time.Millisecond)
			for n := range 300 {
				owner := fmt.Sprint("user:", n)
				old, added := newEntry(), newEntry()
				old.Until = now
				_, err := store.AddOwned(t.Context(), owner, old, 0, 0)
				require.NoError(t, err)
				var group sync.WaitGroup
				group.Go(func() {
					_, err := store.DeleteExpired(t.Context(), now.Add(slack))
					assert.NoError(t, err)
				})
				group.Go(func() {
					_, err := store.AddOwned(t.Context(), owner, added, 0, 0)
					assert.NoError(t, err)
				})
				group.Wait()
				_, err = store.DeleteExpired(t.Context(), now.Add(slack))
				require.NoError(t, err)
				requireOwned(t, store, owner, added)
			}
		})
	}
}
