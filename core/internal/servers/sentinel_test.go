package servers_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core/internal/servers"
)

func TestSentinel(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		s := engine.Sentinel(t, "requirepass secret")
		master, replica := s.Master(), s.Replica()
		require.Equal(t, s.Nodes(), []*servers.Redis{master, replica})
		require.Equal(t, s.MasterName(), servers.MasterName)
		require.Len(t, s.Addrs(), 3)
		atRest := func() {
			for _, sentinel := range s.Sentinels() {
				fields, _ := sentinel.MustDo("SENTINEL", "MASTER", servers.MasterName).([]any)
				at := slices.Index(fields, any("down-after-milliseconds"))
				require.Equal(t, "120000", fields[at+1])
			}
		}
		atRest()
		master.MustDo("SET", "a", "1")
		require.Equal(t, int64(1), master.MustDo("WAIT", "1", "10000"))

		s.Link(master).Cut() // it lives, and nobody but us reaches it
		master.MustDo("SET", "a", "lost")
		require.Equal(t, replica, s.AwaitMaster(t, master))
		require.Equal(t, "1", replica.MustDo("GET", "a"))
		require.Equal(t, "master", master.Info("role"), "nobody could tell it")
		require.Equal(t, master, s.Replica())
		atRest()
	})
}

func TestSentinelAfterKill(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		s := engine.Sentinel(t)
		replica := s.Replica()
		old := s.KillMaster(t)
		require.Equal(t, replica, s.AwaitMaster(t, old))
		require.Equal(t, "OK", replica.MustDo("SET", "a", "1"))
	})
}
