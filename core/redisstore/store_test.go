package redisstore_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/internal/servers"
	"github.com/sessionserverstore/sessionserverstore/core/redisstore"
	"github.com/sessionserverstore/sessionserverstore/core/sessiontest"
)

func TestMain(m *testing.M) { servers.Main(m) }

// eachEngine runs a test on Redis and on Valkey.
func eachEngine(t *testing.T, test func(t *testing.T, engine servers.Engine)) {
	t.Helper()
	t.Parallel()
	for _, engine := range servers.Engines(t) {
		t.Run(engine.Name, func(t *testing.T) {
			t.Parallel()
			test(t, engine)
		})
	}
}

// open opens a store that ends with its test.
func open(t testing.TB, url string, options redisstore.Options) *redisstore.Store {
	t.Helper()
	store, err := redisstore.Open(url, options)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	return store
}

func TestTheStoreKeepsItsContract(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		server := engine.Start(t)
		sessiontest.TestStore(t, func(t testing.TB) core.Store {
			server.MustDo("FLUSHALL")
			return open(t, server.URL(), redisstore.Options{})
		})
	})
}

func TestTheStoreKeepsItsContractInACluster(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		cluster := engine.Cluster(t)
		for name, options := range map[string]redisstore.Options{
			"automatic":         {ConfirmTimeout: patient},
			"nothing confirmed": {Replicas: redisstore.NoReplicas, Journal: redisstore.NoJournal},
			"all confirmed":     {Replicas: 1, ConfirmWrites: true, ConfirmTimeout: patient},
		} {
			t.Run(name, func(t *testing.T) {
				sessiontest.TestStore(t, func(t testing.TB) core.Store {
					for _, node := range cluster.Nodes()[:3] {
						node.MustDo("FLUSHALL")
					}
					return open(t, "redis://"+cluster.Addrs()[0], options)
				})
			})
		}
	})
}
