package servers

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// bouncerConfig has no prepared statements across transactions, as Debian's PgBouncer (1.18) has
// none at all.
const bouncerConfig = `[databases]
* = host=127.0.0.1 port=%d
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = scram-sha-256
auth_file = %s
pool_mode = transaction
max_client_conn = 1000
default_pool_size = 8
`

// PgBouncer starts a PgBouncer in transaction mode before a server, and returns the URL of the
// server's database "postgres" through it. Other databases of the server are reached at the same
// host and port. It is gone when the test has ended.
func PgBouncer(t testing.TB, before *Postgres) string {
	t.Helper()
	binary, err := findBouncer()
	if err != nil {
		missing(t, "PgBouncer", err)
	}
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	as := unprivileged() // as root it does not run
	dir, err := plot("pgbouncer", as)
	if err != nil {
		t.Fatal(err)
	}
	users, config := filepath.Join(dir, "users"), filepath.Join(dir, "pgbouncer.ini")
	user := fmt.Sprintf("%q %q\n", postgresUser, PostgresPassword)
	text := fmt.Sprintf(bouncerConfig, before.port, port, users)
	if err := errors.Join(
		os.WriteFile(users, []byte(user), 0o644),
		os.WriteFile(config, []byte(text), 0o644),
	); err != nil {
		t.Fatal(err)
	}
	through := (&postgresProcess{}).databaseURL(local(port), "postgres")
	bouncer := &process{program: program{
		path: binary, args: []string{config}, dir: dir, as: as,
		ready: func(int) error {
			_, err := before.PsqlIn(through, "SELECT 1")
			return err
		},
	}}
	if err := bouncer.start(); err != nil {
		t.Fatalf("PgBouncer does not start: %v", err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the log of PgBouncer ends with\n%s", bouncer.Log())
		}
		bouncer.kill()
		_ = os.RemoveAll(dir) // what stays is removed at the process's end
	})
	return through
}

// findBouncer finds and installs once per process.
var findBouncer = sync.OnceValues(func() (string, error) {
	if !supported {
		return "", errors.New("servers in tests need Linux")
	}
	const debian = "/usr/sbin/pgbouncer" // not on everybody's PATH
	binary := onPath("pgbouncer", debian)
	if binary == "" && mayInstall() {
		if err := install("ls "+debian, "pgbouncer"); err != nil {
			return "", err
		}
		binary = onPath(debian)
	}
	if binary == "" {
		return "", errors.New("not found")
	}
	return binary, nil
})
