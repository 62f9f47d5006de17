package sqlitestore_test

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/binary"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/sqlitestore"
)

const benchSessions = 5000

// benchID makes the n-th of IDs that look as the true ones do.
func benchID(n int) core.ID {
	var b [24]byte
	binary.LittleEndian.PutUint64(b[:], uint64(n)*0x9e3779b97f4a7c15)
	binary.LittleEndian.PutUint64(b[8:], uint64(n)*0xd1342543de82ef95+1)
	binary.LittleEndian.PutUint64(b[16:], uint64(n))
	return core.ID(base64.RawURLEncoding.EncodeToString(b[:]))
}

func benchRecord(n int) core.Record {
	now := time.Now().UTC().Truncate(time.Millisecond)
	return core.Record{
		ID: benchID(n), Revision: 1, Used: now, Expires: now.Add(time.Hour),
		Data: strings.Repeat("d", 300),
	}
}

// fill creates the benchmark's sessions.
func fill(b *testing.B, store *sqlitestore.Store) {
	b.Helper()
	together(50, func(g int) {
		for i := g; i < benchSessions; i += 50 {
			if err := store.Create(b.Context(), benchRecord(i)); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

func together(n int, f func(i int)) {
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() { f(i) })
	}
	group.Wait()
}

// at runs a benchmark with one goroutine and with fifty, each with sessions of its own. The context
// is one that can end, as that of a request is.
func at(b *testing.B, f func(ctx context.Context, n int) error) {
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	for _, goroutines := range []int{1, 50} {
		name := map[int]string{1: "goroutines=1", 50: "goroutines=50"}[goroutines]
		b.Run(name, func(b *testing.B) {
			var left atomic.Int64
			left.Store(int64(b.N))
			b.ReportAllocs()
			b.ResetTimer()
			together(goroutines, func(g int) {
				for i := g; left.Add(-1) >= 0; i = (i + goroutines) % benchSessions {
					if err := f(ctx, i); err != nil {
						b.Error(err)
						return
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "ops/s")
		})
	}
}

func BenchmarkLoad(b *testing.B) {
	store := open(b, filepath.Join(b.TempDir(), "sessions.db"))
	fill(b, store)
	at(b, func(ctx context.Context, n int) error {
		_, err := store.Load(ctx, benchID(n))
		return err
	})
}

func BenchmarkUpdate(b *testing.B) {
	store := open(b, filepath.Join(b.TempDir(), "sessions.db"))
	fill(b, store)
	at(b, func(ctx context.Context, n int) error { return store.Update(ctx, benchRecord(n), 1) })
}

func BenchmarkTouch(b *testing.B) {
	store := open(b, filepath.Join(b.TempDir(), "sessions.db"))
	fill(b, store)
	at(b, func(ctx context.Context, n int) error { return store.Touch(ctx, benchRecord(n), 1) })
}

func BenchmarkCreateDelete(b *testing.B) {
	store := open(b, filepath.Join(b.TempDir(), "sessions.db"))
	at(b, func(ctx context.Context, n int) error {
		if err := store.Create(ctx, benchRecord(n)); err != nil {
			return err
		}
		return store.Delete(ctx, benchID(n))
	})
}

// BenchmarkTransactionPerRequest is what Update is measured against: the same change of the same
// record, written by hand with database/sql, in the same durability.
func BenchmarkTransactionPerRequest(b *testing.B) {
	for name, connections := range map[string]int{"one-connection": 1, "eight-connections": 8} {
		b.Run(name, func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "sessions.db")
			store := open(b, path)
			fill(b, store)
			db, err := sql.Open("sqlite", "file:"+path+
				"?_pragma=busy_timeout(10000)&_pragma=synchronous(full)&_txlock=immediate")
			if err != nil {
				b.Fatal(err)
			}
			defer db.Close()
			db.SetMaxOpenConns(connections)
			at(b, func(ctx context.Context, n int) error { return changeByHand(ctx, db, n) })
		})
	}
}

func changeByHand(ctx context.Context, db *sql.DB, n int) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	rec := benchRecord(n)
	_, err = tx.ExecContext(ctx, `UPDATE sessions SET revision = ?, owner = ?, used = ?,
		expires = ?, data = ? WHERE id = ? AND revision = ?`, int64(rec.Revision), rec.Owner,
		rec.Used.UnixMilli(), rec.Expires.UnixMilli(), []byte(rec.Data), string(rec.ID), 1)
	if err != nil {
		return err
	}
	return tx.Commit()
}
