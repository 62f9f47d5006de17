package redisstore_test

import (
	"flag"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/internal/faults"
	"github.com/sessionserverstore/sessionserverstore/core/internal/servers"
	"github.com/sessionserverstore/sessionserverstore/core/redisstore"
)

// The fault tests do something bad to real servers while clients use sessions, heal it, and compare
// what the clients were told with what is there: see core/internal/faults for the invariants. Each
// fault is also done to a configuration that does not protect against it, which must be seen to
// lose; so what the others do not lose, they would have lost.
//
//	go test ./core/redisstore -run Faults -v                   the quick set, with figures
//	go test ./core/redisstore -run Faults -faults.seed=7       with another order of things
//	go test ./core/redisstore -run Faults -faults.duration=1m -timeout 1h
//	                                                           each fault on each engine for a
//	                                                           minute, one seed after another
var faultSettings = faults.Flags(flag.CommandLine)

// What a fault test may configure.
var (
	nothingConfirmed = redisstore.Options{
		Replicas: redisstore.NoReplicas, Journal: redisstore.NoJournal,
	}
	journalAlone  = redisstore.Options{Replicas: redisstore.NoReplicas}
	endsConfirmed = redisstore.Options{
		Journal: redisstore.NoJournal, ConfirmTimeout: 300 * time.Millisecond,
	}
	allConfirmed = redisstore.Options{
		ConfirmWrites: true, ConfirmTimeout: 300 * time.Millisecond,
	}
)

// How long to wait for what must come, and how often to look.
const (
	faultPatience = 2 * time.Minute
	faultPoll     = 10 * time.Millisecond
	// unhurried is for an operation that a busy machine must not have given up.
	unhurried = 8 * time.Second
)

// untouched is for a journal, which does a renewal again only on top of what it replaced: if a
// touch came between and is lost as well, the renewal is not done again.
func untouched() core.Config { return core.Config{TouchInterval: 30 * time.Minute} }

// fault runs one fault on each engine, all at once, with one seed after another if so asked.
func fault(t *testing.T, test func(t *testing.T, engine servers.Engine, seed uint64)) {
	faultOn(t, servers.Engines(t), test)
}

// slowFault is fault for what takes many servers and much time: the quick set has it on one engine.
func slowFault(
	t *testing.T, which int, test func(t *testing.T, engine servers.Engine, seed uint64),
) {
	engines := servers.Engines(t)
	if faultSettings.Quick() {
		engines = engines[which%len(engines):][:1]
	}
	faultOn(t, engines, test)
}

func faultOn(
	t *testing.T, engines []servers.Engine,
	test func(t *testing.T, engine servers.Engine, seed uint64),
) {
	t.Parallel()
	for _, engine := range engines {
		t.Run(engine.Name, func(t *testing.T) {
			t.Parallel()
			faultSettings.Seeds(func(seed uint64) bool {
				// What a seed started ends with it.
				return t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { test(t, engine, seed) })
			})
		})
	}
}

// faultStore opens a store under a prefix of its own.
func faultStore(t *testing.T, url, prefix string, o redisstore.Options) *redisstore.Store {
	t.Helper()
	o.Prefix = strings.ReplaceAll(prefix, " ", "-") + ":"
	store, err := redisstore.Open(url, o)
	require.NoError(t, err)
	t.Cleanup(func() { _ = store.Close() })
	return store
}

// A bout is one configuration under a fault. Several stand the same one at the same time.
type bout struct {
	name    string
	options redisstore.Options
	config  core.Config
	url     string // of the server, where they differ
	loses   bool   // it is the positive control
	keeps   bool   // it loses no change either
	heals   bool   // it needs time to, with the nodes that were there during the fault
	run     *faults.Run
}

// nodes makes two, each with a store of its own, whose connections have a name for awaitSurvey.
func (b *bout) nodes(t *testing.T, url string) []faults.Node {
	t.Helper()
	and := "?"
	if strings.Contains(url, "?") {
		and = "&"
	}
	var nodes []faults.Node
	for _, name := range []string{"a", "b"} {
		store := faultStore(t, url+and+"client_name="+b.client(name), b.name, b.options)
		nodes = append(nodes, faults.NewNode(t, name, store, b.config))
	}
	return nodes
}

// client is the name of a node's connections.
func (b *bout) client(node string) string {
	return strings.ReplaceAll(b.name, " ", "-") + "-" + node
}

// third is how many sessions are ended during a fault; as many are renewed, and as many changed. In
// a cluster a third of them is in danger. A control has more, of which none waits to be confirmed,
// so that it is sure to lose some of each.
func (b *bout) third() int {
	if b.loses {
		return 48
	}
	return 10
}

