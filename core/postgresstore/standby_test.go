package postgresstore_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/internal/servers"
	"github.com/sessionserverstore/sessionserverstore/core/postgresstore"
)

// A pair is a primary and a synchronous standby, and the way between them.
type pair struct {
	primary, standby *servers.Postgres
	link             *servers.Link
	observer         *pgx.Conn // of the primary
}

func newPair(t *testing.T, config ...string) pair {
	t.Helper()
	primary := servers.NewPostgres(t, config...)
	link := servers.NewLink(t, primary.Addr())
	standby := primary.Replica(t, servers.ReplicaOptions{Sync: true, Via: link})
	return pair{primary, standby, link, connect(t, primary.URL())}
}

// cut cuts the standby off, until the end of the test.
func (p pair) cut(t *testing.T) {
	t.Helper()
	p.link.Cut()
	t.Cleanup(p.heal)
}

func (p pair) heal() {
	p.link.Drop()
	p.link.Heal()
}

// knows reports whether the standby has a record.
func (p pair) knows(t *testing.T, id core.ID) bool {
	t.Helper()
	p.primary.AwaitCaughtUp(t, p.standby)
	return ask[bool](t, connect(t, p.standby.URL()),
		"SELECT EXISTS (SELECT FROM sessions WHERE id = $1)", string(id))
}

// cancelWait cancels the wait of a commit for the standby, as a person would.
func (p pair) cancelWait(t *testing.T) {
	t.Helper()
	p.awaitWaiting(t)
	run(t, p.observer, "SELECT pg_cancel_backend(pid) FROM pg_stat_activity "+
		"WHERE wait_event = 'SyncRep'")
}

