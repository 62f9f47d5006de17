package servers

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// URL returns where the database "postgres" is, with user and password.
func (p *Postgres) URL() string { return p.databaseURL(p.Addr(), "postgres") }

// URLVia returns where the database "postgres" is for whoever goes through a link.
func (p *Postgres) URLVia(link *Link) string { return p.databaseURL(link.Addr(), "postgres") }

func (p *postgresProcess) databaseURL(addr, database string) string {
	query := url.Values{"sslmode": {"disable"}}
	if p.authority != "" {
		query = url.Values{"sslmode": {"verify-full"}, "sslrootcert": {p.authority}}
	}
	address := url.URL{
		Scheme: "postgres", Host: addr, Path: "/" + database, RawQuery: query.Encode(),
		User: url.UserPassword(postgresUser, PostgresPassword),
	}
	return address.String()
}

// databases counts those that were made by this process, to name them.
var databases struct {
	sync.Mutex
	made int
}

// Database makes an empty database and returns its URL. It is dropped when the test has ended.
func (p *Postgres) Database(t testing.TB) string {
	t.Helper()
	databases.Lock()
	databases.made++
	name := fmt.Sprintf("test_%d", databases.made)
	databases.Unlock()
	if _, err := p.Psql("CREATE DATABASE " + name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = p.Psql("DROP DATABASE " + name + " WITH (FORCE)") })
	return p.databaseURL(p.Addr(), name)
}

// Psql runs statements in the database "postgres" and returns what they return, columns separated
// by | and rows by line feeds. Each call is a program and a connection of its own.
func (p *Postgres) Psql(sql string) (string, error) { return p.PsqlIn(p.URL(), sql) }

// PsqlIn is Psql for the database of a URL.
func (p *Postgres) PsqlIn(database, sql string) (string, error) {
	return p.run("psql", "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", sql)
}

// run runs one of PostgreSQL's programs as the server's user and returns what it prints.
func (p *postgresProcess) run(name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	program := exec.CommandContext(ctx, filepath.Join(p.tools, name), args...)
	program.Dir = p.dir
	program.Env = append(os.Environ(), // HOME: not with what the test's user keeps in his
		"HOME="+p.dir, "PGPASSWORD="+PostgresPassword, "PGCONNECT_TIMEOUT=10")
	runAs(program, p.as)
	var complaint strings.Builder
	program.Stderr = &complaint
	out, err := program.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", name, err, strings.TrimSpace(complaint.String()))
	}
	return strings.TrimSuffix(string(out), "\n"), nil
}
