package postgresstore_test

import (
	"context"
	"fmt"
	mathrand "math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/internal/servers"
	"github.com/sessionserverstore/sessionserverstore/core/postgresstore"
)

// rival is the commonest way to keep sessions in PostgreSQL from Go, the statements of scs's
// pgxstore: an upsert without any check, and an expiry that has an index.
type rival struct{ pool *pgxpool.Pool }

const rivalTable = `CREATE TABLE rival (token text PRIMARY KEY, data bytea NOT NULL,
	expiry timestamptz NOT NULL); CREATE INDEX rival_expiry ON rival (expiry)`

func (r rival) find(ctx context.Context, token core.ID) error {
	var data []byte
	err := r.pool.QueryRow(ctx,
		"SELECT data FROM rival WHERE token = $1 AND current_timestamp < expiry",
		string(token)).Scan(&data)
	if err == pgx.ErrNoRows {
		return core.ErrNotFound
	}
	return err
}

func (r rival) commit(ctx context.Context, rec *core.Record) error {
	_, err := r.pool.Exec(ctx, "INSERT INTO rival (token, data, expiry) VALUES ($1, $2, $3) "+
		"ON CONFLICT (token) DO UPDATE SET data = EXCLUDED.data, expiry = EXCLUDED.expiry",
		string(rec.ID), []byte(rec.Data), rec.Expires)
	return err
}

func (r rival) delete(ctx context.Context, token core.ID) error {
	_, err := r.pool.Exec(ctx, "DELETE FROM rival WHERE token = $1", string(token))
	return err
}

// A benchmark measures an operation of the Store beside the same of a rival, in turns on one server
// that syncs, so that what else the machine does meets both.
type benchmark struct {
	server *servers.Postgres
	store  *postgresstore.Store
	rival  rival
	kept   []core.Record // which both hold
}

const (
	benchSessions = 5000
	benchSize     = 250
	benchTurn     = 1000 // operations
)

// An operation is done to a record of kept, which is the caller's alone, and one that is new.
type operation func(ctx context.Context, kept, fresh *core.Record) error

func BenchmarkStore(b *testing.B) {
	bench := newBenchmark(b)
	store, rival := bench.store, bench.rival
	none := func(context.Context, *core.Record, *core.Record) error { return nil }
	create := func(ctx context.Context, _, rec *core.Record) error {
		return store.Create(ctx, *rec)
	}
	rivalCreate := func(ctx context.Context, _, rec *core.Record) error {
		return rival.commit(ctx, rec)
	}
	for _, c := range []struct {
		name                     string
		prepare, ours            operation
		rivalPrepare, rivalsWork operation
	}{
		{"load", none, func(ctx context.Context, rec, _ *core.Record) error {
			_, err := store.Load(ctx, rec.ID)
			return err
		}, none, func(ctx context.Context, rec, _ *core.Record) error {
			return rival.find(ctx, rec.ID)
		}},
		{"change", none, func(ctx context.Context, rec, _ *core.Record) error {
			was := later(rec)
			return store.Update(ctx, *rec, was)
		}, none, func(ctx context.Context, rec, _ *core.Record) error {
			rec.Expires = rec.Expires.Add(time.Millisecond)
			return rival.commit(ctx, rec)
		}},
		{"touch", none, func(ctx context.Context, rec, _ *core.Record) error {
			was := later(rec)
			return store.Touch(ctx, *rec, was)
		}, none, func(ctx context.Context, rec, _ *core.Record) error {
			rec.Expires = rec.Expires.Add(time.Millisecond)
			return rival.commit(ctx, rec)
		}},
		{"create", none, create, none, rivalCreate},
		{"delete", create, func(ctx context.Context, _, rec *core.Record) error {
			return store.Delete(ctx, rec.ID)
		}, rivalCreate, func(ctx context.Context, _, rec *core.Record) error {
			return rival.delete(ctx, rec.ID)
		}},
	} {
		for _, workers := range []int{1, 50} {
			b.Run(fmt.Sprintf("%s/%d", c.name, workers), func(b *testing.B) {
				var ours, rivals time.Duration
				for b.Loop() {
					ours += bench.turn(b, workers, c.prepare, c.ours)
					rivals += bench.turn(b, workers, c.rivalPrepare, c.rivalsWork)
				}
				n := float64(b.N * benchTurn)
				b.ReportMetric(n/ours.Seconds(), "ops/s")
				b.ReportMetric(n/rivals.Seconds(), "rival-ops/s")
				b.ReportMetric(rivals.Seconds()/ours.Seconds(), "ratio")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

// later gives a record what a write changes, and returns the Revision it had.
func later(rec *core.Record) core.Revision {
	was := rec.Revision
	rec.Revision++
	rec.Expires = rec.Expires.Add(time.Millisecond)
	return was
}

func newBenchmark(b *testing.B) *benchmark {
	server := servers.NewPostgres(b, "fsync = on", "full_page_writes = on",
		"shared_buffers = 256MB", "max_wal_size = 4GB")
	pool := newPool(b, server.URL()+"&pool_max_conns=50")
	store, err := postgresstore.New(pool, postgresstore.Options{})
	require.NoError(b, err)
	require.NoError(b, store.Migrate(b.Context()))
	_, err = pool.Exec(b.Context(), rivalTable)
	require.NoError(b, err)
	bench := &benchmark{
		server: server, store: store, rival: rival{pool},
		kept: make([]core.Record, benchSessions),
	}
	for i := range bench.kept {
		bench.kept[i] = newRecord(benchSize)
		require.NoError(b, store.Create(b.Context(), bench.kept[i]))
		require.NoError(b, bench.rival.commit(b.Context(), &bench.kept[i]))
	}
	_, err = pool.Exec(b.Context(), "VACUUM ANALYZE")
	require.NoError(b, err)
	return bench
}

// turn does an operation benchTurn times, with so many workers at once, and returns how long it
// took. What prepares it is not counted.
func (bench *benchmark) turn(b *testing.B, workers int, prepare, do operation) time.Duration {
	fresh := make([]core.Record, benchTurn)
	for i := range fresh {
		fresh[i] = newRecord(benchSize)
	}
	each := func(do operation) time.Duration {
		var group sync.WaitGroup
		begin := time.Now()
		for w := range workers {
			group.Go(func() {
				for i := w; i < benchTurn; i += workers {
					kept := &bench.kept[mathrand.IntN(benchSessions/workers)*workers+w]
					if err := do(context.Background(), kept, &fresh[i]); err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		group.Wait()
		return time.Since(begin)
	}
	each(prepare)
	return each(do)
}
