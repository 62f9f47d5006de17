// Package serve starts and stops the example programs: the flags, the signals, the listener and
// the orderly end that each of them needs in the same way.
package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// Grace is how long requests in flight may take to finish once a program was told to stop.
const Grace = 10 * time.Second

// Main runs a program until it ends by itself or gets SIGINT or SIGTERM, and exits with status 1
// if it failed, with status 2 if that was a *UsageError.
func Main(run func(ctx context.Context, stdout, stderr io.Writer) error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Stdout, os.Stderr)
	stop()
	var usage *UsageError
	switch {
	case errors.As(err, &usage):
		fmt.Fprintln(os.Stderr, usage)
		os.Exit(2)
	case err != nil:
		slog.Error("stopped", "error", err)
		os.Exit(1)
	}
}

// MaxBody is the longest request body, in bytes, that a form of the examples can need.
const MaxBody = 16 << 10

// Server returns an http.Server with the limits that a server needs which strangers can reach: the
// zero http.Server waits for a slow client forever.
func Server(handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           http.MaxBytesHandler(handler, MaxBody),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      20 * time.Second,
		IdleTimeout:       time.Minute,
	}
}

// Until listens on addr, where port 0 means any free one, and prints the URL; then it calls serve,
// and once ctx is done shutdown, which is to make serve return. An end that was asked for is no
// error.
func Until(
	ctx context.Context,
	addr string,
	stdout io.Writer,
	serve func(net.Listener) error,
	shutdown func(context.Context) error,
) error {
	listener, url, err := Listen(addr)
	if err != nil {
		return err
	}
	fmt.Fprintln(stdout, url)
	return On(ctx, listener, serve, shutdown)
}

// Listen opens addr, and returns with the listener the URL that a browser on this machine uses. It
// says localhost and not 127.0.0.1: a browser takes these for two sites, so that one of the names
// has to be used throughout.
func Listen(addr string) (net.Listener, string, error) {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, "", err
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		return nil, "", errors.Join(err, listener.Close())
	}
	return listener, fmt.Sprintf("http://localhost:%s/", port), nil
}

// On is Until for a listener that is open already.
func On(
	ctx context.Context,
	listener net.Listener,
	serve func(net.Listener) error,
	shutdown func(context.Context) error,
) error {
	served := make(chan error, 1)
	go func() { served <- serve(listener) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), Grace)
	defer cancel()
	err := shutdown(grace)
	// A server that had not come to serve yet knows nothing of the listener, and would wait on it
	// forever. Closing what is closed already is no failure here.
	_ = listener.Close()
	if last := <-served; !errors.Is(last, http.ErrServerClosed) && !errors.Is(last, net.ErrClosed) {
		err = errors.Join(err, last)
	}
	return err
}
