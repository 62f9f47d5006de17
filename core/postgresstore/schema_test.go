package postgresstore_test

import (
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core/internal/servers"
	"github.com/sessionserverstore/sessionserverstore/core/postgresstore"
)

func TestManyNodesMigrateAtOnce(t *testing.T) {
	address := servers.SharedPostgres(t).Database(t)
	const rounds, nodes = 5, 6
	for range rounds {
		table := newTable()
		var group sync.WaitGroup
		for range nodes {
			store := openOnly(t, address, postgresstore.Options{Table: table})
			group.Go(func() {
				assert.NoError(t, store.Migrate(t.Context()))
				assert.NoError(t, store.Create(t.Context(), newRecord(10)))
			})
		}
		group.Wait()
	}
}

func TestMigrateMakesWhatIsMissing(t *testing.T) {
	address := servers.SharedPostgres(t).Database(t)
	conn := connect(t, address)
	store := open(t, address, postgresstore.Options{})
	rec := created(t, store)
	run(t, conn, "DROP INDEX sessions_due")
	require.NoError(t, store.Migrate(t.Context()))
	require.NoError(t, store.Migrate(t.Context()))
	assert.True(t, ask[bool](t, conn, "SELECT to_regclass('sessions_due') IS NOT NULL"))
	requireHolds(t, store, rec)
}

func TestATableMayBeInASchema(t *testing.T) {
	address := servers.SharedPostgres(t).Database(t)
	conn := connect(t, address)
	run(t, conn, `CREATE SCHEMA "order"`)
	inOrder := open(t, address, postgresstore.Options{Table: "order.user"})
	inPublic := open(t, address, postgresstore.Options{Table: "user"})
	rec := created(t, inOrder)
	requireHolds(t, inOrder, rec)
	requireLacks(t, inPublic, rec.ID)
	require.NoError(t, inPublic.Delete(t.Context(), rec.ID))
	n, err := inPublic.DeleteExpired(t.Context(), rec.Expires)
	require.NoError(t, err)
	assert.Zero(t, n)
	requireHolds(t, inOrder, rec)
	assert.Equal(t, 1, ask[int](t, conn, `SELECT count(*) FROM "order"."user"`))
}

// The tables of other programs are as often called sessions as this one.
func TestTheTableOfAnotherProgramIsLeftAlone(t *testing.T) {
	address := servers.SharedPostgres(t).Database(t)
	conn := connect(t, address)
	run(t, conn, "CREATE TABLE sessions (token text PRIMARY KEY, data bytea, expiry timestamptz)")
	store := openOnly(t, address, postgresstore.Options{})
	err := store.Migrate(t.Context())
	require.ErrorContains(t, err, "is not one of this store: name another")
	_, err = store.Load(t.Context(), newID())
	require.ErrorContains(t, err, "is not one of this store")
	assert.False(t, ask[bool](t, conn, "SELECT to_regclass('sessions_due') IS NOT NULL"))
}

func TestTheTablesOfOwnersAndMarksMayBeThoseOfAnother(t *testing.T) {
	address := servers.SharedPostgres(t).Database(t)
	conn := connect(t, address)
	run(t, conn, "CREATE TABLE a_owners (owner text, dog text); CREATE TABLE b_marks (name text)")
	for _, table := range []string{"a", "b"} {
		err := openOnly(t, address, postgresstore.Options{Table: table}).Migrate(t.Context())
		require.ErrorContains(t, err, "is not one of this store: name another")
	}
}

// What an earlier version made lacks the tables of owners and marks.
func TestMigrateAddsWhatAnEarlierVersionDidNotHave(t *testing.T) {
	address := servers.SharedPostgres(t).Database(t)
	conn := connect(t, address)
	for range 5 {
		store := open(t, address, postgresstore.Options{})
		rec := created(t, store)
		run(t, conn, "DROP TABLE sessions_owners, sessions_marks")
		var group sync.WaitGroup
		for range 4 {
			node := openOnly(t, address, postgresstore.Options{})
			group.Go(func() {
				assert.NoError(t, node.Migrate(t.Context()))
				_, err := node.AddOwned(t.Context(), "user:42", newEntry(), 0, 0)
				assert.NoError(t, err)
			})
		}
		group.Wait()
		requireHolds(t, store, rec)
	}
}

func TestWithoutATableAnErrorSaysWhatToDo(t *testing.T) {
	store := openOnly(t, servers.SharedPostgres(t).Database(t), postgresstore.Options{})
	rec := newRecord(10)
	_, loaded := store.Load(t.Context(), rec.ID)
	_, swept := store.DeleteExpired(t.Context(), rec.Expires)
	for _, err := range []error{
		loaded, swept, store.Ping(t.Context()), store.Create(t.Context(), rec),
		store.Update(t.Context(), rec, 1), store.Touch(t.Context(), rec, 1),
		store.Renew(t.Context(), rec, 1), store.Delete(t.Context(), rec.ID),
	} {
		require.ErrorContains(t, err, `there is no table "sessions": call Migrate`)
	}
	require.NoError(t, store.Migrate(t.Context()))
	require.NoError(t, store.Ping(t.Context()))
	require.NoError(t, store.Create(t.Context(), rec), "on connections that knew no table")
}

// The owner of a database runs what Schema prints; the program only reads and writes.
func TestAProgramNeedsNoPrivilegeButThoseOnTheTable(t *testing.T) {
	server := servers.SharedPostgres(t)
	address := server.Database(t)
	owner := connect(t, address)
	run(t, owner, "CREATE ROLE clerk LOGIN PASSWORD 'clerk'")
	t.Cleanup(func() { _, _ = server.Psql("DROP ROLE clerk") })
	clerk := openOnly(t, as(t, address, "clerk"), postgresstore.Options{})
	require.ErrorContains(t, clerk.Migrate(t.Context()), "permission denied")

	run(t, owner, clerk.Schema())
	run(t, owner, clerk.Schema())
	const grants = `GRANT SELECT, INSERT, UPDATE, DELETE ON sessions, sessions_owners TO clerk;
		GRANT SELECT, INSERT, UPDATE ON sessions_marks TO clerk;`
	require.Contains(t, documentation(t), words(strings.ReplaceAll(grants, "clerk", "app")))
	run(t, owner, grants)
	t.Cleanup(func() { _, _ = server.PsqlIn(address, "DROP OWNED BY clerk") })
	require.NoError(t, clerk.Migrate(t.Context()))
	useAll(t, clerk)
	useOwners(t, clerk, "user:42")
	watchReady(t, patient(clerk))
	_, err := clerk.DeleteExpired(t.Context(), time.Now().Add(24*time.Hour))
	require.NoError(t, err)
	requireOwned(t, clerk, "user:42")
}

// as returns the URL of a database for another user, whose password is the name.
func as(t testing.TB, address, user string) string {
	t.Helper()
	parsed, err := url.Parse(address)
	require.NoError(t, err)
	parsed.User = url.UserPassword(user, user)
	return parsed.String()
}

func TestTheDocumentationShowsAllThatIsSent(t *testing.T) {
	store := openOnly(t, nowhere, postgresstore.Options{})
	text := documentation(t)
	for _, sql := range append(store.Statements(), store.Schema()) {
		assert.Contains(t, text, words(sql))
	}
}

// words puts one blank between the words of a text.
func words(text string) string { return strings.Join(strings.Fields(text), " ") }
