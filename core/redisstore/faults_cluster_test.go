package redisstore_test

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core/internal/servers"
)

// ordersAhead opens a way on which a server gets an order while it is paused, to be carried out
// before anything that was sent to it later.
func ordersAhead(t *testing.T, server *servers.Redis) (order func(words ...string)) {
	t.Helper()
	conn, err := net.Dial("tcp", server.Addr())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return func(words ...string) {
		_, err := fmt.Fprintf(conn, "%s\r\n", strings.Join(words, " "))
		require.NoError(t, err)
	}
}

// fallBehind stops a replica in its tracks, and fills the system's buffers on the way to it, so
// that what its master is told from now on stays in the master.
func fallBehind(t *testing.T, master, replica *servers.Redis, key string) {
	t.Helper()
	replica.Pause()
	megabyte := strings.Repeat("x", 1<<20)
	// The greatest net.ipv4.tcp_rmem and tcp_wmem come to 10 or 36 megabytes, and with 64 a master
	// gives a replica up.
	for i := range 48 {
		master.MustDo("SET", fmt.Sprintf("{%s}:%d", key, i%4), megabyte)
	}
}

// clusterBouts are those for which a cluster's master fails. Only the sessions of that one master
// are in danger.
func clusterBouts(fault string) bouts {
	return bouts{
		{name: fault + " nothing confirmed", options: nothingConfirmed, loses: true},
		{name: fault + " ends confirmed", options: endsConfirmed, heals: true},
		{name: fault + " all confirmed", options: allConfirmed, keeps: true, heals: true},
		{name: fault + " with a journal", options: journalAlone, config: untouched(), heals: true},
	}
}

// failOver lets a master fail while its replica lags behind.
func failOver(
	t *testing.T, seed uint64, cluster *servers.Cluster, name, key string,
	fail func(master, replica *servers.Redis),
) {
	t.Helper()
	addrs := cluster.Addrs()
	url := "redis://" + addrs[0] + "?addr=" + strings.Join(addrs[1:], "&addr=")
	master, replica := awaitPair(t, cluster, key)
	awaitSync(t, master, replica)
	all := clusterBouts(name)
	all.begin(t, seed, url)
	all.awaitSurvey(t, master)
	awaitSync(t, master, replica)
	fallBehind(t, master, replica, key)
	all.harm()
	fail(master, replica)
	cluster.AwaitMaster(t, key, master)
	all.judge(t, url)
}

// A master of a cluster is killed while its replica lags behind.
func TestFaultsMasterOfAClusterIsKilled(t *testing.T) {
	slowFault(t, 0, func(t *testing.T, engine servers.Engine, seed uint64) {
		failOver(t, seed, engine.Cluster(t), "kill", "a", func(master, replica *servers.Redis) {
			master.Kill()
			replica.Resume()
		})
	})
}

// A replica that lags behind takes over from a master that is alive, and that clients still talk
// to.
func TestFaultsReplicaOfAClusterTakesOver(t *testing.T) {
	slowFault(t, 1, func(t *testing.T, engine servers.Engine, seed uint64) {
		cluster := engine.Cluster(t)
		_, replica := awaitPair(t, cluster, "a")
		order := ordersAhead(t, replica)
		failOver(t, seed, cluster, "takeover", "a", func(_, replica *servers.Redis) {
			order("CLUSTER", "FAILOVER", "TAKEOVER")
			replica.Resume()
		})
	})
}