func (p pair) awaitWaiting(t *testing.T) {
	t.Helper()
	awaitOne(t, p.observer, "a commit waits for the standby",
		"SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
}

// giveUp begins a write that waits for the standby, and gives it up when it does: not before, when
// the server may not even have it yet, so that it has taken effect there.
func (p pair) giveUp(t *testing.T, write func(ctx context.Context) error) {
	t.Helper()
	awaitOne(t, p.observer, "no other commit waits for the standby",
		"SELECT count(*) = 0 FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- write(ctx) }()
	p.awaitWaiting(t)
	cancel()
	require.ErrorIs(t, <-done, context.Canceled, "nothing is confirmed")
}

func TestASynchronousStandby(t *testing.T) {
	t.Parallel()
	p := newPair(t, servers.Certificates(t).Postgres()...)
	url := p.primary.URL()
	store := patient(open(t, url, postgresstore.Options{}))
	strict := open(t, url, postgresstore.Options{Standby: true})
	bouncer := servers.PgBouncer(t, p.primary)

	t.Run("an end is there when it is acknowledged", func(t *testing.T) {
		rec := created(t, strict)
		assert.True(t, p.knows(t, rec.ID))
		require.NoError(t, strict.Renew(t.Context(), next(rec), rec.Revision))
		require.NoError(t, strict.Delete(t.Context(), rec.ID))
		assert.False(t, p.knows(t, rec.ID))
	})

	t.Run("an end that is tried again waits again though the record is gone", func(t *testing.T) {
		rec := created(t, store)
		p.cut(t)
		p.giveUp(t, func(ctx context.Context) error { return store.Delete(ctx, rec.ID) })
		awaitOne(t, p.observer, "the end takes effect here",
			"SELECT NOT EXISTS (SELECT FROM sessions WHERE id = $1)", string(rec.ID))
		for _, s := range []*postgresstore.Store{store, strict} {
			p.giveUp(t, func(ctx context.Context) error { return s.Delete(ctx, rec.ID) })
			err := s.Delete(shortly(t), rec.ID)
			require.ErrorIs(t, err, context.DeadlineExceeded, "nothing is confirmed")
		}
		p.heal()
		require.NoError(t, store.Delete(t.Context(), rec.ID))
		assert.False(t, p.knows(t, rec.ID))
	})

	// PostgreSQL lets one commit at a time tell something, and this one must not be any that waits.
	t.Run("many ends take effect and are told while the standby is away", func(t *testing.T) {
		many := openOnly(t, url+"&pool_max_conns=8", postgresstore.Options{})
		w := watchReady(t, store)
		var records [6]core.Record
		for i := range records {
			records[i] = created(t, many)
		}
		p.cut(t)
		ctx, cancel := context.WithCancel(patiently(t))
		var group sync.WaitGroup
		for i, rec := range records {
			group.Go(func() {
				if i%2 == 0 {
					assert.ErrorIs(t, many.Delete(ctx, rec.ID), context.Canceled)
					return
				}
				assert.ErrorIs(t, many.Renew(ctx, next(rec), rec.Revision), context.Canceled)
			})
		}
		awaitOne(t, p.observer, "all wait for the standby", `SELECT count(*) = 6
			FROM pg_stat_activity WHERE wait_event = 'SyncRep'`)
		for i, rec := range records {
			require.Eventually(t, func() bool {
				ended, renewed := w.heard(rec.ID)
				return []int{ended, renewed}[i%2] == 1
			}, patience, time.Millisecond)
		}
		requireLacks(t, store, records[0].ID)
		cancel()
		group.Wait()
		p.heal()
	})

	t.Run("what belongs to owners is on the standby when it is acknowledged", func(t *testing.T) {
		on := func(sql string) bool {
			return ask[bool](t, connect(t, p.standby.URL()), "SELECT EXISTS (SELECT FROM "+sql+")")
		}
		for _, s := range []*postgresstore.Store{store, strict} {
			entry := newEntry()
			p.cut(t)
			p.giveUp(t, func(ctx context.Context) error {
				_, err := s.AddOwned(ctx, "user:1", entry, 0, 0)
				return err
			})
			p.giveUp(t, func(ctx context.Context) error {
				_, _, err := s.RaiseEpoch(ctx, "user:2", 7, time.Time{})
				return err
			})
			p.giveUp(t, func(ctx context.Context) error {
				return s.RaiseMark(ctx, "b", time.Now())
			})
			require.NoError(t, s.RemoveOwned(patiently(t), "user:1", newEntry()))
			require.NoError(t, s.RemoveOwned(patiently(t), "user:1", entry), "nobody waits for it")
			p.heal()
			_, err := s.AddOwned(t.Context(), "user:1", entry, 0, 0)
			require.NoError(t, err)
			before, _, err := s.RaiseEpoch(t.Context(), "user:2", 7, time.Time{})
			require.NoError(t, err)
			require.Equal(t, core.Epoch(7), before)
			require.NoError(t, s.RaiseMark(t.Context(), "b", time.UnixMilli(1)))
			p.primary.AwaitCaughtUp(t, p.standby)
			assert.True(t, on("sessions_owners WHERE entries ? '"+string(entry.ID)+"'"))
			assert.True(t, on("sessions_owners WHERE owner = 'user:2' AND epoch = 7"))
			assert.True(t, on("sessions_marks WHERE name = 'b' AND at > 1"))
			require.NoError(t, s.RemoveOwned(t.Context(), "user:1", entry))
		}
	})

	t.Run("a renewal that is tried again waits again", func(t *testing.T) {
		rec := created(t, strict)
		then := next(rec)
		p.cut(t)
		p.giveUp(t, func(ctx context.Context) error { return strict.Renew(ctx, then, rec.Revision) })
		awaitOne(t, p.observer, "the renewal takes effect here",
			"SELECT EXISTS (SELECT FROM sessions WHERE id = $1 AND revision = $2)",
			string(rec.ID), int64(then.Revision))
		p.giveUp(t, func(ctx context.Context) error { return strict.Renew(ctx, then, then.Revision) })
		require.ErrorIs(t, strict.Renew(shortly(t), then, then.Revision), context.DeadlineExceeded)
		p.heal()
		require.NoError(t, strict.Renew(t.Context(), then, then.Revision))
	})

	t.Run("a touch and a sweep do not wait", func(t *testing.T) {
		run(t, p.observer, "DELETE FROM sessions") // what others began may be due by now
		rec, old := created(t, store), created(t, store)
		p.cut(t)
		require.NoError(t, store.Touch(patiently(t), next(rec), rec.Revision))
		n, err := store.DeleteExpired(patiently(t), old.Expires)
		require.NoError(t, err)
		assert.Equal(t, 1, n)
	})

	// PostgreSQL answers success then, and a warning.
	stores := map[string]*postgresstore.Store{
		"pgbouncer": openOnly(t, bouncer+inMode("cache_describe"), postgresstore.Options{}),
		"strict":    strict,
	}
	for _, mode := range modes {
		stores[mode] = openOnly(t, url+inMode(mode), postgresstore.Options{})
	}
	for name, store := range stores {
		t.Run("a wait that was cancelled is no success/"+name, func(t *testing.T) {
			rec, begun := created(t, store), newRecord(1)
			then, ctx, entry := next(rec), patiently(t), newEntry()
			p.cut(t)
			for _, write := range []func() error{
				func() error { return store.Create(ctx, begun) },
				func() error { return store.Update(ctx, then, rec.Revision) },
				func() error { return store.Renew(ctx, then, then.Revision) },
				func() error { return store.Delete(ctx, rec.ID) },
				func() error { return store.Delete(ctx, rec.ID) },
				func() error {
					n, err := store.AddOwned(ctx, name, entry, 0, 0)
					assert.Equal(t, 1, n)
					return err
				},
				func() error {
					_, entries, err := store.RaiseEpoch(ctx, name, 1, time.Time{})
					assert.Equal(t, []core.OwnerEntry{entry}, entries)
					return err
				},
				func() error {
					before, entries, err := store.RaiseEpoch(ctx, name, 1, time.Time{})
					assert.Equal(t, core.Epoch(1), before)
					assert.Equal(t, []core.OwnerEntry{entry}, entries)
					return err
				},
				func() error { return store.RaiseMark(ctx, "a", time.Time{}) },
			} {
				done := make(chan error, 1)
				go func() { done <- write() }()
				p.cancelWait(t)
				require.ErrorIs(t, <-done, core.ErrNotDurable)
			}
			p.heal()
			require.NoError(t, store.Delete(t.Context(), rec.ID), "and the next one succeeds")
			assert.False(t, p.knows(t, rec.ID))
		})
	}

	t.Run("a connection that is ended while it waits is no success", func(t *testing.T) {
		rec := created(t, store)
		p.cut(t)
		done := make(chan error, 1)
		ctx := patiently(t)
		go func() { done <- store.Delete(ctx, rec.ID) }()
		p.awaitWaiting(t)
		run(t, p.observer, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "+
			"WHERE wait_event = 'SyncRep'")
		requireNoVerdict(t, <-done)
	})

	t.Run("reads and touches go on while the standby is away", func(t *testing.T) {
		const connections, stuck = 4, 12
		store := openOnly(t, url+"&pool_max_conns=4", postgresstore.Options{})
		rec := created(t, store)
		p.cut(t)
		ctx, cancel := context.WithCancel(patiently(t))
		var group sync.WaitGroup
		for range stuck {
			group.Go(func() { assert.Error(t, store.Create(ctx, newRecord(1))) })
		}
		awaitOne(t, p.observer, "as many wait as may", `SELECT count(*) = $1 FROM pg_stat_activity
			WHERE wait_event = 'SyncRep'`, connections-1)
		for range 20 {
			_, err := store.Load(patiently(t), rec.ID)
			require.NoError(t, err)
		}
		require.NoError(t, store.Touch(patiently(t), next(rec), rec.Revision))
		cancel()
		group.Wait()
	})

	t.Run("a pool that was not prepared confirms nothing", func(t *testing.T) {
		pool, err := pgxpool.New(t.Context(), url)
		require.NoError(t, err)
		t.Cleanup(pool.Close)
		store, err := postgresstore.New(pool, postgresstore.Options{Standby: true})
		require.NoError(t, err)
		rec := created(t, store)
		then := next(rec)
		require.NoError(t, store.Update(t.Context(), then, rec.Revision))
		require.NoError(t, store.Touch(t.Context(), then, then.Revision))
		err = store.Renew(t.Context(), then, then.Revision)
		require.ErrorIs(t, err, core.ErrNotDurable)
		require.ErrorContains(t, err, "Configure")
		require.ErrorIs(t, store.Delete(t.Context(), rec.ID), core.ErrNotDurable)
	})

	t.Run("whoever does not want to wait by default waits for an end", func(t *testing.T) {
		for _, setting := range []string{"off", "local"} {
			store := openOnly(t, url+"&synchronous_commit="+setting,
				postgresstore.Options{Standby: true})
			rec := created(t, store)
			p.cut(t)
			then := next(rec)
			require.NoError(t, store.Update(t.Context(), then, rec.Revision))
			err := store.Renew(shortly(t), then, then.Revision)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.ErrorIs(t, store.Delete(shortly(t), rec.ID), context.DeadlineExceeded)
			p.heal()
		}
	})
}

// Whoever runs the server tells it to wait no more when the standby is lost, and PostgreSQL then
// lets all go that wait.
func TestAnEndWithWhichTheServerStoppedWaitingIsNotConfirmed(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	strict := open(t, p.primary.URL(), postgresstore.Options{Standby: true})
	store := open(t, p.primary.URL(), postgresstore.Options{})
	one, other := created(t, strict), created(t, strict)
	p.cut(t)
	strictly, usually, ctx := make(chan error, 1), make(chan error, 1), patiently(t)
	go func() { strictly <- strict.Delete(ctx, one.ID) }()
	go func() { usually <- store.Delete(ctx, other.ID) }()
	awaitOne(t, p.observer, "both wait", `SELECT count(*) = 2 FROM pg_stat_activity
		WHERE wait_event = 'SyncRep'`)
	p.primary.StopWaiting()
	require.ErrorIs(t, <-strictly, core.ErrNotDurable)
	require.NoError(t, <-usually, "as the server is configured")
	require.ErrorIs(t, strict.Delete(t.Context(), one.ID), core.ErrNotDurable)
}

func TestWithoutAStandbyNothingIsConfirmedByOne(t *testing.T) {
	url := servers.SharedPostgres(t).Database(t)
	store := open(t, url, postgresstore.Options{Standby: true})
	rec := created(t, store)
	then := next(rec)
	require.NoError(t, store.Update(t.Context(), then, rec.Revision))
	require.NoError(t, store.Touch(t.Context(), then, then.Revision))
	err := store.Renew(t.Context(), then, then.Revision)
	require.ErrorIs(t, err, core.ErrNotDurable)
	require.ErrorContains(t, err, "synchronous_standby_names is empty")
	for range 2 {
		require.ErrorIs(t, store.Delete(t.Context(), rec.ID), core.ErrNotDurable)
		requireLacks(t, store, rec.ID)
	}
	entry := newEntry()
	n, err := store.AddOwned(t.Context(), "user:42", entry, 0, 0)
	require.ErrorIs(t, err, core.ErrNotDurable)
	assert.Equal(t, 1, n)
	_, entries, err := store.RaiseEpoch(t.Context(), "user:42", 1, time.Time{})
	require.ErrorIs(t, err, core.ErrNotDurable)
	assert.Equal(t, []core.OwnerEntry{entry}, entries)
	require.ErrorIs(t, store.RaiseMark(t.Context(), "a", time.Now()), core.ErrNotDurable)
}
