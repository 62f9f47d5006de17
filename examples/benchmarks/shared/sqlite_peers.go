package shared

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"

	_ "modernc.org/sqlite" // the driver

	"github.com/sessionserverstore/sessionserverstore/core"
)

// The two ways of doing one transaction per request.
const (
	OneWriter = "one transaction each, one writer"
	Pool      = "one transaction each"
)

func sqliteOneWriter() Maker {
	return Maker{
		Name: OneWriter, Guarded: true, Operations: []Operation{Load, Change},
		What: "BEGIN IMMEDIATE, a guarded UPDATE, COMMIT for each change, over database/sql, in " +
			"WAL mode with synchronous FULL; all writes through one connection, for which they " +
			"queue in Go",
		New: func(ctx context.Context, at Place) (Contestant, error) {
			return newPlainSQLite(ctx, at, 1)
		},
	}
}

func sqlitePool() Maker {
	return Maker{
		Name: Pool, Guarded: true, Operations: []Operation{Load, Change},
		What: "the same with a connection for each goroutine that writes, which wait for " +
			"SQLite's lock",
		New: func(ctx context.Context, at Place) (Contestant, error) {
			return newPlainSQLite(ctx, at, poolSize)
		},
	}
}

// plainSQLite does each write in a transaction of its own.
type plainSQLite struct{ read, write *sql.DB }

func newPlainSQLite(ctx context.Context, at Place, writers int) (Contestant, error) {
	dsn := "file:" + filepath.Join(string(at), "plain.sqlite") + "?_txlock=immediate" +
		"&_pragma=busy_timeout(30000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)"
	write, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, err
	}
	write.SetMaxOpenConns(writers)
	write.SetMaxIdleConns(writers)
	read, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, err
	}
	read.SetMaxOpenConns(poolSize)
	read.SetMaxIdleConns(poolSize)
	_, err = write.ExecContext(ctx, `CREATE TABLE sessions (
		id TEXT PRIMARY KEY, revision INTEGER NOT NULL, expires INTEGER NOT NULL,
		data BLOB NOT NULL) WITHOUT ROWID`)
	return plainSQLite{read: read, write: write}, err
}

// exec runs one statement in a transaction and returns how many rows it has changed.
func (p plainSQLite) exec(ctx context.Context, statement string, args ...any) (int64, error) {
	tx, err := p.write.BeginTx(ctx, nil)
	if err != nil {
		return 0, err
	}
	result, err := tx.ExecContext(ctx, statement, args...)
	if err != nil {
		return 0, errors.Join(err, tx.Rollback())
	}
	n, err := result.RowsAffected()
	return n, errors.Join(err, tx.Commit())
}

func (p plainSQLite) guarded(ctx context.Context, statement string, args ...any) error {
	n, err := p.exec(ctx, statement, args...)
	if err == nil && n == 0 {
		return errRefused
	}
	return err
}

func (p plainSQLite) Create(ctx context.Context, rec core.Record) error {
	_, err := p.exec(ctx,
		"INSERT INTO sessions (id, revision, expires, data) VALUES (?, ?, ?, ?)",
		string(rec.ID), int64(rec.Revision), rec.Expires.UnixMilli(), []byte(rec.Data))
	return err
}

func (p plainSQLite) Load(ctx context.Context, id core.ID) (string, bool, error) {
	var data []byte
	err := p.read.QueryRowContext(ctx, "SELECT data FROM sessions WHERE id = ?", string(id)).
		Scan(&data)
	if errors.Is(err, sql.ErrNoRows) {
		return "", false, nil
	}
	return string(data), err == nil, err
}

func (p plainSQLite) Change(ctx context.Context, rec core.Record, was core.Revision) error {
	return p.guarded(ctx,
		"UPDATE sessions SET revision = ?, expires = ?, data = ? WHERE id = ? AND revision = ?",
		int64(rec.Revision), rec.Expires.UnixMilli(), []byte(rec.Data), string(rec.ID), int64(was))
}

func (p plainSQLite) Touch(ctx context.Context, rec core.Record, was core.Revision) error {
	return p.guarded(ctx,
		"UPDATE sessions SET revision = ?, expires = ? WHERE id = ? AND revision = ?",
		int64(rec.Revision), rec.Expires.UnixMilli(), string(rec.ID), int64(was))
}

func (p plainSQLite) Delete(ctx context.Context, id core.ID) error {
	_, err := p.exec(ctx, "DELETE FROM sessions WHERE id = ?", string(id))
	return err
}

func (p plainSQLite) Close() error { return errors.Join(p.write.Close(), p.read.Close()) }
