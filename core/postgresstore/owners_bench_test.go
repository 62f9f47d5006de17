package postgresstore_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/internal/servers"
	"github.com/sessionserverstore/sessionserverstore/core/postgresstore"
)

// What it costs an end and a renewal that others are told, while one listens: in turns, on one
// server that syncs, with and without a synchronous standby.
func BenchmarkTelling(b *testing.B) {
	for _, standby := range []bool{false, true} {
		b.Run(fmt.Sprintf("standby=%v", standby), func(b *testing.B) {
			bench := newBenchmark(b)
			if standby {
				bench.server.Replica(b, servers.ReplicaOptions{Sync: true})
			}
			watchReady(b, open(b, bench.server.URL(), postgresstore.Options{}))
			silent := *bench
			silent.store = open(b, bench.server.URL()+"&pool_max_conns=50",
				postgresstore.Options{Unwatched: true})
			for _, name := range []string{"delete", "renew"} {
				for _, workers := range []int{1, 40} {
					b.Run(fmt.Sprintf("%s/%d", name, workers), func(b *testing.B) {
						compare(b, bench, &silent, name, workers)
					})
				}
			}
		})
	}
}

func compare(b *testing.B, loud, silent *benchmark, name string, workers int) {
	var took [2]time.Duration
	for b.Loop() {
		for i, bench := range []*benchmark{loud, silent} {
			prepare := func(ctx context.Context, _, rec *core.Record) error {
				return bench.store.Create(ctx, *rec)
			}
			do := func(ctx context.Context, _, rec *core.Record) error {
				if name == "delete" {
					return bench.store.Delete(ctx, rec.ID)
				}
				was := later(rec)
				return bench.store.Renew(ctx, *rec, was)
			}
			took[i] += bench.turn(b, workers, prepare, do)
		}
	}
	n := float64(b.N * benchTurn)
	b.ReportMetric(n/took[0].Seconds(), "ops/s")
	b.ReportMetric(n/took[1].Seconds(), "silent-ops/s")
	b.ReportMetric(took[1].Seconds()/took[0].Seconds(), "ratio")
	b.ReportMetric(0, "ns/op")
}

// A stopwatch notes when it is told of ends.
type stopwatch struct {
	ready chan struct{}
	ended chan time.Time
}

func (w *stopwatch) Ready()          { close(w.ready) }
func (w *stopwatch) Ended(core.ID)   { w.ended <- time.Now() }
func (w *stopwatch) Renewed(core.ID) {}

// How long after an end has been acknowledged another Store is told of it.
func BenchmarkDelay(b *testing.B) {
	server := servers.NewPostgres(b, "fsync = on", "full_page_writes = on")
	store := open(b, server.URL(), postgresstore.Options{})
	w := &stopwatch{make(chan struct{}), make(chan time.Time, 1)}
	ctx, cancel := context.WithCancel(b.Context())
	var group sync.WaitGroup
	group.Go(func() {
		_ = open(b, server.URL(), postgresstore.Options{}).Watch(ctx, w)
	})
	<-w.ready
	var after, whole []time.Duration
	for b.Loop() {
		rec := created(b, store)
		begin := time.Now()
		require.NoError(b, store.Delete(b.Context(), rec.ID))
		acknowledged := time.Now()
		told := <-w.ended
		after = append(after, max(0, told.Sub(acknowledged)))
		whole = append(whole, told.Sub(begin))
	}
	cancel()
	group.Wait()
	for name, list := range map[string][]time.Duration{"after": after, "whole": whole} {
		slices.Sort(list)
		b.ReportMetric(float64(list[len(list)/2].Microseconds()), name+"-p50-µs")
		b.ReportMetric(float64(list[len(list)*99/100].Microseconds()), name+"-p99-µs")
	}
}

// How much an owner takes of the disk, with table and indexes, and how long an addition.
func BenchmarkOwners(b *testing.B) {
	for _, entries := range []int{1, 3, 10} {
		b.Run(fmt.Sprint(entries), func(b *testing.B) {
			server := servers.NewPostgres(b, "fsync = on", "full_page_writes = on")
			store := open(b, server.URL()+"&pool_max_conns=8", postgresstore.Options{})
			const owners, workers = 8000, 8
			var group sync.WaitGroup
			begin := time.Now()
			for w := range workers {
				group.Go(func() {
					for i := w; i < owners*entries; i += workers {
						owner := fmt.Sprint("user:", i%owners)
						_, err := store.AddOwned(b.Context(), owner, newEntry(), 0, 0)
						if err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			group.Wait()
			took := time.Since(begin)
			conn := connect(b, server.URL())
			size := ask[int](b, conn, "SELECT pg_total_relation_size('sessions_owners')")
			b.ReportMetric(float64(size)/owners, "bytes/owner")
			b.ReportMetric(float64(owners*entries)/took.Seconds(), "additions/s")
			b.ReportMetric(0, "ns/op")
		})
	}
}
