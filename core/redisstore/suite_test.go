package redisstore_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/internal/servers"
	"github.com/sessionserverstore/sessionserverstore/core/internal/storesuite"
	"github.com/sessionserverstore/sessionserverstore/core/redisstore"
)

var suiteFlags = storesuite.NewFlags()

// subject is the store at a URL.
func subject(url string, options redisstore.Options) storesuite.Subject {
	open := func(t testing.TB) core.Store {
		store, err := redisstore.Open(url, options)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, store.Close()) })
		return store
	}
	return storesuite.Subject{Flags: suiteFlags, Open: open}
}

// Managers on this store keep all of core's promises, on one node and on two.
func TestSuite(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		s := subject(engine.Start(t).URL(), redisstore.Options{})
		s.Share = 20
		storesuite.Run(t, s)
	})
}

// So they do on two nodes where copies confirm: everything, or what must be confirmed.
func TestSuiteWithCopies(t *testing.T) {
	t.Parallel()
	engine := servers.Engines(t)[0]
	t.Run("a replica, and everything is confirmed", func(t *testing.T) {
		server := engine.Start(t)
		server.Replica(t, nil)
		s := subject(server.URL(), redisstore.Options{
			Replicas: 1, ConfirmWrites: true, ConfirmTimeout: patient,
		})
		s.Share = 10
		storesuite.Nodes(t, s)
	})
	t.Run("a cluster", func(t *testing.T) {
		s := subject("redis://"+engine.Cluster(t).Addrs()[0], redisstore.Options{
			ConfirmTimeout: patient,
		})
		s.Share = 10
		storesuite.Nodes(t, s)
	})
}
