package core_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// The store's answer is lost: the write may have taken effect, or not.

func requireStoreError(t *testing.T, err error, op string) {
	t.Helper()
	var store *core.StoreError
	require.ErrorAs(t, err, &store)
	require.Equal(t, op, store.Op)
	require.Equal(t, http.StatusServiceUnavailable, core.Status(err))
}

func lost(context.Context, error) error { return errDown }

func TestACreateWhoseAnswerIsLost(t *testing.T) {
	t.Run("it took effect: that is success", func(t *testing.T) {
		m := newSite(t, core.Config{})
		m.store.setAfter(opCreate, lost)
		token, _ := m.start(setNote("x"))
		assert.Equal(t, "x", m.read(token))
		assert.Equal(t, 1, m.store.count(opCreate))
	})
	t.Run("it did not: the same is written once more", func(t *testing.T) {
		m := newSite(t, core.Config{})
		m.store.setBefore(opCreate, once(lost))
		token, _ := m.start(setNote("x"))
		assert.Equal(t, "x", m.read(token))
		assert.Equal(t, 2, m.store.count(opCreate))
	})
	t.Run("twice in vain is an error", func(t *testing.T) {
		m := newSite(t, core.Config{})
		m.store.fail(errDown, opCreate)
		session := m.begin()
		note.Set(session, "x")
		status, header := m.answer(session)
		assert.Equal(t, http.StatusServiceUnavailable, status)
		assert.NotContains(t, header, "Set-Cookie")
		require.ErrorIs(t, session.Err(), errDown)
		assert.Equal(t, 2, m.store.count(opCreate))
		assert.Equal(t, []core.EventKind{core.StoreFailure}, m.events.takeKinds())
	})
	t.Run("nobody can be asked: unknown is an error", func(t *testing.T) {
		m := newSite(t, core.Config{})
		m.store.setAfter(opCreate, lost)
		m.store.fail(errDown, opLoad)
		session := m.begin()
		note.Set(session, "x")
		requireStoreError(t, m.Commit(t.Context(), session, http.Header{}), "create")
		assert.Equal(t, 1, m.store.count(opCreate))

		m.store.setAfter(opCreate, nil)
		m.store.fail(nil, opLoad)
		err := m.Commit(t.Context(), session, http.Header{})
		requireStoreError(t, err, "create")
		require.ErrorIs(t, err, core.ErrExists, "nobody takes over what is there")
	})
	t.Run("another record is there: it is left alone", func(t *testing.T) {
		m := newSite(t, core.Config{})
		session := m.begin()
		note.Set(session, "x")
		there := core.Record{ID: session.ID(), Revision: 1, Data: "another's"}
		require.NoError(t, m.store.MemoryStore.Create(t.Context(), there))
		err := m.Commit(t.Context(), session, http.Header{})
		requireStoreError(t, err, "create")
		require.ErrorIs(t, err, core.ErrExists)
		assert.Equal(t, there, m.record(there.ID))
	})
}

