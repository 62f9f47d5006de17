package redisstore_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core/internal/servers"
	"github.com/sessionserverstore/sessionserverstore/core/redisstore"
)

// everyCall calls each method once, and returns what they answer.
func everyCall(ctx context.Context, store *redisstore.Store) map[string]error {
	rec := newRecord()
	calls := map[string]func() error{
		"Create": func() error { return store.Create(ctx, rec) },
		"Load":   func() error { _, err := store.Load(ctx, rec.ID); return err },
		"Update": func() error { return store.Update(ctx, rec, 1) },
		"Renew":  func() error { return store.Renew(ctx, rec, 1) },
		"Touch":  func() error { return store.Touch(ctx, rec, 1) },
		"Delete": func() error { return store.Delete(ctx, rec.ID) },
		"Ping":   func() error { return store.Ping(ctx) },
	}
	var mu sync.Mutex
	var all sync.WaitGroup
	answers := map[string]error{}
	for name, call := range calls {
		all.Go(func() {
			err := call()
			mu.Lock()
			defer mu.Unlock()
			answers[name] = err
		})
	}
	all.Wait()
	return answers
}

// works reports whether the store does what it is for.
func works(t *testing.T, store *redisstore.Store) func() bool {
	return func() bool {
		ctx, cancel := contextWithTimeout(t, 2*time.Second)
		defer cancel()
		rec := newRecord()
		if store.Create(ctx, rec) != nil {
			return false
		}
		got, err := store.Load(ctx, rec.ID)
		if err != nil || got != rec {
			return false
		}
		err = store.Delete(ctx, rec.ID)
		return err == nil || isNotDurable(err)
	}
}

// The client's own timeouts: of no help, or the only help.
const (
	longTimeouts  = "dial_timeout=2m&write_timeout=2m"
	shortTimeouts = "dial_timeout=500ms&write_timeout=500ms"
)

// longestDirect is with how much time left a call is made without a goroutine of its own.
const longestDirect = 10 * time.Second

// soon is much less than the long timeouts.
const soon = time.Minute

// eachOutage cuts a server off before the first call, and after some.
func eachOutage(
	t *testing.T, timeouts string, options redisstore.Options,
	test func(t *testing.T, link *servers.Link, store *redisstore.Store),
) {
	engine := servers.Engines(t)[0] // it is about the client
	for _, when := range []string{"before the first call", "later"} {
		t.Run(when, func(t *testing.T) {
			t.Parallel()
			server := engine.Start(t)
			link := servers.NewLink(t, server.Addr())
			store := open(t, "redis://user:"+password+"@"+link.Addr()+"?"+timeouts, options)
			server.MustDo("ACL", "SETUSER", "user", "on", ">"+password, "~*", "+@all")
			if when == "later" {
				eventually(t, works(t, store), "it works")
			}
			test(t, link, store)
		})
	}
}

func TestASilentServerHoldsNoCallBeyondItsDeadline(t *testing.T) {
	eachOutage(t, longTimeouts, redisstore.Options{Replicas: 1}, func(
		t *testing.T, link *servers.Link, store *redisstore.Store,
	) {
		link.Cut()
		for range 3 {
			ctx, cancel := contextWithTimeout(t, 200*time.Millisecond)
			begin := time.Now()
			for call, err := range everyCall(ctx, store) {
				require.ErrorIs(t, err, context.DeadlineExceeded, call)
				requireNoVerdict(t, err)
			}
			require.Less(t, time.Since(begin), soon)
			cancel()
		}
	})
}

func TestASilentServerHoldsNoCallThatIsCancelled(t *testing.T) {
	eachOutage(t, longTimeouts, redisstore.Options{Replicas: 1}, func(
		t *testing.T, link *servers.Link, store *redisstore.Store,
	) {
		link.Cut()
		why := errors.New("the client has gone")
		late, end := contextWithTimeout(t, time.Hour)
		defer end()
		ctx, cancel := context.WithCancelCause(late)
		time.AfterFunc(100*time.Millisecond, func() { cancel(why) })
		begin := time.Now()
		_, err := store.Load(ctx, newRecord().ID) // with nobody else on the connection
		require.ErrorIs(t, err, why)
		for call, err := range everyCall(ctx, store) {
			require.ErrorIs(t, err, context.Canceled, call)
			require.ErrorIs(t, err, why, call)
			requireNoVerdict(t, err)
		}
		require.Less(t, time.Since(begin), soon)
	})
}

func TestASilentServerHoldsNoCallForEver(t *testing.T) {
	eachOutage(t, shortTimeouts, redisstore.Options{Replicas: 1}, func(
		t *testing.T, link *servers.Link, store *redisstore.Store,
	) {
		link.Cut()
		for call, err := range everyCall(context.Background(), store) {
			require.Error(t, err, call)
			requireNoVerdict(t, err)
			require.NotContains(t, err.Error(), password)
		}
		link.Heal()
		eventually(t, works(t, store), "it goes on")
	})
}

