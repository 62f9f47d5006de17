package postgresstore_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/internal/servers"
	"github.com/sessionserverstore/sessionserverstore/core/postgresstore"
	"github.com/sessionserverstore/sessionserverstore/core/sessiontest"
)

// open returns a Store whose table has been made. It is closed at the test's end.
func open(t testing.TB, url string, options postgresstore.Options) *postgresstore.Store {
	t.Helper()
	store, err := postgresstore.Open(url, options)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	require.NoError(t, store.Migrate(t.Context()))
	return store
}

func TestStore(t *testing.T) {
	server := servers.SharedPostgres(t)
	sessiontest.TestStore(t, func(t testing.TB) core.Store {
		return open(t, server.Database(t), postgresstore.Options{})
	})
}
