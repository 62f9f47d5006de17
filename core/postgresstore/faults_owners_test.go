package postgresstore_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/internal/faults"
	"github.com/sessionserverstore/sessionserverstore/core/internal/servers"
	"github.com/sessionserverstore/sessionserverstore/core/postgresstore"
)

// half is how many sessions of owners a run has that were somebody's from the first, and how many
// that were nobody's before. Each second one is signed in before the fault; for the others that is
// only begun, and completed after it.
const half = 16

// startOwners begins a run about owners. The sessions of the first half of them end before the
// fault. From then on a write is given up within a time: see start.
func startOwners(
	t *testing.T, name string, seed uint64, within time.Duration, open func() core.Store,
) *faults.Run {
	t.Helper()
	stores := []core.Store{open(), open()}
	run := faults.Start(t, seed, nodes(t, patience, stores, "a", "b")...).Name(name)
	run.Create(half)
	run.Begin(half)
	require.Equal(t, half, run.EachNth(faults.SignIn, 2, 0, 2*half))
	require.Equal(t, half, run.EachNth(faults.Ask, 2, 1, 2*half))
	require.Equal(t, half/2, run.EachNth(faults.RevokeOwner, 4, 0, 2*half))
	run.Use(nodes(t, within, stores, "a", "b")...)
	return run
}

// endAll ends the sessions of all owners.
func endAll(run *faults.Run) (acknowledged int) {
	return run.EachNth(faults.RevokeOwner, 2, 0, 2*half)
}

// complete completes the sign-ins that had begun, reads everything, and judges.
func complete(run *faults.Run) faults.Verdict {
	run.Await()
	run.EachNth(faults.SignIn, 2, 1, 2*half)
	run.ReadAll()
	return run.Verdict()
}

// TestFaultsOwnersFailover promotes a standby that was cut off while all sessions of owners ended.
func TestFaultsOwnersFailover(t *testing.T) {
	t.Parallel()
	type site struct {
		trial
		open  func(url string) core.Store
		run   *faults.Run
		ended int
	}
	settings.Seeds(func(seed uint64) bool {
		p := newPair(t)
		confirmed, local := newTable(), newTable()
		sites := []*site{
			{trial: trial{"a synchronous standby", false}, open: func(url string) core.Store {
				return open(t, url, postgresstore.Options{Table: confirmed, Standby: true})
			}},
			{trial: trial{"a standby that nobody waits for", true}, open: func(url string) core.Store {
				url += "&synchronous_commit=local"
				return open(t, url, postgresstore.Options{Table: local})
			}},
		}
		for _, s := range sites {
			within := soon
			if s.loses {
				within = patience
			}
			s.run = startOwners(t, s.name, seed, within, func() core.Store {
				return s.open(p.primary.URL() + manyConnections)
			})
		}
		p.primary.AwaitCaughtUp(t, p.standby)
		p.link.Cut()
		var group sync.WaitGroup
		for _, s := range sites {
			group.Go(func() { s.ended = endAll(s.run) })
		}
		group.Wait()
		p.primary.Kill()
		p.link.Drop()
		p.standby.Promote()
		for _, s := range sites {
			stores := []core.Store{s.open(p.standby.URL()), s.open(p.standby.URL())}
			s.run.Use(nodes(t, patience, stores, "c", "d")...)
			v := complete(s.run)
			if s.loses {
				require.NotZero(t, s.ended)
				require.NotEmpty(t, v.Owners, "%s: the fault is none", s.name)
				continue
			}
			require.Zero(t, s.ended, "%s: no standby has it", s.name)
			requireNone(t, v)
		}
		return !t.Failed()
	})
}

// TestFaultsOwnersCrash kills the only server just after all sessions of owners ended: that is
// written whatever the server's configuration says. Then it does so again and again, while owners
// sign in and everything of theirs is revoked.
func TestFaultsOwnersCrash(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		config []string
	}{
		{"synchronous_commit = on", []string{"fsync = on", "full_page_writes = on"}},
		{"synchronous_commit = off", writeLate},
	} {
		t.Run(c.name, func(t *testing.T) {
			settings.Seeds(func(seed uint64) bool {
				server := servers.NewPostgres(t, c.config...)
				run := startOwners(t, c.name, seed, patience, func() core.Store {
					return open(t, server.URL()+manyConnections, postgresstore.Options{})
				})
				require.Equal(t, half, endAll(run))
				server.Kill()
				server.Restart()
				requireNone(t, complete(run))
				for range 2 {
					stop := run.Go(faults.Load{Mix: []faults.Kind{
						faults.SignIn, faults.SignIn, faults.Ask, faults.Read, faults.RevokeOwner,
					}})
					before := len(run.History())
					require.Eventually(t, func() bool { return len(run.History()) >= before+150 },
						patience, 10*time.Millisecond)
					server.Kill()
					server.Restart()
					stop()
				}
				run.Await()
				run.ReadAll()
				requireNone(t, run.Verdict())
				return !t.Failed()
			})
		})
	}
}

// TestFaultsOwnersLink cuts the way between the application and its server while all sessions of
// owners end, loses what was in it, and heals it.
func TestFaultsOwnersLink(t *testing.T) {
	t.Parallel()
	server := servers.SharedPostgres(t)
	for _, c := range []trial{{"as it is", false}, {"silence taken for success", true}} {
		t.Run(c.name, func(t *testing.T) {
			settings.Seeds(func(seed uint64) bool {
				link := servers.NewLink(t, server.Addr())
				table := newTable()
				run := startOwners(t, c.name, seed, soon, func() core.Store {
					store := open(t, server.URLVia(link)+manyConnections,
						postgresstore.Options{Table: table})
					if c.loses {
						return faults.Believe(store)
					}
					return store
				})
				stop := run.Go(faults.Load{
					Mix: faults.OwnersMix(), From: 2 * half, Hangups: 5 * time.Millisecond,
				})
				link.Cut()
				endAll(run)
				stop()
				link.Drop()
				link.Heal()
				v := complete(run)
				if c.loses {
					require.NotEmpty(t, v.Owners, "the fault is none")
				} else {
					requireNone(t, v)
				}
				return !t.Failed()
			})
		})
	}
}
