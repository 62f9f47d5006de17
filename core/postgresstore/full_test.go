package postgresstore_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/internal/servers"
	"github.com/sessionserverstore/sessionserverstore/core/postgresstore"
)

// Large values lie in a file of their own. Here that is on a device that is always full.
func TestAFullDiskIsAClearError(t *testing.T) {
	t.Parallel()
	server := servers.NewPostgres(t)
	store, conn := open(t, server.URL(), postgresstore.Options{}), connect(t, server.URL())
	run(t, conn, "ALTER TABLE sessions ALTER COLUMN data SET STORAGE EXTERNAL") // not compressed
	rec := created(t, store)
	other := created(t, store)
	file := filepath.Join(server.Dir(), ask[string](t, conn, `
		SELECT pg_relation_filepath(reltoastrelid) FROM pg_class WHERE oid = 'sessions'::regclass`))
	require.NoError(t, conn.Close(t.Context()))

	server.Stop()
	require.NoError(t, os.Rename(file, file+".kept"))
	require.NoError(t, os.Symlink("/dev/full", file))
	server.Restart()
	large := newRecord(100_000)
	big := next(rec)
	big.Data = large.Data
	require.Eventually(t, func() bool { return store.Ping(t.Context()) == nil }, patience, 1)
	for _, err := range []error{
		store.Create(t.Context(), large),
		store.Update(t.Context(), big, rec.Revision),
		store.Renew(t.Context(), big, rec.Revision),
	} {
		require.ErrorIs(t, err, core.ErrStoreFull)
		assert.ErrorContains(t, err, "No space left on device")
		assert.False(t, strings.Contains(err.Error(), "dddd"), "nothing of what is stored")
	}
	requireLacks(t, store, large.ID)
	requireHolds(t, store, rec)
	then := next(rec)
	require.NoError(t, store.Touch(t.Context(), then, rec.Revision), "what needs no room goes on")
	require.NoError(t, store.Delete(t.Context(), other.ID))

	server.Stop()
	require.NoError(t, os.Rename(file+".kept", file))
	server.Restart()
	require.Eventually(t, func() bool { return store.Ping(t.Context()) == nil }, patience, 1)
	big.Revision = newRevision()
	require.NoError(t, store.Create(t.Context(), large))
	require.NoError(t, store.Update(t.Context(), big, then.Revision))
	requireHolds(t, store, large)
	requireHolds(t, store, big)
}
