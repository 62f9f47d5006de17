package redisstore_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/internal/servers"
	"github.com/sessionserverstore/sessionserverstore/core/redisstore"
)

// longEnough is for what comes in some seconds, on a machine that may be slow.
const longEnough = 90 * time.Second

const password = "s3cret"

// withoutReplication has the replica lose its master and not find it again: the master wants a
// password.
func withoutReplication(t *testing.T, master, replica *servers.Redis) {
	t.Helper()
	replica.MustDo("CONFIG", "SET", "masterauth", "wrong")
	master.MustDo("CLIENT", "KILL", "TYPE", "replica")
	require.Eventually(t, func() bool {
		return replica.Info("master_link_status") == "down" &&
			master.Info("connected_slaves") == "0"
	}, longEnough, 10*time.Millisecond)
}

// lives reports whether the store holds the record as it is.
func lives(t *testing.T, store *redisstore.Store, want core.Record) func() bool {
	return func() bool {
		got, err := store.Load(t.Context(), want.ID)
		return err == nil && got == want
	}
}

func isGone(t *testing.T, store *redisstore.Store, id core.ID) func() bool {
	return func() bool {
		_, err := store.Load(t.Context(), id)
		return isNotFound(err)
	}
}

func eventually(t testing.TB, is func() bool, what string) {
	t.Helper()
	require.Eventually(t, is, longEnough, 20*time.Millisecond, what)
}

// A crash is how a server forgets what it acknowledged. It returns when the server is back.
type crash struct {
	url    string
	save   func() // what was written until now is kept
	forget func() // what was written since is not
}

func eachCrash(t *testing.T, test func(t *testing.T, c crash)) {
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		t.Run("restart", func(t *testing.T) {
			t.Parallel()
			test(t, restart(t, engine))
		})
		t.Run("sentinel", func(t *testing.T) {
			t.Parallel()
			test(t, sentinelFailover(t, engine))
		})
		t.Run("cluster", func(t *testing.T) {
			t.Parallel()
			test(t, clusterFailover(t, engine))
		})
	})
}

// restart is the crash of a server that has only a snapshot.
func restart(t *testing.T, engine servers.Engine) crash {
	server := engine.Start(t)
	return crash{
		url:    server.URL(),
		save:   func() { server.MustDo("SAVE") },
		forget: func() { server.Kill(); server.Restart() },
	}
}

func sentinelFailover(t *testing.T, engine servers.Engine) crash {
	s := engine.Sentinel(t, "requirepass "+password)
	addrs := s.Addrs()
	old := s.Master()
	return crash{
		url: fmt.Sprintf("redis://:%s@%s?addr=%s&addr=%s&master_set=%s",
			password, addrs[0], addrs[1], addrs[2], s.MasterName()),
		save: func() {
			caughtUp(t, old, s.Replica())
			withoutReplication(t, old, s.Replica())
		},
		forget: func() {
			eventually(t, func() bool {
				_, err := s.Sentinels()[0].Do("SENTINEL", "FAILOVER", s.MasterName())
				return err == nil // NOGOODSLAVE while the sentinel has no fresh news of the replica
			}, "the sentinel begins")
			s.AwaitMaster(t, old)
		},
	}
}

// clusterFailover has every replica take over.
func clusterFailover(t *testing.T, engine servers.Engine) crash {
	c := engine.Cluster(t, "requirepass "+password)
	masters, replicas := c.Nodes()[:3], c.Nodes()[3:]
	return crash{
		url: fmt.Sprintf("redis://:%s@%s?addr=%s", password, c.Addrs()[0], c.Addrs()[1]),
		save: func() {
			for i := range masters {
				caughtUp(t, masters[i], replicas[i])
				withoutReplication(t, masters[i], replicas[i])
			}
		},
		forget: func() {
			for i := range masters {
				replicas[i].MustDo("CLUSTER", "FAILOVER", "TAKEOVER")
			}
			eventually(t, func() bool {
				for i := range masters {
					if masters[i].Info("role") != "slave" {
						return false
					}
				}
				return true
			}, "the old masters hear of it")
		},
	}
}

func caughtUp(t *testing.T, master, replica *servers.Redis) {
	t.Helper()
	eventually(t, func() bool {
		offset := master.Info("master_repl_offset")
		return offset != "" && offset == replica.Info("slave_repl_offset")
	}, "the replica has all")
}

