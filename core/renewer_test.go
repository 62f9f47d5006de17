package core_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

const opRenew = "renew"

// A renewingStore is a spyStore that tells renewals from other updates.
type renewingStore struct{ *spyStore }

func (s renewingStore) Renew(ctx context.Context, rec core.Record, was core.Revision) error {
	return s.do(ctx, opRenew, func() error { return s.MemoryStore.Update(ctx, rec, was) })
}

func newRenewingSite(t *testing.T) *site {
	store := newSpyStore()
	s := newSite(t, core.Config{Store: renewingStore{store}})
	s.store = store
	return s
}

func TestARenewerGetsRenewalsAndNothingElse(t *testing.T) {
	for name, c := range map[string]struct {
		do      func(*core.Session)
		renewed int
	}{
		"a value":      {setNote("y"), 0},
		"a clearing":   {(*core.Session).Clear, 0},
		"a renewal":    {(*core.Session).Renew, 1},
		"a sign-in":    {func(s *core.Session) { s.SetOwner("user:1") }, 1},
		"remember me":  {func(s *core.Session) { s.Persist(true) }, 1},
		"only reading": {func(s *core.Session) { s.Names() }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			m := newRenewingSite(t)
			token, _ := m.start(setNote("x"))
			session := m.begin(token)
			c.do(session)
			require.NoError(t, m.Commit(t.Context(), session, http.Header{}))
			assert.Equal(t, c.renewed, m.store.count(opRenew))
		})
	}
}

func TestAWriteThatALoadFindsIsNotTakenForAConfirmedOne(t *testing.T) {
	lost := func(context.Context, error) error { return errDown }
	for name, c := range map[string]struct {
		lost string
		do   func(m *site) *core.Session
	}{
		"a renewal": {opRenew, func(m *site) *core.Session {
			token, _ := m.start(setNote("x"))
			session := m.begin(token)
			session.Renew()
			return session
		}},
		"a value": {opUpdate, func(m *site) *core.Session {
			token, _ := m.start(setNote("x"))
			session := m.begin(token)
			note.Set(session, "y")
			return session
		}},
		"a beginning": {opCreate, func(m *site) *core.Session {
			session := m.begin()
			note.Set(session, "x")
			return session
		}},
	} {
		bubble(t, name+" is written once more", func(t *testing.T) {
			m := newRenewingSite(t)
			session := c.do(m)
			before := m.store.count(opRenew)
			m.store.setAfter(c.lost, once(lost))
			require.NoError(t, m.Commit(t.Context(), session, http.Header{}))
			want := before + 1
			if c.lost == opRenew {
				want++ // the one whose answer is lost
			}
			assert.Equal(t, want, m.store.count(opRenew))
		})
		bubble(t, name+" is ErrNotDurable until that succeeds", func(t *testing.T) {
			m := newRenewingSite(t)
			session := c.do(m)
			m.store.setAfter(c.lost, func(context.Context, error) error { return errDown })
			m.store.setAfter(opRenew, func(context.Context, error) error { return errDown })
			err := m.Commit(t.Context(), session, http.Header{})
			require.ErrorIs(t, err, core.ErrNotDurable)
			assert.Equal(t, http.StatusServiceUnavailable, core.Status(err))
			m.store.confirmedBy(opRenew)
			pass(time.Minute)
			require.NoError(t, m.Close())
		})
	}
}

func TestAStoreThatWrapsOneWhichIsNoRenewerSaysSo(t *testing.T) {
	m := newRenewingSite(t)
	token, _ := m.start(setNote("x"))
	m.store.fail(errors.ErrUnsupported, opRenew)
	session := m.begin(token)
	session.Renew()
	require.NoError(t, m.Commit(t.Context(), session, http.Header{}))
	assert.Equal(t, 1, m.store.count(opUpdate))
}

func TestARenewalBelowALaterWriteIsConfirmedByTheRenewer(t *testing.T) {
	bubble(t, "and not by an Update", func(t *testing.T) {
		m := newRenewingSite(t)
		token, _ := m.start(setNote("x"))
		session := m.begin(token)
		session.Renew()
		m.store.setAfter(opRenew, once(func(context.Context, error) error { return errOneCopy }))
		_, header := m.answer(session)
		m.visit(tokenIn(t, header), setNote("later"))
		updates, renewals := m.store.count(opUpdate), m.store.count(opRenew)
		pass(time.Minute)
		assert.Equal(t, updates, m.store.count(opUpdate))
		assert.Equal(t, renewals+2, m.store.count(opRenew))
	})
}
