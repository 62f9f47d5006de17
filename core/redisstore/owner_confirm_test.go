package redisstore_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/internal/servers"
	"github.com/sessionserverstore/sessionserverstore/core/redisstore"
)

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
					var wrote int64
					eventually(t, func() bool {
						before := offset(t, p.master)
						err := do()
						wrote = offset(t, p.master) - before
						return err == nil
					}, call+" is confirmed")
					require.Greater(t, wrote, int64(60), "it writes again")
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
		// Redis before 7.2 waits nevertheless, for what others have written.
		store = open(t, p.master.URL(), redisstore.Options{Replicas: 1, ConfirmTimeout: quick})
		n, err := store.AddOwned(t.Context(), "user:42", newEntry(), 0, 1)
		require.ErrorIs(t, err, core.ErrOwnerLimit)
		require.Equal(t, 1, n)
		_, err = store.AddOwned(t.Context(), "user:42", newEntry(), newEpoch(), 0)
		require.ErrorIs(t, err, core.ErrConflict)
		requireOwned(t, store, "user:42", entry)
	})
}

// In automatic the first addition is repeated, to be confirmed. An epoch that is raised in between
// refuses that, but has listed the entry.
func TestTheFirstEntryIsRefusedOrListed(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		server := engine.Start(t)
		replicaOf(t, server, nil)
		options := redisstore.Options{Replicas: redisstore.NoReplicas}
		revoking := open(t, server.URL(), options)
		options = redisstore.Options{Journal: redisstore.NoJournal, ConfirmTimeout: patient}
		for n := range 60 {
			owner, entry := fmt.Sprint("owner ", n), newEntry()
			store := open(t, server.URL(), options)
			require.NoError(t, store.Ping(t.Context()))
			var err error
			var adding sync.WaitGroup
			adding.Go(func() { _, err = store.AddOwned(t.Context(), owner, entry, 0, 0) })
			var listed []core.OwnerEntry
			for epoch := core.Epoch(1); epoch < 20; epoch++ {
				_, some, err := revoking.RaiseEpoch(t.Context(), owner, epoch%2, inAnHour())
				require.NoError(t, err)
				listed = append(listed, some...)
			}
			adding.Wait()
			if slices.Contains(listed, entry) {
				require.NotErrorIs(t, err, core.ErrConflict)
			}
		}
	})
}
