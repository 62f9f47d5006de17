package core_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
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
	for name, carrier := range map[string]core.Carrier{"cookie": core.Cookie{}, "header": core.Header{}} {
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
		"a renewal": func(s *core.Session) { s.Renew() }, "a sign-in": signIn("ada"),
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

func TestParallelRequestsKeepBothChanges(t *testing.T) {
	other := core.NewValue[string]("other")
	tests := map[string]struct {
		first, second func(*core.Session)
		want          []string
		note          string
	}{
		"different values":      {setNote("1"), func(s *core.Session) { other.Set(s, "2") }, []string{"note", "other"}, "1"},
		"the same value":        {setNote("1"), setNote("2"), []string{"note"}, "2"},
		"a delete and a set":    {func(s *core.Session) { note.Delete(s) }, func(s *core.Session) { other.Set(s, "2") }, []string{"other"}, ""},
		"a delete and the same": {func(s *core.Session) { note.Delete(s) }, setNote("2"), nil, ""},
		"a delete and update": {func(s *core.Session) { note.Delete(s) }, func(s *core.Session) {
			note.Update(s, strings.ToUpper)
		}, nil, ""},
		"a set and a delete":   {setNote("1"), func(s *core.Session) { note.Delete(s) }, nil, ""},
		"two deletes":          {func(s *core.Session) { note.Delete(s) }, func(s *core.Session) { note.Delete(s) }, nil, ""},
		"a set and a clear":    {func(s *core.Session) { other.Set(s, "1") }, func(s *core.Session) { s.Clear() }, nil, ""},
		"a clear and a set":    {func(s *core.Session) { s.Clear() }, func(s *core.Session) { other.Set(s, "2") }, []string{"other"}, ""},
		"a clear and the same": {func(s *core.Session) { s.Clear() }, setNote("2"), nil, ""},
		"a take and a take":    {func(s *core.Session) { note.Take(s) }, func(s *core.Session) { note.Take(s) }, nil, ""},
		"both create a value":  {func(s *core.Session) { other.Set(s, "1") }, func(s *core.Session) { other.Set(s, "2") }, []string{"note", "other"}, "0"},
		"delete, clear and set": {func(s *core.Session) { note.Delete(s) }, func(s *core.Session) {
			s.Clear()
			other.Set(s, "2")
		}, []string{"other"}, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			m := newSite(t, core.Config{})
			token, _ := m.start(setNote("0"))
			first, second := m.begin(token), m.begin(token)
			test.first(first)
			test.second(second)
			m.commit(first)
			m.commit(second)
			session := m.begin(token)
			assert.Equal(t, test.want, session.Names())
			text, _ := note.Get(session)
			assert.Equal(t, test.note, text)
			assert.Equal(t, test.want, second.Names(), "the later one sees it, too")
		})
	}
}

func TestAChangeOfAValueThatWasDeletedMeanwhileIsTold(t *testing.T) {
	m := newSite(t, core.Config{})
	token, id := m.start(setNote("0"))
	late := m.begin(token)
	m.visit(token, func(s *core.Session) { note.Delete(s) })
	m.events.take()
	note.Set(late, "1")
	before := m.record(id)
	m.commit(late)
	assert.Equal(t, []core.Event{{
		Kind: core.ChangesDropped, ID: id, Name: "note", Reason: "value deleted",
	}}, m.events.take())
	assert.Equal(t, before, m.record(id), "nothing is left to write")

	late = m.begin(token)
	hits.Set(late, 1)
	m.visit(token, func(s *core.Session) { s.Clear() })
	m.commit(late)
	assert.Empty(t, m.events.take(), "what was not there at the beginning was not deleted")
}

func TestOnlyOneOfTwoTakesTheOneTimeValue(t *testing.T) {
	for name, between := range map[string]func(*core.Session){
		"another took it":              func(s *core.Session) { note.TakeOnce(s) },
		"another deleted it":           func(s *core.Session) { note.Delete(s) },
		"another changed it":           setNote("changed"),
		"another cleared all":          func(s *core.Session) { s.Clear() },
		"another took and set another": func(s *core.Session) { note.TakeOnce(s); note.Set(s, "next") },
	} {
		t.Run(name, func(t *testing.T) {
			m := newSite(t, core.Config{})
			token, id := m.start(setNote("secret"))
			session := m.begin(token)
			_, ok := note.TakeOnce(session)
			require.True(t, ok)
			hits.Set(session, 1)
			m.visit(token, between)
			before := m.record(id)
			response := http.Header{}
			require.ErrorIs(t, m.Commit(t.Context(), session, response), core.ErrConflict)
			assert.Empty(t, response)
			assert.Equal(t, before, m.record(id))
		})
	}
	t.Run("another set it to the same again", func(t *testing.T) {
		m := newSite(t, core.Config{})
		token, _ := m.start(setNote("secret"))
		session := m.begin(token)
		note.TakeOnce(session)
		m.visit(token, setNote("secret"))
		m.commit(session)
		assert.Empty(t, m.begin(token).Names())
	})
}

