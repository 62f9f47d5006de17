package redisstore_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/rueidis"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/internal/servers"
	"github.com/sessionserverstore/sessionserverstore/core/redisstore"
)

// A listening is a Watch, and what it was told.
type listening struct {
	ready chan struct{}
	over  chan error

	mu      sync.Mutex
	ended   map[core.ID]int
	renewed map[core.ID]int
}

func (l *listening) Ready() { close(l.ready) }

func (l *listening) Ended(id core.ID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended[id]++
}

func (l *listening) Renewed(id core.ID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.renewed[id]++
}

func (l *listening) hasEnded(id core.ID) func() bool {
	return func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.ended[id] > 0
	}
}

func (l *listening) hasRenewed(id core.ID) func() bool {
	return func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.renewed[id] > 0
	}
}

// watch begins a Watch, which ends with its test.
func watch(t testing.TB, store *redisstore.Store) *listening {
	ctx, cancel := context.WithCancel(t.Context())
	l := &listening{
		ready: make(chan struct{}), over: make(chan error, 1),
		ended: map[core.ID]int{}, renewed: map[core.ID]int{},
	}
	returned := make(chan struct{})
	go func() {
		defer close(returned)
		l.over <- store.Watch(ctx, l)
	}()
	t.Cleanup(func() {
		cancel()
		<-returned
	})
	return l
}

// hears waits until the watch is ready.
func (l *listening) hears(t testing.TB) *listening {
	t.Helper()
	select {
	case <-l.ready:
	case err := <-l.over:
		require.NoError(t, err, "it cannot watch")
	case <-time.After(longEnough):
		require.Fail(t, "it is not ready")
	}
	return l
}

// requireOver waits for the end of the watch.
func (l *listening) requireOver(t testing.TB) error {
	t.Helper()
	select {
	case err := <-l.over:
		require.Error(t, err)
		require.NotContains(t, err.Error(), password)
		return err
	case <-time.After(longEnough):
		require.Fail(t, "it goes on watching")
	}
	return nil
}

// requireTold ends and renews sessions with one store, and waits until the watch is told.
func (l *listening) requireTold(t testing.TB, store *redisstore.Store, many int) {
	t.Helper()
	durable := func(err error) {
		if !isNotDurable(err) {
			require.NoError(t, err)
		}
	}
	for range many {
		rec := created(t, store)
		renewed := changed(rec, "renewed")
		durable(store.Renew(t.Context(), renewed, rec.Revision))
		changed := changed(renewed, "changed")
		require.NoError(t, store.Update(t.Context(), changed, renewed.Revision))
		durable(store.Delete(t.Context(), rec.ID))
		none := newRecord()
		durable(store.Delete(t.Context(), none.ID))
		eventually(t, l.hasRenewed(rec.ID), "a renewal is told")
		eventually(t, l.hasEnded(rec.ID), "an end is told")
		eventually(t, l.hasEnded(none.ID), "an end of nothing is told")
	}
}

func TestEndsAndRenewalsAreToldToOtherStores(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		server := engine.Start(t)
		for name, url := range map[string]string{
			"as the server speaks by itself": server.URL(),
			"over the older protocol":        server.URL() + "?protocol=2",
		} {
			t.Run(name, func(t *testing.T) {
				store := open(t, url, redisstore.Options{})
				same := watch(t, store).hears(t)
				other := watch(t, open(t, url, redisstore.Options{})).hears(t)
				elsewhere := watch(t, open(t, url, redisstore.Options{Prefix: "other:"})).hears(t)
				same.requireTold(t, store, 3)
				other.requireTold(t, store, 3)

				rec := created(t, store)
				require.NoError(t, store.Update(t.Context(), changed(rec, "x"), rec.Revision))
				require.Error(t, store.Renew(t.Context(), changed(rec, "x"), rec.Revision))
				other.requireTold(t, store, 1)
				require.False(t, other.hasRenewed(rec.ID)(), "neither of them has renewed it")
				elsewhere.mu.Lock()
				defer elsewhere.mu.Unlock()
				require.Empty(t, elsewhere.ended)
			})
		}
	})
}