func TestAnUpdateWhoseAnswerIsLost(t *testing.T) {
	type world struct {
		*site
		token   string
		id      core.ID
		session *core.Session
	}
	start := func(t *testing.T) world {
		m := newSite(t, core.Config{})
		token, id := m.start(func(s *core.Session) { hits.Set(s, 0) })
		session := m.begin(token)
		hits.Update(session, increment)
		m.store.forget()
		return world{m, token, id, session}
	}
	counted := func(t *testing.T, w world, want int) {
		t.Helper()
		n, _ := hits.Get(w.begin(w.token))
		assert.Equal(t, want, n)
	}
	t.Run("it took effect: that is success", func(t *testing.T) {
		w := start(t)
		w.store.setAfter(opUpdate, lost)
		w.commit(w.session)
		counted(t, w, 1)
		assert.Equal(t, 1, w.store.count(opUpdate))
	})
	t.Run("it did not: the same is written once more", func(t *testing.T) {
		w := start(t)
		w.store.setBefore(opUpdate, once(lost))
		w.commit(w.session)
		counted(t, w, 1)
		assert.Equal(t, 2, w.store.count(opUpdate))
	})
	t.Run("twice in vain is an error", func(t *testing.T) {
		w := start(t)
		w.store.fail(errDown, opUpdate)
		requireStoreError(t, w.Commit(t.Context(), w.session, http.Header{}), "update")
		counted(t, w, 0)
		assert.Equal(t, 2, w.store.count(opUpdate))
		w.store.fail(nil, opUpdate)
		w.commit(w.session)
		counted(t, w, 1)
	})
	t.Run("somebody wrote on top of it: doing it again could do it twice", func(t *testing.T) {
		w := start(t)
		w.store.setAfter(opUpdate, once(func(context.Context, error) error {
			w.edit(w.id, func(rec *core.Record) { rec.Revision++ })
			return errDown
		}))
		err := w.Commit(t.Context(), w.session, http.Header{})
		requireStoreError(t, err, "update")
		require.ErrorIs(t, err, errDown)
		counted(t, w, 1)
	})
	t.Run("somebody wrote before it: unknown stays unknown", func(t *testing.T) {
		w := start(t)
		w.store.setBefore(opUpdate, once(func(context.Context, error) error {
			w.edit(w.id, func(rec *core.Record) { rec.Revision++ })
			return errDown
		}))
		requireStoreError(t, w.Commit(t.Context(), w.session, http.Header{}), "update")
		counted(t, w, 0)
	})
	t.Run("the second attempt meets somebody: the first may have been done", func(t *testing.T) {
		w := start(t)
		calls := 0
		w.store.setBefore(opUpdate, func(context.Context, error) error {
			if calls++; calls == 1 {
				return errDown
			}
			w.edit(w.id, func(rec *core.Record) { rec.Revision++ })
			return nil
		})
		err := w.Commit(t.Context(), w.session, http.Header{})
		requireStoreError(t, err, "update")
		require.ErrorIs(t, err, errDown)
		counted(t, w, 0)
	})
	t.Run("nobody can be asked: an error", func(t *testing.T) {
		w := start(t)
		w.store.fail(errDown, opUpdate, opLoad)
		requireStoreError(t, w.Commit(t.Context(), w.session, http.Header{}), "update")
	})
	t.Run("the session has ended meanwhile: that is known", func(t *testing.T) {
		w := start(t)
		w.store.setBefore(opUpdate, once(func(ctx context.Context, _ error) error {
			assert.NoError(t, w.store.MemoryStore.Delete(ctx, w.id))
			return errDown
		}))
		w.commit(w.session)
		assert.Zero(t, w.store.Len())
	})
	t.Run("a conflict, and the newer record cannot be loaded", func(t *testing.T) {
		w := start(t)
		w.edit(w.id, func(rec *core.Record) { rec.Revision++ })
		w.store.fail(errDown, opLoad)
		requireStoreError(t, w.Commit(t.Context(), w.session, http.Header{}), "load")
	})
	t.Run("a renewal that took effect hands its token out", func(t *testing.T) {
		w := start(t)
		w.session.Renew()
		w.store.setAfter(opUpdate, lost)
		token := tokenIn(t, w.commit(w.session))
		assert.False(t, w.alive(w.token))
		assert.True(t, w.alive(token))
	})
	t.Run("a renewal that did not leaves the old token good", func(t *testing.T) {
		w := start(t)
		w.session.Renew()
		w.store.fail(errDown, opUpdate)
		status, header := w.answer(w.session)
		assert.Equal(t, http.StatusServiceUnavailable, status)
		assert.NotContains(t, header, "Set-Cookie")
		assert.True(t, w.alive(w.token))
	})
}

func TestAnEndWhoseAnswerIsLost(t *testing.T) {
	t.Run("it is written once more, which does no harm", func(t *testing.T) {
		m := newSite(t, core.Config{})
		token, _ := m.start(setNote("x"))
		m.store.setAfter(opDelete, once(lost))
		requireExpired(t, m.visit(token, doDestroy))
		assert.Equal(t, 2, m.store.count(opDelete))
		assert.False(t, m.alive(token))
	})
	t.Run("twice in vain is an error, and the cookie stays", func(t *testing.T) {
		m := newSite(t, core.Config{})
		token, _ := m.start(setNote("x"))
		m.store.fail(errDown, opDelete)
		session := m.begin(token)
		session.Destroy()
		note.Set(session, "new")
		status, header := m.answer(session)
		assert.Equal(t, http.StatusServiceUnavailable, status)
		assert.NotContains(t, header, "Set-Cookie")
		require.ErrorIs(t, session.Err(), errDown)
		assert.Equal(t, 1, m.store.count(opCreate), "what follows does not begin before the end")
		assert.True(t, m.alive(token))

		m.store.fail(nil, opDelete)
		fresh := tokenIn(t, m.commit(session))
		assert.False(t, m.alive(token))
		assert.Equal(t, "new", m.read(fresh))
	})
}

func TestWhatIsNotKnownIsNoConflict(t *testing.T) {
	m := newSite(t, core.Config{})
	token, id := m.start(setNote("x"))
	session := m.begin(token)
	note.Set(session, "y")
	// The first Update is lost before it takes effect, the second meets another one, and the Load
	// that should tell more is lost, too.
	m.store.setBefore(opUpdate, once(lost))
	m.store.setAfter(opLoad, once(func(ctx context.Context, err error) error {
		m.edit(id, func(rec *core.Record) { rec.Revision++ })
		m.store.fail(errDown, opLoad)
		return err
	}))
	err := m.Commit(t.Context(), session, http.Header{})
	requireStoreError(t, err, "update")
	require.NotErrorIs(t, err, core.ErrConflict)
}
