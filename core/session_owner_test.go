package core_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

func TestOnlyASignInMovesTheTimeOfAuthentication(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		m := newSite(t, core.Config{})
		defer func() { require.NoError(t, m.Close()) }()
		token, _ := m.start(func(s *core.Session) {
			note.Set(s, "x")
			assert.True(t, s.Authenticated().IsZero())
			assert.False(t, s.AuthenticatedWithin(core.Never), "nobody is signed in")
		})
		token = tokenIn(t, m.visit(token, func(s *core.Session) {
			s.SetOwner("ada")
			assert.True(t, s.AuthenticatedWithin(time.Millisecond), "at once")
		}))
		at := time.Now().UTC()
		time.Sleep(10*time.Minute - time.Millisecond)
		assert.True(t, m.begin(token).AuthenticatedWithin(10*time.Minute))
		token = tokenIn(t, m.visit(token, (*core.Session).Renew))
		m.visit(token, setNote("y"))
		time.Sleep(time.Millisecond)
		assert.False(t, m.begin(token).AuthenticatedWithin(10*time.Minute), "at equality it is over")
		assert.Equal(t, at, m.begin(token).Authenticated())

		token = tokenIn(t, m.visit(token, signIn("ada")))
		assert.Equal(t, time.Now().UTC(), m.begin(token).Authenticated())
		assert.True(t, m.begin(token).AuthenticatedWithin(10*time.Minute))
		token = tokenIn(t, m.visit(token, signIn("bob")))
		assert.Equal(t, time.Now().UTC(), m.begin(token).Authenticated())
	})
}

// What another node's clock has written may lie ahead, but not as far as one likes.
func TestAnAuthenticationInTheFutureIsNotRecent(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		m := newSite(t, core.Config{})
		defer func() { require.NoError(t, m.Close()) }()
		token, id := m.signInAs("ada")
		shift := func(by time.Duration) {
			rec := m.record(id)
			was, at := rec.Revision, time.Now().UnixMilli()
			rec.Revision++
			old := "\x01\x08" + bigEndian(at)
			require.Contains(t, rec.Data, old)
			rec.Data = strings.Replace(rec.Data, old, "\x01\x08"+bigEndian(at+by.Milliseconds()), 1)
			require.NoError(t, m.store.MemoryStore.Update(t.Context(), rec, was))
		}
		shift(time.Minute)
		assert.True(t, m.begin(token).AuthenticatedWithin(time.Hour))
		_, id = m.signInAs("ada")
		token, id = m.signInAs("eve")
		shift(time.Minute + time.Millisecond)
		assert.False(t, m.begin(token).AuthenticatedWithin(time.Hour))
	})
}

func bigEndian(n int64) string {
	b := make([]byte, 8)
	for i := range b {
		b[i] = byte(n >> (56 - 8*i))
	}
	return string(b)
}

func TestALevelChangesOnlyWithANewToken(t *testing.T) {
	m := newSite(t, core.Config{})
	token, _ := m.start(func(s *core.Session) {
		note.Set(s, "x")
		s.SetLevel(2)
		assert.Zero(t, s.Level(), "it goes with the owner")
	})
	token = tokenIn(t, m.visit(token, func(s *core.Session) {
		s.SetOwner("ada")
		s.SetLevel(1)
		assert.Equal(t, core.Level(1), s.Level())
	}))
	risen := tokenIn(t, m.visit(token, func(s *core.Session) { s.SetLevel(2) }))
	assert.False(t, m.alive(token))
	assert.Equal(t, core.Level(2), m.begin(risen).Level())

	assert.Empty(t, m.visit(risen, func(s *core.Session) { s.SetLevel(2) }).Values("Set-Cookie"))
	fallen := tokenIn(t, m.visit(risen, func(s *core.Session) { s.SetLevel(1) }))
	assert.Equal(t, core.Level(1), m.begin(fallen).Level())

	token = tokenIn(t, m.visit(fallen, signIn("ada")))
	assert.Equal(t, core.Level(1), m.begin(token).Level(), "a re-authentication leaves it")
	token = tokenIn(t, m.visit(token, signIn("bob")))
	assert.Zero(t, m.begin(token).Level(), "another owner begins anew")
}

// A request with the old token cannot lift the session that somebody else holds now.
func TestALevelCannotBeRaisedWithATokenThatWasReplaced(t *testing.T) {
	m := newSite(t, core.Config{})
	token, _ := m.signInAs("ada")
	slow := m.begin(token)
	token = tokenIn(t, m.visit(token, (*core.Session).Renew))
	slow.SetLevel(3)
	_, err := m.tryCommit(slow)
	require.ErrorIs(t, err, core.ErrConflict)
	assert.Zero(t, m.begin(token).Level())
}

// Another request has lowered it: what is less than it was may be more than it is.
func TestALevelThatHasFallenDoesNotRiseByItself(t *testing.T) {
	m := newSite(t, core.Config{})
	token, _ := m.start(func(s *core.Session) { s.SetOwner("ada"); s.SetLevel(2) })
	slow := m.begin(token)
	m.visit(token, func(s *core.Session) { s.SetLevel(0) })
	slow.SetLevel(1)
	_, err := m.tryCommit(slow)
	require.ErrorIs(t, err, core.ErrConflict)
	assert.Zero(t, m.begin(token).Level())
}

// A flash message: another request has taken the old one, and this one sets another.
func TestWhatIsSetAfterASignInThatKeepsLittleStays(t *testing.T) {
	m := newSite(t, core.Config{})
	token, _ := m.start(setNote("old"))
	session := m.begin(token)
	m.visit(token, func(s *core.Session) { note.Take(s) })
	session.SetOwner("ada", core.Keep("cart"))
	note.Set(session, "welcome")
	assert.Equal(t, "welcome", m.read(tokenIn(t, m.commit(session))))
}

