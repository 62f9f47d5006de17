package postgresstore_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/internal/servers"
	"github.com/sessionserverstore/sessionserverstore/core/postgresstore"
)

// many makes records that expire, or were first to expire, n milliseconds after begin.
func many(t testing.TB, conn *pgx.Conn, from, to int, expires, due string) {
	t.Helper()
	run(t, conn, fmt.Sprintf(`INSERT INTO sessions
		SELECT lpad(n::text, 32, 'x'), n, '', 1, %s, %s, '' FROM generate_series(%d, %d) n`,
		expires, due, from, to))
}

func TestSeveralNodesSweepAtOnce(t *testing.T) {
	url := servers.SharedPostgres(t).Database(t)
	const dead, alive, nodes = 5000, 2000, 4
	stores := make([]*postgresstore.Store, nodes)
	for i := range stores {
		stores[i] = open(t, url, postgresstore.Options{})
	}
	conn := connect(t, url)
	many(t, conn, 1, dead, "n", "n")
	many(t, conn, dead+1, dead+alive, "1e6 + n", "n % 5000")
	many(t, conn, dead+alive+1, dead+2*alive, "NULL", "n % 5000")
	var deleted atomic.Int64
	var group sync.WaitGroup
	for _, store := range stores {
		group.Go(func() {
			for {
				n, err := store.DeleteExpired(t.Context(), time.UnixMilli(dead))
				if !assert.NoError(t, err) || n == 0 {
					return
				}
				deleted.Add(int64(n))
			}
		})
	}
	group.Wait()
	// Who sees no more than what others are sweeping has nothing to do.
	last, err := stores[0].DeleteExpired(t.Context(), time.UnixMilli(dead))
	require.NoError(t, err)
	assert.EqualValues(t, dead, deleted.Load()+int64(last))
	assert.Equal(t, 2*alive, ask[int](t, conn, "SELECT count(*) FROM sessions"))
	assert.Zero(t, ask[int](t, conn,
		"SELECT count(*) FROM sessions WHERE due IS DISTINCT FROM expires"),
		"of those that live it is noted when to look at them again")
}

// One call does not stop because a whole batch is alive.
func TestASweepLooksBeyondThoseThatLive(t *testing.T) {
	url := servers.SharedPostgres(t).Database(t)
	store, conn := open(t, url, postgresstore.Options{}), connect(t, url)
	many(t, conn, 1, 1200, "1e6", "n")
	many(t, conn, 1201, 1201, "n", "n")
	n, err := store.DeleteExpired(t.Context(), time.UnixMilli(5000))
	require.NoError(t, err)
	assert.Equal(t, 1, n)
}

