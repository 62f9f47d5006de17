// Command run starts one real server for tests that cannot import package servers, since they are
// not below core, or for a look at the example programs:
//
//	go run ./core/internal/servers/run redis       # or valkey, or postgres
//
// It prints the server's URL once that takes connections. The server and its data are gone when the
// command is interrupted, when its standard input ends, or when it dies. Further arguments are
// lines for the server's configuration file.
//
// The exit status is 3 if there is no such server on this machine, and nobody wishes to have it
// installed: see package servers.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/sessionserverstore/sessionserverstore/core/internal/servers"
)

// What the exit status says.
const (
	failed  = 1
	misused = 2
	missing = 3
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run starts the server that the first of args names, and ends it when it is told to or stdin ends.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) == 0 || !isKind(args[0]) {
		fmt.Fprintln(stderr, "usage: run redis|valkey|postgres [configuration line]...")
		return misused
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		_, _ = io.Copy(io.Discard, stdin) // That it ends is all there is to know.
		cancel()
	}()
	h := &host{log: stderr}
	return h.run(func() {
		fmt.Fprintln(stdout, start(h, args[0], args[1:]))
		<-ctx.Done()
	})
}

// isKind reports whether there are servers of that name: redis and valkey may name a version.
func isKind(name string) bool {
	kind, _, versioned := strings.Cut(name, "-")
	return kind == "redis" || kind == "valkey" || kind == "postgres" && !versioned
}

// start starts a server and returns its URL.
func start(h *host, kind string, config []string) string {
	if kind == "postgres" {
		return servers.NewPostgres(h, config...).URL()
	}
	for _, engine := range servers.Engines(h) {
		if engine.Name == kind || strings.HasPrefix(engine.Name, kind+"-") {
			return engine.Start(h, config...).URL()
		}
	}
	h.Skipf("there is no %s", kind)
	return ""
}
