package redisstore_test

import (
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/internal/servers"
	"github.com/sessionserverstore/sessionserverstore/core/redisstore"
)

// A pairOf servers is a master and a replica that reaches it by a link.
type pairOf struct {
	master, replica *servers.Redis
	link            *servers.Link
}

func newPair(t *testing.T, engine servers.Engine) pairOf {
	t.Helper()
	p := pairOf{master: engine.Start(t)}
	p.link = servers.NewLink(t, p.master.Addr())
	p.replica = replicaOf(t, p.master, p.link)
	return p
}

// replicaOf starts a replica, and waits until the master knows that it is one: that is later than
// when the replica knows it.
func replicaOf(t *testing.T, master *servers.Redis, via *servers.Link) *servers.Redis {
	t.Helper()
	replica := master.Replica(t, via)
	eventually(t, func() bool {
		return strings.Contains(master.Info("slave0"), "state=online")
	}, "the master sends on what it is told")
	return replica
}

// offset is how much the server has written for its replicas.
func offset(t testing.TB, server *servers.Redis) int64 {
	t.Helper()
	n, err := strconv.ParseInt(server.Info("master_repl_offset"), 10, 64)
	require.NoError(t, err)
	return n
}

// A quick confirmation is one that fails soon, for tests in which it must fail.
const quick = 50 * time.Millisecond

// patient is for tests in which a confirmation comes, on a machine that may be slow.
const patient = 30 * time.Second

func TestAnEndThatNoReplicaHasIsNotDurable(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		p := newPair(t, engine)
		store := open(t, p.master.URL(), redisstore.Options{Replicas: 1, ConfirmTimeout: quick})
		rec := created(t, store)
		p.link.Cut()

		require.ErrorIs(t, store.Delete(t.Context(), rec.ID), core.ErrNotDurable)
		requireGone(t, store, rec.ID) // it took effect all the same
		for range 3 {
			err := store.Delete(t.Context(), rec.ID)
			require.ErrorIs(t, err, core.ErrNotDurable, "there is nothing to delete any more")
		}

		p.link.Heal()
		require.Eventually(t, func() bool {
			return store.Delete(t.Context(), rec.ID) == nil
		}, longEnough, quick)
		answer, err := p.replica.Do("EXISTS", "session:"+string(rec.ID))
		require.NoError(t, err)
		require.EqualValues(t, 0, answer, "what is confirmed is on the replica")
	})
}

// Whether WAIT waits after a command that wrote nothing depends on the server's version. A repeated
// end must not depend on that.
func TestAnEndThatIsRepeatedWritesForTheReplicas(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		server := engine.Start(t)
		replicaOf(t, server, nil)
		store := open(t, server.URL(), redisstore.Options{Replicas: 1, ConfirmTimeout: patient})
		rec := created(t, store)
		require.NoError(t, store.Delete(t.Context(), rec.ID))

		// WAIT itself, and a ping every ten seconds, send the replica some 40 bytes.
		before := offset(t, server)
		require.NoError(t, store.Delete(t.Context(), rec.ID))
		require.Greater(t, offset(t, server)-before, int64(2*len(rec.ID)))
		require.EqualValues(t, 0, server.MustDo("DBSIZE"), "and leaves nothing behind")

		before = offset(t, server)
		require.NoError(t, store.Delete(t.Context(), newRecord().ID))
		require.Greater(t, offset(t, server)-before, int64(2*len(rec.ID)))
	})
}

func TestARenewalThatNoReplicaHasIsNotDurable(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		p := newPair(t, engine)
		store := open(t, p.master.URL(), redisstore.Options{Replicas: 1, ConfirmTimeout: quick})
		rec := created(t, store)
		renewed := changed(rec, "renewed")
		p.link.Cut()

		require.ErrorIs(t, store.Renew(t.Context(), renewed, rec.Revision), core.ErrNotDurable)
		requireStored(t, store, renewed)
		err := store.Renew(t.Context(), renewed, renewed.Revision)
		require.ErrorIs(t, err, core.ErrNotDurable)

		p.link.Heal()
		require.Eventually(t, func() bool {
			return store.Renew(t.Context(), renewed, renewed.Revision) == nil
		}, longEnough, quick)
		requireStored(t, store, renewed)
	})
}

// A later Update is not confirmed by itself, and its loss would be the renewal's, too.
func TestARenewalIsConfirmedBelowALaterChange(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		p := newPair(t, engine)
		store := open(t, p.master.URL(), redisstore.Options{Replicas: 1, ConfirmTimeout: quick})
		rec := created(t, store)
		renewed := changed(rec, "renewed")
		p.link.Cut()
		require.ErrorIs(t, store.Renew(t.Context(), renewed, rec.Revision), core.ErrNotDurable)
		later := changed(renewed, "later")
		require.NoError(t, store.Update(t.Context(), later, renewed.Revision))

		err := store.Renew(t.Context(), renewed, renewed.Revision)
		require.ErrorIs(t, err, core.ErrNotDurable)
		requireStored(t, store, later)

		p.link.Heal()
		require.Eventually(t, func() bool {
			err = store.Renew(t.Context(), renewed, renewed.Revision)
			return !isNotDurable(err)
		}, longEnough, quick)
		require.ErrorIs(t, err, core.ErrConflict)
		requireStored(t, store, later)
		// It writes, so that there is something to confirm on every version of the server.
		before := offset(t, p.master)
		require.Error(t, store.Renew(t.Context(), renewed, renewed.Revision))
		require.Greater(t, offset(t, p.master)-before, int64(2*len(rec.ID)))
	})
}

