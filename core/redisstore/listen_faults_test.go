package redisstore_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core/internal/servers"
	"github.com/sessionserverstore/sessionserverstore/core/redisstore"
)

// A watch must notice within a few seconds that nothing comes to it any more.
func TestAWatchNoticesThatItHearsNothing(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		for name, fault := range map[string]func(server *servers.Redis, link *servers.Link){
			"a black hole":                 func(_ *servers.Redis, link *servers.Link) { link.Cut() },
			"a broken way":                 func(_ *servers.Redis, link *servers.Link) { link.Drop() },
			"a server that hangs":          func(server *servers.Redis, _ *servers.Link) { server.Pause() },
			"a server that dies":           func(server *servers.Redis, _ *servers.Link) { server.Kill() },
			"a server that ends the watch": killSubscribers,
			"rights that are taken":        func(s *servers.Redis, _ *servers.Link) { withoutChannels(s) },
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				server := engine.Start(t)
				server.MustDo("ACL", "SETUSER", "shop", "on", ">"+password, "~*", "+@all", "&*")
				link := servers.NewLink(t, server.Addr())
				store := open(t, "redis://shop:"+password+"@"+link.Addr()+"?"+longTimeouts,
					redisstore.Options{})
				l := watch(t, store).hears(t)
				l.requireTold(t, store, 1)
				begin := time.Now()
				fault(server, link)
				err := l.requireOver(t)
				t.Logf("noticed after %v: %v", time.Since(begin), err)
			})
		}
	})
}

func killSubscribers(server *servers.Redis, _ *servers.Link) {
	server.MustDo("CLIENT", "KILL", "TYPE", "pubsub")
}

func withoutChannels(server *servers.Redis) {
	server.MustDo("ACL", "SETUSER", "shop", "resetchannels")
}

func TestAWatchGoesOnWhereAnotherBegan(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		server := engine.Start(t)
		link := servers.NewLink(t, server.Addr())
		store := open(t, "redis://"+link.Addr(), redisstore.Options{})
		other := open(t, server.URL(), redisstore.Options{})
		for range 2 {
			l := watchAgain(t, store)
			l.requireTold(t, other, 1)
			link.Cut()
			l.requireOver(t)
			require.Error(t, store.Watch(shortContext(t), l), "it does not hang")
			link.Drop()
			link.Heal()
			eventually(t, works(t, store), "the server is there again")
		}
	})
}

func shortContext(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	t.Cleanup(cancel)
	return ctx
}

// After a failover the old master may still be there, and cut off from what matters.
func TestAWatchLeavesAMasterThatWasReplaced(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		s := engine.Sentinel(t)
		addrs := s.Addrs()
		url := fmt.Sprintf("redis://%s?addr=%s&addr=%s&master_set=%s",
			addrs[0], addrs[1], addrs[2], s.MasterName())
		store, other := open(t, url, redisstore.Options{}), open(t, url, redisstore.Options{})
		l := watch(t, store).hears(t)
		l.requireTold(t, other, 1)
		old := s.Master()
		s.Link(old).Cut()
		begin := time.Now()
		err := l.requireOver(t)
		t.Logf("noticed after %v: %v", time.Since(begin), err)
		s.AwaitMaster(t, old)
		l = watchAgain(t, store)
		eventually(t, works(t, other), "it finds the new master")
		l.requireTold(t, other, 1)
	})
}

// A connection of its own may lead elsewhere than that of the other calls.
func TestAWatchAtAnotherServerIsNeverReady(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		one, another := engine.Start(t), engine.Start(t)
		way := newSign(t, one.Addr())
		store := open(t, "redis://"+way.addr, redisstore.Options{})
		require.NoError(t, store.Ping(t.Context()))
		addr := another.Addr()
		way.to.Store(&addr)
		l := watch(t, store)
		l.requireOver(t)
		select {
		case <-l.ready:
			require.Fail(t, "it was ready")
		default:
		}
	})
}

// watchAgain tries until a watch is ready, as the Manager does.
func watchAgain(t *testing.T, store *redisstore.Store) (l *listening) {
	t.Helper()
	eventually(t, func() bool {
		l = watch(t, store)
		select {
		case <-l.ready:
			return true
		case <-l.over:
			return false
		}
	}, "it watches again")
	return l
}

