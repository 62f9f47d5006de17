package core_test

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

func TestASessionComesIntoBeingWithItsFirstValueOrOwner(t *testing.T) {
	tests := map[string]struct {
		f      func(*core.Session)
		begins bool
	}{
		"nothing":             {nothing, false},
		"reading":             {func(s *core.Session) { note.Get(s) }, false},
		"deleting":            {deleteNote, false},
		"taking":              {takeNoteOnce, false},
		"clearing":            {doClear, false},
		"renewing":            {doRenew, false},
		"destroying":          {doDestroy, false},
		"persisting":          {doPersist, false},
		"owned by nobody":     {signIn(""), false},
		"a value and destroy": {func(s *core.Session) { note.Set(s, "x"); s.Destroy() }, false},
		"an owner, destroy":   {func(s *core.Session) { s.SetOwner("ada"); s.Destroy() }, false},
		"sign in and out":     {func(s *core.Session) { s.SetOwner("ada"); s.SetOwner("") }, false},
		"setting a value":     {setNote("x"), true},
		"setting an empty":    {setNote(""), true},
		"updating a value":    {func(s *core.Session) { note.Update(s, strings.ToUpper) }, true},
		"naming an owner":     {signIn("ada"), true},
		"destroy and a value": {func(s *core.Session) { s.Destroy(); note.Set(s, "x") }, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			m := newSite(t, core.Config{})
			session := m.begin()
			test.f(session)
			assert.Equal(t, test.begins, session.ID() != "")
			assert.Equal(t, test.begins, !session.Created().IsZero())
			id := session.ID()
			header := m.commit(session)
			if !test.begins {
				assert.NotContains(t, header, "Set-Cookie")
				assert.Zero(t, m.store.writes())
				return
			}
			assert.Equal(t, id, core.ID(tokenIn(t, header)[:32]), "it was there before")
			assert.Equal(t, id, session.ID())
			assert.Equal(t, 1, m.store.writes())
		})
	}
}

func TestRenewGivesANewTokenAndKeepsAllElse(t *testing.T) {
	m := newSite(t, core.Config{})
	old, id := m.start(func(s *core.Session) {
		s.SetOwner("ada")
		note.Set(s, "x")
	})
	session := m.begin(old)
	created := session.Created()
	session.Renew()
	session.Renew()
	assert.Equal(t, id, session.ID())
	token := tokenIn(t, m.commit(session))
	assert.NotEqual(t, old, token)
	assert.Equal(t, string(id), token[:32])
	assert.False(t, m.alive(old))
	session = m.begin(token)
	assert.Equal(t, "ada", session.Owner())
	assert.Equal(t, created, session.Created())
	assert.Equal(t, "x", m.read(token))
	assert.Equal(t, 1, m.store.count(opUpdate), "one change of one record")
}

func TestRenewingWhatOnlyBeginsIsNothingMore(t *testing.T) {
	m := newSite(t, core.Config{})
	m.start(func(s *core.Session) {
		note.Set(s, "x")
		s.Renew()
	})
	assert.Equal(t, 1, m.store.writes())
	assert.Equal(t, []core.EventKind{core.SessionCreated}, m.events.takeKinds())
}

func TestDestroyIsFinal(t *testing.T) {
	start := func(t *testing.T) (*site, string) {
		m := newSite(t, core.Config{})
		token, _ := m.start(func(s *core.Session) {
			s.SetOwner("ada")
			note.Set(s, "x")
		})
		return m, token
	}
	t.Run("nothing of the session shows any more", func(t *testing.T) {
		m, token := start(t)
		session := m.begin(token)
		hits.Set(session, 1)
		session.Destroy()
		assert.Empty(t, session.ID())
		assert.Empty(t, session.Owner())
		assert.Empty(t, session.Names())
		_, ok := note.Get(session)
		assert.False(t, ok)
		requireExpired(t, m.commit(session))
		assert.Empty(t, session.ID())
		assert.False(t, m.alive(token))
		assert.Zero(t, m.store.Len())
	})
	t.Run("a renewal after it is nothing", func(t *testing.T) {
		m, token := start(t)
		requireExpired(t, m.visit(token, func(s *core.Session) { s.Destroy(); s.Renew() }))
		assert.Zero(t, m.store.Len())
	})
	t.Run("what was refused before goes with it", func(t *testing.T) {
		m, token := start(t)
		requireExpired(t, m.visit(token, func(s *core.Session) {
			note.Set(s, "\xff")
			s.SetOwner("\x00")
			s.Destroy()
			require.NoError(t, s.Err())
		}))
	})
	t.Run("what is set afterwards begins another", func(t *testing.T) {
		m, token := start(t)
		header := m.visit(token, func(s *core.Session) {
			hits.Set(s, 1)
			s.Destroy()
			note.Set(s, "new")
		})
		fresh := tokenIn(t, header)
		assert.NotEqual(t, token[:32], fresh[:32])
		session := m.begin(fresh)
		assert.Equal(t, []string{"note"}, session.Names())
		assert.Empty(t, session.Owner())
		assert.False(t, m.alive(token))
	})
	t.Run("again and again", func(t *testing.T) {
		m, token := start(t)
		header := m.visit(token, func(s *core.Session) {
			for range 3 {
				s.Destroy()
				note.Set(s, "new")
			}
			s.Destroy()
		})
		requireExpired(t, header)
		assert.Zero(t, m.store.Len())
	})
	t.Run("an end reaches the store though what follows is refused", func(t *testing.T) {
		m, token := start(t)
		session := m.begin(token)
		session.Destroy()
		note.Set(session, "\xff")
		status, header := m.answer(session)
		assert.Equal(t, http.StatusInternalServerError, status)
		requireExpired(t, header)
		assert.False(t, m.alive(token))
	})
}

