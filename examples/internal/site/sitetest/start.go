// Package sitetest is the one test of the four example sites: what a visitor can see of them has to
// be the same whatever the framework. It also starts and stops any of the example programs.
package sitetest

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Start runs a program, within the test's process, and returns the first n lines that it prints
// and a function which asks it to stop and fails the test unless it does so in good order. The
// test calls that by itself at its end, if it was not called before.
func Start(
	t *testing.T,
	n int,
	run func(ctx context.Context, stdout, stderr io.Writer) error,
) (lines []string, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	output, stdout := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := run(ctx, stdout, t.Output())
		_ = stdout.Close() // It never fails, and ends the scan below if nothing was printed.
		ended <- err
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-ended:
			assert.NoError(t, err, "a program that is asked to stop stops in good order")
		case <-time.After(patience):
			assert.Fail(t, "the program does not stop")
		}
	})
	t.Cleanup(stop)
	scanner := bufio.NewScanner(output)
	for len(lines) < n && scanner.Scan() {
		lines = append(lines, scanner.Text())
	}
	require.Len(t, lines, n, "the program prints where it listens")
	return lines, stop
}

// RequireClosed fails the test if something still listens at the URL.
func RequireClosed(t *testing.T, base string) {
	t.Helper()
	at, err := url.Parse(base)
	require.NoError(t, err)
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", "127.0.0.1:"+at.Port())
	if err == nil {
		_ = conn.Close() // The test has failed already.
	}
	require.Error(t, err, "nothing listens after the end")
}
