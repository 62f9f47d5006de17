package redisstore_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core/internal/faults"
	"github.com/sessionserverstore/sessionserverstore/core/internal/servers"
)

// An ownerBout is a bout about owners. Each second session of theirs is signed in before the fault;
// for the others that is only begun, and completed after it. Half of the sessions were nobody's
// before.
type ownerBout struct{ *bout }

// half is how many sessions there are of each sort.
const half = 16

// begin starts a run. The sessions of the first half of the owners end before the fault, and what
// does not wait for copies has them then, too.
func (b ownerBout) begin(t *testing.T, seed uint64, url string) {
	t.Helper()
	b.run = faults.Start(t, seed, b.nodes(t, url)...).Name(b.name)
	b.run.Create(half)
	b.run.Begin(half)
	b.run.Insist(faults.SignIn, 2, 0, 2*half)
	b.run.Insist(faults.Ask, 2, 1, 2*half)
	for from := range 2 {
		b.run.Insist(faults.RevokeOwner, 4, from*half, from*half+half)
	}
}

// harm ends the sessions of all owners.
func (b ownerBout) harm() { b.run.EachNth(faults.RevokeOwner, 2, 0, 2*half) }

// judge completes the sign-ins on new nodes, and looks who is signed in.
func (b ownerBout) judge(t *testing.T, url string) {
	t.Helper()
	if b.heals {
		b.run.AwaitOwners()
	}
	_ = b.run.Close()
	b.run.Use(b.nodes(t, url)...)
	b.run.Await()
	b.run.EachNth(faults.SignIn, 2, 1, 2*half)
	b.run.ReadAll()
	v := b.run.Verdict()
	if b.loses {
		assert.NotEmpty(t, v.Owners, "%s: the fault undoes no end: it proves nothing", b.name)
		return
	}
	assert.Empty(t, v.Owners, "%s: %v", b.name, v)
}

type ownerBouts []ownerBout

func (all ownerBouts) begin(t *testing.T, seed uint64, url string) {
	t.Helper()
	for _, b := range all {
		b.begin(t, seed, url)
	}
}

func (all ownerBouts) harm() {
	var list bouts
	for _, b := range all {
		list = append(list, b.bout)
	}
	list.each(func(b *bout) { ownerBout{b}.harm() })
}

func (all ownerBouts) judge(t *testing.T, url string) {
	t.Helper()
	for _, b := range all {
		b.judge(t, url)
	}
}

// A server without an append-only file forgets who was signed out everywhere; a journal does not.
func TestFaultsOwnersKillAndRestartFromAnOldSnapshot(t *testing.T) {
	fault(t, func(t *testing.T, engine servers.Engine, seed uint64) {
		server := engine.Start(t)
		journal := &bout{
			name: "with a journal", options: journalAlone, config: untouched(), heals: true,
		}
		all := ownerBouts{
			{&bout{name: "snapshots alone", options: nothingConfirmed, loses: true}}, {journal},
		}
		all.begin(t, seed, server.URL())
		bouts{journal}.awaitSurvey(t, server)
		server.MustDo("SAVE")
		all.harm()
		server.Kill()
		server.Restart()
		all.judge(t, server.URL())
	})
}

// So does a replica that is promoted, of what was not confirmed.
func TestFaultsOwnersPromotionOfAReplicaThatWasCutOff(t *testing.T) {
	fault(t, func(t *testing.T, engine servers.Engine, seed uint64) {
		primary := engine.Start(t)
		link := servers.NewLink(t, primary.Addr())
		replica := primary.Replica(t, link)
		awaitSync(t, primary, replica)
		all := ownerBouts{
			{&bout{name: "nothing confirmed", options: nothingConfirmed, loses: true}},
			{&bout{name: "ends confirmed", options: endsConfirmed}},
			{&bout{name: "all confirmed", options: allConfirmed}},
		}
		all.begin(t, seed, primary.URL())
		awaitSync(t, primary, replica)
		link.Cut()
		all.harm()
		link.Drop() // else what waits in it arrives after all
		replica.ReplicaOf("")
		all.judge(t, replica.URL())
	})
}

// Nothing that was answered is forgotten with an append-only file, whatever else goes on.
func TestFaultsOwnersKillAndRestartWithAnAppendOnlyFile(t *testing.T) {
	fault(t, func(t *testing.T, engine servers.Engine, seed uint64) {
		server := engine.Start(t, "appendonly yes", "appendfsync always")
		b := &bout{name: "append-only"}
		run := faults.Start(t, seed, b.nodes(t, server.URL())...).Name(b.name)
		run.Create(20)
		stop := run.Go(faults.Load{Mix: faults.OwnersMix()})
		for range 3 {
			awaitOperations(t, run, 150)
			server.Kill()
			server.Restart()
		}
		awaitOperations(t, run, 50)
		stop()
		run.Await()
		run.ReadAll()
		noneLost(t, run)
		require.Positive(t, run.History().Count(faults.OK, faults.RevokeOwner))
		require.Positive(t, run.History().Count(faults.OK, faults.SignIn))
	})
}

// The way between the application and its server is cut again and again, and what was in it lost.
func TestFaultsOwnersOfALinkThatIsCut(t *testing.T) {
	fault(t, func(t *testing.T, engine servers.Engine, seed uint64) {
		server := engine.Start(t)
		for name, believes := range map[string]bool{"as it is": false, "silence is success": true} {
			link := servers.NewLink(t, server.Addr())
			b := &bout{name: name, options: nothingConfirmed}
			var nodes []faults.Node
			for _, node := range []string{"a", "b"} {
				store := faultStore(t, "redis://"+link.Addr(), b.name, b.options)
				n := faults.NewNode(t, node, store, b.config)
				if believes {
					n = faults.NewNode(t, node, faults.Believe(store), b.config)
				}
				nodes = append(nodes, n)
			}
			run := faults.Start(t, seed, nodes...).Name(name)
			run.Create(20)
			run.Insist(faults.SignIn, 1, 0, 20)
			stop := run.Go(faults.Load{Mix: faults.OwnersMix(), From: 20})
			awaitOperations(t, run, 100)
			link.Cut()
			run.Each(faults.RevokeOwner, 0, 20)
			stop()
			link.Drop()
			link.Heal()
			run.Await()
			run.ReadAll()
			if believes {
				require.NotEmpty(t, run.Verdict().Owners, "the fault is none")
				continue
			}
			noneLost(t, run)
		}
	})
}
