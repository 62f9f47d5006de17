// Package server starts Redis, Valkey and PostgreSQL for a measurement, each on a free port of the
// loopback and in a directory of its own, from the programs that are on this machine.
package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

// patience is how long a server may take to start and to end.
const patience = 20 * time.Second

// A Server is a running server. Its methods may be called by one goroutine at a time.
type Server struct {
	// Version is what its program says of itself, such as "7.0.15".
	Version string
	// Port is where it listens, on 127.0.0.1.
	Port int

	command *exec.Cmd
	dir     string
	ended   chan error
}

// Addr is where clients connect to.
func (s *Server) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.Port)) }

// PID is the number of the server's process; those of its workers are its children.
func (s *Server) PID() int { return s.command.Process.Pid }

// start runs the command and waits until ready answers nil.
func (s *Server) start(
	ctx context.Context, command *exec.Cmd, ready func(context.Context) error,
) (*Server, error) {
	s.command = command
	s.command.Dir = s.dir
	log, err := os.Create(filepath.Join(s.dir, "log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	s.command.Stdout, s.command.Stderr = log, log
	if err := launch(s.command); err != nil {
		return nil, err
	}
	s.ended = make(chan error, 1)
	go func() { s.ended <- s.command.Wait() }()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		err := ready(ctx)
		if err == nil {
			return s, nil
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("%s is not ready: %w", command.Path, err), s.Close())
		case <-s.ended:
			text, _ := os.ReadFile(log.Name())
			return nil, errors.Join(
				fmt.Errorf("%s ended at once:\n%s", command.Path, text), os.RemoveAll(s.dir))
		}
	}
}

// Close ends the server and removes all that it has kept.
func (s *Server) Close() error {
	_ = s.command.Process.Signal(os.Interrupt) // to PostgreSQL: without waiting for its clients
	select {
	case <-s.ended:
	case <-time.After(patience):
		_ = s.command.Process.Kill()
		<-s.ended
	}
	return os.RemoveAll(s.dir)
}

// freePort is a port of the loopback that nobody has at the moment.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}

// room is a new Server without a process: a directory and a port.
func room(version string) (*Server, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "benchmark-")
	if err != nil {
		return nil, err
	}
	return &Server{Version: version, Port: port, dir: dir}, nil
}
