package core_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

func TestARequestWithoutATokenCostsNoStoreAccess(t *testing.T) {
	m := newSite(t, core.Config{})
	good, _ := m.start(setNote("x"))
	m.store.forget()
	for name, header := range map[string]http.Header{
		"no header":           {},
		"another cookie":      {"Cookie": {"a=b"}},
		"an empty cookie":     cookies(""),
		"an ill-formed token": cookies(good[:127]),
		"64 KiB":              cookies(strings.Repeat("A", 64<<10)),
		"two tokens":          cookies(good, core.NewToken().Reveal()),
		"a token in the URL":  {"Referer": {"https://x/?sid=" + good}},
	} {
		t.Run(name, func(t *testing.T) {
			session, err := m.Begin(t.Context(), header)
			require.NoError(t, err)
			assert.Empty(t, session.ID())
			assert.Empty(t, session.Owner())
			assert.Empty(t, session.Names())
			assert.Zero(t, session.Created())
			assert.Zero(t, session.Used())
			assert.Zero(t, session.Expires())
			m.commit(session)
			assert.Zero(t, m.store.count(opLoad)+m.store.writes())
		})
	}
}

func TestATokenCostsOneLoad(t *testing.T) {
	m := newSite(t, core.Config{})
	token, _ := m.start(setNote("x"))
	m.store.forget()
	session := m.begin(token)
	for range 3 {
		note.Get(session)
		hits.Get(session)
		session.Names()
	}
	m.commit(session)
	assert.Equal(t, 1, m.store.count(opLoad))
	assert.Zero(t, m.store.writes())
}

func TestBeginTellsWhatItFinds(t *testing.T) {
	tests := map[string]struct {
		token func(m *site) string
		alive bool
		kinds []core.EventKind
	}{
		"a good token": {func(m *site) string {
			token, _ := m.start(setNote("x"))
			return token
		}, true, nil},
		"an unknown token": {func(*site) string { return core.NewToken().Reveal() },
			false, []core.EventKind{core.TokenUnknown}},
		"the ID of a session with another secret": {func(m *site) string {
			_, id := m.start(setNote("x"))
			return string(id) + strings.Repeat("A", 96)
		}, false, []core.EventKind{core.TokenUnknown}},
		"the secret of a session with another ID": {func(m *site) string {
			token, _ := m.start(setNote("x"))
			return strings.Repeat("A", 32) + token[32:]
		}, false, []core.EventKind{core.TokenUnknown}},
		"a secret that differs in its last character": {func(m *site) string {
			token, _ := m.start(setNote("x"))
			return token[:127] + differentFrom(token[127])
		}, false, []core.EventKind{core.TokenUnknown}},
		"an outdated token": {func(m *site) string {
			token, _ := m.start(setNote("x"))
			m.visit(token, doRenew)
			return token
		}, false, []core.EventKind{core.TokenOutdated}},
		"a token of a session that was destroyed": {func(m *site) string {
			token, _ := m.start(setNote("x"))
			m.visit(token, doDestroy)
			return token
		}, false, []core.EventKind{core.TokenUnknown}},
		"a malformed token": {func(*site) string { return "x" },
			false, []core.EventKind{core.TokenMalformed}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			m := newSite(t, core.Config{})
			token := test.token(m)
			m.events.take()
			writes := m.store.writes()
			session := m.begin(token)
			assert.Equal(t, test.alive, session.ID() != "")
			assert.ElementsMatch(t, test.kinds, m.events.takeKinds())
			header := m.commit(session)
			assert.Equal(t, http.Header{"Vary": {"Cookie"}}, header, "no session header")
			assert.Equal(t, writes, m.store.writes(), "and no effect whatever")
		})
	}
}

func TestATokenIsOutdatedForAMinuteAndUnknownAfterwards(t *testing.T) {
	for name, test := range map[string]struct {
		after time.Duration
		kind  core.EventKind
	}{
		"at once":                            {0, core.TokenOutdated},
		"a millisecond less than a minute":   {time.Minute - time.Millisecond, core.TokenOutdated},
		"a minute":                           {time.Minute, core.TokenUnknown},
		"an hour and a bit, of a day's life": {50 * time.Minute, core.TokenUnknown},
	} {
		bubble(t, name, func(t *testing.T) {
			m := newSite(t, core.Config{})
			old, _ := m.start(setNote("x"))
			token := tokenIn(t, m.visit(old, doRenew))
			pass(test.after)
			m.events.take()
			session := m.begin(old)
			require.Equal(t, []core.EventKind{test.kind}, m.events.takeKinds())

			note.Set(session, "new")
			err := m.Commit(t.Context(), session, http.Header{})
			if test.kind == core.TokenOutdated {
				require.ErrorIs(t, session.Err(), core.ErrOutdated)
				require.ErrorIs(t, err, core.ErrOutdated, "it would overwrite the good cookie")
				assert.Equal(t, http.StatusConflict, core.Status(err))
				session.Destroy()
				require.NoError(t, session.Err())
			} else {
				require.NoError(t, err, "another session begins")
				assert.NotEqual(t, old[:32], string(session.ID()))
			}
			assert.Equal(t, "x", m.read(token))
		})
	}
}