// An ID is public: whoever knows it, and no secret that was ever good, must not end the session.
func TestDestroyWithATokenThatOpensNothing(t *testing.T) {
	destroy := doDestroy
	t.Run("unknown: the end is written all the same, for it may be a retry", func(t *testing.T) {
		m := newSite(t, core.Config{})
		requireExpired(t, m.visit(core.NewToken().Reveal(), destroy))
		assert.Equal(t, 1, m.store.count(opDelete))
	})
	t.Run("of another secret: nothing is written", func(t *testing.T) {
		m := newSite(t, core.Config{})
		token, id := m.start(setNote("x"))
		requireExpired(t, m.visit(string(id)+strings.Repeat("A", 96), destroy))
		assert.Zero(t, m.store.count(opDelete))
		assert.True(t, m.alive(token))
	})
	t.Run("malformed: nothing is written or sent", func(t *testing.T) {
		m := newSite(t, core.Config{})
		header := m.visit("malformed", destroy)
		assert.Equal(t, http.Header{"Vary": {"Cookie"}}, header)
		assert.Zero(t, m.store.count(opDelete, opLoad))
	})
	t.Run("outdated: it ends the session", func(t *testing.T) {
		m := newSite(t, core.Config{})
		old, id := m.start(signIn("ada"))
		token := tokenIn(t, m.visit(old, doRenew))
		m.events.take()
		requireExpired(t, m.visit(old, destroy))
		assert.False(t, m.alive(token))
		assert.Contains(t, m.events.take(), core.Event{
			Kind: core.SessionExpired, ID: id, Owner: "ada", Reason: "destroyed",
		})
	})
	t.Run("renewed while the request ran: it ends the session", func(t *testing.T) {
		m := newSite(t, core.Config{})
		old, _ := m.start(setNote("x"))
		session := m.begin(old)
		token := tokenIn(t, m.visit(old, signIn("ada")))
		session.Destroy()
		requireExpired(t, m.commit(session))
		assert.False(t, m.alive(token))
	})
	t.Run("the store cannot be asked: an error, and nothing is sent", func(t *testing.T) {
		m := newSite(t, core.Config{})
		old, _ := m.start(setNote("x"))
		m.visit(old, doRenew)
		session := m.begin(old)
		m.store.fail(errDown, opLoad)
		session.Destroy()
		status, header := m.answer(session)
		assert.Equal(t, http.StatusServiceUnavailable, status)
		assert.NotContains(t, header, "Set-Cookie")
		require.ErrorIs(t, session.Err(), errDown)
	})
}

func TestClearDeletesTheValuesAndKeepsTheSession(t *testing.T) {
	m := newSite(t, core.Config{})
	token, id := m.start(func(s *core.Session) {
		s.SetOwner("ada")
		note.Set(s, "x")
		hits.Set(s, 1)
	})
	header := m.visit(token, func(s *core.Session) {
		s.Clear()
		assert.Empty(t, s.Names())
		assert.Equal(t, id, s.ID())
		hits.Set(s, 2)
	})
	assert.NotContains(t, header, "Set-Cookie")
	session := m.begin(token)
	assert.Equal(t, "ada", session.Owner())
	assert.Equal(t, []string{"hits"}, session.Names())

	other := m.begin(token)
	note.Set(other, "of another request")
	m.commit(other)
	session.Clear()
	m.commit(session)
	assert.Empty(t, m.begin(token).Names(), "every name of the record to which it is applied")
}

