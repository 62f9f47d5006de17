package postgresstore_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/internal/servers"
	"github.com/sessionserverstore/sessionserverstore/core/postgresstore"
)

// A witness is whom a Watch tells.
type witness struct {
	ready chan struct{}
	done  chan struct{} // Watch has returned
	err   error         // what

	mu             sync.Mutex
	ended, renewed map[core.ID]int
}

func (w *witness) Ready() { close(w.ready) }

func (w *witness) Ended(id core.ID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended[id]++
}

func (w *witness) Renewed(id core.ID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.renewed[id]++
}

// heard returns how often it was told of an end and of a renewal.
func (w *witness) heard(id core.ID) (ended, renewed int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ended[id], w.renewed[id]
}

func (w *witness) awaitEnd(t testing.TB, id core.ID) {
	t.Helper()
	require.Eventually(t, func() bool { n, _ := w.heard(id); return n > 0 }, patience,
		time.Millisecond)
}

// over waits until Watch has returned.
func (w *witness) over(t testing.TB) error {
	t.Helper()
	select {
	case <-w.done:
	case <-time.After(patience):
		require.FailNow(t, "Watch does not return")
	}
	return w.err
}

// watch begins to watch until the test is over.
func watch(t testing.TB, store core.Watcher) *witness {
	t.Helper()
	w := &witness{
		ready: make(chan struct{}), done: make(chan struct{}),
		ended: map[core.ID]int{}, renewed: map[core.ID]int{},
	}
	ctx, cancel := context.WithCancel(context.Background())
	var group sync.WaitGroup
	group.Go(func() {
		defer close(w.done)
		w.err = store.Watch(ctx, w)
	})
	t.Cleanup(func() { cancel(); group.Wait() })
	return w
}

// watchReady waits until it hears everything.
func watchReady(t testing.TB, store core.Watcher) *witness {
	t.Helper()
	w := watch(t, store)
	select {
	case <-w.ready:
	case <-w.done:
		require.FailNow(t, "Watch returned", "%v", w.err)
	case <-time.After(patience):
		require.FailNow(t, "Watch is not ready")
	}
	return w
}

// patient makes a Store's Watch bear with a machine that stands still for a while.
func patient(store *postgresstore.Store) *postgresstore.Store {
	store.ListenWithin(patience)
	return store
}

func TestAWatchTellsOfEndsAndRenewalsAndOfNothingElse(t *testing.T) {
	url := servers.SharedPostgres(t).Database(t)
	other := patient(open(t, url, postgresstore.Options{}))
	others := []*witness{watchReady(t, other), watchReady(t, other)}
	for _, mode := range modes {
		t.Run(mode, func(t *testing.T) {
			// By another name, the table is the same.
			store := patient(open(t, url+inMode(mode),
				postgresstore.Options{Table: "public.sessions"}))
			witnesses := append(others, watchReady(t, store))
			ctx, rec, lives, absent := t.Context(), created(t, store), created(t, store), newID()
			was := rec
			rec = next(was)
			require.NoError(t, store.Update(ctx, rec, was.Revision))
			was, rec = rec, next(rec)
			require.NoError(t, store.Touch(ctx, rec, was.Revision))
			require.ErrorIs(t, store.Renew(ctx, next(rec), was.Revision), core.ErrConflict)
			was = rec
			rec = next(was)
			require.NoError(t, store.Renew(ctx, rec, was.Revision))
			require.NoError(t, store.Touch(ctx, next(lives), lives.Revision))
			require.NoError(t, store.Delete(ctx, absent))
			require.NoError(t, store.Delete(ctx, rec.ID))
			for _, w := range witnesses {
				w.awaitEnd(t, rec.ID) // and with it all that was before
				for id, want := range map[core.ID][2]int{
					rec.ID: {1, 1}, absent: {1, 0}, lives.ID: {0, 0},
				} {
					ended, renewed := w.heard(id)
					assert.Equal(t, want, [2]int{ended, renewed})
				}
			}
		})
	}
}

func TestAWatchEndsWithItsContext(t *testing.T) {
	store := patient(open(t, servers.SharedPostgres(t).Database(t), postgresstore.Options{}))
	w := &witness{ready: make(chan struct{})}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- store.Watch(ctx, w) }()
	<-w.ready
	cancel()
	require.ErrorIs(t, <-done, context.Canceled)
	require.ErrorIs(t, store.Watch(ctx, w), context.Canceled)
}

