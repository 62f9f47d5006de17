package redisstore_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/internal/servers"
	"github.com/sessionserverstore/sessionserverstore/core/redisstore"
)

func newEpoch() core.Epoch { return core.Epoch(newRevision()) }

// newEntry is of a session that nobody has, and that ends in an hour.
func newEntry() core.OwnerEntry {
	rec := newRecord()
	return core.OwnerEntry{ID: rec.ID, Revision: rec.Revision, Until: rec.Expires}
}

func inAnHour() time.Time { return time.Now().Add(time.Hour) }

// added adds an entry to an owner in the first epoch.
func added(t testing.TB, store *redisstore.Store, owner string) core.OwnerEntry {
	t.Helper()
	entry := newEntry()
	_, err := store.AddOwned(t.Context(), owner, entry, 0, 0)
	require.NoError(t, err)
	return entry
}

func requireOwned(
	t testing.TB, store *redisstore.Store, owner string, want ...core.OwnerEntry,
) {
	t.Helper()
	got, err := store.ListOwned(t.Context(), owner)
	require.NoError(t, err)
	require.ElementsMatch(t, want, got)
}

// ownerKey is the only key there is of an owner.
func ownerKey(t testing.TB, server *servers.Redis) string {
	t.Helper()
	keys, _ := server.MustDo("KEYS", "session:owner:*").([]any)
	require.Len(t, keys, 1)
	return keys[0].(string)
}

func TestAnOwnersEntriesAreKeptWhateverTheOwnerIsCalled(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		server := engine.Start(t)
		store := open(t, server.URL(), redisstore.Options{})
		var owners []string
		for _, owner := range []string{
			"user:42", "*", "{}", "a{b}c", "line\nend", `"quoted"`, "ünï", " ", strings.Repeat("x", 255),
		} {
			owners = append(owners, owner, owner+":")
		}
		var entries []core.OwnerEntry
		for _, owner := range owners {
			entries = append(entries, added(t, store, owner))
		}
		for i, owner := range owners {
			requireOwned(t, store, owner, entries[i])
		}
		keys, _ := server.MustDo("KEYS", "*").([]any)
		require.Len(t, keys, len(owners))
		for _, key := range keys {
			require.Regexp(t, `^session:owner:[A-Za-z0-9_-]{32}$`, key, "no owner is in a key")
		}
		other := open(t, server.URL(), redisstore.Options{Prefix: "other:"})
		requireOwned(t, other, "user:42")
	})
}

func TestAnOwnerWithVeryManyEntriesIsListedAndRevoked(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		server := engine.Start(t)
		store := open(t, server.URL(), redisstore.Options{})
		const many = 10_000
		entries := make([]core.OwnerEntry, many)
		var next atomic.Int64
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				for i := next.Add(1) - 1; i < many; i = next.Add(1) - 1 {
					entries[i] = newEntry()
					_, err := store.AddOwned(t.Context(), "crowd", entries[i], 0, many)
					if err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		all.Wait()
		_, err := store.AddOwned(t.Context(), "crowd", newEntry(), 0, many)
		require.ErrorIs(t, err, core.ErrOwnerLimit)
		listed, err := store.ListOwned(t.Context(), "crowd")
		require.NoError(t, err)
		requireSame(t, entries, listed)

		begin := time.Now()
		before, listed, err := store.RaiseEpoch(t.Context(), "crowd", newEpoch(), inAnHour())
		require.NoError(t, err)
		raised := time.Since(begin)
		require.Zero(t, before)
		requireSame(t, entries, listed)
		begin = time.Now()
		require.NoError(t, store.RemoveOwned(t.Context(), "crowd", listed[1:]...))
		t.Logf("raised in %v, removed in %v", raised, time.Since(begin))
		requireOwned(t, store, "crowd", listed[0])
	})
}

func requireSame(t *testing.T, want, got []core.OwnerEntry) {
	t.Helper()
	byID := func(a, b core.OwnerEntry) int { return strings.Compare(string(a.ID), string(b.ID)) }
	want = slices.SortedFunc(slices.Values(want), byID)
	got = slices.SortedFunc(slices.Values(got), byID)
	require.True(t, slices.Equal(want, got), "%d entries are listed", len(got))
}