func TestWhatAFailoverUndidIsDoneAgain(t *testing.T) {
	eachCrash(t, func(t *testing.T, c crash) {
		options := redisstore.Options{Replicas: redisstore.NoReplicas}
		store := open(t, c.url, options)
		options.Journal = redisstore.NoJournal
		control := open(t, c.url, options)
		renew := func(s *redisstore.Store, rec core.Record) core.Record {
			renewed := changed(rec, "renewed "+rec.Data)
			require.NoError(t, s.Renew(t.Context(), renewed, rec.Revision))
			return renewed
		}

		var ends []core.Record
		for range 150 { // more than are sent at once
			ends = append(ends, created(t, store))
		}
		once, twice, renewedAndEnded := created(t, store), created(t, store), created(t, store)
		stays, undone, neverRenewed := created(t, store), created(t, store), created(t, store)
		touched := created(t, store)
		c.save()

		for _, rec := range ends {
			require.NoError(t, store.Delete(t.Context(), rec.ID))
		}
		once1, twice2 := renew(store, once), renew(store, renew(store, twice))
		require.NoError(t, store.Delete(t.Context(), renew(store, renewedAndEnded).ID))
		touched1, touched2 := changed(touched, touched.Data), changed(touched, "changed")
		require.NoError(t, store.Touch(t.Context(), touched1, touched.Revision))
		require.NoError(t, store.Update(t.Context(), touched2, touched1.Revision))
		touched3 := renew(store, touched2)
		require.NoError(t, control.Delete(t.Context(), undone.ID))
		renewedInVain := renew(control, neverRenewed)
		c.forget()

		eventually(t, lives(t, control, undone), "the server has forgotten an end")
		eventually(t, lives(t, control, neverRenewed), "and a renewal")
		for _, rec := range append(ends, renewedAndEnded) {
			if !isGone(t, control, rec.ID)() {
				eventually(t, isGone(t, control, rec.ID), "ended again")
			}
		}
		eventually(t, lives(t, control, once1), "renewed again")
		eventually(t, lives(t, control, twice2), "renewed twice again")
		eventually(t, lives(t, control, touched3), "with what came before")
		requireStored(t, control, undone)
		requireStored(t, control, stays)
		// What is not in the journal a repeated renewal cannot do again, either.
		// A client that still reads from the old master, a replica now, hears that at its first write.
		eventually(t, func() bool {
			err := control.Renew(t.Context(), renewedInVain, renewedInVain.Revision)
			return errors.Is(err, core.ErrConflict)
		}, "a conflict")
	})
}

// The Manager repeats a renewal that was not confirmed; a failover may have undone it meanwhile.
func TestARepeatedRenewalIsDoneAgainIfAFailoverUndidIt(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		server := engine.Start(t)
		store := open(t, server.URL(), redisstore.Options{Replicas: redisstore.NoReplicas})
		rec := created(t, store)
		renewed := changed(rec, "renewed")
		value := server.MustDo("GET", "session:"+string(rec.ID))
		require.NoError(t, store.Renew(t.Context(), renewed, rec.Revision))
		server.MustDo("SET", "session:"+string(rec.ID), value.(string))
		requireStored(t, store, rec)
		require.NoError(t, store.Renew(t.Context(), renewed, renewed.Revision))
		requireStored(t, store, renewed)
	})
}

func TestANewSessionUnderAnOldIDIsNotEndedAgain(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		c := restart(t, engine)
		store := open(t, c.url, redisstore.Options{})
		ended, again := created(t, store), created(t, store)
		require.NoError(t, store.Delete(t.Context(), again.ID))
		require.NoError(t, store.Create(t.Context(), again))
		c.save()
		require.NoError(t, store.Delete(t.Context(), ended.ID))
		c.forget()
		eventually(t, isGone(t, store, ended.ID), "ended again")
		requireStored(t, store, again)
	})
}

func TestOperationsGoOnAfterTheMastersDeath(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		t.Run("sentinel", func(t *testing.T) {
			t.Parallel()
			s := engine.Sentinel(t)
			addrs := s.Addrs()
			store := open(t, fmt.Sprintf("redis://%s?addr=%s&addr=%s&master_set=%s",
				addrs[0], addrs[1], addrs[2], s.MasterName()),
				redisstore.Options{ConfirmTimeout: patient})
			goesOn(t, store, func(string) { s.AwaitMaster(t, s.KillMaster(t)) })
		})
		t.Run("cluster", func(t *testing.T) {
			t.Parallel()
			c := engine.Cluster(t)
			store := open(t, "redis://"+strings.Join(c.Addrs()[:2], "?addr="),
				redisstore.Options{ConfirmTimeout: patient})
			goesOn(t, store, func(key string) { c.AwaitMaster(t, key, c.KillMaster(t, key)) })
		})
	})
}

func goesOn(t *testing.T, store *redisstore.Store, fail func(key string)) {
	t.Helper()
	rec := created(t, store)
	// By now it is on the replica, too: an end is confirmed, and all before it.
	eventually(t, func() bool {
		return store.Delete(t.Context(), newRecord().ID) == nil &&
			store.Durability() == core.Replicated
	}, "a replica is seen")
	renewed := changed(rec, "renewed")
	require.NoError(t, store.Renew(t.Context(), renewed, rec.Revision))
	begin := time.Now()
	fail("session:" + string(rec.ID))
	promoted := time.Now()
	eventually(t, lives(t, store, renewed), "it can be loaded")
	next := changed(renewed, "next")
	eventually(t, func() bool {
		_ = store.Update(t.Context(), next, renewed.Revision)
		return lives(t, store, next)()
	}, "it can be changed")
	t.Logf("promoted after %v, went on %v later", promoted.Sub(begin), time.Since(promoted))
	var err error
	eventually(t, func() bool {
		ctx, cancel := contextWithTimeout(t, patient/4) // it leaves time for the answer
		defer cancel()
		err = store.Delete(ctx, rec.ID)
		return err == nil || isNotDurable(err)
	}, "it can be ended")
	require.ErrorIs(t, err, core.ErrNotDurable, "the new master has no replica")
	requireGone(t, store, rec.ID)
}
