package sqlitestore_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/sessiontest"
	"github.com/sessionserverstore/sessionserverstore/core/sqlitestore"
)

// open makes a store on a file, and closes it at the test's end.
func open(t testing.TB, path string) *sqlitestore.Store {
	t.Helper()
	store, err := sqlitestore.Open(path, sqlitestore.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	return store
}

// fresh makes a store on a file of its own.
func fresh(t testing.TB) *sqlitestore.Store {
	return open(t, filepath.Join(t.TempDir(), "sessions.db"))
}

func TestStore(t *testing.T) {
	sessiontest.TestStore(t, func(t testing.TB) core.Store { return fresh(t) })
}
