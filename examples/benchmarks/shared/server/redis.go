package server

import (
	"context"
	"io"
	"net"
	"os/exec"
	"strconv"
	"time"
)

// Redis starts a Redis server that keeps nothing on disk. It answers ErrMissing if there is none.
func Redis(ctx context.Context) (*Server, error) { return startRedis(ctx, "redis-server") }

// Valkey starts a Valkey server that keeps nothing on disk. It answers ErrMissing if there is none,
// neither on the PATH nor where the library's tests unpack one.
func Valkey(ctx context.Context) (*Server, error) {
	return startRedis(ctx, "valkey-server", unpacked())
}

func startRedis(ctx context.Context, name string, others ...string) (*Server, error) {
	program, err := find(name, others...)
	if err != nil {
		return nil, err
	}
	number, err := version(program)
	if err != nil {
		return nil, err
	}
	s, err := room(number)
	if err != nil {
		return nil, err
	}
	return s.start(ctx, exec.Command(program, "--bind", "127.0.0.1",
		"--port", strconv.Itoa(s.Port), "--save", "", "--appendonly", "no"), s.pong)
}

// pong asks a Redis server whether it is there.
func (s *Server) pong(ctx context.Context) error {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", s.Addr())
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if _, err := io.WriteString(conn, "PING\r\n"); err != nil {
		return err
	}
	var answer [7]byte
	_, err = io.ReadFull(conn, answer[:])
	return err
}
