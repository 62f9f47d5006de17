package postgresstore_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/internal/servers"
	"github.com/sessionserverstore/sessionserverstore/core/postgresstore"
)

// A countingDB counts statements, each of which is a round trip.
type countingDB struct {
	*pgxpool.Pool
	trips atomic.Int64
}

func (db *countingDB) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	db.trips.Add(1)
	return db.Pool.Query(ctx, sql, args...)
}

func (db *countingDB) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	db.trips.Add(1)
	return db.Pool.QueryRow(ctx, sql, args...)
}

func TestHowManyRoundTripsAnOperationTakes(t *testing.T) {
	db := &countingDB{Pool: newPool(t, servers.SharedPostgres(t).Database(t))}
	store, err := postgresstore.New(db, postgresstore.Options{})
	require.NoError(t, err)
	require.NoError(t, store.Migrate(t.Context()))
	ctx, rec, entry := t.Context(), created(t, store), newEntry()
	for _, c := range []struct {
		what string
		want int64
		err  error
		do   func() error
	}{
		{"a renewal", 1, nil, func() error { return store.Renew(ctx, next(rec), rec.Revision) }},
		{"an end", 1, nil, func() error { return store.Delete(ctx, rec.ID) }},
		{"an end of nothing", 2, nil, func() error { return store.Delete(ctx, rec.ID) }},
		{"an epoch", 1, nil, func() error {
			_, err := store.OwnerEpoch(ctx, "user:42")
			return err
		}},
		{"an addition", 1, nil, func() error {
			_, err := store.AddOwned(ctx, "user:42", entry, 0, 1)
			return err
		}},
		{"one without room", 2, core.ErrOwnerLimit, func() error {
			_, err := store.AddOwned(ctx, "user:42", newEntry(), 0, 1)
			return err
		}},
		{"one that comes too late", 2, core.ErrConflict, func() error {
			_, err := store.AddOwned(ctx, "user:42", newEntry(), 7, 1)
			return err
		}},
		{"a list", 1, nil, func() error {
			_, err := store.ListOwned(ctx, "user:42")
			return err
		}},
		{"a raise", 1, nil, func() error {
			_, _, err := store.RaiseEpoch(ctx, "user:42", 1, time.Now())
			return err
		}},
		{"a removal", 1, nil, func() error { return store.RemoveOwned(ctx, "user:42", entry) }},
		{"a mark", 1, nil, func() error {
			_, err := store.Mark(ctx, "a")
			return err
		}},
		{"a raised mark", 1, nil, func() error { return store.RaiseMark(ctx, "a", time.Now()) }},
	} {
		before := db.trips.Load()
		require.ErrorIs(t, c.do(), c.err, c.what)
		assert.Equal(t, c.want, db.trips.Load()-before, c.what)
	}
}
