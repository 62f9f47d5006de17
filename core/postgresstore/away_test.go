package postgresstore_test

import (
	"context"
	"maps"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/internal/servers"
	"github.com/sessionserverstore/sessionserverstore/core/postgresstore"
)

// calls are all that a store is asked, with a record that it holds.
func calls(store *postgresstore.Store, rec core.Record) map[string]func(context.Context) error {
	list := map[string]func(context.Context) error{
		"ping":   store.Ping,
		"create": func(ctx context.Context) error { return store.Create(ctx, newRecord(1)) },
		"load": func(ctx context.Context) error {
			_, err := store.Load(ctx, rec.ID)
			return err
		},
		"update": func(ctx context.Context) error { return store.Update(ctx, next(rec), rec.Revision) },
		"renew":  func(ctx context.Context) error { return store.Renew(ctx, next(rec), rec.Revision) },
		"touch":  func(ctx context.Context) error { return store.Touch(ctx, next(rec), rec.Revision) },
		"delete": func(ctx context.Context) error { return store.Delete(ctx, rec.ID) },
		"sweep": func(ctx context.Context) error {
			_, err := store.DeleteExpired(ctx, rec.Used)
			return err
		},
	}
	maps.Copy(list, ownerCalls(store))
	return list
}

// requireNoVerdict requires an error that says nothing of any record, and no password.
func requireNoVerdict(t testing.TB, err error) {
	t.Helper()
	require.Error(t, err)
	for _, verdict := range []error{
		core.ErrNotFound, core.ErrExists, core.ErrConflict, core.ErrNotDurable, core.ErrStoreFull,
		core.ErrOwnerLimit,
	} {
		assert.NotErrorIs(t, err, verdict)
	}
	assert.NotContains(t, err.Error(), servers.PostgresPassword)
}

func TestAServerThatIsAwayComesBackWithoutARestartOfTheProgram(t *testing.T) {
	t.Parallel()
	server := servers.NewPostgres(t, "fsync = on")
	server.Stop()
	store := openOnly(t, server.URL(), postgresstore.Options{})
	rec := newRecord(1)
	for name, call := range calls(store, rec) {
		t.Run("away at the start/"+name, func(t *testing.T) {
			requireNoVerdict(t, call(t.Context()))
		})
	}
	server.Restart()
	require.NoError(t, store.Migrate(t.Context()))
	require.NoError(t, store.Create(t.Context(), rec))

	server.Kill()
	for name, call := range calls(store, rec) {
		t.Run("killed/"+name, func(t *testing.T) { requireNoVerdict(t, call(t.Context())) })
	}
	server.Restart()
	requireBack(t, store, rec)

	server.Restart() // in good order, which ends connections with a reason
	requireBack(t, store, rec)
	require.NoError(t, store.Delete(t.Context(), rec.ID))
}

// requireBack requires that all works soon. Each connection that was in use in the last second may
// cost one call.
func requireBack(t *testing.T, store *postgresstore.Store, rec core.Record) {
	t.Helper()
	require.Eventually(t, func() bool {
		got, err := store.Load(t.Context(), rec.ID)
		if err != nil {
			requireNoVerdict(t, err)
			return false
		}
		return assert.Equal(t, rec, got)
	}, patience, time.Millisecond)
	require.Eventually(t, func() bool { return store.Create(t.Context(), newRecord(1)) == nil },
		patience, time.Millisecond)
}

func TestAServerThatDoesNotAnswerCostsNoMoreThanTheDeadline(t *testing.T) {
	t.Parallel()
	server := servers.SharedPostgres(t)
	link := servers.NewLink(t, server.Addr())
	store := open(t, server.URLVia(link), postgresstore.Options{Table: newTable()})
	cold := openOnly(t, server.URLVia(link), postgresstore.Options{Table: newTable()})
	rec := created(t, store)
	link.Cut()
	for state, s := range map[string]*postgresstore.Store{"connected": store, "not yet": cold} {
		for name, call := range calls(s, rec) {
			t.Run(state+"/"+name, func(t *testing.T) {
				err := call(shortly(t))
				requireNoVerdict(t, err)
				require.ErrorIs(t, err, context.DeadlineExceeded)

				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(50*time.Millisecond, cancel)
				err = call(ctx)
				requireNoVerdict(t, err)
				require.ErrorIs(t, err, context.Canceled)
			})
		}
	}
	link.Drop()
	link.Heal()
	require.Eventually(t, func() bool { return store.Ping(t.Context()) == nil },
		patience, time.Millisecond)
	got, err := store.Load(t.Context(), rec.ID)
	require.NoError(t, err)
	assert.Equal(t, rec.ID, got.ID)
}

// A store that connects to any of several servers must not read a copy that lags behind.
func TestOpenConnectsToTheServerThatTakesWrites(t *testing.T) {
	t.Parallel()
	primary := servers.NewPostgres(t)
	standby := primary.Replica(t, servers.ReplicaOptions{})
	both := "postgres://postgres:" + servers.PostgresPassword + "@" + standby.Addr() + "," +
		primary.Addr() + "/postgres?sslmode=disable"
	store := open(t, both, postgresstore.Options{})
	rec := created(t, store)
	requireHolds(t, store, rec)
	primary.AwaitCaughtUp(t, standby)

	alone := openOnly(t, standby.URL(), postgresstore.Options{})
	for name, call := range calls(alone, rec) {
		t.Run(name, func(t *testing.T) { requireNoVerdict(t, call(t.Context())) })
	}

	primary.Kill()
	standby.Promote()
	requireBack(t, store, rec)
	requireHolds(t, alone, rec)
}

func TestAPasswordIsNeededAndNotTold(t *testing.T) {
	t.Parallel()
	server := servers.NewPostgres(t, servers.Certificates(t).Postgres()...)
	useAll(t, open(t, server.URL(), postgresstore.Options{}))
	for _, wrong := range []string{
		as(t, server.URL(), "postgres"), // with TLS and the wrong password
		"postgres://postgres:" + servers.PostgresPassword + "@" + server.Addr() +
			"/postgres?sslmode=verify-full", // whose certificate nobody knows
		"host=127.0.0.1 port=1 user=postgres password=" + servers.PostgresPassword,
		"postgres://postgres:" + servers.PostgresPassword + "@no.such.host.invalid/postgres",
	} {
		err := openOnly(t, wrong, postgresstore.Options{}).Ping(t.Context())
		requireNoVerdict(t, err)
		assert.NotContains(t, err.Error(), "password=")
	}
	err := openOnly(t, as(t, server.URL(), "postgres"), postgresstore.Options{}).Ping(t.Context())
	var answer *pgconn.PgError
	require.ErrorAs(t, err, &answer)
	assert.Equal(t, "28P01", answer.Code)
}
