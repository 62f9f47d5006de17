package server_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/shared/server"
)

func TestServersListenUntilTheyAreClosed(t *testing.T) {
	for _, kind := range []struct {
		name  string
		start func(context.Context) (*server.Server, error)
	}{
		{"Redis", server.Redis},
		{"Valkey", server.Valkey},
		{"PostgreSQL", func(ctx context.Context) (*server.Server, error) {
			return server.Postgres(ctx, "fsync=off")
		}},
	} {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			s, err := kind.start(t.Context())
			if errors.Is(err, server.ErrMissing) {
				t.Skip(err)
			}
			require.NoError(t, err)
			require.Regexp(t, `^\d+\.\d+`, s.Version)
			conn, err := net.DialTimeout("tcp", s.Addr(), time.Minute)
			require.NoError(t, err)
			require.NoError(t, conn.Close())
			require.NoError(t, s.Close())
			_, err = net.DialTimeout("tcp", s.Addr(), time.Minute)
			require.Error(t, err)
		})
	}
}