func TestWhereNobodyCanListenWatchIsUnsupported(t *testing.T) {
	url := servers.SharedPostgres(t).Database(t)
	store := patient(open(t, url, postgresstore.Options{}))
	silent := open(t, url, postgresstore.Options{Unwatched: true})
	require.ErrorIs(t, silent.Watch(t.Context(), nil), errors.ErrUnsupported)
	w, rec := watchReady(t, store), created(t, store)
	require.NoError(t, silent.Renew(t.Context(), next(rec), rec.Revision))
	require.NoError(t, silent.Delete(t.Context(), rec.ID))
	require.NoError(t, silent.Delete(t.Context(), rec.ID))
	last := newID()
	require.NoError(t, store.Delete(t.Context(), last))
	w.awaitEnd(t, last)
	ended, renewed := w.heard(rec.ID)
	assert.Zero(t, ended+renewed)

	bare := struct{ postgresstore.DB }{newPool(t, url)} // which does not say where it leads to
	wrapped, err := postgresstore.New(bare, postgresstore.Options{})
	require.NoError(t, err)
	err = wrapped.Watch(t.Context(), nil)
	require.ErrorIs(t, err, errors.ErrUnsupported)
	require.ErrorContains(t, err, "Options.Listen")
	wrapped, err = postgresstore.New(bare, postgresstore.Options{Listen: url})
	require.NoError(t, err)
	w = watchReady(t, patient(wrapped))
	require.NoError(t, store.Delete(t.Context(), last))
	w.awaitEnd(t, last)
}

func TestAConnectionThatIsDeadIsNoticed(t *testing.T) {
	t.Parallel()
	server := servers.NewPostgres(t)
	link := servers.NewLink(t, server.Addr())
	direct := open(t, server.URL(), postgresstore.Options{})
	// The pool goes another way, and knows nothing of it.
	store := open(t, server.URL(), postgresstore.Options{Listen: server.URLVia(link)})
	for name, fault := range map[string]func(){
		"a black hole": link.Cut,
		"ended": func() {
			_, err := server.Psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity " +
				"WHERE query LIKE 'LISTEN%'")
			require.NoError(t, err)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := watchReady(t, store)
			begin := time.Now()
			fault()
			require.Error(t, w.over(t))
			t.Logf("noticed after %v", time.Since(begin))
			link.Drop()
			link.Heal()
			w, id := watchReady(t, store), newID()
			require.NoError(t, direct.Delete(t.Context(), id))
			w.awaitEnd(t, id)
		})
	}

	t.Run("the pool", func(t *testing.T) {
		store := open(t, server.URLVia(link), postgresstore.Options{Listen: server.URL()})
		w := watchReady(t, store)
		link.Cut()
		err := w.over(t)
		requireNoVerdict(t, err)
		link.Drop()
		link.Heal()
	})

	t.Run("not there", func(t *testing.T) {
		link.Cut()
		requireNoVerdict(t, watch(t, store).over(t))
		link.Drop()
		link.Heal()
		server.Stop()
		requireNoVerdict(t, watch(t, store).over(t))
		server.Restart()
		watchReady(t, store)
	})
}

func TestAWatchThatListensElsewhereIsNeverReady(t *testing.T) {
	t.Parallel()
	server, elsewhere := servers.SharedPostgres(t), servers.NewPostgres(t)
	open(t, elsewhere.URL(), postgresstore.Options{})
	url := server.Database(t)
	w := watch(t, open(t, url, postgresstore.Options{Listen: elsewhere.URL()}))
	require.ErrorContains(t, w.over(t), "nothing is heard")
	select {
	case <-w.ready:
		require.Fail(t, "it must not be ready")
	default:
	}
	// Nor when the table is another one than it was.
	store, conn := open(t, url, postgresstore.Options{}), connect(t, url)
	w = watchReady(t, store)
	run(t, conn, "DROP TABLE sessions; "+store.Schema())
	require.ErrorContains(t, w.over(t), "nothing is heard")
	watchReady(t, store)
	run(t, conn, "DROP TABLE sessions")
	require.ErrorContains(t, watch(t, store).over(t), `there is no table "sessions": call Migrate`)
}

