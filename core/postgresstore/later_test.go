package postgresstore_test

import (
	"context"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/internal/servers"
	"github.com/sessionserverstore/sessionserverstore/core/postgresstore"
)

// A busyDB is one on which others tell of something at the same time, so that an end or a renewal
// is confirmed by a second statement. Something may happen before that.
type busyDB struct {
	*pgxpool.Pool
	before func()
}

func (db *busyDB) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	switch {
	case strings.Contains(sql, "pg_logical_emit_message"):
		before := db.before
		db.before = func() {}
		before()
	case strings.Contains(sql, "pg_notify"):
		args[len(args)-1] = true
	}
	return db.Pool.Query(ctx, sql, args...)
}

// The first statement does not wait for the disk, so that a server that crashes then forgets it; and
// the second one may come to the server that was started in its place.
func TestACrashBetweenTheTwoStatementsOfAnEndIsNoSuccess(t *testing.T) {
	t.Parallel()
	server := servers.NewPostgres(t, writeLate...)
	healthy := open(t, server.URL(), postgresstore.Options{})
	run(t, connect(t, server.URL()), "CHECKPOINT")
	db := &busyDB{Pool: newPool(t, server.URL()), before: func() {}}
	store, err := postgresstore.New(db, postgresstore.Options{})
	require.NoError(t, err)
	crash := func() {
		server.Kill()
		server.Restart()
		require.Eventually(t, func() bool { return healthy.Ping(t.Context()) == nil }, patience, 1)
		db.Pool.Reset()
	}

	rec := created(t, healthy)
	db.before = crash
	server.HoldLog()
	require.NoError(t, healthy.Delete(t.Context(), newID())) // what was before is on the disk
	require.NoError(t, store.Delete(t.Context(), rec.ID))
	requireLacks(t, healthy, rec.ID)
	crash()
	requireLacks(t, healthy, rec.ID)

	rec = created(t, healthy)
	db.before = crash
	server.HoldLog()
	require.NoError(t, healthy.Delete(t.Context(), newID()))
	requireNoVerdict(t, store.Renew(t.Context(), next(rec), rec.Revision))
	requireHolds(t, healthy, rec) // the server has forgotten the first statement
}

// Others may write, or end, what was renewed, before that is confirmed.
func TestARenewalIsConfirmedThoughOthersGoOnFromIt(t *testing.T) {
	url := servers.SharedPostgres(t).Database(t)
	other := open(t, url, postgresstore.Options{})
	db := &busyDB{Pool: newPool(t, url)}
	store, err := postgresstore.New(db, postgresstore.Options{})
	require.NoError(t, err)
	for name, meanwhile := range map[string]func(core.Record) error{
		"nothing": func(core.Record) error { return nil },
		"update": func(rec core.Record) error {
			return other.Update(t.Context(), next(rec), rec.Revision)
		},
		"delete": func(rec core.Record) error { return other.Delete(t.Context(), rec.ID) },
	} {
		t.Run(name, func(t *testing.T) {
			rec := created(t, store)
			then := next(rec)
			db.before = func() { require.NoError(t, meanwhile(then)) }
			require.NoError(t, store.Renew(t.Context(), then, rec.Revision))
			db.before = func() { t.Helper() }
			require.NoError(t, store.Delete(t.Context(), rec.ID))
			requireLacks(t, other, rec.ID)
		})
	}
}
