package core_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

func TestACommitIsOneCreateOrOneUpdate(t *testing.T) {
	m := newSite(t, core.Config{})
	token, id := m.start(func(s *core.Session) {
		s.SetOwner("ada")
		note.Set(s, "x")
		hits.Update(s, increment)
		s.Persist(true)
	})
	assert.Equal(t, 1, m.store.count(opCreate))
	assert.Equal(t, 1, m.store.writes())
	before := m.record(id)
	m.store.forget()
	m.visit(token, func(s *core.Session) {
		note.Set(s, "y")
		hits.Update(s, increment)
		s.Renew()
	})
	assert.Equal(t, 1, m.store.count(opUpdate))
	assert.Equal(t, 1, m.store.writes())
	assert.NotEqual(t, before.Revision, m.record(id).Revision, "a revision of its own")
}

func TestCommitAgainStoresOnlyWhatIsNew(t *testing.T) {
	m := newSite(t, core.Config{})
	session := m.begin()
	note.Set(session, "x")
	response := http.Header{}
	require.NoError(t, m.Commit(t.Context(), session, response))
	token := tokenIn(t, response)
	require.NoError(t, m.Commit(t.Context(), session, response))
	require.NoError(t, m.Commit(t.Context(), session, nil))
	assert.Equal(t, 1, m.store.writes(), "nothing was new")
	assert.Len(t, response.Values("Set-Cookie"), 1)

	note.Set(session, "y")
	require.NoError(t, m.Commit(t.Context(), session, response))
	require.NoError(t, m.Commit(t.Context(), session, nil))
	assert.Equal(t, 2, m.store.writes())
	assert.Len(t, response.Values("Set-Cookie"), 1)
	assert.Equal(t, "y", m.read(token))
}

// What a commit handed out, a later commit of the same response takes back.
func TestWhatBeganAndEndedBetweenTwoCommitsOfOneResponse(t *testing.T) {
	for name, carrier := range map[string]core.Carrier{
		"cookie": core.Cookie{}, "header": core.Header{},
	} {
		t.Run(name, func(t *testing.T) {
			m := newSite(t, core.Config{Carrier: carrier})
			session := m.begin()
			note.Set(session, "x")
			response := http.Header{}
			require.NoError(t, m.Commit(t.Context(), session, response))
			session.Destroy()
			require.NoError(t, m.Commit(t.Context(), session, response))
			assert.Zero(t, m.store.Len())
			if name == "header" {
				assert.Equal(t, []string{""}, response.Values("Session-Id"))
				return
			}
			lines := response.Values("Set-Cookie")
			require.Len(t, lines, 2, "core never removes a line")
			assert.Contains(t, lines[1], "Max-Age=0", "and browsers take the last")
		})
	}
}

func TestWithoutAHeaderOnlyWhatNeedsNoneIsStored(t *testing.T) {
	late := func(t *testing.T) (*site, string, *core.Session) {
		m := newSite(t, core.Config{})
		token, _ := m.start(setNote("x"))
		return m, token, m.begin(token)
	}
	t.Run("a value is", func(t *testing.T) {
		m, token, session := late(t)
		note.Set(session, "y")
		require.NoError(t, m.Commit(t.Context(), session, nil))
		assert.Equal(t, "y", m.read(token))
	})
	t.Run("an end is", func(t *testing.T) {
		m, token, session := late(t)
		session.Destroy()
		require.NoError(t, m.Commit(t.Context(), session, nil))
		assert.False(t, m.alive(token))
	})
	for name, f := range map[string]func(*core.Session){
		"a renewal": doRenew, "a sign-in": signIn("ada"),
		"what was set with a renewal": func(s *core.Session) { s.Renew(); note.Set(s, "y") },
	} {
		t.Run(name+" is not", func(t *testing.T) {
			m, token, session := late(t)
			f(session)
			require.ErrorIs(t, m.Commit(t.Context(), session, nil), core.ErrCommitted)
			assert.Equal(t, "x", m.read(token), "nor are the values beside it")
		})
	}
	t.Run("a new session is not", func(t *testing.T) {
		m := newSite(t, core.Config{})
		session := m.begin()
		note.Set(session, "y")
		require.ErrorIs(t, m.Commit(t.Context(), session, nil), core.ErrCommitted)
		assert.Zero(t, m.store.writes())
	})
	t.Run("what begins after an end is not, but the end is carried out", func(t *testing.T) {
		m, token, session := late(t)
		session.Destroy()
		note.Set(session, "y")
		require.ErrorIs(t, m.Commit(t.Context(), session, nil), core.ErrCommitted)
		assert.False(t, m.alive(token))
		assert.Zero(t, m.store.Len())
	})
}

