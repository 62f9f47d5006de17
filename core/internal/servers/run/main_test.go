package main

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/url"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestServerRunsUntilStdinEnds(t *testing.T) {
	for _, kind := range []string{"redis", "valkey", "postgres"} {
		t.Run(kind, func(t *testing.T) {
			stdin, tell := io.Pipe()
			listen, stdout := io.Pipe()
			var log bytes.Buffer
			status := make(chan int, 1)
			go func() {
				status <- run([]string{kind}, stdin, stdout, &log)
				_ = stdout.Close() // It never fails, and ends the wait for a line.
			}()
			line, err := bufio.NewReader(listen).ReadString('\n')
			if err != nil && <-status == missing && os.Getenv("SESSIONSERVERSTORE_INSTALL") != "1" {
				t.Skip(log.String())
			}
			require.NoError(t, err)
			at, err := url.Parse(line[:len(line)-1])
			require.NoError(t, err)
			require.NoError(t, dial(t, at.Host), "it takes connections")

			require.NoError(t, tell.Close())
			require.Zero(t, <-status)
			require.Error(t, dial(t, at.Host), "it is gone")
			require.Empty(t, log.String())
		})
	}
}

func dial(t *testing.T, addr string) error {
	dialer := net.Dialer{Timeout: 10 * time.Second}
	conn, err := dialer.DialContext(t.Context(), "tcp", addr)
	if err == nil {
		err = conn.Close()
	}
	return err
}

func TestMisuse(t *testing.T) {
	for _, args := range [][]string{nil, {"mysql"}, {"-h"}, {"postgres-15"}, {""}} {
		var log bytes.Buffer
		assert.Equal(t, misused, run(args, &bytes.Buffer{}, io.Discard, &log), args)
		assert.Contains(t, log.String(), "usage: run redis|valkey|postgres")
	}
}

func TestServerThatIsNotThere(t *testing.T) {
	var log bytes.Buffer
	assert.Equal(t, missing, run([]string{"redis-0.1"}, &bytes.Buffer{}, io.Discard, &log))
	assert.Equal(t, "there is no redis-0.1\n", log.String())
}

func TestServerThatDoesNotStart(t *testing.T) {
	var log bytes.Buffer
	status := run([]string{"redis", "no-such-setting yes"}, &bytes.Buffer{}, io.Discard, &log)
	if status == missing {
		t.Skip(log.String())
	}
	assert.Equal(t, failed, status)
	assert.Contains(t, log.String(), "no-such-setting")
}
