package postgresstore_test

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	mathrand "math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/internal/servers"
	"github.com/sessionserverstore/sessionserverstore/core/postgresstore"
	"github.com/sessionserverstore/sessionserverstore/core/sessiontest"
)

func TestMain(m *testing.M) { servers.Main(m) }

// patience is how long a test waits for what must happen.
const patience = 30 * time.Second

func TestStore(t *testing.T) {
	url := servers.SharedPostgres(t).Database(t)
	sessiontest.TestStore(t, func(t testing.TB) core.Store {
		return open(t, url, postgresstore.Options{Table: newTable()})
	})
}

// open returns a Store whose table has been made. It is closed at the test's end.
func open(t testing.TB, url string, options postgresstore.Options) *postgresstore.Store {
	t.Helper()
	store := openOnly(t, url, options)
	require.NoError(t, store.Migrate(t.Context()))
	return store
}

// openOnly leaves the table to others.
func openOnly(t testing.TB, url string, options postgresstore.Options) *postgresstore.Store {
	t.Helper()
	store, err := postgresstore.Open(url, options)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	return store
}

// newPool returns a pool as a program has it, prepared by Configure.
func newPool(t testing.TB, url string) *pgxpool.Pool {
	t.Helper()
	config, err := pgxpool.ParseConfig(url)
	require.NoError(t, err)
	postgresstore.Configure(config.ConnConfig)
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	return pool
}

// connect returns a connection of the test's own.
func connect(t testing.TB, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// run carries out statements on it.
func run(t testing.TB, conn *pgx.Conn, sql string, args ...any) {
	t.Helper()
	_, err := conn.Exec(t.Context(), sql, args...)
	require.NoError(t, err, sql)
}

// ask returns the one value of a query.
func ask[T any](t testing.TB, conn *pgx.Conn, sql string, args ...any) T {
	t.Helper()
	var value T
	require.NoError(t, conn.QueryRow(t.Context(), sql, args...).Scan(&value), sql)
	return value
}

// awaitOne waits until a query of the test's own connection returns true.
func awaitOne(t testing.TB, conn *pgx.Conn, what, sql string, args ...any) {
	t.Helper()
	require.Eventually(t, func() bool { return ask[bool](t, conn, sql, args...) },
		patience, 5*time.Millisecond, what)
}

var tables atomic.Int64

// newTable returns the name of a table that no other test uses.
func newTable() string { return fmt.Sprint("sessions_", tables.Add(1)) }

// newID returns an ID as the Manager makes them.
func newID() core.ID {
	var raw [24]byte
	_, _ = rand.Read(raw[:])
	return core.ID(base64.RawURLEncoding.EncodeToString(raw[:]))
}

func newRevision() core.Revision { return core.Revision(mathrand.Uint64()) }

// newRecord returns a record of an hour, as of now, with so many bytes of data.
func newRecord(size int) core.Record {
	now := time.Now().UTC().Truncate(time.Millisecond)
	return core.Record{
		ID: newID(), Revision: newRevision(), Owner: "user:42", Used: now,
		Expires: now.Add(time.Hour), Data: strings.Repeat("d", size),
	}
}

// created returns a record that the store holds.
func created(t testing.TB, store core.Store) core.Record {
	t.Helper()
	rec := newRecord(100)
	require.NoError(t, store.Create(t.Context(), rec))
	return rec
}

// next is a later state of a record, a minute on.
func next(rec core.Record) core.Record {
	rec.Revision, rec.Data = newRevision(), "next "+rec.Data
	rec.Used = rec.Used.Add(time.Minute)
	if !rec.Expires.IsZero() {
		rec.Expires = rec.Expires.Add(time.Minute)
	}
	return rec
}

// requireHolds requires that the store holds a record as it is.
func requireHolds(t testing.TB, store core.Store, rec core.Record) {
	t.Helper()
	got, err := store.Load(t.Context(), rec.ID)
	require.NoError(t, err)
	require.Equal(t, rec, got)
}

// requireLacks requires that the store has no record of an ID.
func requireLacks(t testing.TB, store core.Store, id core.ID) {
	t.Helper()
	_, err := store.Load(t.Context(), id)
	require.ErrorIs(t, err, core.ErrNotFound)
}

// shortly returns a context that ends soon, for what cannot succeed.
func shortly(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	t.Cleanup(cancel)
	return ctx
}

// patiently returns a context for what succeeds unless something is wrong, and then hangs.
func patiently(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}
