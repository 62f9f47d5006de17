package postgresstore_test

import (
	"context"
	"flag"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/internal/faults"
	"github.com/sessionserverstore/sessionserverstore/core/internal/servers"
	"github.com/sessionserverstore/sessionserverstore/core/postgresstore"
)

var settings = faults.Flags(flag.CommandLine)

// A trial is a fault under one configuration.
type trial struct {
	name string
	// loses says that the configuration does not protect: then it must be seen to lose something,
	// or the fault is none.
	loses bool
}

// sessions of a run: some are ended at the worst moment, some renewed, some changed; the load uses
// the others.
const (
	ended   = 16
	renewed = 32
	changed = 48
	begun   = 80
)

// strike does what the fault must not undo, while it would, and returns how much of it was
// acknowledged.
func strike(r *faults.Run) int {
	return r.Each(faults.Renew, ended, renewed) + r.Each(faults.Save, renewed, changed) +
		r.End(0, ended)
}

// nodes are processes of the application, of these names, each with a store of its own. What they
// read they wait for.
func nodes(
	t *testing.T, timeout time.Duration, stores []core.Store, names ...string,
) (list []faults.Node) {
	t.Helper()
	for i, name := range names {
		cfg := core.Config{CommitTimeout: timeout}
		if timeout == patience {
			cfg.LoadTimeout = patience
		}
		list = append(list, faults.NewNode(t, name, stores[i], cfg))
	}
	return list
}

// soon is when a write is given up that cannot succeed: that is what it costs to wait for a
// standby, or a server, that does not answer.
const soon = 500 * time.Millisecond

// start begins a run with sessions that are there for sure. From then on a write is given up within
// a time: soon, or with patience where it can succeed.
func start(
	t *testing.T, name string, seed uint64, within time.Duration, open func() core.Store,
) *faults.Run {
	t.Helper()
	stores := []core.Store{open(), open()}
	run := faults.Start(t, seed, nodes(t, patience, stores, "a", "b")...).Name(name)
	run.Create(begun)
	run.Use(nodes(t, within, stores, "a", "b")...)
	return run
}

// manyConnections, since each write that waits for a standby holds one.
const manyConnections = "&pool_max_conns=16"

// An application is some nodes on a table of their own.
type application struct {
	trial
	open func(t *testing.T, url, table string) core.Store
	// of one run
	table        string
	run          *faults.Run
	acknowledged int
}

// TestFaultsFailover promotes a standby that was cut off while sessions were ended, renewed and
// changed.
func TestFaultsFailover(t *testing.T) {
	t.Parallel()
	failover(t, func(*testing.T, string) (stop func()) { return func() {} }, []application{
		{trial: trial{"a synchronous standby", false},
			open: func(t *testing.T, url, table string) core.Store {
				return open(t, url, postgresstore.Options{Table: table, Standby: true})
			}},
		{trial: trial{"a standby that nobody waits for", true},
			open: func(t *testing.T, url, table string) core.Store {
				return open(t, url+"&synchronous_commit=local", postgresstore.Options{Table: table})
			}},
	})
}

// TestFaultsCancelledWait does the same while somebody cancels every wait for the standby, which
// PostgreSQL reports as success.
func TestFaultsCancelledWait(t *testing.T) {
	t.Parallel()
	over := func(prepare func(*pgx.ConnConfig)) func(t *testing.T, url, table string) core.Store {
		return func(t *testing.T, url, table string) core.Store {
			config, err := pgxpool.ParseConfig(url)
			require.NoError(t, err)
			prepare(config.ConnConfig)
			pool, err := pgxpool.NewWithConfig(t.Context(), config)
			require.NoError(t, err)
			t.Cleanup(pool.Close)
			store, err := postgresstore.New(pool, postgresstore.Options{Table: table})
			require.NoError(t, err)
			require.NoError(t, store.Migrate(t.Context()))
			return store
		}
	}
	failover(t, cancelWaits, []application{
		{trial: trial{"a prepared pool", false}, open: over(postgresstore.Configure)},
		{trial: trial{"a pool as it is", true}, open: over(func(*pgx.ConnConfig) {})},
	})
}

