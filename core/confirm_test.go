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

var errOneCopy = fmt.Errorf("1 of 2 copies: %w", core.ErrNotDurable)

// unconfirmedBy makes operations take effect without being confirmed.
func (s *spyStore) unconfirmedBy(ops ...string) {
	for _, op := range ops {
		s.setAfter(op, func(_ context.Context, err error) error {
			if err != nil {
				return err
			}
			return errOneCopy
		})
	}
}

func (s *spyStore) confirmedBy(ops ...string) {
	for _, op := range ops {
		s.setAfter(op, nil)
	}
}

// answer is what an adapter answers if a commit fails: status and header.
func (s *site) answer(session *core.Session) (int, http.Header) {
	s.t.Helper()
	response := http.Header{"X-Handler": {"of the handler"}}
	err := s.Commit(s.t.Context(), session, response)
	if err == nil {
		return http.StatusOK, response
	}
	require.Equal(s.t, http.Header{"X-Handler": {"of the handler"}}, response,
		"a commit that fails writes no header")
	response = http.Header{}
	s.ErrorHeader(session, err, response)
	return core.Status(err), response
}

func TestAnEndThatIsNotConfirmedIsAnsweredAsAnErrorAndDeletesTheCookie(t *testing.T) {
	bubble(t, "and is tried again until it is confirmed", func(t *testing.T) {
		m := newSite(t, core.Config{})
		token, id := m.start(setNote("x"))
		m.events.take()
		m.store.unconfirmedBy(opDelete)
		session := m.begin(token)
		session.Destroy()
		status, header := m.answer(session)
		assert.Equal(t, http.StatusServiceUnavailable, status)
		requireExpired(t, header)
		assert.Equal(t, "1", header.Get("Retry-After"))
		assert.Equal(t, "no-store", header.Get("Cache-Control"))
		require.NoError(t, session.Err(), "the end did take effect")
		assert.False(t, m.alive(token))
		events := m.events.take()
		assert.Equal(t, []core.Event{
			{Kind: core.EndUnconfirmed, ID: id, Err: core.ErrNotDurable},
			{Kind: core.SessionExpired, ID: id, Reason: "destroyed"},
			{Kind: core.TokenUnknown, ID: id},
		}, events)

		assert.Equal(t, 1, m.store.count(opDelete))
		pass(100*time.Millisecond - 1)
		assert.Equal(t, 1, m.store.count(opDelete))
		pass(1)
		assert.Equal(t, 2, m.store.count(opDelete), "soon")
		pass(200 * time.Millisecond)
		assert.Equal(t, 3, m.store.count(opDelete), "with a growing pause")
		pass(400 * time.Millisecond)
		assert.Equal(t, 4, m.store.count(opDelete))
		m.store.confirmedBy(opDelete)
		pass(time.Second)
		assert.Equal(t, 5, m.store.count(opDelete))
		pass(time.Hour)
		assert.Equal(t, 5, m.store.count(opDelete), "no more than that")
		require.NoError(t, m.Close())
	})
	bubble(t, "the pauses grow to half a minute", func(t *testing.T) {
		m := newSite(t, core.Config{Lifetime: core.Never, IdleTimeout: core.Never})
		token, _ := m.start(setNote("x"))
		m.store.unconfirmedBy(opDelete)
		session := m.begin(token)
		session.Destroy()
		require.ErrorIs(t, m.Commit(t.Context(), session, http.Header{}), core.ErrNotDurable)
		pass(10 * time.Minute)
		before := m.store.count(opDelete)
		pass(10 * time.Minute)
		assert.Equal(t, 20, m.store.count(opDelete)-before)
	})
	bubble(t, "an error in between changes nothing", func(t *testing.T) {
		m := newSite(t, core.Config{})
		token, _ := m.start(setNote("x"))
		m.store.unconfirmedBy(opDelete)
		session := m.begin(token)
		session.Destroy()
		require.ErrorIs(t, m.Commit(t.Context(), session, http.Header{}), core.ErrNotDurable)
		m.store.confirmedBy(opDelete)
		m.store.fail(errDown, opDelete)
		pass(time.Minute)
		require.ErrorIs(t, m.Close(), core.ErrNotDurable)
	})
}