func TestASessionThatEndedWhileTheRequestRan(t *testing.T) {
	ends := map[string]func(m *site, token string){
		"destroyed": func(m *site, token string) { m.visit(token, func(s *core.Session) { s.Destroy() }) },
		"revoked": func(m *site, token string) {
			require.NoError(m.t, m.Revoke(m.t.Context(), core.ID(token[:32])))
		},
	}
	changes := map[string]struct {
		f    func(*core.Session)
		gone bool
	}{
		"a set":       {setNote("y"), false},
		"an update":   {func(s *core.Session) { hits.Update(s, increment) }, false},
		"a delete":    {func(s *core.Session) { note.Delete(s) }, false},
		"a clear":     {func(s *core.Session) { s.Clear() }, false},
		"a take":      {func(s *core.Session) { note.Take(s) }, false},
		"a renewal":   {func(s *core.Session) { s.Renew() }, true},
		"a sign-in":   {signIn("ada"), true},
		"a take once": {func(s *core.Session) { note.TakeOnce(s) }, true},
		"persist":     {func(s *core.Session) { s.Persist(true) }, true},
	}
	for end, over := range ends {
		for name, change := range changes {
			t.Run(end+": "+name, func(t *testing.T) {
				m := newSite(t, core.Config{})
				token, id := m.start(setNote("x"))
				session := m.begin(token)
				change.f(session)
				over(m, token)
				m.events.take()
				status, header := m.answer(session)
				assert.NotContains(t, header, "Set-Cookie", "the browser may hold a new cookie by now")
				assert.Equal(t, []core.Event{{
					Kind: core.ChangesDropped, ID: id, Reason: "session ended",
				}}, m.events.take())
				assert.Zero(t, m.store.Len())
				if change.gone {
					assert.Equal(t, http.StatusConflict, status)
					require.ErrorIs(t, session.Err(), core.ErrGone)
					return
				}
				assert.Equal(t, http.StatusOK, status)
				assert.Empty(t, session.ID())
				note.Set(session, "z")
				assert.Empty(t, session.ID(), "it does not come back with a new name")
				m.commit(session)
				assert.Zero(t, m.store.Len())
			})
		}
	}
}

func TestAnOwnerThatChangedMeanwhileLetsNothingMerge(t *testing.T) {
	m := newSite(t, core.Config{})
	anonymous, _ := m.start(setNote("x"))
	for name, change := range map[string]func(*core.Session){
		"a set": setNote("late"), "a delete": func(s *core.Session) { note.Delete(s) },
		"a clear": func(s *core.Session) { s.Clear() }, "a renewal": func(s *core.Session) { s.Renew() },
		"a sign-in": signIn("eve"),
	} {
		t.Run(name, func(t *testing.T) {
			m := newSite(t, core.Config{})
			old, id := m.start(setNote("x"))
			session := m.begin(old)
			change(session)
			m.visit(old, signIn("ada"))
			before := m.record(id)
			status, header := m.answer(session)
			assert.Equal(t, http.StatusConflict, status)
			require.ErrorIs(t, session.Err(), core.ErrConflict)
			assert.NotContains(t, header, "Set-Cookie")
			assert.Equal(t, before, m.record(id))
		})
	}
	assert.True(t, m.alive(anonymous))
}

func TestATokenThatWasRenewedMeanwhile(t *testing.T) {
	renewed := func(t *testing.T) (m *site, session *core.Session, token string) {
		m = newSite(t, core.Config{})
		old, _ := m.start(setNote("x"))
		session = m.begin(old)
		return m, session, tokenIn(t, m.visit(old, func(s *core.Session) { s.Renew() }))
	}
	t.Run("values merge", func(t *testing.T) {
		m, session, token := renewed(t)
		note.Set(session, "y")
		assert.NotContains(t, m.commit(session), "Set-Cookie")
		assert.Equal(t, "y", m.read(token))
	})
	for name, f := range map[string]func(*core.Session){
		"a renewal": func(s *core.Session) { s.Renew() }, "a sign-in": signIn("eve"),
	} {
		t.Run(name+" would hand it to whoever held the old one", func(t *testing.T) {
			m, session, token := renewed(t)
			f(session)
			note.Set(session, "y")
			require.ErrorIs(t, m.Commit(t.Context(), session, http.Header{}), core.ErrConflict)
			assert.Equal(t, "x", m.read(token))
		})
	}
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
		setNote("x"), setNote("y"), func(s *core.Session) { s.Destroy() },
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

func TestManyConflictsInARow(t *testing.T) {
	t.Run("thirty are no trouble", func(t *testing.T) {
		m := newSite(t, core.Config{})
		token, id := m.start(func(s *core.Session) { hits.Set(s, 0) })
		session := m.begin(token)
		hits.Update(session, increment)
		rivals := 0
		m.store.setBefore(opUpdate, func(context.Context, error) error {
			if rivals < 30 {
				rivals++
				m.edit(id, func(rec *core.Record) { rec.Revision++ })
			}
			return nil
		})
		m.commit(session)
		n, _ := hits.Get(m.begin(token))
		assert.Equal(t, 1, n)
	})
	bubble(t, "without an end they are a store error within CommitTimeout", func(t *testing.T) {
		m := newSite(t, core.Config{})
		token, _ := m.start(setNote("x"))
		session := m.begin(token)
		note.Set(session, "y")
		m.store.fail(fmt.Errorf("wrapped: %w", core.ErrConflict), opUpdate)
		begun := time.Now()
		err := m.Commit(t.Context(), session, http.Header{})
		var store *core.StoreError
		require.ErrorAs(t, err, &store)
		assert.Equal(t, "update", store.Op)
		assert.Equal(t, http.StatusServiceUnavailable, core.Status(err))
		assert.LessOrEqual(t, time.Since(begun), 10*time.Second)
	})
}