func TestEndsAreToldAcrossACluster(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		cluster := engine.Cluster(t)
		store := open(t, "redis://"+cluster.Addrs()[0], redisstore.Options{})
		var all []*listening
		for range 4 {
			other := open(t, "redis://"+cluster.Addrs()[1], redisstore.Options{})
			all = append(all, watch(t, other).hears(t))
		}
		for _, l := range all {
			l.requireTold(t, store, 6)
		}
	})
}

func TestAWatchEndsWithItsContext(t *testing.T) {
	server := servers.Engines(t)[0].Start(t)
	store := open(t, server.URL(), redisstore.Options{})
	why := fmt.Errorf("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	l := &listening{ready: make(chan struct{}), over: make(chan error, 1)}
	go func() { l.over <- store.Watch(ctx, l) }()
	<-l.ready
	cancel(why)
	err := l.requireOver(t)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, err, why)
	eventually(t, func() bool {
		list, _ := server.MustDo("CLIENT", "LIST", "TYPE", "pubsub").(string)
		return list == ""
	}, "its connection is closed")
}

func TestAWatchEndsWithItsStore(t *testing.T) {
	server := servers.Engines(t)[0].Start(t)
	t.Run("that made its client", func(t *testing.T) {
		store := open(t, server.URL(), redisstore.Options{})
		l := watch(t, store).hears(t)
		require.NoError(t, store.Close())
		l.requireOver(t)
		require.Error(t, store.Watch(t.Context(), l))
	})
	t.Run("that was given one", func(t *testing.T) {
		client, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{server.Addr()}})
		require.NoError(t, err)
		defer client.Close()
		store, err := redisstore.New(client, redisstore.Options{})
		require.NoError(t, err)
		l := watch(t, store).hears(t)
		l.requireTold(t, store, 2)
		require.NoError(t, store.Close())
		l.requireOver(t)
		require.NoError(t, client.Do(t.Context(), client.B().Ping().Build()).Error())
	})
}

func TestSeveralWatchOneStoreAndCallsGoOn(t *testing.T) {
	server := servers.Engines(t)[0].Start(t)
	replicaOf(t, server, nil)
	store := open(t, server.URL(), redisstore.Options{Replicas: 1, ConfirmTimeout: patient})
	var all []*listening
	for range 32 {
		all = append(all, watch(t, store).hears(t))
	}
	watch(t, store).requireOver(t)
	var ends sync.WaitGroup
	var failed atomic.Int64
	for range 100 { // more than wait for replicas at once
		ends.Go(func() {
			if store.Delete(t.Context(), newRecord().ID) != nil {
				failed.Add(1)
			}
		})
	}
	ends.Wait()
	require.Zero(t, failed.Load())
	for _, l := range all {
		l.requireTold(t, store, 1)
	}
}

func TestAUserWithoutRightsToChannelsCannotWatchButEndSessions(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		server := engine.Start(t)
		for name, denied := range map[string]string{
			"no channel": "resetchannels", "no PUBLISH": "-publish", "no SUBSCRIBE": "-subscribe",
		} {
			t.Run(name, func(t *testing.T) {
				user := []string{"ACL", "SETUSER", "shop", "reset", "on", ">" + password}
				server.MustDo(append(append(user, rights...), denied)...)
				store := open(t, "redis://shop:"+password+"@"+server.Addr(), redisstore.Options{})
				rec := created(t, store)
				renewed := changed(rec, "renewed")
				require.NoError(t, store.Renew(t.Context(), renewed, rec.Revision))
				requireStored(t, store, renewed)
				require.NoError(t, store.Delete(t.Context(), rec.ID))
				requireGone(t, store, rec.ID)
				require.Regexp(t, "permission|can't run", watch(t, store).requireOver(t).Error())
			})
		}
	})
}
