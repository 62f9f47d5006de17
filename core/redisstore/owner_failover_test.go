package redisstore_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/internal/servers"
	"github.com/sessionserverstore/sessionserverstore/core/redisstore"
)

func epochIs(t *testing.T, store *redisstore.Store, owner string, want core.Epoch) func() bool {
	return func() bool {
		got, err := store.OwnerEpoch(t.Context(), owner)
		return err == nil && got == want
	}
}

// owns reports whether the owner has the entry.
func owns(
	t *testing.T, store *redisstore.Store, owner string, want core.OwnerEntry,
) func() bool {
	return func() bool {
		entries, err := store.ListOwned(t.Context(), owner)
		return err == nil && slices.Contains(entries, want)
	}
}

// ownsNot reports whether the store says that the owner does not have the entry.
func ownsNot(
	t *testing.T, store *redisstore.Store, owner string, entry core.OwnerEntry,
) func() bool {
	return func() bool {
		entries, err := store.ListOwned(t.Context(), owner)
		return err == nil && !slices.Contains(entries, entry)
	}
}

// A signIn is what the Manager does to sign in: the record first, and then the entry.
func signIn(
	t *testing.T, store *redisstore.Store, owner string, epoch core.Epoch,
) core.OwnerEntry {
	t.Helper()
	rec := created(t, store)
	entry := core.OwnerEntry{ID: rec.ID, Revision: rec.Revision, Until: rec.Expires}
	_, err := store.AddOwned(t.Context(), owner, entry, epoch, 0)
	require.NoError(t, err)
	return entry
}

func raise(t *testing.T, store *redisstore.Store, owner string) core.Epoch {
	t.Helper()
	epoch := newEpoch()
	_, _, err := store.RaiseEpoch(t.Context(), owner, epoch, inAnHour())
	require.NoError(t, err)
	return epoch
}

func TestWhatAFailoverUndidOfOwnersIsDoneAgain(t *testing.T) {
	eachCrash(t, func(t *testing.T, c crash) {
		options := redisstore.Options{Replicas: redisstore.NoReplicas}
		store := open(t, c.url, options)
		options.Journal = redisstore.NoJournal
		control := open(t, c.url, options)
		at := time.Now().UTC().Truncate(time.Millisecond)
		require.NoError(t, store.RaiseMark(t.Context(), "all", at.Add(-time.Hour)))
		keeper := signIn(t, store, "keeping one", 0)
		c.save()

		entry := signIn(t, store, "signing in", 0)
		signedOut := signIn(t, store, "signing out", 0)
		require.NoError(t, store.RemoveOwned(t.Context(), "signing out", signedOut))
		lost := signIn(t, control, "not in the journal", 0)
		raise(t, store, "revoked")
		raise(t, store, "revoked")
		kept := raise(t, store, "keeping one")
		then := raise(t, store, "back again")
		back := signIn(t, store, "back again", then)
		vain := raise(t, control, "not in the journal")
		require.NoError(t, store.RaiseMark(t.Context(), "all", at))
		c.forget()

		// For a moment a client may still speak to the old master, which has forgotten nothing.
		eventually(t, ownsNot(t, control, "not in the journal", lost), "the server has forgotten")
		eventually(t, owns(t, control, "signing in", entry), "added again")
		eventually(t, epochIs(t, control, "keeping one", kept), "raised again")
		eventually(t, epochIs(t, control, "back again", then), "raised again, and")
		eventually(t, owns(t, control, "back again", back), "added again in the new epoch")
		eventually(t, func() bool {
			got, err := store.OwnerEpoch(t.Context(), "revoked")
			return err == nil && got != 0
		}, "what was raised twice is raised again")
		eventually(t, func() bool {
			got, err := control.Mark(t.Context(), "all")
			return err == nil && got.Equal(at)
		}, "the mark is set again")
		require.True(t, owns(t, control, "keeping one", keeper)())
		require.True(t, ownsNot(t, control, "signing out", signedOut)(), "it was removed")
		require.True(t, ownsNot(t, control, "not in the journal", lost)(), "and cannot be known")
		require.False(t, epochIs(t, control, "not in the journal", vain)())
	})
}

