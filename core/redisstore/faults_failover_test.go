package redisstore_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core/internal/faults"
	"github.com/sessionserverstore/sessionserverstore/core/internal/servers"
)

// awaitSync waits until a server's only replica is one that it counts, and has all that it has.
func awaitSync(t *testing.T, master, replica *servers.Redis) {
	t.Helper()
	replica.AwaitReplica(t)
	require.Eventually(t, func() bool {
		return strings.Contains(master.Info("slave0"), "state=online") &&
			master.Info("master_repl_offset") == replica.Info("slave_repl_offset")
	}, faultPatience, faultPoll)
}

// The way between a server and its replica is cut, clients go on with the server, and then the
// replica is promoted.
func TestFaultsPromotionOfAReplicaThatWasCutOff(t *testing.T) {
	fault(t, func(t *testing.T, engine servers.Engine, seed uint64) {
		primary := engine.Start(t)
		link := servers.NewLink(t, primary.Addr())
		replica := primary.Replica(t, link)
		awaitSync(t, primary, replica)
		all := bouts{
			{name: "nothing confirmed", options: nothingConfirmed, loses: true},
			{name: "ends confirmed", options: endsConfirmed},
			{name: "all confirmed", options: allConfirmed, keeps: true},
		}
		all.begin(t, seed, primary.URL())
		awaitSync(t, primary, replica)
		link.Cut()
		all.harm()
		// Who tries an end again is not told that it is confirmed because there is nothing to end.
		all.inTurn(func(b *bout) { b.run.Use(b.nodes(t, primary.URL())...) })
		all.each(func(b *bout) { b.run.Each(faults.Revoke, 0, b.third()) })
		link.Drop() // else what waits in it arrives after all
		replica.ReplicaOf("")
		all.judge(t, replica.URL())
	})
}

// The replica of a server falls behind, the server is cut off from its replica and the Sentinels,
// clients on its side go on with it, the Sentinels promote the replica, and the way is healed.
func TestFaultsSentinelsFailOverFromAServerThatIsCutOff(t *testing.T) {
	slowFault(t, 0, func(t *testing.T, engine servers.Engine, seed uint64) {
		set := engine.Sentinel(t)
		master, replica := set.Master(), set.Replica()
		awaitSync(t, master, replica)
		addrs := set.Addrs()
		url := "redis://" + addrs[0] + "?addr=" + addrs[1] + "&addr=" + addrs[2] +
			"&master_set=" + set.MasterName()
		all := bouts{
			{name: "nothing confirmed", options: nothingConfirmed, loses: true},
			{name: "ends confirmed", options: endsConfirmed, heals: true},
			{name: "all confirmed", options: allConfirmed, keeps: true, heals: true},
			{name: "with a journal", options: journalAlone, config: untouched(), heals: true},
			{name: "far side with nothing confirmed", options: nothingConfirmed, url: master.URL(),
				loses: true},
			{name: "far side with ends confirmed", options: endsConfirmed, url: master.URL()},
		}
		all.begin(t, seed, url)
		all.awaitSurvey(t, master)
		awaitSync(t, master, replica)
		replica.ReplicaOf("127.0.0.1:1") // where nobody is
		all.harm()
		set.Link(master).Cut()
		promoted := set.AwaitMaster(t, master)
		require.Equal(t, replica.Addr(), promoted.Addr())
		set.Link(master).Drop()
		all.inTurn(func(b *bout) { b.run.Await() }) // else a client may go back to the old master
		set.Link(master).Heal()
		all.judge(t, url)
	})
}