// A demoted master goes on publishing what comes from the new one, as long as it hears of it.
func TestAWatchAtADemotedMasterHearsOrEnds(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		old, next := engine.Start(t), engine.Start(t)
		way := newSign(t, old.Addr())
		store := open(t, "redis://"+way.addr, redisstore.Options{})
		other := open(t, next.URL(), redisstore.Options{})
		l := watch(t, store).hears(t)
		l.requireTold(t, store, 1)
		addr := next.Addr()
		way.to.Store(&addr)
		link := servers.NewLink(t, next.Addr())
		old.ReplicaOf(link.Addr())
		old.AwaitReplica(t)
		eventually(t, works(t, store), "it finds the new master")
		rec := newRecord()
		eventually(t, func() bool {
			err := other.Delete(t.Context(), rec.ID)
			return (err == nil || isNotDurable(err)) && (l.hasEnded(rec.ID)() || len(l.over) > 0)
		}, "it comes by way of the replica, or the watch is over")
		link.Cut()
		l.requireOver(t)
		watchAgain(t, store).requireTold(t, other, 1)
	})
}

// What was ended at the new master, before the old one followed it, is not heard there.
func TestAWatchAtAMasterThatWasDemotedLateEnds(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		for name, lead := range map[string]func(old *servers.Redis){
			"and answers": func(*servers.Redis) {},
			"whose connections were cut": func(old *servers.Redis) {
				old.MustDo("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
			},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				old, next := engine.Start(t), engine.Start(t)
				next.ReplicaOf(old.Addr())
				next.AwaitReplica(t)
				way := newSign(t, old.Addr())
				store := open(t, "redis://"+way.addr, redisstore.Options{})
				l := watch(t, store).hears(t)
				l.requireTold(t, store, 1)

				addr := next.Addr()
				next.ReplicaOf("")
				way.to.Store(&addr)
				lead(old)
				other := open(t, next.URL(), redisstore.Options{})
				rec := created(t, other)
				if err := other.Delete(t.Context(), rec.ID); !isNotDurable(err) {
					require.NoError(t, err)
				}
				require.False(t, l.hasEnded(rec.ID)())
				old.MustDo("SET", "x", "y") // so that it needs a copy of everything
				old.ReplicaOf(addr)
				old.AwaitReplica(t)
				l.requireOver(t)
			})
		}
	})
}

func TestAWatchOutlivesAFailoverOfAClusterOrSaysThatItDoesNot(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		cluster := engine.Cluster(t)
		urls := strings.Join(cluster.Addrs()[:2], "?addr=")
		store := open(t, "redis://"+urls, redisstore.Options{})
		other := open(t, "redis://"+urls, redisstore.Options{})
		l := watch(t, store).hears(t)
		l.requireTold(t, other, 3)
		key := "session:" + string(newRecord().ID)
		cluster.AwaitMaster(t, key, cluster.KillMaster(t, key))
		eventually(t, works(t, other), "the cluster goes on")
		for range 20 { // of all masters
			rec := newRecord()
			for told := false; !told; {
				eventually(t, func() bool {
					err := other.Delete(t.Context(), rec.ID)
					told = (err == nil || isNotDurable(err)) && l.hasEnded(rec.ID)()
					return told || len(l.over) > 0
				}, "what is ended at the new master is told, or the watch is over")
				if !told {
					t.Logf("it was over: %v", <-l.over)
					l = watchAgain(t, store)
				}
			}
		}
	})
}

// The subscription is at a node that the others cannot reach any more.
func TestAWatchAtANodeThatIsCutOffFromItsClusterEnds(t *testing.T) {
	engine := servers.Engines(t)[0]
	cluster := engine.Cluster(t)
	store := open(t, "redis://"+cluster.Addrs()[0], redisstore.Options{})
	l := watch(t, store).hears(t)
	var at *servers.Redis
	for _, node := range cluster.Nodes() {
		if list, _ := node.MustDo("CLIENT", "LIST", "TYPE", "pubsub").(string); list != "" {
			at = node
		}
	}
	require.NotNil(t, at)
	// It forgets the others, and they it.
	for _, node := range cluster.Nodes() {
		if node != at && slices.Contains(cluster.Addrs(), node.Addr()) {
			_, _ = at.Do("CLUSTER", "FORGET", name(node))
			_, _ = node.Do("CLUSTER", "FORGET", name(at))
		}
	}
	l.requireOver(t)
}