// Between a failover that forgot a revocation and its repetition, whatever was revoked can be used.
func TestASignInThatOutlivedAForgottenRevocationEnds(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		server := engine.Start(t)
		link := servers.NewLink(t, server.Addr())
		options := redisstore.Options{Replicas: redisstore.NoReplicas}
		store := open(t, "redis://"+link.Addr(), options)
		options.Journal = redisstore.NoJournal
		control := open(t, server.URL(), options)
		keeper := signIn(t, store, "user:42", 0)
		server.MustDo("SAVE")
		raise(t, store, "user:42")
		link.Cut()
		server.Kill()
		server.Restart()
		slow := signIn(t, control, "user:42", 0)
		requireStored(t, control, mustLoad(t, control, slow.ID))
		link.Drop()
		link.Heal()
		eventually(t, isGone(t, control, slow.ID), "the slow sign-in is revoked")
		mustLoad(t, control, keeper.ID) // it was known, and is the Manager's to end
		epoch, err := control.OwnerEpoch(t.Context(), "user:42")
		require.NoError(t, err)
		require.NotZero(t, epoch)
	})
}

func mustLoad(t *testing.T, store *redisstore.Store, id core.ID) core.Record {
	t.Helper()
	rec, err := store.Load(t.Context(), id)
	require.NoError(t, err)
	return rec
}

// A session is revoked with all of its owner's, while a failover has its entry forgotten.
func TestASessionThatARevocationMissedEnds(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		server := engine.Start(t)
		link := servers.NewLink(t, server.Addr())
		options := redisstore.Options{Replicas: redisstore.NoReplicas}
		store := open(t, "redis://"+link.Addr(), options)
		options.Journal = redisstore.NoJournal
		control := open(t, server.URL(), options)
		rec, other := created(t, store), created(t, store)
		server.MustDo("SAVE")
		for owner, r := range map[string]core.Record{"user:42": rec, "user:43": other} {
			entry := core.OwnerEntry{ID: r.ID, Revision: r.Revision, Until: r.Expires}
			_, err := store.AddOwned(t.Context(), owner, entry, 0, 0)
			require.NoError(t, err)
		}
		link.Cut()
		server.Kill()
		server.Restart()
		_, entries, err := control.RaiseEpoch(t.Context(), "user:42", newEpoch(), inAnHour())
		require.NoError(t, err)
		require.Empty(t, entries, "the fault proves nothing")
		requireStored(t, control, rec)
		link.Drop()
		link.Heal()
		eventually(t, isGone(t, control, rec.ID), "it is revoked, too")
		eventually(t, func() bool {
			entries, err := control.ListOwned(t.Context(), "user:43")
			return err == nil && len(entries) == 1
		}, "the other is added again")
		requireStored(t, control, other)
	})
}

// The journal must not bring an older epoch back, in which others may have begun to sign in.
func TestAnEpochThatOthersHaveRaisedSinceDoesNotComeBack(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		c := restart(t, engine)
		store := open(t, c.url, redisstore.Options{})
		control := open(t, c.url, redisstore.Options{Journal: redisstore.NoJournal})
		first := raise(t, store, "user:42")
		second := raise(t, control, "user:42")
		c.save()
		rec := created(t, store)
		c.save()
		require.NoError(t, store.Delete(t.Context(), rec.ID))
		c.forget()
		eventually(t, isGone(t, control, rec.ID), "the journal is worked off")
		var epoch core.Epoch
		eventually(t, func() bool {
			var err error
			epoch, err = control.OwnerEpoch(t.Context(), "user:42")
			return err == nil && epoch != second
		}, "raised")
		require.NotEqual(t, first, epoch)
	})
}

func TestEndsThatAreDoneAgainAreTold(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		server := engine.Start(t)
		link := servers.NewLink(t, server.Addr())
		store := open(t, "redis://"+link.Addr(), redisstore.Options{})
		control := open(t, server.URL(), redisstore.Options{Journal: redisstore.NoJournal})
		rec := created(t, store)
		server.MustDo("SAVE")
		require.NoError(t, store.Delete(t.Context(), rec.ID))
		link.Cut()
		server.Kill()
		server.Restart()
		requireStored(t, control, rec)
		l := watch(t, control).hears(t)
		link.Drop()
		link.Heal()
		eventually(t, l.hasEnded(rec.ID), "it is told")
		requireGone(t, control, rec.ID)
	})
}
