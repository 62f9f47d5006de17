package core_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

func TestTroubleAtLoadIsAnErrorAndNeverAnAnonymousVisitor(t *testing.T) {
	for name, trouble := range map[string]error{
		"down": errDown, "wrapped": fmt.Errorf("dial: %w", errDown),
		"a deadline": context.DeadlineExceeded, "cancelled": context.Canceled,
		"not durable": core.ErrNotDurable, "what makes no sense": core.ErrConflict,
	} {
		t.Run(name, func(t *testing.T) {
			m := newSite(t, core.Config{})
			token, id := m.start(setNote("x"))
			m.events.take()
			m.store.fail(trouble, opLoad)
			_, err := m.Begin(t.Context(), cookies(token))
			requireStoreError(t, err, "load")
			require.ErrorIs(t, err, trouble)
			events := m.events.take()
			require.Len(t, events, 1)
			assert.Equal(t, core.StoreFailure, events[0].Kind)
			assert.Equal(t, id, events[0].ID)
			assert.Equal(t, "load", events[0].Reason)

			session, err := m.Begin(t.Context(), http.Header{})
			require.NoError(t, err, "a request without a token is not concerned")
			m.commit(session)
		})
	}
}

func TestTroubleAtCommitConcernsOnlyThoseWhoChangeSomething(t *testing.T) {
	m := newSite(t, core.Config{})
	token, _ := m.start(setNote("x"))
	m.store.fail(errDown, opCreate, opUpdate, opDelete, opTouch)
	assert.Empty(t, m.visit("", nothing))
	assert.Empty(t, m.visit(token, nothing))
	m.visit(token, func(s *core.Session) { note.Get(s) })
	for _, f := range []func(*core.Session){setNote("y"), signIn("ada"), doDestroy} {
		session := m.begin(token)
		f(session)
		status, header := m.answer(session)
		assert.Equal(t, http.StatusServiceUnavailable, status)
		assert.Equal(t, http.Header{"Retry-After": {"1"}, "Vary": {"Cookie"}}, header)
	}
	assert.Equal(t, "x", m.read(token), "the token that the client holds is still good")
}

func TestErrorHeader(t *testing.T) {
	m := newSite(t, core.Config{Carrier: core.Carriers(core.Cookie{}, core.Header{})})
	session := m.begin()
	down := &core.StoreError{Err: errDown}
	tests := map[string]struct {
		session *core.Session
		err     error
		want    http.Header
	}{
		"a failed Begin": {nil, down,
			http.Header{"Retry-After": {"1"}, "Vary": {"Cookie", "Session-Id"}}},
		"a failed Commit": {session, down,
			http.Header{"Retry-After": {"1"}, "Vary": {"Cookie", "Session-Id"}}},
		"a conflict": {
			session, core.ErrConflict, http.Header{"Vary": {"Cookie", "Session-Id"}},
		},
		"a fault of a value": {
			session, &core.ValueError{Err: errDown}, http.Header{"Vary": {"Cookie", "Session-Id"}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			response := http.Header{}
			m.ErrorHeader(test.session, test.err, response)
			assert.Equal(t, test.want, response)
		})
	}
	t.Run("an error is not cached, whatever an outer layer said of the answer", func(t *testing.T) {
		response := http.Header{"Cache-Control": {"public, max-age=60"}}
		m.ErrorHeader(nil, down, response)
		assert.Equal(t, []string{"no-store"}, response.Values("Cache-Control"))
	})
	t.Run("what is there stays", func(t *testing.T) {
		response := http.Header{"Vary": {"Origin"}, "X-Request-Id": {"1"}, "Retry-After": {"60"}}
		m.ErrorHeader(nil, down, response)
		assert.Equal(t, http.Header{
			"Vary": {"Origin", "Cookie", "Session-Id"}, "X-Request-Id": {"1"}, "Retry-After": {"1"},
		}, response)
	})
}

func TestLoadTimeoutBoundsBeginAndOpen(t *testing.T) {
	for name, test := range map[string]struct {
		cfg  core.Config
		want time.Duration
	}{
		"the default": {core.Config{}, 2 * time.Second},
		"as said":     {core.Config{LoadTimeout: 300 * ms}, 300 * ms},
	} {
		bubble(t, name, func(t *testing.T) {
			m := newSite(t, test.cfg)
			token, id := m.start(setNote("x"))
			m.store.hang(opLoad)
			begun := time.Now()
			_, err := m.Begin(t.Context(), cookies(token))
			requireStoreError(t, err, "load")
			require.ErrorIs(t, err, context.DeadlineExceeded)
			assert.Equal(t, test.want, time.Since(begun))

			begun = time.Now()
			_, err = m.Open(t.Context(), id)
			requireStoreError(t, err, "load")
			assert.Equal(t, test.want, time.Since(begun))
		})
	}
	bubble(t, "a request that has less left", func(t *testing.T) {
		m := newSite(t, core.Config{})
		token, _ := m.start(setNote("x"))
		m.store.hang(opLoad)
		ctx, cancel := context.WithTimeout(t.Context(), 50*ms)
		defer cancel()
		begun := time.Now()
		_, err := m.Begin(ctx, cookies(token))
		requireStoreError(t, err, "load")
		assert.Equal(t, 50*ms, time.Since(begun))
	})
	bubble(t, "a client that goes away", func(t *testing.T) {
		m := newSite(t, core.Config{})
		token, _ := m.start(setNote("x"))
		m.store.hang(opLoad)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		begun := time.Now()
		_, err := m.Begin(ctx, cookies(token))
		require.ErrorIs(t, err, context.Canceled)
		assert.Equal(t, time.Second, time.Since(begun))
	})
}