func TestARefusedRenewalIsNotInNeedOfConfirmation(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		p := newPair(t, engine)
		store := open(t, p.master.URL(), redisstore.Options{Replicas: 1, ConfirmTimeout: quick})
		rec := created(t, store)
		p.link.Cut()
		err := store.Renew(t.Context(), changed(rec, "x"), newRevision())
		require.ErrorIs(t, err, core.ErrConflict)
		err = store.Renew(t.Context(), newRecord(), newRevision())
		require.ErrorIs(t, err, core.ErrNotFound)
		requireStored(t, store, rec)
	})
}

func TestEveryWriteIsConfirmedWhereOptionsSay(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		p := newPair(t, engine)
		all := open(t, p.master.URL(),
			redisstore.Options{Replicas: 1, ConfirmTimeout: quick, ConfirmWrites: true})
		ends := open(t, p.master.URL(), redisstore.Options{Replicas: 1, ConfirmTimeout: quick})
		p.link.Cut()

		rec := newRecord()
		require.ErrorIs(t, all.Create(t.Context(), rec), core.ErrNotDurable)
		requireStored(t, all, rec)
		next := changed(rec, "next")
		require.ErrorIs(t, all.Update(t.Context(), next, rec.Revision), core.ErrNotDurable)
		requireStored(t, all, next)
		touched := changed(next, next.Data)
		require.NoError(t, all.Touch(t.Context(), touched, next.Revision))
		require.NoError(t, ends.Create(t.Context(), newRecord()))
		require.NoError(t, ends.Update(t.Context(), changed(touched, "y"), touched.Revision))
	})
}

func TestMoreReplicasThanThereAreNeverConfirm(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		p := newPair(t, engine)
		store := open(t, p.master.URL(), redisstore.Options{Replicas: 2, ConfirmTimeout: quick})
		rec := created(t, store)
		err := store.Delete(t.Context(), rec.ID)
		require.ErrorIs(t, err, core.ErrNotDurable)
	})
}

func TestAutomaticAsksForAReplicaOnceItHasSeenOne(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		master := engine.Start(t)
		store := open(t, master.URL(),
			redisstore.Options{ConfirmTimeout: quick, Journal: redisstore.NoJournal})
		require.NoError(t, store.Delete(t.Context(), created(t, store).ID))
		require.Equal(t, core.BestEffort, store.Durability())

		link := servers.NewLink(t, master.Addr())
		replica := master.Replica(t, link)
		require.Eventually(t, func() bool { // the master hears of it a little later
			return store.Delete(t.Context(), newRecord().ID) == nil &&
				store.Durability() == core.Replicated
		}, longEnough, quick)

		rec := created(t, store)
		link.Cut()
		require.ErrorIs(t, store.Delete(t.Context(), rec.ID), core.ErrNotDurable)
		link.Drop()
		replica.Kill()
		require.ErrorIs(t, store.Delete(t.Context(), rec.ID), core.ErrNotDurable,
			"none is not enough, where one was seen once")
	})
}

// The end that finds the replica out is confirmed itself.
func TestTheFirstEndIsConfirmedInAutomatic(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		p := newPair(t, engine)
		p.link.Cut()
		for name, end := range map[string]func(*redisstore.Store) error{
			"an end": func(s *redisstore.Store) error {
				return s.Delete(t.Context(), newRecord().ID)
			},
			"a confirmed begin": func(s *redisstore.Store) error {
				return s.Create(t.Context(), newRecord())
			},
			"a renewal": func(s *redisstore.Store) error {
				rec := newRecord()
				put := open(t, p.master.URL(), redisstore.Options{Replicas: redisstore.NoReplicas})
				require.NoError(t, put.Create(t.Context(), rec))
				return s.Renew(t.Context(), changed(rec, "renewed"), rec.Revision)
			},
		} {
			t.Run(name, func(t *testing.T) {
				store := open(t, p.master.URL(), redisstore.Options{
					ConfirmTimeout: quick, ConfirmWrites: true, Journal: redisstore.NoJournal,
				})
				require.ErrorIs(t, end(store), core.ErrNotDurable)
			})
		}
	})
}

func TestTheFirstEndsAreAllConfirmedInAutomatic(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		p := newPair(t, engine)
		p.link.Cut()
		for range 5 {
			store := open(t, p.master.URL(), redisstore.Options{ConfirmTimeout: quick})
			var all sync.WaitGroup
			for range 8 {
				all.Go(func() {
					err := store.Delete(t.Context(), newRecord().ID)
					if !isNotDurable(err) {
						t.Errorf("an end is answered with %v", err)
					}
				})
			}
			all.Wait()
		}
	})
}

func TestNothingIsConfirmedWithoutReplicas(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		p := newPair(t, engine)
		p.link.Cut()
		store := open(t, p.master.URL(),
			redisstore.Options{Replicas: redisstore.NoReplicas, ConfirmWrites: true})
		rec := created(t, store)
		require.NoError(t, store.Delete(t.Context(), rec.ID))
		require.Equal(t, core.BestEffort, store.Durability())
	})
}

// The answer comes before the context ends, so that it is known that the end took effect.
func TestWaitingForReplicasLeavesTimeForTheAnswer(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		p := newPair(t, engine)
		store := open(t, p.master.URL(),
			redisstore.Options{Replicas: 1, ConfirmTimeout: time.Hour})
		rec := created(t, store)
		p.link.Cut()
		ctx, cancel := contextWithTimeout(t, 20*time.Second)
		defer cancel()
		require.ErrorIs(t, store.Delete(ctx, rec.ID), core.ErrNotDurable)
		require.NoError(t, ctx.Err())
	})
}