func TestAClientThatHasGoneGetsNoTokenAndLosesNoValue(t *testing.T) {
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	expired, cancel := context.WithTimeout(t.Context(), -time.Second)
	defer cancel()
	t.Run("values are saved", func(t *testing.T) {
		m := newSite(t, core.Config{})
		token, _ := m.start(setNote("x"))
		session := m.begin(token)
		m.store.setBefore(opUpdate, func(ctx context.Context, _ error) error { return ctx.Err() })
		note.Set(session, "y")
		require.NoError(t, m.Commit(gone, session, http.Header{}))
		assert.Equal(t, "y", m.read(token))
	})
	t.Run("an end is carried out", func(t *testing.T) {
		m := newSite(t, core.Config{})
		token, _ := m.start(setNote("x"))
		session := m.begin(token)
		session.Destroy()
		require.NoError(t, m.Commit(gone, session, http.Header{}))
		assert.False(t, m.alive(token))
	})
	for name, f := range map[string]func(*core.Session){
		"a renewal":     func(s *core.Session) { s.Renew(); note.Set(s, "y") },
		"a sign-in":     func(s *core.Session) { s.SetOwner("ada"); note.Set(s, "y") },
		"a new session": func(s *core.Session) { s.Destroy(); note.Set(s, "y") },
	} {
		t.Run(name+" is not begun", func(t *testing.T) {
			m := newSite(t, core.Config{})
			token, _ := m.start(setNote("x"))
			session := m.begin(token)
			f(session)
			err := m.Commit(gone, session, http.Header{})
			require.ErrorIs(t, err, context.Canceled)
			assert.Equal(t, http.StatusServiceUnavailable, core.Status(err))
			assert.Zero(t, m.store.count(opUpdate))
			assert.Equal(t, 1, m.store.count(opCreate))
			if name != "a new session" {
				assert.Equal(t, "x", m.read(token), "not even the values")
			}
		})
		t.Run(name+" is, if only the server's own time is up", func(t *testing.T) {
			m := newSite(t, core.Config{})
			token, _ := m.start(setNote("x"))
			session := m.begin(token)
			f(session)
			response := http.Header{}
			require.NoError(t, m.Commit(expired, session, response))
			assert.Equal(t, "y", m.read(tokenIn(t, response)))
		})
	}
}

func TestTheStoreGetsTheValuesOfTheRequestsContext(t *testing.T) {
	type key struct{}
	m := newSite(t, core.Config{})
	seen := map[string]int{}
	for _, op := range []string{opCreate, opLoad, opUpdate, opDelete, opTouch} {
		m.store.setBefore(op, func(ctx context.Context, _ error) error {
			assert.Equal(t, "trace", ctx.Value(key{}), op)
			_, bounded := ctx.Deadline()
			assert.True(t, bounded, op)
			seen[op]++
			return nil
		})
	}
	ctx := context.WithValue(t.Context(), key{}, "trace")
	token := ""
	for _, f := range []func(*core.Session){
		setNote("x"), setNote("y"), doDestroy,
	} {
		header := http.Header{}
		if token != "" {
			header = cookies(token)
		}
		session, err := m.Begin(ctx, header)
		require.NoError(t, err)
		f(session)
		response := http.Header{}
		require.NoError(t, m.Commit(ctx, session, response))
		if token == "" {
			token = tokenIn(t, response)
		}
	}
	assert.Equal(t, map[string]int{opCreate: 1, opLoad: 2, opUpdate: 1, opDelete: 1}, seen)
}