// A connection that was lost while nobody called is made anew by the next call.
func TestConnectingAnewHoldsNoCallBeyondItsDeadline(t *testing.T) {
	server := servers.Engines(t)[0].Start(t)
	link := servers.NewLink(t, server.Addr())
	store := open(t, "redis://"+link.Addr()+"?"+longTimeouts,
		redisstore.Options{Journal: redisstore.NoJournal})
	eventually(t, works(t, store), "it works")
	before := ours()
	server.MustDo("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
	eventually(t, func() bool { return ours() < before }, "the client knows")
	link.Cut()
	ctx, cancel := contextWithTimeout(t, 200*time.Millisecond)
	defer cancel()
	begin := time.Now()
	_, err := store.Load(ctx, newRecord().ID)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Less(t, time.Since(begin), soon)
}

func TestAStoreGoesOnWhenTheServerIsBack(t *testing.T) {
	for name, away := range map[string]func(*servers.Link){
		"silent": (*servers.Link).Cut, "refused": (*servers.Link).Drop,
	} {
		t.Run(name, func(t *testing.T) {
			eachOutage(t, shortTimeouts, redisstore.Options{}, func(
				t *testing.T, link *servers.Link, store *redisstore.Store,
			) {
				for range 2 {
					away(link)
					ctx, cancel := contextWithTimeout(t, 300*time.Millisecond)
					for call, err := range everyCall(ctx, store) {
						requireNoVerdict(t, err)
						require.NotContains(t, err.Error(), password, call)
					}
					cancel()
					link.Heal()
					eventually(t, works(t, store), "it goes on")
				}
			})
		})
	}
}

func TestARestartedServerCostsALoadNothing(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		server := engine.Start(t, "appendonly yes", "appendfsync always")
		store := open(t, server.URL(), redisstore.Options{})
		rec := created(t, store)
		for range 3 {
			ctx, cancel := contextWithTimeout(t, longestDirect)
			got, err := store.Load(ctx, rec.ID)
			require.NoError(t, err)
			require.Equal(t, rec, got)
			cancel()
			server.Kill()
			server.Restart()
		}
	})
}

func TestManyCallsAtOnceConnectOnce(t *testing.T) {
	engine := servers.Engines(t)[0]
	server := engine.Start(t)
	link := servers.NewLink(t, server.Addr())
	store := open(t, "redis://"+link.Addr()+"?"+longTimeouts, redisstore.Options{})
	before := received(t, server)
	link.Cut()
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if _, err := store.Load(t.Context(), newRecord().ID); !isNotFound(err) {
				t.Error(err)
			}
		})
	}
	time.AfterFunc(100*time.Millisecond, link.Heal)
	all.Wait()
	require.LessOrEqual(t, received(t, server)-before, 5, "a few connections, not fifty")
}

// received is how many connections the server has had.
func received(t *testing.T, server *servers.Redis) int {
	t.Helper()
	n := 0
	for _, digit := range server.Info("total_connections_received") {
		n = 10*n + int(digit-'0')
	}
	return n
}

// What calls leave behind when they give up must end, too.
func TestNothingIsLeftRunning(t *testing.T) {
	engine := servers.Engines(t)[0]
	server := engine.Start(t)
	link := servers.NewLink(t, server.Addr())
	before := ours()
	for _, cut := range []bool{false, true} {
		url := "redis://" + link.Addr() + "?" + shortTimeouts
		store, err := redisstore.Open(url, redisstore.Options{})
		require.NoError(t, err)
		eventually(t, works(t, store), "it works")
		if cut {
			link.Cut()
			ctx, cancel := contextWithTimeout(t, 100*time.Millisecond)
			for range 5 {
				everyCall(ctx, store)
			}
			cancel()
		}
		require.NoError(t, store.Close())
		for call, err := range everyCall(t.Context(), store) {
			requireNoVerdict(t, err)
			require.ErrorContains(t, err, "closed", call)
		}
		link.Heal()
		eventually(t, func() bool { return ours() <= before }, "all goroutines end")
	}
}

func TestClosingWhileItConnectsLeavesNothingRunning(t *testing.T) {
	engine := servers.Engines(t)[0]
	link := servers.NewLink(t, engine.Start(t).Addr())
	before := ours()
	link.Cut()
	store, err := redisstore.Open("redis://"+link.Addr(), redisstore.Options{})
	require.NoError(t, err)
	ctx, cancel := contextWithTimeout(t, 50*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, store.Ping(ctx), context.DeadlineExceeded)
	require.NoError(t, store.Close())
	link.Heal()
	eventually(t, func() bool { return ours() <= before }, "all goroutines end")
	require.ErrorContains(t, store.Ping(t.Context()), "closed")
}

// ours counts the goroutines of the store and of its client.
func ours() int {
	buffer := make([]byte, 4<<20)
	n := 0
	for stack := range strings.SplitSeq(string(buffer[:runtime.Stack(buffer, true)]), "\n\n") {
		if strings.Contains(stack, "redis/rueidis") || strings.Contains(stack, "redisstore.(") {
			n++
		}
	}
	return n
}

func TestAContextThatIsOverIsNoVerdict(t *testing.T) {
	engine := servers.Engines(t)[0]
	server := engine.Start(t)
	store := open(t, server.URL(), redisstore.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for call, err := range everyCall(ctx, store) {
		require.ErrorIs(t, err, context.Canceled, call)
		requireNoVerdict(t, err)
	}
}
