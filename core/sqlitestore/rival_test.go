package sqlitestore_test

import (
	"context"
	"database/sql"
	"encoding/binary"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core/sqlitestore"
)

// A rival is another connection to the file, as another program has it.
type rival struct {
	t    testing.TB
	conn *sql.Conn
}

func newRival(t testing.TB, path string) *rival {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	conn, err := db.Conn(context.Background())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	r := &rival{t: t, conn: conn}
	r.exec("PRAGMA busy_timeout = 10000")
	return r
}

func (r *rival) exec(query string) {
	r.t.Helper()
	_, err := r.conn.ExecContext(context.Background(), query)
	require.NoError(r.t, err, query)
}

func (r *rival) number(query string) (n int64) {
	r.t.Helper()
	require.NoError(r.t, r.conn.QueryRowContext(context.Background(), query).Scan(&n), query)
	return n
}

// lock takes the file's one lock for writing, and returns what gives it back.
func (r *rival) lock() (unlock func()) {
	r.exec("BEGIN IMMEDIATE")
	return func() { r.exec("ROLLBACK") }
}

// used makes a store with some records, and returns its path, too.
func used(t testing.TB, n int) (*sqlitestore.Store, string) {
	path := memory(t)
	store := open(t, path)
	create(t, store, n)
	require.NoError(t, store.Ping(context.Background()))
	return store, path
}

// commits counts the transactions in the log: a page with which one ends says how large the file is
// then, the others say zero (sqlite.org/fileformat2.html, 4.1). The log must not have been begun
// anew meanwhile, which it is not before some thousand pages.
func commits(t testing.TB, path string) int {
	t.Helper()
	const header, frame = 32, 24 + 4096
	log, err := os.ReadFile(path + "-wal")
	require.NoError(t, err)
	n := 0
	for at := header; at+frame <= len(log); at += frame {
		if binary.BigEndian.Uint32(log[at+4:]) != 0 {
			n++
		}
	}
	return n
}

// eventually waits for what others do.
func eventually(t testing.TB, condition func() bool, what string) {
	t.Helper()
	require.Eventually(t, condition, time.Minute, time.Millisecond, what)
}
