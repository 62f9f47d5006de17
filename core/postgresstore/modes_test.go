package postgresstore_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/internal/servers"
	"github.com/sessionserverstore/sessionserverstore/core/postgresstore"
)

// modes are all of pgx's ways to send a statement.
var modes = []string{
	"cache_statement", "cache_describe", "describe_exec", "exec", "simple_protocol",
}

func inMode(mode string) string { return "&default_query_exec_mode=" + mode }

func TestEveryOperationWorksInEveryModeOfPgx(t *testing.T) {
	url := servers.SharedPostgres(t).Database(t)
	for _, mode := range modes {
		t.Run(mode, func(t *testing.T) {
			useAll(t, open(t, url+inMode(mode), postgresstore.Options{}))
		})
	}
}

// useAll uses all operations, with every answer that they have.
func useAll(t *testing.T, store *postgresstore.Store) {
	t.Helper()
	ctx := t.Context()
	require.NoError(t, store.Ping(ctx))
	rec := newRecord(0)
	var all strings.Builder
	for c := range 256 {
		all.WriteByte(byte(c))
	}
	rec.Data, rec.Owner, rec.Revision = all.String()+`\x'`, `o'\"ä`+"\n", 1<<63+1
	require.NoError(t, store.Create(ctx, rec))
	require.ErrorIs(t, store.Create(ctx, next(rec)), core.ErrExists)
	requireHolds(t, store, rec)

	for name, write := range writes(store) {
		was := rec
		rec = next(was)
		require.ErrorIs(t, write(ctx, rec, was.Revision+1), core.ErrConflict, name)
		requireHolds(t, store, was)
		require.NoError(t, write(ctx, rec, was.Revision), name)
		if name == "touch" {
			rec.Data = was.Data
		}
		requireHolds(t, store, rec)
		absent := newRecord(1)
		require.ErrorIs(t, write(ctx, absent, absent.Revision), core.ErrNotFound, name)
		requireLacks(t, store, absent.ID)
	}
	was := rec
	rec.Revision, rec.Expires, rec.Owner, rec.Data = 1, time.Time{}, "", ""
	require.NoError(t, store.Update(ctx, rec, was.Revision))
	requireHolds(t, store, rec)

	due := created(t, store)
	n, err := store.DeleteExpired(ctx, due.Expires)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	requireLacks(t, store, due.ID)

	for range 2 {
		require.NoError(t, store.Delete(ctx, rec.ID))
		requireLacks(t, store, rec.ID)
	}
}
