package redisstore_test

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/rueidis"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/internal/servers"
	"github.com/sessionserverstore/sessionserverstore/core/redisstore"
)

// BenchmarkStore compares the store's calls with the plain commands that cannot be done without,
// sent by the same client: a load with GET, a change with SETEX. Server and client share the
// machine, so that ratios mean more than times.
//
//	go test -run '^$' -bench Store ./core/redisstore
func BenchmarkStore(b *testing.B) {
	for _, engine := range servers.Engines(b) {
		b.Run(engine.Name, func(b *testing.B) {
			server := engine.Start(b)
			for _, goroutines := range []int{1, 50} {
				name := map[int]string{1: "1 goroutine", 50: "50 goroutines"}[goroutines]
				b.Run(name, func(b *testing.B) { benchmarkAll(b, server, goroutines) })
			}
		})
	}
}

func benchmarkAll(b *testing.B, server *servers.Redis, goroutines int) {
	store := open(b, server.URL(), redisstore.Options{Replicas: redisstore.NoReplicas})
	client, err := rueidis.NewClient(rueidis.ClientOption{
		InitAddress: []string{server.Addr()}, DisableCache: true,
	})
	require.NoError(b, err)
	b.Cleanup(client.Close)
	records := make([]core.Record, 64)
	for i := range records {
		records[i] = newRecord()
		records[i].Data = strings.Repeat("x", 300)
		require.NoError(b, store.Create(b.Context(), records[i]))
		key := "plain:" + string(records[i].ID)
		server.MustDo("SETEX", key, "3600", records[i].Data)
	}
	plain := func(i int) string { return "plain:" + string(records[i].ID) }
	for _, call := range []struct {
		name string
		do   func(ctx context.Context, i int) error
	}{
		{"GET", func(ctx context.Context, i int) error {
			return client.Do(ctx, client.B().Get().Key(plain(i)).Build()).Error()
		}},
		{"load", func(ctx context.Context, i int) error {
			_, err := store.Load(ctx, records[i].ID)
			return err
		}},
		{"SETEX", func(ctx context.Context, i int) error {
			return client.Do(ctx, client.B().Setex().Key(plain(i)).Seconds(3600).
				Value(records[i].Data).Build()).Error()
		}},
		{"change", func(ctx context.Context, i int) error {
			return store.Update(ctx, records[i], records[i].Revision)
		}},
		{"touch", func(ctx context.Context, i int) error {
			return store.Touch(ctx, records[i], records[i].Revision)
		}},
		{"create and end", func(ctx context.Context, i int) error {
			rec := newRecord()
			if err := store.Create(ctx, rec); err != nil {
				return err
			}
			return store.Delete(ctx, rec.ID)
		}},
	} {
		b.Run(call.name, func(b *testing.B) {
			inParallel(b, goroutines, func(n int) error {
				// As the Manager does: each call has a deadline.
				ctx, cancel := context.WithTimeout(b.Context(), 5*time.Second)
				defer cancel()
				return call.do(ctx, n%len(records))
			})
		})
	}
}

// inParallel does b.N calls from so many goroutines.
func inParallel(b *testing.B, goroutines int, call func(n int) error) {
	b.ReportAllocs()
	b.ResetTimer()
	var next atomic.Int64
	var all sync.WaitGroup
	for range goroutines {
		all.Go(func() {
			for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
				if err := call(int(n)); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "op/s")
}

// inTurns does so many calls from so many goroutines.
func inTurns(b *testing.B, goroutines, calls int, call func() error) {
	b.Helper()
	var next atomic.Int64
	var all sync.WaitGroup
	for range goroutines {
		all.Go(func() {
			for n := next.Add(1); n <= int64(calls); n = next.Add(1) {
				if err := call(); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
}

// countUp tells a call the how manieth it is.
func countUp(call func(n int) error) func() error {
	var next atomic.Int64
	return func() error { return call(int(next.Add(1)) - 1) }
}
