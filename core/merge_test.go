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

func TestParallelRequestsKeepBothChanges(t *testing.T) {
	other := core.NewValue[string]("other")
	tests := map[string]struct {
		first, second func(*core.Session)
		want          []string
		note          string
	}{
		"different values": {
			setNote("1"),
			func(s *core.Session) { other.Set(s, "2") },
			[]string{"note", "other"},
			"1",
		},
		"the same value": {setNote("1"), setNote("2"), []string{"note"}, "2"},
		"a delete and a set": {
			deleteNote, func(s *core.Session) { other.Set(s, "2") }, []string{"other"}, "",
		},
		"a delete and the same": {deleteNote, setNote("2"), nil, ""},
		"a delete and update": {deleteNote, func(s *core.Session) {
			note.Update(s, strings.ToUpper)
		}, nil, ""},
		"a set and a delete": {setNote("1"), deleteNote, nil, ""},
		"two deletes":        {deleteNote, deleteNote, nil, ""},
		"a set and a clear":  {func(s *core.Session) { other.Set(s, "1") }, doClear, nil, ""},
		"a clear and a set": {
			doClear, func(s *core.Session) { other.Set(s, "2") }, []string{"other"}, "",
		},
		"a clear and the same": {doClear, setNote("2"), nil, ""},
		"a take and a take":    {takeNote, takeNote, nil, ""},
		"both create a value": {
			func(s *core.Session) { other.Set(s, "1") },
			func(s *core.Session) { other.Set(s, "2") },
			[]string{"note", "other"},
			"0",
		},
		"delete, clear and set": {deleteNote, func(s *core.Session) {
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
	m.visit(token, deleteNote)
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
	m.visit(token, doClear)
	m.commit(late)
	assert.Empty(t, m.events.take(), "what was not there at the beginning was not deleted")
}

func TestOnlyOneOfTwoTakesTheOneTimeValue(t *testing.T) {
	for name, between := range map[string]func(*core.Session){
		"another took it":     takeNoteOnce,
		"another deleted it":  deleteNote,
		"another changed it":  setNote("changed"),
		"another cleared all": doClear,
		"another took and set another": func(s *core.Session) {
			note.TakeOnce(s)
			note.Set(s, "next")
		},
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
		"destroyed": func(m *site, token string) { m.visit(token, doDestroy) },
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
		"a delete":    {deleteNote, false},
		"a clear":     {doClear, false},
		"a take":      {takeNote, false},
		"a renewal":   {doRenew, true},
		"a sign-in":   {signIn("ada"), true},
		"a take once": {takeNoteOnce, true},
		"persist":     {doPersist, true},
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
				assert.NotContains(t, header, "Set-Cookie", "it may hold a new one by now")
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
		"a set": setNote("late"), "a delete": deleteNote,
		"a clear": doClear, "a renewal": doRenew,
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
		return m, session, tokenIn(t, m.visit(old, doRenew))
	}
	t.Run("values merge", func(t *testing.T) {
		m, session, token := renewed(t)
		note.Set(session, "y")
		assert.NotContains(t, m.commit(session), "Set-Cookie")
		assert.Equal(t, "y", m.read(token))
	})
	for name, f := range map[string]func(*core.Session){
		"a renewal": doRenew, "a sign-in": signIn("eve"),
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