func TestCommitTimeoutBoundsEverythingTogether(t *testing.T) {
	changes := map[string]struct {
		f    func(*core.Session)
		hang []string
	}{
		"a create": {
			func(s *core.Session) { s.Destroy(); note.Set(s, "y") }, []string{opCreate},
		},
		"an update":            {setNote("y"), []string{opUpdate}},
		"an end":               {doDestroy, []string{opDelete}},
		"an update and a load": {setNote("y"), []string{opUpdate, opLoad}},
		"an end and a creation": {
			func(s *core.Session) { s.Destroy(); note.Set(s, "y") }, []string{opDelete, opCreate},
		},
	}
	for name, change := range changes {
		for _, timeout := range []time.Duration{0, 700 * ms} {
			bubble(t, fmt.Sprint(name, " within ", timeout), func(t *testing.T) {
				m := newSite(t, core.Config{CommitTimeout: timeout})
				token, _ := m.start(setNote("x"))
				session := m.begin(token)
				change.f(session)
				m.store.hang(change.hang...)
				// Neither the request's deadline nor its cancellation is the commit's.
				ctx, cancel := context.WithTimeout(t.Context(), 10*ms)
				defer cancel()
				begun := time.Now()
				err := m.Commit(ctx, session, http.Header{})
				require.ErrorIs(t, err, context.DeadlineExceeded)
				var store *core.StoreError
				require.ErrorAs(t, err, &store)
				want := 5 * time.Second
				if timeout > 0 {
					want = timeout
				}
				assert.Equal(t, want, time.Since(begun))
			})
		}
	}
	bubble(t, "slow steps add up", func(t *testing.T) {
		m := newSite(t, core.Config{})
		token, _ := m.start(setNote("x"))
		session := m.begin(token)
		session.Destroy()
		note.Set(session, "y")
		slow := func(ctx context.Context, _ error) error {
			select {
			case <-time.After(3 * time.Second):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		m.store.setBefore(opDelete, slow)
		m.store.setBefore(opCreate, slow)
		begun := time.Now()
		requireStoreError(t, m.Commit(t.Context(), session, http.Header{}), "create")
		assert.Equal(t, 5*time.Second, time.Since(begun))
	})
	bubble(t, "a revocation", func(t *testing.T) {
		m := newSite(t, core.Config{})
		_, id := m.start(setNote("x"))
		m.store.hang(opDelete)
		begun := time.Now()
		requireStoreError(t, m.Revoke(t.Context(), id), "delete")
		assert.Equal(t, 5*time.Second, time.Since(begun))
	})
	bubble(t, "a rollback", func(t *testing.T) {
		m := newSite(t, core.Config{})
		token, _ := m.start(setNote("x"))
		session := m.begin(token)
		session.Destroy()
		m.store.hang(opDelete)
		begun := time.Now()
		m.Rollback(t.Context(), session)
		assert.Equal(t, 5*time.Second, time.Since(begun))
	})
}

func TestAStoreErrorIsNeverAVerdictAboutTheSession(t *testing.T) {
	m := newSite(t, core.Config{})
	token, _ := m.start(setNote("x"))
	session := m.begin(token)
	note.Set(session, "y")
	m.store.fail(errors.Join(errDown, errors.New("and more")), opUpdate)
	requireStoreError(t, m.Commit(t.Context(), session, http.Header{}), "update")
	assert.NotEmpty(t, session.ID())
	m.store.fail(nil, opUpdate)
	assert.Equal(t, "x", m.read(token))
}

func TestRollbackStoresNothingButCarriesAnEndOut(t *testing.T) {
	t.Run("changes go", func(t *testing.T) {
		m := newSite(t, core.Config{})
		token, id := m.start(setNote("x"))
		before := m.record(id)
		session := m.begin(token)
		note.Set(session, "y")
		session.Renew()
		m.Rollback(t.Context(), session)
		assert.Equal(t, before, m.record(id))
		note.Set(session, "late")
		require.ErrorIs(t, session.Err(), core.ErrCommitted, "the request is over")
		response := http.Header{}
		require.Error(t, m.Commit(t.Context(), session, response))
		assert.Empty(t, response)
	})
	t.Run("a session that only begins does not", func(t *testing.T) {
		m := newSite(t, core.Config{})
		session := m.begin()
		note.Set(session, "y")
		m.Rollback(t.Context(), session)
		assert.Zero(t, m.store.writes())
	})
	t.Run("an end is carried out, without what followed and without a header", func(t *testing.T) {
		m := newSite(t, core.Config{})
		token, id := m.start(setNote("x"))
		session := m.begin(token)
		session.Destroy()
		note.Set(session, "new")
		m.events.take()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		m.Rollback(ctx, session)
		assert.False(t, m.alive(token))
		assert.Zero(t, m.store.Len())
		assert.Contains(t, m.events.take(), core.Event{
			Kind: core.SessionExpired, ID: id, Reason: "destroyed",
		})
		response := http.Header{}
		require.NoError(t, m.Commit(t.Context(), session, response))
		assert.NotContains(t, response, "Set-Cookie")
	})
	t.Run("an end that fails is told", func(t *testing.T) {
		m := newSite(t, core.Config{})
		token, _ := m.start(setNote("x"))
		session := m.begin(token)
		session.Destroy()
		m.store.fail(errDown, opDelete)
		m.events.take()
		m.Rollback(t.Context(), session)
		assert.Equal(t, []core.EventKind{core.StoreFailure}, m.events.takeKinds())
	})
}