func TestAWatchFollowsTheServerThatTakesWrites(t *testing.T) {
	t.Parallel()
	primary := servers.NewPostgres(t)
	standby := primary.Replica(t, servers.ReplicaOptions{})
	both := "postgres://postgres:" + servers.PostgresPassword + "@" + standby.Addr() + "," +
		primary.Addr() + "/postgres?sslmode=disable"
	store := patient(open(t, both, postgresstore.Options{Listen: both}))
	primary.AwaitCaughtUp(t, standby)
	w := watchReady(t, store)
	primary.Kill()
	requireNoVerdict(t, w.over(t))
	standby.Promote()
	require.Eventually(t, func() bool { return store.Ping(t.Context()) == nil }, patience,
		time.Millisecond)
	w = watchReady(t, store)
	id := newID()
	require.NoError(t, store.Delete(t.Context(), id))
	w.awaitEnd(t, id)
}

// A server may be told to end connections that send nothing.
func TestAConnectionThatOnlyListensIsNotEndedForItsSilence(t *testing.T) {
	t.Parallel()
	server := servers.NewPostgres(t, "idle_session_timeout = 2s")
	// The pool's own connections are not what this is about.
	store := patient(open(t, server.URL()+"&idle_session_timeout=0",
		postgresstore.Options{Listen: server.URL()}))
	w := watchReady(t, store)
	_, err := connect(t, server.URL()).WaitForNotification(patiently(t))
	var ended *pgconn.PgError
	require.ErrorAs(t, err, &ended, "one that was silent for a shorter time is ended")
	require.Equal(t, "57P05", ended.Code)
	select {
	case <-w.done:
		require.Fail(t, "it was ended", "%v", w.err)
	case <-time.After(time.Second): // nothing must happen, so there is nothing to wait for
	}
}

// What is told is bounded by what the server keeps: a Watch keeps nothing.
func TestAWatchHearsAllOfMany(t *testing.T) {
	url := servers.SharedPostgres(t).Database(t) + "&pool_max_conns=8"
	store := open(t, url, postgresstore.Options{})
	w := watchReady(t, patient(open(t, url, postgresstore.Options{})))
	const workers, each = 8, 250
	var ids [workers][each]core.ID
	var group sync.WaitGroup
	for i := range ids {
		group.Go(func() {
			for j := range ids[i] {
				rec := newRecord(1)
				ids[i][j] = rec.ID
				assert.NoError(t, store.Create(t.Context(), rec))
				assert.NoError(t, store.Renew(t.Context(), next(rec), rec.Revision))
				assert.NoError(t, store.Delete(t.Context(), rec.ID))
			}
		})
	}
	group.Wait()
	for _, list := range ids {
		for _, id := range list {
			w.awaitEnd(t, id)
			ended, renewed := w.heard(id)
			require.Equal(t, [2]int{1, 1}, [2]int{ended, renewed})
		}
	}
}

// A refusingDB is a server whose queue of notifications is full.
type refusingDB struct{ *pgxpool.Pool }

func (db refusingDB) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	if strings.Contains(sql, "pg_notify") {
		return nil, &pgconn.PgError{Code: "54000", Message: "too many notifications"}
	}
	return db.Pool.Query(ctx, sql, args...)
}

func (db refusingDB) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	_, err := db.Query(ctx, sql, args...)
	return pgconn.CommandTag{}, err
}

// Whoever listens and does not hear can fill that queue, in any database of the server.
func TestAFullQueueOfNotificationsKeepsNoSessionAlive(t *testing.T) {
	url := servers.SharedPostgres(t).Database(t)
	healthy := open(t, url, postgresstore.Options{})
	store, err := postgresstore.New(refusingDB{newPool(t, url)}, postgresstore.Options{})
	require.NoError(t, err)
	rec := created(t, store)
	then := next(rec)
	require.NoError(t, store.Renew(t.Context(), then, rec.Revision))
	requireHolds(t, healthy, then)
	for range 2 {
		require.NoError(t, store.Delete(t.Context(), rec.ID))
		requireLacks(t, healthy, rec.ID)
	}
	require.ErrorContains(t, watch(t, store).over(t), "too many notifications")
}
