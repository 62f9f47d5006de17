package redisstore_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/internal/faults"
	"github.com/sessionserverstore/sessionserverstore/core/internal/servers"
	"github.com/sessionserverstore/sessionserverstore/core/redisstore"
)

// A silence is a fault in which writes get no answer. Nobody is told that they took effect, so
// nothing can be lost; the positive control is a store that takes no answer for yes.
type silence struct {
	server *servers.Redis
	url    string // of clients to whom it happens
	begin  func() // just before a write is sent
	end    func()
}

// impatient is a Config whose writes give up soon. What comes before them does not, so that it
// comes to a write.
func impatient() core.Config {
	return core.Config{CommitTimeout: 300 * time.Millisecond, LoadTimeout: unhurried}
}

// test does each kind of write into silence.
func (s silence) test(t *testing.T, seed uint64) {
	near := faults.NewNode(t, "near",
		faultStore(t, s.server.URL(), "silence", redisstore.Options{}), core.Config{})
	far := faultStore(t, s.url, "silence", redisstore.Options{})
	kinds := []faults.Kind{faults.Destroy, faults.Revoke, faults.Renew, faults.Save}
	for name, wrap := range map[string]func(core.Store) core.Store{
		"right":     func(store core.Store) core.Store { return store },
		"believing": func(store core.Store) core.Store { return faults.Believe(store) },
	} {
		trap := faults.Trap(far)
		run := faults.Start(t, seed, near).Name(name)
		run.Create(len(kinds))
		victim := faults.NewNode(t, "far", wrap(trap), impatient())
		acknowledged := 0
		for i, kind := range kinds {
			run.Use(victim)
			run.Await()
			trap.Arm(s.begin)
			acknowledged += run.Each(kind, i, i+1)
			require.False(t, trap.Armed(), "no write was sent")
			s.end()
		}
		run.Use(near)
		run.Await()
		run.ReadAll()
		if name == "right" {
			assert.Zero(t, acknowledged)
			noneLost(t, run)
			continue
		}
		require.Equal(t, len(kinds), acknowledged)
		v := run.Verdict()
		assert.Len(t, v.Ends, 2, "the fault proves nothing")
		assert.Len(t, v.Renewals, 1, "the fault proves nothing")
		assert.Len(t, v.Changes, 1, "the fault proves nothing")
	}
}

// The way from a node to the server becomes a black hole, and what is in it is lost.
func TestFaultsBlackHoleBetweenClientAndServer(t *testing.T) {
	fault(t, func(t *testing.T, engine servers.Engine, seed uint64) {
		server := engine.Start(t)
		link := servers.NewLink(t, server.Addr())
		silence{
			server: server, url: "redis://" + link.Addr(), begin: link.Cut,
			end: func() { link.Drop(); link.Heal() },
		}.test(t, seed)
	})
}

// The server is stopped in its tracks (SIGSTOP), and then killed: what was sent meanwhile waits in
// the system's buffers and is lost with them.
func TestFaultsServerThatHangsAndIsKilled(t *testing.T) {
	fault(t, func(t *testing.T, engine servers.Engine, seed uint64) {
		server := engine.Start(t, "appendonly yes", "appendfsync always")
		silence{
			server: server, url: server.URL(), begin: server.Pause,
			end: func() { server.Kill(); server.Restart() },
		}.test(t, seed)
	})
}

// It goes on instead: what was sent meanwhile takes effect late, after other requests.
func TestFaultsServerThatHangsAndGoesOn(t *testing.T) {
	fault(t, func(t *testing.T, engine servers.Engine, seed uint64) {
		server := engine.Start(t)
		b := &bout{name: "hangs", config: impatient()}
		b.config.LoadTimeout = b.config.CommitTimeout
		run := faults.Start(t, seed, b.nodes(t, server.URL())...).Name(b.name)
		run.Create(30)
		stop := run.Go(faults.Load{Workers: 8})
		for range 3 {
			awaitOperations(t, run, 100)
			server.Pause()
			awaitOperations(t, run, 16) // each worker has met it
			server.Resume()
		}
		awaitOperations(t, run, 100)
		stop()
		run.Await()
		run.ReadAll()
		noneLost(t, run)
	})
}

// The way is so slow that operations give up, one of them in any case, and the network is not
// lossy: what was sent arrives. A store that takes no answer for yes shows an end that has not
// happened yet.
func TestFaultsSlowWayToTheServer(t *testing.T) {
	fault(t, func(t *testing.T, engine servers.Engine, seed uint64) {
		server := engine.Start(t)
		link := servers.NewLink(t, server.Addr())
		near := faults.NewNode(t, "near",
			faultStore(t, server.URL(), "slow", redisstore.Options{}), core.Config{})
		far := faultStore(t, "redis://"+link.Addr(), "slow", redisstore.Options{})
		for name, wrap := range map[string]func(core.Store) core.Store{
			"right":     func(store core.Store) core.Store { return store },
			"believing": func(store core.Store) core.Store { return faults.Believe(store) },
		} {
			trap := faults.Trap(far)
			run := faults.Start(t, seed, near).Name(name)
			run.Create(20)
			slow := faults.NewNode(t, "far", wrap(trap), impatient())
			run.Use(slow)
			run.Await()
			trap.Arm(link.Cut)
			run.Each(faults.Destroy, 0, 1)
			require.False(t, trap.Armed(), "no write was sent")
			run.Use(near)
			run.Insist(faults.Read, 1, 0, 1) // what was sent is still on its way
			link.Heal()                      // and goes on
			link.Delay(20 * time.Millisecond)
			run.Use(near, slow)
			run.Await()
			run.Work(faults.Load{From: 1, Steps: 25})
			link.Heal()
			run.ReadAll()
			if name == "right" {
				noneLost(t, run)
				continue
			}
			assert.NotEmpty(t, run.Verdict().Ends, "the fault proves nothing")
		}
	})
}

// Clients hang up at any time. The positive control believes in an end that was never sent.
func TestFaultsClientsThatHangUp(t *testing.T) {
	fault(t, func(t *testing.T, engine servers.Engine, seed uint64) {
		server := engine.Start(t)
		link := servers.NewLink(t, server.Addr())
		link.Delay(2 * time.Millisecond)
		b := &bout{name: "right"}
		run := faults.Start(t, seed, b.nodes(t, "redis://"+link.Addr())...).Name(b.name)
		run.Create(20)
		run.Work(faults.Load{Workers: 8, Steps: 40, Hangups: 20 * time.Millisecond})
		run.ReadAll()
		noneLost(t, run)

		for name, wrap := range map[string]func(core.Store) core.Store{
			"right":     func(store core.Store) core.Store { return store },
			"believing": func(store core.Store) core.Store { return faults.Believe(store) },
		} {
			ctx, hangUp := context.WithCancel(t.Context())
			defer hangUp()
			trap := faults.Trap(wrap(faultStore(t, server.URL(), name, redisstore.Options{})))
			run := faults.Start(t, seed, faults.NewNode(t, "a", trap, core.Config{})).Name(name)
			run.Create(1)
			trap.Arm(hangUp)
			acknowledged := run.In(ctx).Each(faults.Revoke, 0, 1)
			run.ReadAll()
			if name == "right" {
				assert.Zero(t, acknowledged)
				noneLost(t, run)
				continue
			}
			assert.Len(t, run.Verdict().Ends, 1, "the fault proves nothing")
		}
	})
}
