package core_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

func TestARenewalIsCarriedOutAgainHoweverFarTheStoreWasSetBack(t *testing.T) {
	for name, onTop := range map[string]bool{"as it was": false, "and was used since": true} {
		bubble(t, name, func(t *testing.T) {
			m := newSite(t, core.Config{})
			old, id := m.start(setNote("first"))
			before := m.record(id)
			m.visit(old, setNote("second")) // the copy never gets this
			session := m.begin(old)
			session.Renew()
			m.store.setAfter(opUpdate, once(func(context.Context, error) error { return errOneCopy }))
			_, header := m.answer(session)
			token, renewed := tokenIn(t, header), m.record(id)

			// A copy that lagged behind by two writes takes over.
			require.NoError(t, m.store.MemoryStore.Update(t.Context(), before, renewed.Revision))
			if onTop {
				m.visit(old, setNote("of whoever holds the old token"))
			}
			require.True(t, m.alive(old))
			pass(time.Minute)
			assert.False(t, m.alive(old), "what was renewed must not come back")
			assert.Equal(t, "second", m.read(token))
			require.NoError(t, m.Close())
		})
	}
}

func TestAnEndIsConfirmedAsLongAsTheNewestRecordWouldHaveLived(t *testing.T) {
	bubble(t, "not as the one that the request began with", func(t *testing.T) {
		m := newSite(t, core.Config{})
		token, id := m.start(setNote("x"))
		slow := m.begin(token)
		pass(59 * time.Minute)
		require.True(t, m.alive(token), "another request notes a use")
		newest := m.record(id)
		m.store.unconfirmedBy(opDelete)
		slow.Destroy()
		require.ErrorIs(t, m.Commit(t.Context(), slow, http.Header{}), core.ErrNotDurable)
		pass(10 * time.Minute)
		require.NoError(t, m.store.MemoryStore.Create(t.Context(), newest)) // a failover
		m.store.confirmedBy(opDelete)
		pass(time.Minute)
		assert.False(t, m.alive(token))
	})
}

func TestStrangersDoNotCrowdOutTheConfirmationOfAnEnd(t *testing.T) {
	for name, visit := range map[string]func(m *site) error{
		"by signing out with tokens they made up": func(m *site) error {
			session := m.begin(core.NewToken().Reveal())
			session.Destroy()
			return m.Commit(m.t.Context(), session, http.Header{})
		},
		"by beginning sessions": func(m *site) error {
			session := m.begin()
			note.Set(session, "x")
			return m.Commit(m.t.Context(), session, http.Header{})
		},
	} {
		bubble(t, name, func(t *testing.T) {
			m := newSite(t, core.Config{})
			token, id := m.start(setNote("x"))
			before := m.record(id)
			m.store.unconfirmedBy(opDelete, opCreate, opUpdate)
			for range 1024 {
				require.ErrorIs(t, visit(m), core.ErrNotDurable)
			}
			session := m.begin(token)
			session.Destroy()
			require.ErrorIs(t, m.Commit(t.Context(), session, http.Header{}), core.ErrNotDurable)
			require.NoError(t, m.store.MemoryStore.Create(t.Context(), before)) // a failover
			require.True(t, m.alive(token))
			m.store.confirmedBy(opDelete, opCreate, opUpdate)
			pass(time.Minute)
			assert.False(t, m.alive(token))
			require.ErrorIs(t, m.Close(), core.ErrNotDurable, "one was given up")
		})
	}
	bubble(t, "by ending one session over and over", func(t *testing.T) {
		m := newSite(t, core.Config{})
		m.store.unconfirmedBy(opDelete)
		id := core.NewToken().ID()
		for range 2000 {
			require.ErrorIs(t, m.Revoke(t.Context(), id), core.ErrNotDurable)
		}
		calls := m.store.count(opDelete)
		pass(100 * time.Millisecond)
		assert.Equal(t, calls+1, m.store.count(opDelete), "one end is one confirmation")
	})
}

func TestAPanicInObserveDoesNotEndTheConfirmations(t *testing.T) {
	bubble(t, "of this end, and of later ones", func(t *testing.T) {
		panics := true
		m := newSite(t, core.Config{Observe: func(_ context.Context, e core.Event) {
			if e.Kind == core.EndUnconfirmed && panics {
				panics = false
				panic("observe")
			}
		}})
		m.store.unconfirmedBy(opDelete)
		assert.Panics(t, func() { _ = m.Revoke(t.Context(), core.NewToken().ID()) })
		require.ErrorIs(t, m.Revoke(t.Context(), core.NewToken().ID()), core.ErrNotDurable)
		m.store.confirmedBy(opDelete)
		pass(time.Hour)
		require.NoError(t, m.Close())
	})
}

func TestCloseTellsOfWhatWasGivenUp(t *testing.T) {
	bubble(t, "by number", func(t *testing.T) {
		m := newSite(t, core.Config{})
		m.store.unconfirmedBy(opDelete)
		for i := range 1024 + 3 {
			id := core.ID(fmt.Sprintf("%032d", i))
			require.ErrorIs(t, m.Revoke(t.Context(), id), core.ErrNotDurable)
		}
		m.store.confirmedBy(opDelete)
		pass(time.Minute)
		require.ErrorContains(t, m.Close(), "3 ")
	})
}