// cancelWaits cancels waits for a standby until stop is called.
func cancelWaits(t *testing.T, url string) (stop func()) {
	conn := connect(t, url)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			_, _ = conn.Exec(ctx, `SELECT pg_cancel_backend(pid), pg_sleep(0.005)
				FROM pg_stat_activity WHERE wait_event = 'SyncRep'`)
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

// failover lets applications strike while their server's standby is cut off, and something else
// happens, and gives them the standby instead of the server.
func failover(
	t *testing.T, meanwhile func(t *testing.T, url string) (stop func()), list []application,
) {
	settings.Seeds(func(seed uint64) bool {
		p := newPair(t)
		for i := range list {
			a := &list[i]
			a.table = newTable()
			within := soon
			if a.loses {
				within = patience // whose writes are all acknowledged
			}
			a.run = start(t, a.name, seed, within, func() core.Store {
				return a.open(t, p.primary.URL()+manyConnections, a.table)
			})
		}
		p.primary.AwaitCaughtUp(t, p.standby)
		var stopLoads []func()
		for i := range list {
			stopLoads = append(stopLoads, list[i].run.Go(faults.Load{From: changed}))
		}
		p.link.Cut()
		calm := meanwhile(t, p.primary.URL())
		var group sync.WaitGroup
		for i := range list {
			group.Go(func() { list[i].acknowledged = strike(list[i].run) })
		}
		group.Wait()
		for _, stop := range stopLoads {
			stop()
		}
		calm()
		p.primary.Kill()
		p.link.Drop()
		p.standby.Promote()
		for i := range list {
			list[i].judge(t, p.standby.URL())
		}
		return !t.Failed()
	})
}

// judge reads all there is at another server.
func (a *application) judge(t *testing.T, url string) {
	t.Helper()
	stores := []core.Store{a.open(t, url, a.table), a.open(t, url, a.table)}
	a.run.Use(nodes(t, patience, stores, "c", "d")...)
	a.run.Await()
	a.run.ReadAll()
	v := a.run.Verdict()
	if !a.loses {
		require.Zero(t, a.acknowledged, "%s: no standby has it", a.name)
		requireNone(t, v)
		return
	}
	require.NotZero(t, a.acknowledged)
	require.NotEmpty(t, v.Ends, "%s: the fault is none", a.name)
	require.NotEmpty(t, v.Changes, "%s: the fault is none", a.name)
	require.NotEmpty(t, v.Renewals, "%s: the fault is none", a.name)
}

func requireNone(t *testing.T, v faults.Verdict) {
	t.Helper()
	require.Empty(t, v.Ends, "%v", v)
	require.Empty(t, v.Changes, "%v", v)
	require.Empty(t, v.Renewals, "%v", v)
	require.Empty(t, v.Views, "%v", v)
	require.Empty(t, v.Owners, "%v", v)
}

// TestFaultsCrash kills the only server just after sessions were ended, renewed and changed.
func TestFaultsCrash(t *testing.T) {
	t.Parallel()
	for _, c := range []trial{
		{"synchronous_commit = on", false}, {"synchronous_commit = off", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			settings.Seeds(func(seed uint64) bool {
				config := []string{"fsync = on", "full_page_writes = on"}
				if c.loses {
					config = writeLate // so that it is not by chance that something is lost
				}
				crash(t, seed, c, config)
				return !t.Failed()
			})
		})
	}
}

func crash(t *testing.T, seed uint64, c trial, config []string) {
	server := servers.NewPostgres(t, config...)
	run := start(t, c.name, seed, patience, func() core.Store {
		return open(t, server.URL()+manyConnections, postgresstore.Options{})
	})
	stopLoad := run.Go(faults.Load{From: changed})
	acknowledged := strike(run)
	if c.loses { // whoever ends a session writes down what was before it, too
		stopLoad()
		server.HoldLog()
		acknowledged += run.Each(faults.Save, renewed, changed)
	}
	server.Kill()
	stopLoad()
	server.Restart()
	run.Await()
	run.ReadAll()
	v := run.Verdict()
	require.NotZero(t, acknowledged)
	require.Empty(t, v.Ends, "an end is written whatever the server's configuration says: %v", v)
	if c.loses {
		require.NotEmpty(t, v.Changes, "the fault is none: %v", v)
		return
	}
	requireNone(t, v)
}

// TestFaultsLink cuts the way between the application and its server, loses what was in it, and
// heals it.
func TestFaultsLink(t *testing.T) {
	t.Parallel()
	server := servers.SharedPostgres(t)
	for _, c := range []trial{{"as it is", false}, {"silence taken for success", true}} {
		t.Run(c.name, func(t *testing.T) {
			settings.Seeds(func(seed uint64) bool {
				link := servers.NewLink(t, server.Addr())
				table := newTable()
				open := func() core.Store {
					store := open(t, server.URLVia(link)+manyConnections,
						postgresstore.Options{Table: table})
					if c.loses {
						return faults.Believe(store)
					}
					return store
				}
				run := start(t, c.name, seed, soon, open)
				near := run.Nodes()
				stopLoad := run.Go(faults.Load{
					From: changed, Hangups: 5 * time.Millisecond, Nodes: near,
				})
				cutBeforeAnEnd(t, run, link, open)
				run.Use(near...)
				strike(run)
				run.Each(faults.Create, 0, ended) // what needs nothing to be read first
				stopLoad()
				link.Drop()
				link.Heal()
				run.Await()
				run.ReadAll()
				v := run.Verdict()
				if c.loses {
					require.NotEmpty(t, v.Ends, "the fault is none")
					require.NotEmpty(t, v.Changes, "the fault is none")
				} else {
					requireNone(t, v)
				}
				return !t.Failed()
			})
		})
	}
}

// cutBeforeAnEnd cuts the way just before an end of the first session is sent, on a node of its
// own.
func cutBeforeAnEnd(t *testing.T, run *faults.Run, link *servers.Link, open func() core.Store) {
	t.Helper()
	trap := faults.Trap(open())
	run.Use(faults.NewNode(t, "c", trap,
		core.Config{LoadTimeout: patience, CommitTimeout: soon}))
	trap.Arm(link.Cut)
	run.End(0, 1)
	require.False(t, trap.Armed())
}
