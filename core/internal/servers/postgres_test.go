package servers_test

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core/internal/servers"
)

// query runs a statement that cannot fail.
func query(t *testing.T, p *servers.Postgres, sql string) string {
	t.Helper()
	got, err := p.Psql(sql)
	require.NoError(t, err)
	return got
}

func TestPostgres(t *testing.T) {
	t.Parallel()
	t.Run("what was committed survives a kill, and a stop", func(t *testing.T) {
		p := servers.NewPostgres(t, "fsync = on")
		require.Equal(t, "on", query(t, p, "SHOW fsync"))
		query(t, p, "CREATE TABLE a (b int); INSERT INTO a VALUES (1)")
		addr := p.Addr()
		p.Kill()
		require.False(t, reachable(addr))
		p.Restart()
		require.Equal(t, addr, p.Addr())
		require.Equal(t, "1", query(t, p, "TABLE a"))
		p.Stop()
		p.Restart()
		require.Equal(t, "1", query(t, p, "TABLE a"))
	})

	t.Run("a paused one goes on where it was", func(t *testing.T) {
		p := servers.NewPostgres(t)
		p.Pause()
		answered := make(chan error, 1)
		go func() {
			_, err := p.Psql("CREATE TABLE a (b int)")
			answered <- err
		}()
		select {
		case <-answered:
			t.Error("a paused server has answered")
		default:
		}
		p.Resume()
		require.NoError(t, <-answered)
		require.Equal(t, "", query(t, p, "TABLE a"))
	})

	t.Run("a held log loses what does not wait for the disk, and nothing else", func(t *testing.T) {
		p := servers.NewPostgres(t, "fsync = on", "synchronous_commit = off",
			"wal_writer_delay = 1ms") // it would lose nothing
		query(t, p, "CREATE TABLE a (b int)")
		for range 2 {
			p.HoldLog()
			query(t, p, "SET synchronous_commit = on; DELETE FROM a; INSERT INTO a VALUES (1)")
			query(t, p, "INSERT INTO a VALUES (2)")
			require.Equal(t, "2", query(t, p, "SELECT count(*) FROM a"))
			p.Kill()
			p.Restart()
			require.Equal(t, "1", query(t, p, "TABLE a"))
		}
		p.HoldLog()
		query(t, p, "INSERT INTO a VALUES (3)")
		p.Stop()
		p.Restart()
		require.Equal(t, "2", query(t, p, "SELECT count(*) FROM a"), "it ends in good order")
	})

	t.Run("it asks for the password, and has TLS if it is told to", func(t *testing.T) {
		p := servers.NewPostgres(t, servers.Certificates(t).Postgres()...)
		require.Contains(t, p.URL(), "sslmode=verify-full")
		require.Equal(t, "t",
			query(t, p, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"))
		wrong, err := url.Parse(p.URL())
		require.NoError(t, err)
		wrong.User = url.UserPassword("postgres", "wrong")
		_, err = p.PsqlIn(wrong.String(), "SELECT 1")
		require.ErrorContains(t, err, "password authentication failed")
	})

	t.Run("the shared one is one, is not stopped, and has databases for all", func(t *testing.T) {
		p := servers.SharedPostgres(t)
		require.Equal(t, p.Addr(), servers.SharedPostgres(t).Addr())
		outcome := judge(t, func(t testing.TB) { servers.SharedPostgres(t).Kill() })
		require.Contains(t, outcome.failed, "shared")
		var gone string
		t.Run("a test", func(t *testing.T) {
			gone = p.Database(t)
			require.NotEqual(t, gone, p.Database(t))
			_, err := p.PsqlIn(gone, "CREATE TABLE a (b int)")
			require.NoError(t, err)
		})
		_, err := p.PsqlIn(gone, "SELECT 1")
		require.ErrorContains(t, err, "does not exist")
	})
}

func TestPostgresReplica(t *testing.T) {
	t.Parallel()
	t.Run("a promoted one goes on without what did not come through", func(t *testing.T) {
		p := servers.NewPostgres(t)
		link := servers.NewLink(t, p.Addr())
		replica := p.Replica(t, servers.ReplicaOptions{Via: link})
		query(t, p, "CREATE TABLE a (b int); INSERT INTO a VALUES (1)")
		p.AwaitCaughtUp(t, replica)
		_, err := replica.Psql("INSERT INTO a VALUES (2)")
		require.ErrorContains(t, err, "read-only")

		link.Cut()
		query(t, p, "INSERT INTO a VALUES (3)")
		p.Kill()
		link.Drop()
		replica.Promote()
		require.Equal(t, "1", query(t, replica, "TABLE a"))
		query(t, replica, "INSERT INTO a VALUES (4)")
	})

	t.Run("with Sync a commit waits for it", func(t *testing.T) {
		p := servers.NewPostgres(t)
		link := servers.NewLink(t, p.Addr())
		p.Replica(t, servers.ReplicaOptions{Sync: true, Via: link})
		replica := p.Replica(t, servers.ReplicaOptions{}) // copies the setting
		query(t, p, "CREATE TABLE a (b int)")
		link.Cut()
		committed := make(chan error, 1)
		go func() {
			_, err := p.Psql("INSERT INTO a VALUES (1)")
			committed <- err
		}()
		eventually(t, func() bool {
			return query(t, p, "SELECT count(*) FROM pg_stat_activity "+
				"WHERE wait_event = 'SyncRep'") == "1"
		}, "the commit waits")
		link.Heal()
		require.NoError(t, <-committed)
		require.Equal(t, "1", query(t, p, "TABLE a"))

		p.AwaitCaughtUp(t, replica)
		p.Kill()
		replica.Promote()
		require.Equal(t, "1", query(t, replica, "TABLE a"))
		query(t, replica, "INSERT INTO a VALUES (2)") // and waits for nobody
	})

	t.Run("one that is lost can be given up", func(t *testing.T) {
		p := servers.NewPostgres(t)
		p.Replica(t, servers.ReplicaOptions{Sync: true}).Kill()
		p.StopWaiting()
		query(t, p, "CREATE TABLE a (b int)")
	})
}

func TestPgBouncer(t *testing.T) {
	t.Parallel()
	p := servers.NewPostgres(t)
	through := servers.PgBouncer(t, p)
	require.NotContains(t, through, p.Addr())
	got, err := p.PsqlIn(through, "SELECT current_user")
	require.NoError(t, err)
	assert.Equal(t, "postgres", got)
	other, err := url.Parse(p.Database(t))
	require.NoError(t, err)
	bouncer, err := url.Parse(through)
	require.NoError(t, err)
	other.Host = bouncer.Host
	got, err = p.PsqlIn(other.String(), "SELECT current_database()")
	require.NoError(t, err)
	assert.Equal(t, other.Path, "/"+got)
}
