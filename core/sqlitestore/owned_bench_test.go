package sqlitestore_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sessionserverstore/sessionserverstore/core"
)

func benchEntry(n int) core.OwnerEntry {
	return core.OwnerEntry{
		ID: benchID(n), Revision: core.Revision(uint64(n) * 0x9e3779b97f4a7c15),
		Until: time.Now().Add(24 * time.Hour),
	}
}

// BenchmarkAddOwned adds one entry for each owner.
func BenchmarkAddOwned(b *testing.B) {
	store := open(b, filepath.Join(b.TempDir(), "sessions.db"))
	var n atomic.Int64
	at(b, func(ctx context.Context, _ int) error {
		i := int(n.Add(1))
		_, err := store.AddOwned(ctx, benchOwner(i), benchEntry(i), 0, 5)
		return err
	})
}

func benchOwner(n int) string { return fmt.Sprintf("user:%08d", n*7919%100_000_000) }

// BenchmarkOwnedBytes says what an entry takes in the file.
func BenchmarkOwnedBytes(b *testing.B) {
	for b.Loop() {
		const n = 100_000
		path := memory(b)
		store := open(b, path)
		rival := newRival(b, path)
		if err := store.Ping(b.Context()); err != nil {
			b.Fatal(err)
		}
		before := rival.number("PRAGMA page_count")
		together(100, func(g int) {
			for i := g; i < n; i += 100 {
				_, err := store.AddOwned(b.Context(), benchOwner(i), benchEntry(i), 0, 5)
				if err != nil {
					b.Error(err)
				}
			}
		})
		pages := rival.number("PRAGMA page_count") - before
		b.ReportMetric(float64(pages*4096/n), "bytes/entry")
	}
}

// BenchmarkDelete ends sessions, each of which writes a row for those who watch elsewhere.
func BenchmarkDelete(b *testing.B) {
	for _, goroutines := range []int{1, 50} {
		b.Run(fmt.Sprint("goroutines=", goroutines), func(b *testing.B) {
			store := open(b, filepath.Join(b.TempDir(), "sessions.db"))
			together(50, func(g int) {
				for i := g; i < b.N; i += 50 {
					if err := store.Create(b.Context(), benchRecord(i)); err != nil {
						b.Error(err)
					}
				}
			})
			b.ResetTimer()
			together(goroutines, func(g int) {
				for i := g; i < b.N; i += goroutines {
					if err := store.Delete(b.Context(), benchID(i)); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}

// BenchmarkRenew is beside BenchmarkUpdate, which tells nobody.
func BenchmarkRenew(b *testing.B) {
	store := open(b, filepath.Join(b.TempDir(), "sessions.db"))
	fill(b, store)
	at(b, func(ctx context.Context, n int) error { return store.Renew(ctx, benchRecord(n), 1) })
}

// BenchmarkEnded measures how long after a Delete was acknowledged those who watch have been told:
// in the same Store, which is before it was, and in another one, as in another process.
func BenchmarkEnded(b *testing.B) {
	for _, where := range []string{"same", "other"} {
		b.Run(where, func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "sessions.db")
			store := open(b, path)
			watched := store
			if where == "other" {
				watched = open(b, path)
			}
			told := make(chan time.Time, 4)
			ctx, cancel := context.WithCancel(b.Context())
			t := telling{ready: make(chan struct{}), told: told}
			done := make(chan error)
			go func() { done <- watched.Watch(ctx, t) }()
			<-t.ready
			var delays []time.Duration
			for i := range b.N {
				rec := benchRecord(i)
				if err := store.Create(ctx, rec); err != nil {
					b.Fatal(err)
				}
				<-time.After(time.Duration(i*7919%100) * time.Millisecond) // not in step with the looks
				if err := store.Delete(ctx, rec.ID); err != nil {
					b.Fatal(err)
				}
				acknowledged := time.Now()
				delays = append(delays, (<-told).Sub(acknowledged))
				if where == "same" {
					<-told // the second time, out of the file
				}
			}
			cancel()
			<-done
			slices.Sort(delays)
			b.ReportMetric(float64(delays[len(delays)/2].Microseconds())/1000, "ms-p50")
			b.ReportMetric(float64(delays[len(delays)*99/100].Microseconds())/1000, "ms-p99")
		})
	}
}

// A telling passes on when it was told of an end.
type telling struct {
	ready chan struct{}
	told  chan<- time.Time
}

func (t telling) Ready()          { close(t.ready) }
func (t telling) Ended(core.ID)   { t.told <- time.Now() }
func (t telling) Renewed(core.ID) {}