type bouts []*bout

// each does something with all bouts at once.
func (all bouts) each(do func(b *bout)) {
	var waiting sync.WaitGroup
	for _, b := range all {
		waiting.Go(func() { do(b) })
	}
	waiting.Wait()
}

// inTurn does what may end the test, which only its own goroutine may.
func (all bouts) inTurn(do func(b *bout)) {
	for _, b := range all {
		do(b)
	}
}

// forLoad is how many sessions a load has that comes before a fault.
const forLoad = 8

// begin starts the runs, with sessions for all that is to come and some load.
func (all bouts) begin(t *testing.T, seed uint64, url string) {
	t.Helper()
	all.inTurn(func(b *bout) {
		if b.url == "" {
			b.url = url
		}
		b.run = faults.Start(t, seed, b.nodes(t, b.url)...).Name(b.name)
		b.run.Create(3*b.third() + forLoad)
	})
	all.each(func(b *bout) { b.run.Work(faults.Load{From: 3 * b.third(), Steps: 15}) })
	all.inTurn(func(b *bout) { // both nodes' journals have something to look after
		first := 3 * b.third()
		b.run.Insist(faults.Revoke, 1, first, first+2)
	})
}

// harm does with each session what the fault is going to undo.
func (all bouts) harm() {
	all.each(func(b *bout) {
		n := b.third()
		b.run.End(0, n)
		b.run.Each(faults.Renew, n, 2*n)
		b.run.Each(faults.Save, 2*n, 3*n)
	})
}

// judge reads everything on new nodes, and holds each bout to its promise.
func (all bouts) judge(t *testing.T, url string) {
	t.Helper()
	all.inTurn(func(b *bout) {
		if b.heals {
			b.run.AwaitEnds()
			b.run.AwaitRenewals()
		}
	})
	all.each(func(b *bout) { _ = b.run.Close() }) // what was not confirmed may still be not
	all.inTurn(func(b *bout) {
		b.run.Use(b.nodes(t, url)...)
		b.run.Await()
	})
	all.each(func(b *bout) { b.run.ReadAll() })
	all.inTurn(func(b *bout) {
		v := b.run.Verdict()
		if b.loses {
			assert.NotEmpty(t, v.Ends, "%s: the fault undoes no end: it proves nothing", b.name)
			assert.NotEmpty(t, v.Renewals, "%s: the fault undoes no renewal", b.name)
			assert.NotEmpty(t, v.Changes, "%s: the fault undoes no change", b.name)
			return
		}
		ends := b.run.History().Count(faults.OK, faults.Destroy, faults.Revoke)
		assert.Positive(t, ends, "%s: no end was acknowledged", b.name)
		assert.Empty(t, v.Ends, "%s: %v", b.name, v)
		assert.Empty(t, v.Renewals, "%s: %v", b.name, v)
		if b.keeps {
			assert.Empty(t, v.Changes, "%s: %v", b.name, v)
			assert.Empty(t, v.Views, "%s: %v", b.name, v)
		}
	})
}

// noneLost holds a run to all invariants.
func noneLost(t *testing.T, run *faults.Run) {
	t.Helper()
	v := run.Verdict()
	assert.Empty(t, v.Ends, "%v", v)
	assert.Empty(t, v.Changes, "%v", v)
	assert.Empty(t, v.Renewals, "%v", v)
	assert.Empty(t, v.Views, "%v", v)
	assert.Empty(t, v.Owners, "%v", v)
}

// awaitOperations waits until so many operations more were begun.
func awaitOperations(t *testing.T, run *faults.Run, more int) {
	t.Helper()
	before := len(run.History())
	require.Eventually(t, func() bool { return len(run.History()) >= before+more },
		faultPatience, faultPoll)
}

// awaitSurvey waits until the stores' journals, which begin to look with the first end, have seen
// who the master is: nobody else asks for INFO over their connections.
func (all bouts) awaitSurvey(t *testing.T, master *servers.Redis) {
	t.Helper()
	looked := func(list, client string) bool {
		for line := range strings.Lines(list) {
			if strings.Contains(line, " name="+client+" ") && strings.Contains(line, " cmd=info ") {
				return true
			}
		}
		return false
	}
	for _, b := range all {
		if b.options.Journal == redisstore.NoJournal {
			continue
		}
		for _, node := range []string{"a", "b"} {
			require.Eventually(t, func() bool {
				answer, _ := master.Do("CLIENT", "LIST")
				list, _ := answer.(string)
				return looked(list, b.client(node))
			}, faultPatience, faultPoll, "%s of %s has not looked", node, b.name)
		}
	}
}
