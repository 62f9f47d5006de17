package redisstore_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/redisstore"
)

// Sessions in a server that any number of processes share.
func Example() {
	store, err := redisstore.Open("redis://localhost:6379", redisstore.Options{Prefix: "shop:"})
	if err != nil {
		panic(err) // the URL or the Options are wrong; nothing has been connected yet
	}
	defer store.Close()
	sessions, err := core.New(core.Config{Store: store})
	if err != nil {
		panic(err)
	}
	defer sessions.Close()

	visits := core.NewValue[int]("visits")
	handler := sessions.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, _ := core.FromContext(r.Context())
		visits.Update(s, func(n int) int { return n + 1 })
		n, _ := visits.Get(s)
		fmt.Fprintln(w, n)
	}))
	_ = http.Server{Addr: "localhost:8080", Handler: handler}
}

// A server with two replicas, both of which must have an end before a sign-out is said to have
// worked. Where they do not answer in time, the client gets a 503, and the Manager goes on trying.
func ExampleOpen_replicas() {
	store, err := redisstore.Open(
		"rediss://shop:password@node1:6379?addr=node2:6379&addr=node3:6379",
		redisstore.Options{Replicas: 2, ConfirmTimeout: time.Second},
	)
	if err != nil {
		panic(err)
	}
	defer store.Close()
	fmt.Println(store.Durability())
	// Output: replicated
}

// Open refuses what is wrong, and does not tell the password.
func ExampleOpen_incorrect() {
	_, err := redisstore.Open("redis://shop:pass/word@localhost:6379", redisstore.Options{})
	_, reason, _ := strings.Cut(err.Error(), "; ")
	fmt.Println(reason)
	// Output: is a sign in the password not written as %..?
}

// A client of one's own, for what a URL does not say. The store does not close it.
func ExampleNew() {
	client, err := rueidis.NewClient(rueidis.ClientOption{
		InitAddress:  []string{"localhost:6379"},
		DisableCache: true, // the store does not use it
	})
	if err != nil {
		return // NewClient connects, unlike Open
	}
	defer client.Close()
	store, err := redisstore.New(client, redisstore.Options{})
	if err != nil {
		panic(err)
	}
	defer store.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	fmt.Println(store.Ping(ctx))
}
