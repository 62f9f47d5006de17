package redisstore_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core/internal/faults"
	"github.com/sessionserverstore/sessionserverstore/core/internal/servers"
)

// One fault after another, at random, in a cluster whose servers have append-only files, while
// clients use sessions without a pause; where everything is confirmed nothing is lost. Each fault
// is one that others here are a positive control of, or one that hurts for a moment only.
//
// A master is not paused, nor cut off, for so long that its replica takes its place: until it
// learns of that, which no store can hurry, it shows who still reads from it what was there before.
func TestFaultsAtRandomInACluster(t *testing.T) {
	slowFault(t, 1, func(t *testing.T, engine servers.Engine, seed uint64) {
		rng := rand.New(rand.NewPCG(seed, 0))
		cluster := engine.Cluster(t, "appendonly yes")
		addrs := cluster.Addrs()
		url := "redis://" + addrs[0] + "?addr=" + strings.Join(addrs[1:], "&addr=")
		b := &bout{name: "all confirmed", options: allConfirmed}
		run := faults.Start(t, seed, b.nodes(t, url)...).Name(b.name)
		run.Create(30)
		stop := run.Go(faults.Load{Pause: 10 * time.Millisecond})
		some := randomFaults()
		steps := 3
		if !faultSettings.Quick() {
			steps = 10
		}
		for range steps {
			key := fmt.Sprint("key", rng.IntN(1000))
			one := some[rng.IntN(len(some))]
			t.Logf("%s, of the slot of %s", one.name, key)
			master, replica := awaitPair(t, cluster, key)
			one.happens(t, run, cluster, key, master, replica)
		}
		awaitOperations(t, run, 100)
		stop()
		run.Use(b.nodes(t, url)...)
		run.Await()
		run.ReadAll()
		noneLost(t, run)
	})
}

type randomFault struct {
	name    string
	happens func(t *testing.T, run *faults.Run, cluster *servers.Cluster, key string,
		master, replica *servers.Redis)
}

func randomFaults() []randomFault {
	return []randomFault{
		{"a master is killed, and comes back as a replica", func(t *testing.T, run *faults.Run,
			cluster *servers.Cluster, key string, master, _ *servers.Redis) {
			master.Kill()
			cluster.AwaitMaster(t, key, master)
			awaitOperations(t, run, 50)
			master.Restart()
		}},
		{"a master is killed, and comes back at once", func(t *testing.T, run *faults.Run,
			_ *servers.Cluster, _ string, master, _ *servers.Redis) {
			master.Kill()
			master.Restart()
			awaitOperations(t, run, 50)
		}},
		{"a replica is killed, and comes back", func(t *testing.T, run *faults.Run,
			_ *servers.Cluster, _ string, _, replica *servers.Redis) {
			replica.Kill()
			awaitOperations(t, run, 50)
			replica.Restart()
		}},
		{"a replica hangs, and goes on", func(t *testing.T, run *faults.Run,
			_ *servers.Cluster, _ string, _, replica *servers.Redis) {
			replica.Pause()
			awaitOperations(t, run, 50)
			replica.Resume()
		}},
		{"a replica takes over in good order", func(t *testing.T, run *faults.Run,
			cluster *servers.Cluster, key string, master, replica *servers.Redis) {
			cluster.Watch()
			for range 10 { // it gives up by itself after 5 seconds
				replica.MustDo("CLUSTER", "FAILOVER")
				if shortly(func() bool { return replica.Info("role") == "master" }) {
					break
				}
			}
			cluster.AwaitMaster(t, key, master)
			awaitOperations(t, run, 50)
		}},
	}
}

// shortly waits some seconds until something is so, and reports whether it came to that.
func shortly(isSo func() bool) bool {
	limit, again := time.After(6*time.Second), time.NewTicker(faultPoll)
	defer again.Stop()
	for !isSo() {
		select {
		case <-again.C:
		case <-limit:
			return false
		}
	}
	return true
}

// awaitPair waits until a key has a master, and a replica that has all of its data.
func awaitPair(
	t *testing.T, cluster *servers.Cluster, key string,
) (master, replica *servers.Redis) {
	t.Helper()
	require.Eventually(t, func() bool {
		master, replica = cluster.MasterOf(key), cluster.ReplicaOf(key)
		return master != nil && replica != nil &&
			replica.Info("master_link_status") == "up" &&
			strings.Contains(master.Info("slave0"), "state=online")
	}, faultPatience, faultPoll)
	return master, replica
}