func TestAnOutdatedTokenIsGoodForNothingButDestroy(t *testing.T) {
	for name, f := range map[string]func(*core.Session){
		"set": setNote("x"), "update": func(s *core.Session) { note.Update(s, strings.ToUpper) },
		"sign in": signIn("ada"),
	} {
		t.Run(name, func(t *testing.T) {
			m := newSite(t, core.Config{})
			old, _ := m.start(setNote("x"))
			token := tokenIn(t, m.visit(old, doRenew))
			session := m.begin(old)
			f(session)
			require.ErrorIs(t, session.Err(), core.ErrOutdated)
			status, header := m.answer(session)
			assert.Equal(t, http.StatusConflict, status)
			assert.Equal(t, http.Header{"Vary": {"Cookie"}}, header, "no session header")
			assert.Equal(t, "x", m.read(token))
		})
	}
	t.Run("what creates nothing is no error", func(t *testing.T) {
		m := newSite(t, core.Config{})
		old, _ := m.start(setNote("x"))
		m.visit(old, doRenew)
		header := m.visit(old, func(s *core.Session) {
			s.Renew()
			s.Clear()
			note.Delete(s)
			s.Persist(true)
			s.SetOwner("")
		})
		assert.Equal(t, http.Header{"Vary": {"Cookie"}}, header)
	})
	t.Run("destroy ends the session, and what begins then may", func(t *testing.T) {
		m := newSite(t, core.Config{})
		old, _ := m.start(setNote("x"))
		token := tokenIn(t, m.visit(old, doRenew))
		fresh := tokenIn(t, m.visit(old, func(s *core.Session) {
			s.Destroy()
			note.Set(s, "another")
		}))
		assert.False(t, m.alive(token))
		assert.Equal(t, "another", m.read(fresh))
	})
}

func TestAStoreThatAnswersWithAnotherRecordIsInTrouble(t *testing.T) {
	m := newSite(t, core.Config{Store: nil})
	token, id := m.start(setNote("x"))
	_, other := m.start(setNote("of somebody else"))
	mixing := &mixingStore{MemoryStore: m.store.MemoryStore, answer: other}
	mixed := newSite(t, core.Config{Store: mixing})
	_, err := mixed.Begin(t.Context(), cookies(token))
	var store *core.StoreError
	require.ErrorAs(t, err, &store)
	assert.Equal(t, id, store.ID)
}

// mixingStore answers every Load with the same record.
type mixingStore struct {
	*core.MemoryStore
	answer core.ID
}

func (s *mixingStore) Load(ctx context.Context, _ core.ID) (core.Record, error) {
	return s.MemoryStore.Load(ctx, s.answer)
}

func TestOpenTakesHoldOfASessionByItsPublicName(t *testing.T) {
	m := newSite(t, core.Config{})
	token, id := m.start(func(s *core.Session) {
		s.SetOwner("ada")
		note.Set(s, "x")
	})
	opened, err := m.Open(t.Context(), id)
	require.NoError(t, err)
	assert.Equal(t, id, opened.ID())
	assert.Equal(t, "ada", opened.Owner())
	note.Set(opened, "from a job")
	require.NoError(t, opened.Err())
	require.NoError(t, m.Commit(t.Context(), opened, nil))
	assert.Equal(t, "from a job", m.read(token))

	note.Set(opened, "again")
	require.NoError(t, m.Commit(t.Context(), opened, nil), "as often as one likes")
	assert.Equal(t, "again", m.read(token))

	opened.Destroy()
	require.NoError(t, m.Commit(t.Context(), opened, nil))
	assert.False(t, m.alive(token))
}

