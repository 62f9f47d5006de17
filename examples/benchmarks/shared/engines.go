package shared

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/shared/server"
)

type redisServer struct {
	*server.Server
	alone bool // each contestant finds an empty server
}

func (r redisServer) version() string { return r.Version }

func (r redisServer) server() *server.Server { return r.Server }

// place is the same for all: their keys have prefixes.
func (r redisServer) place(ctx context.Context, _ string) (Place, error) {
	at := Place(r.Addr())
	if !r.alone {
		return at, nil
	}
	client, err := newRueidis(at)
	if err != nil {
		return "", err
	}
	defer client.Close()
	return at, client.Do(ctx, client.B().Flushall().Sync().Build()).Error()
}

func (r redisServer) bytes(ctx context.Context, at Place) (int64, error) {
	client, err := newRueidis(at)
	if err != nil {
		return 0, err
	}
	defer client.Close()
	text, err := client.Do(ctx, client.B().Info().Section("memory").Build()).ToString()
	if err != nil {
		return 0, err
	}
	return infoField(text, "used_memory")
}

type postgresServer struct{ *server.Server }

func (p postgresServer) version() string { return p.Version }

func (p postgresServer) server() *server.Server { return p.Server }

func (p postgresServer) place(ctx context.Context, name string) (Place, error) {
	conn, err := pgx.Connect(ctx, p.Database("postgres"))
	if err != nil {
		return "", err
	}
	_, err = conn.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize())
	return Place(p.Database(name)), errors.Join(err, conn.Close(ctx))
}

func (p postgresServer) bytes(ctx context.Context, at Place) (n int64, err error) {
	err = row(ctx, at, `SELECT coalesce(sum(pg_total_relation_size(relid)), 0)::bigint
		FROM pg_stat_user_tables`, &n)
	return n, err
}

// row asks a database for one row, over a connection of its own.
func row(ctx context.Context, at Place, query string, into ...any) error {
	conn, err := pgx.Connect(ctx, string(at))
	if err != nil {
		return err
	}
	err = conn.QueryRow(ctx, query).Scan(into...)
	return errors.Join(err, conn.Close(ctx))
}

type sqliteFiles struct{ dir string }

func (s sqliteFiles) version() string { return sqliteVersion() }

func (s sqliteFiles) server() *server.Server { return nil }

func (s sqliteFiles) place(_ context.Context, name string) (Place, error) {
	dir, err := os.MkdirTemp(s.dir, "")
	return Place(dir), err
}

// bytes are those of the database. Its log, which does not grow with it, is left out.
func (s sqliteFiles) bytes(_ context.Context, at Place) (total int64, err error) {
	files, err := filepath.Glob(filepath.Join(string(at), "*.sqlite"))
	for _, file := range files {
		pages, failed := pagesOf(file)
		if failed != nil {
			return 0, failed
		}
		total += pages
	}
	return total, err
}

func (s sqliteFiles) Close() error { return os.RemoveAll(s.dir) }

// infoField is a number in what INFO answers.
func infoField(info, name string) (int64, error) {
	for line := range strings.Lines(info) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			return strconv.ParseInt(strings.TrimSpace(value), 10, 64)
		}
	}
	return 0, errors.New("shared: INFO lacks " + name)
}
