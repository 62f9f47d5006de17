package server

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// MaxConnections is how many clients a server of Postgres takes.
const MaxConnections = 300

// Postgres starts a PostgreSQL server with its usual settings, save MaxConnections and what the
// further settings say, such as "fsync=off". It answers ErrMissing if there is none. As a user
// without a password, postgres may connect.
func Postgres(ctx context.Context, settings ...string) (*Server, error) {
	program, err := find("postgres", debians()...)
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
	if err := own(s.dir); err != nil {
		return nil, err
	}
	data := filepath.Join(s.dir, "data")
	initialize := exec.CommandContext(ctx, filepath.Join(filepath.Dir(program), "initdb"),
		"-D", data, "-N", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale", "C")
	initialize.Dir = s.dir
	disown(initialize)
	if out, err := initialize.CombinedOutput(); err != nil {
		return nil, errors.Join(fmt.Errorf("initdb: %w\n%s", err, out), os.RemoveAll(s.dir))
	}
	args := []string{"-D", data, "-p", strconv.Itoa(s.Port)}
	for _, setting := range append([]string{
		"listen_addresses=127.0.0.1", "unix_socket_directories=",
		"max_connections=" + strconv.Itoa(MaxConnections),
	}, settings...) {
		args = append(args, "-c", setting)
	}
	command := exec.Command(program, args...)
	disown(command)
	return s.start(ctx, command, func(context.Context) error { return s.accepts(data) })
}

// accepts looks into the file in which the server says of itself whether it takes connections.
func (s *Server) accepts(data string) error {
	text, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
	if err != nil {
		return err
	}
	lines := strings.Split(string(text), "\n")
	if len(lines) < 8 || strings.TrimSpace(lines[7]) != "ready" {
		return errors.New("it is not ready")
	}
	return nil
}

// Database is the URL of a database of a server of Postgres.
func (s *Server) Database(name string) string {
	u := url.URL{
		Scheme: "postgres", User: url.User("postgres"), Host: s.Addr(), Path: "/" + name,
		RawQuery: "sslmode=disable",
	}
	return u.String()
}