func TestNamesShowsWhatTheHandlerSees(t *testing.T) {
	m := newSite(t, core.Config{})
	token, _ := m.start(func(s *core.Session) {
		hits.Set(s, 1)
		note.Set(s, "x")
	})
	session := m.begin(token)
	assert.Equal(t, []string{"hits", "note"}, session.Names())
	core.NewValue[bool]("a").Set(session, true)
	hits.Delete(session)
	assert.Equal(t, []string{"a", "note"}, session.Names())
	m.commit(session)
	assert.Equal(t, []string{"a", "note"}, session.Names(), "also after the commit")
	assert.Equal(t, []string{"a", "note"}, m.begin(token).Names())
}

func TestASessionMayBeUsedByManyGoroutines(t *testing.T) {
	m := newSite(t, core.Config{})
	token, _ := m.start(setNote("x"))
	session := m.begin(token)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			own := core.NewValue[int](fmt.Sprint("v", i))
			for n := range 50 {
				own.Set(session, n)
				note.Get(session)
				session.Names()
				_, _, _ = session.ID(), session.Owner(), session.Err()
				_, _, _ = session.Created(), session.Used(), session.Expires()
				if n == 25 {
					assert.NoError(t, m.Commit(t.Context(), session, http.Header{}))
				}
			}
		})
	}
	wg.Wait()
	m.commit(session)
	assert.Len(t, m.begin(token).Names(), 9)
}

func TestAfterTheRequestASessionCanBeReadAndNotChanged(t *testing.T) {
	for name, change := range map[string]func(*core.Session){
		"set": setNote("late"), "update": func(s *core.Session) { note.Update(s, strings.ToUpper) },
		"take": takeNote, "delete": deleteNote,
		"clear": doClear, "renew": doRenew,
		"destroy": doDestroy, "sign in": signIn("ada"),
		"persist": doPersist,
	} {
		t.Run(name, func(t *testing.T) {
			m := newSite(t, core.Config{})
			token, id := m.start(setNote("x"))
			session := m.begin(token)
			m.commit(session)
			text, _ := note.Get(session)
			assert.Equal(t, "x", text)
			require.NoError(t, session.Err(), "reading is no fault")
			before := m.record(id)

			change(session)
			require.ErrorIs(t, session.Err(), core.ErrCommitted)
			require.ErrorIs(t, m.Commit(t.Context(), session, http.Header{}), core.ErrCommitted)
			assert.Equal(t, before, m.record(id))
			text, _ = note.Get(session)
			assert.Equal(t, "x", text, "what was read stays")
			assert.Equal(t, id, session.ID())
		})
	}
}

func TestErrStaysUntilACommitSucceeds(t *testing.T) {
	m := newSite(t, core.Config{})
	token, _ := m.start(setNote("x"))
	session := m.begin(token)
	note.Set(session, "y")
	require.NoError(t, session.Err())
	m.store.fail(errDown, opUpdate)
	require.ErrorIs(t, m.Commit(t.Context(), session, http.Header{}), errDown)
	require.ErrorIs(t, session.Err(), errDown)
	text, _ := note.Get(session)
	assert.Equal(t, "y", text, "the change waits")
	hits.Set(session, 1)
	require.ErrorIs(t, session.Err(), errDown)

	m.store.fail(nil, opUpdate)
	m.commit(session)
	require.NoError(t, session.Err())
	assert.Equal(t, "y", m.read(token))
}

func TestASessionHasNothingThatAFrameworkWouldCallAtTheRequestsEnd(t *testing.T) {
	kind := reflect.TypeFor[*core.Session]()
	for _, name := range []string{"Close", "Release", "Reset"} {
		_, has := kind.MethodByName(name)
		assert.False(t, has, name)
	}
}

func TestPrintingASessionShowsItsIDAndNothingElse(t *testing.T) {
	m := newSite(t, core.Config{})
	session := m.begin()
	note.Set(session, "a secret value")
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x", "%q"} {
		assert.Equal(t, "[session "+string(session.ID())+"]", fmt.Sprintf(verb, session))
	}
	ctx := core.NewContext(context.Background(), session)
	assert.NotContains(t, fmt.Sprint(ctx), "a secret value")
	assert.NotContains(t, fmt.Sprintf("%+v", m.Manager), "store")
}