func TestAnEndNeedsNoConfirmationOnceTheRecordWouldHaveExpired(t *testing.T) {
	for name, end := range map[string]func(*site, string, core.ID) error{
		"destroyed": func(m *site, token string, _ core.ID) error {
			s := m.begin(token)
			s.Destroy()
			return m.Commit(m.t.Context(), s, http.Header{})
		},
		"revoked": func(m *site, _ string, id core.ID) error { return m.Revoke(m.t.Context(), id) },
	} {
		bubble(t, name, func(t *testing.T) {
			m := newSite(t, core.Config{})
			token, id := m.start(setNote("x"))
			m.store.unconfirmedBy(opDelete)
			require.ErrorIs(t, end(m, token, id), core.ErrNotDurable)
			pass(time.Hour + time.Minute)
			calls := m.store.count(opDelete)
			pass(time.Hour)
			assert.Equal(t, calls, m.store.count(opDelete))
			require.NoError(t, m.Close())
		})
	}
	bubble(t, "where there was no record, once a session would have ended", func(t *testing.T) {
		m := newSite(t, core.Config{})
		m.store.unconfirmedBy(opDelete)
		session := m.begin(core.NewToken().Reveal())
		session.Destroy()
		status, header := m.answer(session)
		assert.Equal(t, http.StatusServiceUnavailable, status)
		requireExpired(t, header)
		pass(23 * time.Hour)
		calls := m.store.count(opDelete)
		pass(time.Minute)
		assert.Less(t, calls, m.store.count(opDelete))
		pass(time.Hour)
		require.NoError(t, m.Close())
	})
}

func TestARenewalThatIsNotConfirmedHandsTheNewTokenOut(t *testing.T) {
	for name, test := range map[string]struct {
		op  string
		end func(*core.Session)
	}{
		"a renewal": {opUpdate, doRenew},
		"a sign-in": {opUpdate, signIn("ada")},
		"a new one": {opCreate, func(s *core.Session) { s.Destroy(); note.Set(s, "x") }},
	} {
		bubble(t, name, func(t *testing.T) {
			m := newSite(t, core.Config{})
			old, _ := m.start(setNote("x"))
			session := m.begin(old)
			test.end(session)
			m.store.unconfirmedBy(opUpdate, opCreate)
			status, header := m.answer(session)
			assert.Equal(t, http.StatusServiceUnavailable, status)
			token := tokenIn(t, header)
			assert.NotEqual(t, old, token)
			assert.True(t, m.alive(token), "it did take effect")
			assert.False(t, m.alive(old))
			require.NoError(t, session.Err())

			rec := m.record(core.ID(token[:32]))
			updates := m.store.count(opUpdate)
			pass(300 * time.Millisecond)
			assert.Equal(t, updates+2, m.store.count(opUpdate), "the same is written again")
			assert.Equal(t, rec, m.record(rec.ID))
			m.store.confirmedBy(opUpdate)
			pass(time.Second)
			updates = m.store.count(opUpdate)
			pass(time.Hour)
			assert.Equal(t, updates, m.store.count(opUpdate))
			require.NoError(t, m.Close())
		})
	}
}

// renewedInDoubt renews a session whose first Update is not confirmed.
func renewedInDoubt(m *site) (token string) {
	m.t.Helper()
	token, _ = m.start(setNote("x"))
	session := m.begin(token)
	session.Renew()
	m.store.setAfter(opUpdate, once(func(context.Context, error) error { return errOneCopy }))
	_, header := m.answer(session)
	return tokenIn(m.t, header)
}

func TestARenewalIsConfirmedBelowWhatWasWrittenOnTopOfIt(t *testing.T) {
	bubble(t, "a later write", func(t *testing.T) {
		m := newSite(t, core.Config{})
		token := renewedInDoubt(m)
		m.visit(token, setNote("later"))
		updates := m.store.count(opUpdate)
		pass(time.Minute)
		assert.Equal(t, updates+2, m.store.count(opUpdate), "a conflict, and the newest record")
		assert.Equal(t, "later", m.read(token))
		require.NoError(t, m.Close())
	})
	bubble(t, "an end needs it no more", func(t *testing.T) {
		m := newSite(t, core.Config{})
		token := renewedInDoubt(m)
		m.visit(token, doDestroy)
		updates := m.store.count(opUpdate)
		pass(time.Minute)
		assert.Equal(t, updates+1, m.store.count(opUpdate))
		require.NoError(t, m.Close())
	})
	bubble(t, "a renewal that the store forgot is carried out again", func(t *testing.T) {
		m := newSite(t, core.Config{})
		old, id := m.start(setNote("x"))
		before := m.record(id)
		session := m.begin(old)
		session.Renew()
		m.store.setAfter(opUpdate, once(func(context.Context, error) error { return errOneCopy }))
		_, header := m.answer(session)
		token, renewed := tokenIn(t, header), m.record(id)

		// A copy that lagged behind takes over.
		require.NoError(t, m.store.MemoryStore.Update(t.Context(), before, renewed.Revision))
		require.True(t, m.alive(old))
		pass(time.Minute)
		assert.Equal(t, renewed, m.record(id))
		assert.True(t, m.alive(token))
		assert.False(t, m.alive(old))
		require.NoError(t, m.Close())
	})
}

