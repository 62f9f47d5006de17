package redisstore_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/internal/servers"
	"github.com/sessionserverstore/sessionserverstore/core/redisstore"
)

// pttl is for how long the server keeps a key, -1 being for ever.
func pttl(server *servers.Redis, key string) time.Duration {
	ms, _ := server.MustDo("PTTL", key).(int64)
	if ms < 0 {
		return time.Duration(ms)
	}
	return time.Duration(ms) * time.Millisecond
}

func TestAnOwnersKeyIsKeptAsLongAsAnythingInItIsNeeded(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		server := engine.Start(t)
		store := open(t, server.URL(), redisstore.Options{})
		owner := "user:42"
		var key string
		requireAbout := func(hours time.Duration) {
			t.Helper()
			key = ownerKey(t, server)
			left := pttl(server, key)
			require.Greater(t, left, hours*time.Hour)
			require.Less(t, left, hours*time.Hour+6*time.Minute)
		}
		add := func(until time.Time) core.OwnerEntry {
			entry := newEntry()
			entry.Until = until
			epoch, err := store.OwnerEpoch(t.Context(), owner)
			require.NoError(t, err)
			_, err = store.AddOwned(t.Context(), owner, entry, epoch, 0)
			require.NoError(t, err)
			return entry
		}
		raise := func(until time.Time) {
			_, _, err := store.RaiseEpoch(t.Context(), owner, newEpoch(), until)
			require.NoError(t, err)
		}
		in := func(hours time.Duration) time.Time { return time.Now().Add(hours * time.Hour) }

		add(in(2))
		requireAbout(2)
		add(in(1))
		requireAbout(2)
		raise(in(1))
		requireAbout(2)
		raise(in(5))
		requireAbout(5)
		add(in(7))
		requireAbout(7)
		never := add(time.Time{})
		require.EqualValues(t, -1, pttl(server, key))
		add(in(9))
		raise(in(1))
		require.EqualValues(t, -1, pttl(server, key), "what is kept for ever stays so")
		// Where only the epoch is left it is kept for as long as any of them was to be.
		require.NoError(t, store.RemoveOwned(t.Context(), owner, never))
		require.EqualValues(t, -1, pttl(server, key))
		rest, err := store.ListOwned(t.Context(), owner)
		require.NoError(t, err)
		require.NoError(t, store.RemoveOwned(t.Context(), owner, rest...))
		requireAbout(5)
	})
}

func TestAKeyWithoutEntriesAndEpochGoes(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		server := engine.Start(t)
		store := open(t, server.URL(), redisstore.Options{})
		entry := newEntry()
		entry.Until = time.Time{}
		_, err := store.AddOwned(t.Context(), "user:42", entry, 0, 0)
		require.NoError(t, err)
		require.NoError(t, store.RemoveOwned(t.Context(), "user:42", entry))
		require.EqualValues(t, 0, server.MustDo("DBSIZE"))
	})
}

// An owner who signs in every day, and whose list nobody ever looks at.
func TestEntriesThatAreNotNeededGoWithLaterOnes(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		server := engine.Start(t)
		store := open(t, server.URL(), redisstore.Options{})
		alive, never := added(t, store, "user:42"), newEntry()
		never.Until = time.Time{}
		_, err := store.AddOwned(t.Context(), "user:42", never, 0, 0)
		require.NoError(t, err)
		for range 500 {
			entry := newEntry()
			entry.Until = time.Now().Add(-time.Hour)
			_, err := store.AddOwned(t.Context(), "user:42", entry, 0, 0)
			require.NoError(t, err)
		}
		entries, err := store.ListOwned(t.Context(), "user:42")
		require.NoError(t, err)
		require.Less(t, len(entries), 50)
		require.Contains(t, entries, core.OwnerEntry{
			ID: alive.ID, Revision: alive.Revision, Until: alive.Until,
		})
		require.Contains(t, entries, never)

		soon := newEntry() // it is over, but another machine's clock may differ
		soon.Until = time.Now().Add(-3 * time.Minute).UTC().Truncate(time.Millisecond)
		_, err = store.AddOwned(t.Context(), "user:43", soon, 0, 0)
		require.NoError(t, err)
		requireOwned(t, store, "user:43", soon, added(t, store, "user:43"))
	})
}