// The time that has an index is never later than that at which a record expires, and moves only
// where it must.
func TestDueIsNeverLaterThanExpires(t *testing.T) {
	url := servers.SharedPostgres(t).Database(t)
	store, conn := open(t, url, postgresstore.Options{}), connect(t, url)
	at := func(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
	never := time.Time{}
	for name, write := range writes(store) {
		for _, c := range []struct {
			first, then time.Time
			due         any
		}{
			{at(5000), at(6000), int64(5000)},
			{at(5000), at(4000), int64(4000)},
			{at(5000), never, int64(5000)},
			{never, at(4000), int64(4000)},
			{never, never, nil},
		} {
			rec := newRecord(1)
			rec.Expires = c.first
			require.NoError(t, store.Create(t.Context(), rec))
			was := rec.Revision
			rec = next(rec)
			rec.Expires = c.then
			require.NoError(t, write(t.Context(), rec, was))
			due := ask[any](t, conn, "SELECT due FROM sessions WHERE id = $1", string(rec.ID))
			assert.Equal(t, c.due, due, "%s: %v, then %v", name, c.first, c.then)
		}
	}
}

// A sweep that has begun sees the table as it was then. What was prolonged since must not die of
// it. The sweep is held up at its first record, by a policy that looks at each, while the second
// one is prolonged; it comes to that one later.
func TestASessionThatIsProlongedWhileASweepRunsLives(t *testing.T) {
	server := servers.SharedPostgres(t)
	url := server.Database(t)
	store, conn := open(t, url, postgresstore.Options{}), connect(t, url)
	holdUp(t, server, conn)
	held := open(t, as(t, url, "sweeper"), postgresstore.Options{})

	for name, change := range map[string]func(rec core.Record) error{
		"touch": func(rec core.Record) error {
			return store.Touch(t.Context(), next(rec), rec.Revision)
		},
		"update": func(rec core.Record) error {
			return store.Update(t.Context(), next(rec), rec.Revision)
		},
		"never": func(rec core.Record) error {
			then := next(rec)
			then.Expires = time.Time{}
			return store.Update(t.Context(), then, rec.Revision)
		},
		"end":  func(rec core.Record) error { return store.Delete(t.Context(), rec.ID) },
		"none": func(core.Record) error { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			run(t, conn, "TRUNCATE sessions")
			first, second := newRecord(1), newRecord(1)
			first.Owner = "hold up"
			first.Expires = second.Expires.Add(-time.Second)
			require.NoError(t, store.Create(t.Context(), first))
			require.NoError(t, store.Create(t.Context(), second))

			run(t, conn, "SELECT pg_advisory_lock(1)")
			var n int
			var err error
			var group sync.WaitGroup
			group.Go(func() { n, err = held.DeleteExpired(t.Context(), second.Expires) })
			awaitBlocked(t, conn)
			require.NoError(t, change(second))
			run(t, conn, "SELECT pg_advisory_unlock(1)")
			group.Wait()
			require.NoError(t, err)
			requireLacks(t, store, first.ID)
			switch name {
			case "none":
				assert.Equal(t, 2, n)
				requireLacks(t, store, second.ID)
			case "end":
				assert.Equal(t, 1, n)
				requireLacks(t, store, second.ID)
			default:
				assert.Equal(t, 1, n)
				got, err := store.Load(t.Context(), second.ID)
				require.NoError(t, err, "it was prolonged")
				assert.NotEqual(t, second.Expires, got.Expires)
			}
		})
	}
}

// holdUp makes a user who sees a record of the owner "hold up" only when nobody has lock 1.
func holdUp(t *testing.T, server *servers.Postgres, conn *pgx.Conn) {
	t.Helper()
	run(t, conn, `CREATE ROLE sweeper LOGIN PASSWORD 'sweeper';
		CREATE FUNCTION seen(owner text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
			IF owner = 'hold up' THEN PERFORM pg_advisory_xact_lock(1); END IF; RETURN true; END $$;
		GRANT SELECT, INSERT, UPDATE, DELETE ON sessions TO sweeper;
		ALTER TABLE sessions ENABLE ROW LEVEL SECURITY;
		CREATE POLICY seen ON sessions USING (seen(owner))`)
	url := conn.Config().ConnString()
	t.Cleanup(func() {
		_, _ = server.PsqlIn(url, "DROP OWNED BY sweeper")
		_, _ = server.Psql("DROP ROLE sweeper")
	})
}

// A sweep does not wait for a request that is writing.
func TestASweepPassesWhatIsBeingWritten(t *testing.T) {
	url := servers.SharedPostgres(t).Database(t)
	store, conn := open(t, url, postgresstore.Options{}), connect(t, url)
	busy, idle := created(t, store), created(t, store)
	tx, err := conn.Begin(t.Context())
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(), "UPDATE sessions SET used = 0 WHERE id = $1", string(busy.ID))
	require.NoError(t, err)
	n, err := store.DeleteExpired(t.Context(), busy.Expires.Add(time.Hour))
	require.NoError(t, err)
	assert.Equal(t, 1, n)
	requireLacks(t, store, idle.ID)
	require.NoError(t, tx.Rollback(t.Context()))
	requireHolds(t, store, busy)
}