func TestOpenFindsOnlyWhatIsAlive(t *testing.T) {
	m := newSite(t, core.Config{})
	for _, id := range []core.ID{
		"", "x", core.NewToken().ID(), core.ID(core.NewToken().Reveal()),
		core.ID(strings.Repeat("é", 16)), core.ID(strings.Repeat(".", 32)),
	} {
		_, err := m.Open(t.Context(), id)
		require.ErrorIs(t, err, core.ErrNotFound, id)
	}
	assert.Equal(t, 1, m.store.count(opLoad), "only of what could be one")
	assert.Empty(t, m.events.take())

	m.store.fail(errDown, opLoad)
	_, err := m.Open(t.Context(), core.NewToken().ID())
	var store *core.StoreError
	require.ErrorAs(t, err, &store)
	require.ErrorIs(t, err, errDown)
	require.NotErrorIs(t, err, core.ErrNotFound)
}

func TestWhatNeedsATokenCannotBeDoneWithAnOpenedSession(t *testing.T) {
	for name, f := range map[string]func(*core.Session){
		"renew": doRenew, "sign in": signIn("ada"),
		"persist": doPersist,
		"destroy and begin": func(s *core.Session) {
			s.Destroy()
			note.Set(s, "x")
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := newSite(t, core.Config{})
			_, id := m.start(setNote("x"))
			opened, err := m.Open(t.Context(), id)
			require.NoError(t, err)
			f(opened)
			require.ErrorIs(t, opened.Err(), core.ErrCommitted)
			require.ErrorIs(t, m.Commit(t.Context(), opened, nil), core.ErrCommitted)
			require.ErrorIs(t, m.Commit(t.Context(), opened, http.Header{}), core.ErrCommitted,
				"not even if somebody offers a header")
		})
	}
}

func TestOpenNotesNoUse(t *testing.T) {
	bubble(t, "neither itself nor by its commit", func(t *testing.T) {
		m := newSite(t, core.Config{})
		_, id := m.start(setNote("x"))
		used := m.record(id).Used
		pass(30 * time.Minute)
		opened, err := m.Open(t.Context(), id)
		require.NoError(t, err)
		note.Set(opened, "y")
		require.NoError(t, m.Commit(t.Context(), opened, nil))
		assert.Equal(t, used, m.record(id).Used)
		assert.Equal(t, used.Add(time.Hour), m.record(id).Expires)
		pass(30 * time.Minute)
		_, err = m.Open(t.Context(), id)
		require.ErrorIs(t, err, core.ErrNotFound)
	})
}

func TestRevokeEndsASessionFromOutside(t *testing.T) {
	m := newSite(t, core.Config{})
	token, id := m.start(signIn("ada"))
	inFlight := m.begin(token)
	note.Set(inFlight, "late")
	require.NoError(t, m.Revoke(t.Context(), id))
	assert.False(t, m.alive(token))
	m.commit(inFlight)
	assert.False(t, m.alive(token), "a late save does not bring it back")
	require.NoError(t, m.Revoke(t.Context(), id), "revoking twice is no error")
	for _, id := range []core.ID{"", "x", "../../../../etc/passwd", core.ID(token)} {
		m.store.forget()
		require.NoError(t, m.Revoke(t.Context(), id))
		assert.Zero(t, m.store.count(opLoad, opDelete), "what can be no ID costs nothing")
	}
}

func TestRevokeSaysIfTheStoreFails(t *testing.T) {
	for op, want := range map[string]string{opLoad: "load", opDelete: "delete"} {
		t.Run(op, func(t *testing.T) {
			m := newSite(t, core.Config{})
			token, id := m.start(setNote("x"))
			m.store.fail(fmt.Errorf("wrapped: %w", errDown), op)
			m.events.take()
			err := m.Revoke(t.Context(), id)
			var store *core.StoreError
			require.ErrorAs(t, err, &store)
			assert.Equal(t, want, store.Op)
			assert.Equal(t, id, store.ID)
			require.ErrorIs(t, err, errDown)
			m.store.fail(nil, op)
			assert.True(t, m.alive(token))
		})
	}
	t.Run("an end whose answer is lost is written once more", func(t *testing.T) {
		m := newSite(t, core.Config{})
		_, id := m.start(setNote("x"))
		m.store.setAfter(opDelete, once(func(context.Context, error) error { return errDown }))
		require.NoError(t, m.Revoke(t.Context(), id))
		assert.Equal(t, 2, m.store.count(opDelete))
	})
}

func TestErrNotFoundMayBeWrapped(t *testing.T) {
	m := newSite(t, core.Config{})
	m.store.fail(fmt.Errorf("no row: %w", core.ErrNotFound), opLoad)
	session := m.begin(core.NewToken().Reveal())
	assert.Empty(t, session.ID())
	_, err := m.Open(t.Context(), core.NewToken().ID())
	require.True(t, errors.Is(err, core.ErrNotFound))
	require.NoError(t, m.Revoke(t.Context(), core.NewToken().ID()))
}
