package redisstore_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/redis/rueidis"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/internal/servers"
	"github.com/sessionserverstore/sessionserverstore/core/redisstore"
)

// BenchmarkTold is how long after the answer to Delete another Store's Watch is told. A negative
// time is one before the answer.
//
//	go test -run '^$' -bench Told ./core/redisstore
func BenchmarkTold(b *testing.B) {
	for _, engine := range servers.Engines(b) {
		b.Run(engine.Name, func(b *testing.B) {
			b.Run("one server", func(b *testing.B) {
				url := engine.Start(b).URL()
				benchmarkTold(b, url, redisstore.Options{Replicas: redisstore.NoReplicas})
			})
			b.Run("a replica confirms", func(b *testing.B) {
				server := engine.Start(b)
				server.Replica(b, nil)
				benchmarkTold(b, server.URL(), redisstore.Options{Replicas: 1})
			})
			b.Run("a cluster", func(b *testing.B) {
				url := "redis://" + engine.Cluster(b).Addrs()[0]
				benchmarkTold(b, url, redisstore.Options{Replicas: redisstore.NoReplicas})
			})
		})
	}
}

// An arrival notes when an end is told.
type arrival struct {
	ready chan struct{}
	ended chan time.Time
}

func (a arrival) Ready()          { close(a.ready) }
func (a arrival) Ended(core.ID)   { a.ended <- time.Now() }
func (a arrival) Renewed(core.ID) {}

func benchmarkTold(b *testing.B, url string, options redisstore.Options) {
	here, there := open(b, url, options), open(b, url, options)
	a := arrival{ready: make(chan struct{}), ended: make(chan time.Time, 1)}
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	go func() { _ = there.Watch(ctx, a) }()
	<-a.ready
	var delays []time.Duration
	for b.Loop() {
		call, end := context.WithTimeout(b.Context(), 5*time.Second)
		err := here.Delete(call, newRecord().ID)
		end()
		answered := time.Now()
		require.NoError(b, err)
		delays = append(delays, (<-a.ended).Sub(answered))
	}
	slices.Sort(delays)
	b.ReportMetric(float64(delays[len(delays)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(delays[len(delays)*99/100].Microseconds()), "p99-µs")
}

// BenchmarkPublish compares the script of an end with one that does not tell of it: the other
// half of what a Watch costs. The two take turns.
//
//	go test -run '^$' -bench Publish ./core/redisstore
func BenchmarkPublish(b *testing.B) {
	const end = "#!lua flags=allow-oom\nif redis.call('DEL', KEYS[1]) == 0 then\n" +
		"redis.call('SET', KEYS[1], '') redis.call('DEL', KEYS[1]) end\n"
	const told = end + "redis.pcall('PUBLISH', ARGV[1], KEYS[1])\nreturn 1"
	for _, engine := range servers.Engines(b) {
		for _, listeners := range []int{0, 1, 10} {
			for _, goroutines := range []int{1, 50} {
				name := fmt.Sprintf("%s/%d listen/%d goroutines", engine.Name, listeners, goroutines)
				b.Run(name, func(b *testing.B) {
					benchmarkPublish(b, engine.Start(b), listeners, goroutines, end+"return 1", told)
				})
			}
		}
	}
}

func benchmarkPublish(
	b *testing.B, server *servers.Redis, listeners, goroutines int, scripts ...string,
) {
	client, err := rueidis.NewClient(rueidis.ClientOption{
		InitAddress: []string{server.Addr()}, DisableCache: true,
	})
	require.NoError(b, err)
	b.Cleanup(client.Close)
	store := open(b, server.URL(), redisstore.Options{})
	for range listeners {
		watch(b, store).hears(b)
	}
	sums := make([]string, len(scripts))
	for i, text := range scripts {
		sums[i] = server.MustDo("SCRIPT", "LOAD", text).(string)
	}
	took := make([]time.Duration, len(scripts))
	rounds := 0
	for b.Loop() {
		rounds++
		for i, sum := range sums {
			begin := time.Now()
			inTurns(b, goroutines, 2000, func() error {
				return client.Do(b.Context(), client.B().Evalsha().Sha1(sum).Numkeys(1).
					Key("session:"+string(newRecord().ID)).Arg("session:ended").Build()).Error()
			})
			took[i] += time.Since(begin)
		}
	}
	for i, name := range []string{"silent-ns", "told-ns"} {
		b.ReportMetric(float64(took[i].Nanoseconds())/float64(2000*rounds), name)
	}
	b.ReportMetric(float64(took[1])/float64(took[0]), "ratio")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkOwners is what an owner's entries cost in memory and in time.
//
//	go test -run '^$' -bench Owners -benchtime 1x ./core/redisstore
func BenchmarkOwners(b *testing.B) {
	for _, engine := range servers.Engines(b) {
		for _, size := range []int{1, 3, 10, 100, 1000} {
			b.Run(fmt.Sprintf("%s/%d entries", engine.Name, size), func(b *testing.B) {
				server := engine.Start(b)
				store := open(b, server.URL(), redisstore.Options{Replicas: redisstore.NoReplicas})
				added(b, store, "one before")
				memory := func() int {
					n, err := strconv.Atoi(server.Info("used_memory"))
					require.NoError(b, err)
					return n
				}
				for b.Loop() {
					server.MustDo("FLUSHALL", "SYNC")
					before := memory()
					const many = 20_000
					begin := time.Now()
					inTurns(b, 16, many, countUp(func(n int) error {
						owner := "user:" + strconv.Itoa(n/size)
						_, err := store.AddOwned(b.Context(), owner, newEntry(), 0, 0)
						return err
					}))
					b.ReportMetric(float64(time.Since(begin).Nanoseconds())/many, "add-ns")
					b.ReportMetric(float64(memory()-before)/many, "B/entry")
				}
			})
		}
	}
}