func TestAnEndWithANewBeginningReportsBoth(t *testing.T) {
	bubble(t, "the end is not confirmed, the beginning is", func(t *testing.T) {
		m := newSite(t, core.Config{})
		token, _ := m.start(setNote("x"))
		m.store.unconfirmedBy(opDelete)
		session := m.begin(token)
		session.Destroy()
		note.Set(session, "new")
		status, header := m.answer(session)
		assert.Equal(t, http.StatusServiceUnavailable, status)
		assert.Equal(t, "new", m.read(tokenIn(t, header)))
		require.ErrorIs(t, m.Close(), core.ErrNotDurable)
	})
	bubble(t, "the beginning fails after the end", func(t *testing.T) {
		m := newSite(t, core.Config{})
		token, _ := m.start(setNote("x"))
		m.store.fail(errDown, opCreate)
		session := m.begin(token)
		session.Destroy()
		note.Set(session, "new")
		status, header := m.answer(session)
		assert.Equal(t, http.StatusServiceUnavailable, status)
		requireExpired(t, header)
		assert.False(t, m.alive(token))
	})
}

func TestCloseReportsWhatIsNotConfirmed(t *testing.T) {
	bubble(t, "each by its ID", func(t *testing.T) {
		m := newSite(t, core.Config{})
		m.store.unconfirmedBy(opDelete)
		var ids []core.ID
		for range 3 {
			_, id := m.start(setNote("x"))
			ids = append(ids, id)
			require.ErrorIs(t, m.Revoke(t.Context(), id), core.ErrNotDurable)
		}
		err := m.Close()
		require.ErrorIs(t, err, core.ErrNotDurable)
		for _, id := range ids {
			assert.ErrorContains(t, err, string(id))
		}
		again := m.Close()
		require.ErrorIs(t, again, core.ErrNotDurable, "also the second time")
		calls := m.store.count(opDelete)
		pass(time.Hour)
		assert.Equal(t, calls, m.store.count(opDelete), "nobody tries any more")
	})
	bubble(t, "an attempt under way is ended and waited for", func(t *testing.T) {
		m := newSite(t, core.Config{})
		m.store.unconfirmedBy(opDelete)
		_, id := m.start(setNote("x"))
		require.ErrorIs(t, m.Revoke(t.Context(), id), core.ErrNotDurable)
		m.store.hang(opDelete)
		pass(time.Second)
		require.ErrorIs(t, m.Close(), core.ErrNotDurable)
	})
	bubble(t, "an attempt that hangs is given five seconds", func(t *testing.T) {
		m := newSite(t, core.Config{})
		m.store.unconfirmedBy(opDelete)
		_, id := m.start(setNote("x"))
		require.ErrorIs(t, m.Revoke(t.Context(), id), core.ErrNotDurable)
		m.store.hang(opDelete)
		pass(100*time.Millisecond + 5*time.Second)
		assert.Equal(t, 2, m.store.count(opDelete))
		m.store.setBefore(opDelete, nil)
		m.store.confirmedBy(opDelete)
		pass(time.Minute)
		require.NoError(t, m.Close())
	})
}

func TestTheNumberOfConfirmationsIsBounded(t *testing.T) {
	bubble(t, "those beyond are given up, and told", func(t *testing.T) {
		const most = 1024
		m := newSite(t, core.Config{})
		m.store.unconfirmedBy(opDelete)
		for i := range most + 2 {
			id := core.ID(fmt.Sprintf("%032d", i))
			require.ErrorIs(t, m.Revoke(t.Context(), id), core.ErrNotDurable)
		}
		events := m.events.take()
		require.Len(t, events, most+2)
		assert.Empty(t, events[most-1].Reason)
		assert.NotEmpty(t, events[most].Reason)
		assert.NotEmpty(t, events[most+1].Reason)
		m.store.confirmedBy(opDelete)
		pass(time.Second)
		assert.Equal(t, most+2+most, m.store.count(opDelete))
		require.ErrorContains(t, m.Close(), "2 more, given up")

		m.store.unconfirmedBy(opDelete)
		require.ErrorIs(t, m.Revoke(t.Context(), core.NewToken().ID()), core.ErrNotDurable)
		require.ErrorIs(t, m.Close(), core.ErrNotDurable, "also what comes after Close")
	})
}

func TestWhatComesWhileOthersAreTriedIsTriedAsWell(t *testing.T) {
	bubble(t, "behind them", func(t *testing.T) {
		m := newSite(t, core.Config{})
		m.store.unconfirmedBy(opDelete)
		require.ErrorIs(t, m.Revoke(t.Context(), core.NewToken().ID()), core.ErrNotDurable)
		m.store.setBefore(opDelete, once(func(context.Context, error) error {
			err := m.Revoke(context.Background(), core.NewToken().ID())
			assert.ErrorIs(t, err, core.ErrNotDurable)
			return nil
		}))
		pass(100 * time.Millisecond)
		m.store.confirmedBy(opDelete)
		pass(time.Minute)
		require.NoError(t, m.Close())
	})
}
