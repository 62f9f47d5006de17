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
	want, got = slices.SortedFunc(slices.Values(want), byID), slices.SortedFunc(slices.Values(got), byID)
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

// Which confirmed calls there are beside ends and renewals.
func confirmedCalls(t *testing.T, store *redisstore.Store) map[string]func() error {
	entry, epoch, at := newEntry(), newEpoch(), time.Now()
	return map[string]func() error{
		"AddOwned": func() error {
			n, err := store.AddOwned(t.Context(), "adding", entry, 0, 1)
			if err == nil || isNotDurable(err) {
				require.Equal(t, 1, n)
			}
			return err
		},
		"RaiseEpoch": func() error {
			_, entries, err := store.RaiseEpoch(t.Context(), "raising", epoch, inAnHour())
			if err == nil || isNotDurable(err) {
				require.Len(t, entries, 1)
			}
			return err
		},
		"RaiseMark": func() error { return store.RaiseMark(t.Context(), "all", at) },
	}
}

func TestWhatNoReplicaHasOfAnOwnerIsNotDurable(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		p := newPair(t, engine)
		for name, options := range map[string]redisstore.Options{
			"a replica is asked for": {Replicas: 1, ConfirmTimeout: quick},
			"automatic":              {ConfirmTimeout: quick, Journal: redisstore.NoJournal},
		} {
			t.Run(name, func(t *testing.T) {
				p.link.Heal()
				put := open(t, p.master.URL(), redisstore.Options{Replicas: redisstore.NoReplicas})
				p.master.MustDo("FLUSHALL")
				added(t, put, "raising")
				p.link.Cut()
				for call := range confirmedCalls(t, nil) {
					store := open(t, p.master.URL(), options)
					do := confirmedCalls(t, store)[call]
					for range 3 { // the first, and what has nothing new to write
						require.ErrorIs(t, do(), core.ErrNotDurable, call)
					}
					p.link.Heal()
					eventually(t, func() bool { return do() == nil }, call+" is confirmed")
					before := offset(t, p.master)
					require.NoError(t, do())
					require.Greater(t, offset(t, p.master)-before, int64(60), "it writes again")
					p.link.Cut()
				}
				require.NoError(t, put.RaiseMark(t.Context(), "all", time.Now()))
			})
		}
	})
}

func TestARefusedEntryIsNotInNeedOfConfirmation(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		p := newPair(t, engine)
		store := open(t, p.master.URL(), redisstore.Options{Replicas: 1, ConfirmTimeout: patient})
		entry := added(t, store, "user:42")
		p.link.Cut()
		n, err := store.AddOwned(t.Context(), "user:42", newEntry(), 0, 1)
		require.ErrorIs(t, err, core.ErrOwnerLimit)
		require.Equal(t, 1, n)
		_, err = store.AddOwned(t.Context(), "user:42", newEntry(), newEpoch(), 0)
		require.ErrorIs(t, err, core.ErrConflict)
		requireOwned(t, store, "user:42", entry)
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
