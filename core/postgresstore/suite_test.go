package postgresstore_test

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/internal/servers"
	"github.com/sessionserverstore/sessionserverstore/core/internal/storesuite"
	"github.com/sessionserverstore/sessionserverstore/core/postgresstore"
)

var suiteFlags = storesuite.NewFlags()

// subject is the store at a URL.
func subject(url string, options postgresstore.Options) storesuite.Subject {
	open := func(t testing.TB) core.Store {
		store, err := postgresstore.Open(url, options)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, store.Close()) })
		require.NoError(t, store.Migrate(t.Context()))
		return store
	}
	return storesuite.Subject{Flags: suiteFlags, Open: open}
}

// Managers on this store keep all of core's promises, on one node and on two.
func TestSuite(t *testing.T) {
	s := subject(servers.SharedPostgres(t).Database(t), postgresstore.Options{})
	s.Share = 5
	storesuite.Run(t, s)
}

// So they do on two nodes where a standby confirms each end and each renewal, and behind a PgBouncer
// that gives each transaction another connection.
func TestSuiteInCompany(t *testing.T) {
	t.Run("a synchronous standby", func(t *testing.T) {
		server := servers.NewPostgres(t)
		server.Replica(t, servers.ReplicaOptions{Sync: true})
		s := subject(server.URL(), postgresstore.Options{Standby: true})
		s.Share = 10
		storesuite.Nodes(t, s)
	})
	t.Run("a PgBouncer", func(t *testing.T) {
		url, err := url.Parse(servers.PgBouncer(t, servers.NewPostgres(t)))
		require.NoError(t, err)
		query := url.Query()
		query.Set("default_query_exec_mode", "cache_describe")
		url.RawQuery = query.Encode()
		s := subject(url.String(), postgresstore.Options{})
		s.Share = 10
		storesuite.Nodes(t, s)
	})
}
