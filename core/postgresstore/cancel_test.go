package postgresstore_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core/internal/servers"
	"github.com/sessionserverstore/sessionserverstore/core/postgresstore"
)

// A hastyDB cancels the caller's context just when a statement has been answered.
type hastyDB struct {
	*pgxpool.Pool
	cancel func()
}

type hastyRows struct {
	pgx.Rows
	cancel func()
}

func (db *hastyDB) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	rows, err := db.Pool.Query(ctx, sql, args...)
	return &hastyRows{rows, db.cancel}, err
}

func (r *hastyRows) Close() {
	r.Rows.Close()
	r.cancel()
}

// When a context is over, pgx makes the server give up waiting for its standby, and the server then
// answers as if all were well.
func TestAWriteThatWasDoneWhenTheContextWasOverIsNoSuccess(t *testing.T) {
	url := servers.SharedPostgres(t).Database(t)
	open(t, url, postgresstore.Options{})
	db := &hastyDB{Pool: newPool(t, url)}
	store, err := postgresstore.New(db, postgresstore.Options{})
	require.NoError(t, err)
	db.cancel = func() {}
	rec := created(t, store)
	then := next(rec)
	for name, write := range map[string]func(ctx context.Context) error{
		"create": func(ctx context.Context) error { return store.Create(ctx, newRecord(1)) },
		"update": func(ctx context.Context) error { return store.Update(ctx, then, rec.Revision) },
		"renew":  func(ctx context.Context) error { return store.Renew(ctx, rec, rec.Revision) },
		"delete": func(ctx context.Context) error { return store.Delete(ctx, newID()) },
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			db.cancel = cancel
			require.ErrorIs(t, write(ctx), context.Canceled)
			db.cancel = func() {}
		})
	}
	require.NoError(t, store.Delete(t.Context(), rec.ID))
}