func TestLabels(t *testing.T) {
	m := newSite(t, core.Config{})
	session := m.begin()
	session.SetLabel("for nobody")
	m.commit(session)
	assert.Zero(t, m.store.Len(), "a label begins no session")
	require.NoError(t, session.Err())

	for label, want := range map[string]string{
		"Firefox on Linux":            "Firefox on Linux",
		" \tline\nbreak\x00\u2028x\r": "line break  x",
		"\xffbad\xfe":                 "bad",
		"größe":                       "größe",
		strings.Repeat("x", 10_000):   strings.Repeat("x", 128),
		strings.Repeat("ß", 100):      strings.Repeat("ß", 64),
		"x" + strings.Repeat("ß", 99): "x" + strings.Repeat("ß", 63),
		"\u202eevil":                  "evil",
		"":                            "",
	} {
		token, _ := m.start(func(s *core.Session) {
			s.SetLabel(label)
			s.SetOwner("ada")
			assert.Equal(t, want, s.Label())
		})
		got := m.begin(token).Label()
		assert.Equal(t, want, got)
		assert.True(t, utf8.ValidString(got))
	}
	token, _ := m.start(setNote("x"))
	assert.Empty(t, m.visit(token, func(s *core.Session) { s.SetLabel("a") }).Values("Set-Cookie"))
	m.visit(token, setNote("y"))
	assert.Equal(t, "a", m.begin(token).Label())
	m.store.forget()
	m.visit(token, func(s *core.Session) { s.SetLabel("a") })
	assert.Zero(t, m.store.writes(), "it is the same")
	m.visit(token, func(s *core.Session) { s.SetLabel("") })
	assert.Empty(t, m.begin(token).Label())
}

func TestASignInMayKeepSomeValuesOnly(t *testing.T) {
	m := newSite(t, core.Config{})
	kept, planted := core.NewValue[string]("kept"), core.NewValue[string]("planted")
	late := core.NewValue[string]("late")
	token, _ := m.start(func(s *core.Session) {
		kept.Set(s, "cart")
		planted.Set(s, "by an attacker")
		note.Set(s, "x")
	})
	session := m.begin(token)
	late.Set(session, "before")
	session.SetOwner("ada", core.Keep("kept"), core.Keep("missing"))
	assert.Equal(t, []string{"kept"}, session.Names())
	_, ok := planted.Get(session)
	assert.False(t, ok)
	late.Update(session, func(old string) string { return old + "after" })
	note.Set(session, "new")
	m.visit(token, func(s *core.Session) { // another request, which stores first
		core.NewValue[string]("meanwhile").Set(s, "planted as well")
		kept.Set(s, "cart, fuller")
	})
	token = tokenIn(t, m.commit(session))
	session = m.begin(token)
	assert.Equal(t, []string{"kept", "late", "note"}, session.Names())
	text, _ := kept.Get(session)
	assert.Equal(t, "cart, fuller", text)
	text, _ = late.Get(session)
	assert.Equal(t, "after", text)

	token = tokenIn(t, m.visit(token, func(s *core.Session) { s.SetOwner("ada", core.Keep()) }))
	assert.Len(t, m.begin(token).Names(), 3, "who is signed in already keeps all")

	token, _ = m.start(setNote("x"))
	token = tokenIn(t, m.visit(token, func(s *core.Session) { s.SetOwner("ada", core.Keep()) }))
	assert.Empty(t, m.begin(token).Names())
	token, _ = m.start(func(s *core.Session) {
		note.Set(s, "of nobody")
		kept.Set(s, "cart")
		s.SetOwner("ada", core.Keep("kept"))
	})
	assert.Equal(t, []string{"kept"}, m.begin(token).Names(), "a session that begins here")
}

func TestAOneTimeValueStaysTakenThroughASignInThatKeepsNothing(t *testing.T) {
	m := newSite(t, core.Config{})
	token, _ := m.start(setNote("state"))
	take := func() *core.Session {
		session := m.begin(token)
		_, ok := note.TakeOnce(session)
		require.True(t, ok)
		session.SetOwner("ada", core.Keep())
		return session
	}
	first, second := take(), take()
	m.commit(first)
	_, err := m.tryCommit(second)
	require.ErrorIs(t, err, core.ErrConflict)
}

func TestASignInOnASessionThatHasEndedIsGone(t *testing.T) {
	m := newSite(t, core.Config{})
	token, _ := m.start(setNote("x"))
	session := m.begin(token)
	m.visit(token, (*core.Session).Destroy)
	session.SetOwner("ada", m.beginSignIn("ada"))
	_, err := m.tryCommit(session)
	require.ErrorIs(t, err, core.ErrGone)
	assert.Empty(t, m.entries("ada"))

	again, _ := m.signInAs("ada")
	assert.True(t, m.alive(again), "the client tries again and gets a new one")
}

func TestWhatIsPendingShowsAndIsCommittedInParts(t *testing.T) {
	m := newSite(t, core.Config{})
	session := m.begin()
	session.SetOwner("ada")
	session.SetLevel(2)
	session.SetLabel("phone")
	m.commitUnsealed(session)
	assert.Equal(t, core.Level(2), session.Level())
	assert.Equal(t, "phone", session.Label())
	assert.False(t, session.Authenticated().IsZero())
	session.Destroy()
	assert.Zero(t, session.Level())
	assert.Empty(t, session.Label())
	assert.True(t, session.Authenticated().IsZero())
	assert.Empty(t, session.Owner())
	m.commit(session)
	session.SetLabel("late")
	session.SetLevel(1)
	require.ErrorIs(t, session.Err(), core.ErrCommitted)
}
