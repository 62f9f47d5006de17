package servers_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core/internal/servers"
)

func TestCluster(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		c := engine.Cluster(t, "requirepass secret")
		require.Len(t, c.Addrs(), 6)
		atRest := func() {
			for _, node := range c.Nodes() {
				if node.Running() {
					timeout := node.MustDo("CONFIG", "GET", "cluster-node-timeout")
					require.Equal(t, []any{"cluster-node-timeout", "20000"}, timeout)
				}
			}
		}
		atRest()
		for _, key := range []string{"a", "b", "c"} { // one for each master
			master := c.MasterOf(key)
			require.Equal(t, "OK", master.MustDo("SET", key, key))
			require.Equal(t, int64(1), master.MustDo("WAIT", "1", "10000"))
			require.Equal(t, master.Addr(), "127.0.0.1:"+c.ReplicaOf(key).Info("master_port"))
		}
		require.NotEqual(t, c.MasterOf("a"), c.MasterOf("b"))
		require.NotEqual(t, c.MasterOf("b"), c.MasterOf("c"))

		replica := c.ReplicaOf("a")
		old := c.KillMaster(t, "a")
		require.False(t, old.Running())
		require.Equal(t, replica, c.AwaitMaster(t, "a", old))
		require.Equal(t, "a", replica.MustDo("GET", "a"))
		require.Nil(t, c.ReplicaOf("a"))
		atRest()

		old.Restart()
		atRest()
		eventually(t, func() bool { return c.ReplicaOf("a") == old }, "the old master comes back")
	})
}