func TestAFullServerTakesNoEntryButRaisesEpochs(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		server := engine.Start(t, "maxmemory-policy noeviction")
		store := open(t, server.URL(), redisstore.Options{})
		entry := added(t, store, "user:42")
		at := time.Now().UTC().Truncate(time.Millisecond)
		server.MustDo("CONFIG", "SET", "maxmemory", "1")
		_, err := store.AddOwned(t.Context(), "user:42", newEntry(), 0, 0)
		require.ErrorIs(t, err, core.ErrStoreFull)
		require.NoError(t, store.RaiseMark(t.Context(), "all", at))
		epoch := newEpoch()
		_, entries, err := store.RaiseEpoch(t.Context(), "user:42", epoch, inAnHour())
		require.NoError(t, err)
		require.Equal(t, []core.OwnerEntry{entry}, entries)
		got, err := store.OwnerEpoch(t.Context(), "user:42")
		require.NoError(t, err)
		require.Equal(t, epoch, got)
		require.NoError(t, store.RemoveOwned(t.Context(), "user:42", entry))
		requireOwned(t, store, "user:42")
		mark, err := store.Mark(t.Context(), "all")
		require.NoError(t, err)
		require.Equal(t, at, mark)
	})
}

func TestWhatIsNoEntryIsAnError(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		server := engine.Start(t)
		store := open(t, server.URL(), redisstore.Options{})
		added(t, store, "user:42")
		key := ownerKey(t, server)
		for name, put := range map[string][]string{
			"a text":           {"SET", key, "x"},
			"a short entry":    {"HSET", key, string(newEntry().ID), "x"},
			"a short epoch":    {"HSET", key, ":", "x"},
			"a mark of no use": {"SET", "session:mark:all", "soon"},
		} {
			t.Run(name, func(t *testing.T) {
				server.MustDo("FLUSHALL")
				server.MustDo(put...)
				if strings.HasPrefix(put[1], "session:mark:") {
					_, err := store.Mark(t.Context(), "all")
					requireNoVerdict(t, err)
					return
				}
				_, _, err := store.RaiseEpoch(t.Context(), "user:42", newEpoch(), inAnHour())
				requireNoVerdict(t, err)
				if put[2] == ":" {
					return
				}
				_, err = store.ListOwned(t.Context(), "user:42")
				requireNoVerdict(t, err)
			})
		}
	})
}

func TestAMarkNeverGoesBack(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		server := engine.Start(t)
		store := open(t, server.URL(), redisstore.Options{})
		now := time.Now().UTC().Truncate(time.Millisecond)
		for _, tt := range []struct{ name, at, want time.Duration }{
			{0, 0, 0}, {0, 5, 5}, {0, 4, 5}, {1, 3, 3}, {0, 6, 6},
		} {
			name := "mark-" + strconv.Itoa(int(tt.name))
			require.NoError(t, store.RaiseMark(t.Context(), name, now.Add(tt.at*time.Millisecond)))
			got, err := store.Mark(t.Context(), name)
			require.NoError(t, err)
			require.Equal(t, now.Add(tt.want*time.Millisecond), got)
			require.EqualValues(t, -1, pttl(server, "session:mark:"+name))
		}
		got, err := store.Mark(t.Context(), "none")
		require.NoError(t, err)
		require.True(t, got.IsZero())
	})
}

func TestOwnersAndMarksHoldNoCallBeyondItsDeadline(t *testing.T) {
	eachOutage(t, longTimeouts, redisstore.Options{Replicas: 1}, func(
		t *testing.T, link *servers.Link, store *redisstore.Store,
	) {
		link.Cut()
		ctx, cancel := contextWithTimeout(t, 200*time.Millisecond)
		defer cancel()
		begin := time.Now()
		var all sync.WaitGroup
		for name, call := range map[string]func() error{
			"OwnerEpoch": func() error { _, err := store.OwnerEpoch(ctx, "x"); return err },
			"AddOwned": func() error {
				_, err := store.AddOwned(ctx, "x", newEntry(), 0, 0)
				return err
			},
			"ListOwned":   func() error { _, err := store.ListOwned(ctx, "x"); return err },
			"RemoveOwned": func() error { return store.RemoveOwned(ctx, "x", newEntry()) },
			"RaiseEpoch": func() error {
				_, _, err := store.RaiseEpoch(ctx, "x", 1, time.Time{})
				return err
			},
			"Mark":      func() error { _, err := store.Mark(ctx, "x"); return err },
			"RaiseMark": func() error { return store.RaiseMark(ctx, "x", time.Now()) },
		} {
			all.Go(func() {
				if err := call(); !strings.Contains(fmt.Sprint(err), "deadline exceeded") {
					t.Errorf("%s answers %v", name, err)
				}
			})
		}
		all.Wait()
		require.Less(t, time.Since(begin), soon)
	})
}
