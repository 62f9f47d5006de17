package core_test

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

func (s *site) beginSignIn(owner string) core.SignIn {
	s.t.Helper()
	in, err := s.BeginSignIn(s.t.Context(), owner)
	require.NoError(s.t, err)
	require.Equal(s.t, owner, in.Owner())
	return in
}

func (s *site) tryCommit(session *core.Session) (http.Header, error) {
	s.t.Helper()
	header := http.Header{}
	return header, s.Commit(s.t.Context(), session, header)
}

// The thief's sign-in: the password was checked before the owner changed it and revoked everything.
func TestASignInThatBeganBeforeEverythingWasRevokedFails(t *testing.T) {
	for name, existing := range map[string]bool{"of a new session": false, "of an old one": true} {
		t.Run(name, func(t *testing.T) {
			m := newSite(t, core.Config{})
			token := ""
			if existing {
				token, _ = m.start(setNote("basket"))
			}
			in := m.beginSignIn("ada")
			n, err := m.RevokeOwner(t.Context(), "ada")
			require.NoError(t, err)
			assert.Zero(t, n)

			session := m.begin()
			if existing {
				session = m.begin(token)
			}
			hits.Set(session, 1)
			session.SetOwner("ada", in)
			header, err := m.tryCommit(session)
			requireStale(t, err)
			assert.Empty(t, header)
			assert.Empty(t, m.sessions("ada"))
			assert.Empty(t, m.entries("ada"))
			assert.Contains(t, m.events.takeKinds(), core.SignInRefused)
			if !existing {
				assert.Zero(t, m.store.Len())
				return
			}
			assert.Equal(t, "basket", m.read(token), "it is what it was before")
			assert.Empty(t, m.begin(token).Owner())
			assert.Equal(t, []string{"note"}, m.begin(token).Names())

			token = tokenIn(t, m.visit(token, func(s *core.Session) {
				s.SetOwner("ada", m.beginSignIn("ada"))
			}))
			assert.Equal(t, "ada", m.begin(token).Owner(), "a sign-in that begins now goes well")
		})
	}
}

// The other order: the sign-in comes first by a hair, and is ended with the others.
func TestASignInThatIsStoredBeforeEverythingIsRevokedIsEnded(t *testing.T) {
	m := newSite(t, core.Config{})
	in := m.beginSignIn("ada")
	token := ""
	m.store.setBefore(opRaise, once(func(context.Context, error) error {
		token = tokenIn(t, m.visit("", func(s *core.Session) { s.SetOwner("ada", in) }))
		return nil
	}))
	n, err := m.RevokeOwner(t.Context(), "ada")
	require.NoError(t, err)
	assert.Equal(t, 1, n)
	assert.False(t, m.alive(token))
}

// Between the record and its entry, and between the entry and the token.
func TestNoOrderOfASignInAndARevocationLeavesASession(t *testing.T) {
	for existing, write := range map[bool]string{false: opCreate, true: opUpdate} {
		for _, moment := range []string{write, opAdd} {
			for _, after := range []bool{false, true} {
				m := newSite(t, core.Config{})
				session := m.begin()
				if existing {
					token, _ := m.start(setNote("x"))
					session = m.begin(token)
				}
				in := m.beginSignIn("ada")
				revoke := once(func(_ context.Context, err error) error {
					_, failed := m.RevokeOwner(t.Context(), "ada")
					require.NoError(t, failed)
					return err
				})
				if after {
					m.store.setAfter(moment, revoke)
				} else {
					m.store.setBefore(moment, revoke)
				}
				session.SetOwner("ada", in)
				header, _ := m.tryCommit(session)
				for _, line := range header.Values("Set-Cookie") {
					cookie, err := http.ParseSetCookie(line)
					require.NoError(t, err)
					require.False(t, m.alive(cookie.Value), "%v %s %v", existing, moment, after)
				}
				require.Empty(t, m.sessions("ada"), "%v %s %v", existing, moment, after)
			}
		}
	}
}

// Without BeginSignIn the epoch is that of the commit: documented, and no more than that.
func TestWithoutASignInOnlyTheCommitIsCovered(t *testing.T) {
	m := newSite(t, core.Config{})
	session := m.begin()
	session.SetOwner("ada") // the password was checked before this
	_, err := m.RevokeOwner(t.Context(), "ada")
	require.NoError(t, err)
	token := tokenIn(t, m.commit(session))
	assert.True(t, m.alive(token), "the hole that the documentation tells of")

	session = m.begin()
	session.SetOwner("ada")
	m.store.setAfter(opCreate, once(func(_ context.Context, err error) error {
		_, failed := m.RevokeOwner(t.Context(), "ada")
		require.NoError(t, failed)
		return err
	}))
	_, err = m.tryCommit(session)
	requireStale(t, err)
}

func TestASignInIsGoodForAnHour(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		m := newSite(t, core.Config{})
		defer func() { require.NoError(t, m.Close()) }()
		in := m.beginSignIn("ada")
		time.Sleep(time.Hour - time.Millisecond)
		m.visit("", func(s *core.Session) { s.SetOwner("ada", in) })
		time.Sleep(time.Millisecond)
		session := m.begin()
		session.SetOwner("ada", in)
		requireStale(t, session.Err())
		_, err := m.tryCommit(session)
		requireStale(t, err)
		session.SetOwner("ada", m.beginSignIn("ada"))
		require.NoError(t, session.Err(), "setting it anew mends it")
	})
}

// A SignIn that was kept as text may come from a node whose clock is ahead: up to a minute, and one
// more within a minute of RevokeBefore.
func TestASignInOfTheFutureIsStale(t *testing.T) {
	for ahead, stale := range map[time.Duration]bool{
		2 * time.Minute: false, 2*time.Minute + time.Millisecond: true, 100 * 24 * time.Hour: true,
	} {
		bubble(t, ahead.String(), func(t *testing.T) {
			m := newSite(t, core.Config{})
			defer func() { require.NoError(t, m.Close()) }()
			epoch := make([]byte, 8) // as of an owner of whom nothing was revoked
			began := binary.BigEndian.AppendUint64(nil, uint64(time.Now().Add(ahead).UnixMilli()))
			text := base64.RawURLEncoding.EncodeToString(slices.Concat(epoch, began, []byte("ada")))
			var in core.SignIn
			require.NoError(t, in.UnmarshalText([]byte(text)))
			session := m.begin()
			session.SetOwner("ada", in)
			if stale {
				requireStale(t, session.Err())
				return
			}
			m.commit(session)
		})
	}
}

// The epoch that it began in is not kept for ever.
func TestACommitLongAfterTheSignInIsStale(t *testing.T) {
	for _, existing := range []bool{false, true} {
		bubble(t, fmt.Sprint(existing), func(t *testing.T) {
			m := newSite(t, core.Config{IdleTimeout: core.Never})
			defer func() { require.NoError(t, m.Close()) }()
			session := m.begin()
			if existing {
				token, _ := m.start(setNote("basket"))
				session = m.begin(token)
			}
			session.SetOwner("ada", m.beginSignIn("ada"))
			time.Sleep(time.Second)
			_, err := m.RevokeOwner(t.Context(), "ada")
			require.NoError(t, err)
			time.Sleep(2*time.Hour + 20*time.Minute)
			_, err = m.tryCommit(session)
			requireStale(t, err)
		})
	}
}

func TestASignInOfSomebodyElseIsAnOwnerError(t *testing.T) {
	m := newSite(t, core.Config{})
	for _, in := range []core.SignIn{m.beginSignIn("eve"), {}} {
		session := m.begin()
		session.SetOwner("ada", in)
		var fault *core.OwnerError
		require.ErrorAs(t, session.Err(), &fault)
		assert.Equal(t, in == core.SignIn{}, strings.Contains(fault.Reason, "the zero one"))
		assert.Empty(t, session.Owner())
	}
	assert.Zero(t, m.store.Len())
}

func TestASignInCanWaitInTheSessionForASecondFactor(t *testing.T) {
	pending := core.NewValue[core.SignIn]("sign-in")
	m := newSite(t, core.Config{})
	in := m.beginSignIn("ada \"{}:\n")
	token, _ := m.start(func(s *core.Session) { pending.Set(s, in) })

	session := m.begin(token)
	waiting, ok := pending.TakeOnce(session)
	require.True(t, ok)
	require.Equal(t, in, waiting)
	session.SetOwner(waiting.Owner(), waiting)
	session.SetLevel(2)
	token = tokenIn(t, m.commit(session))
	assert.Equal(t, core.Level(2), m.begin(token).Level())

	text, err := in.MarshalText()
	require.NoError(t, err)
	for _, bad := range []string{"", "x", string(text[:8]), string(text) + "=", "\x00" + string(text)} {
		require.Error(t, new(core.SignIn).UnmarshalText([]byte(bad)), "%q", bad)
	}
}

func FuzzSignIn(f *testing.F) {
	text, _ := core.SignIn{}.MarshalText()
	f.Add(string(text))
	f.Add("AAAAAAAAAAAAAAAAAAAAAGFkYQ")
	f.Add("000\r00000000000000000000")
	f.Fuzz(func(t *testing.T, text string) {
		var in core.SignIn
		if in.UnmarshalText([]byte(text)) != nil {
			return
		}
		again, err := in.MarshalText()
		require.NoError(t, err)
		require.Equal(t, text, string(again), "a SignIn has one form")
	})
}

func TestBeginSignInRefusesWhatNoStoreCouldKeepBeforeAnyIO(t *testing.T) {
	m := newSite(t, core.Config{})
	for name, owner := range map[string]string{
		"nobody": "", "10 kB": strings.Repeat("x", 10_000), "NUL": "a\x00b", "no UTF-8": "\xff",
	} {
		var fault *core.OwnerError
		_, err := m.BeginSignIn(t.Context(), owner)
		require.ErrorAs(t, err, &fault, name)
		_, err = m.Sessions(t.Context(), owner)
		require.ErrorAs(t, err, &fault, name)
		_, err = m.RevokeOwner(t.Context(), owner)
		require.ErrorAs(t, err, &fault, name)
		_, err = m.RevokeOwned(t.Context(), owner, core.NewToken().ID())
		require.ErrorAs(t, err, &fault, name)
	}
	assert.Empty(t, m.store.calls)
}

func TestOddOwnersAreOwnersLikeAnyOther(t *testing.T) {
	m := newSite(t, core.Config{MaxPerOwner: 1})
	odd := []string{
		"a", "a:b", "a{b}", "{}", "line\nbreak", "*", "a\tb", `"'`, "größe", " ", "a ", "%00",
		strings.Repeat("x", 255),
	}
	tokens := map[string]string{}
	for _, owner := range odd {
		tokens[owner], _ = m.signInAs(owner)
	}
	for _, owner := range odd {
		require.Len(t, m.sessions(owner), 1, "%q", owner)
		n, err := m.RevokeOwner(t.Context(), owner)
		require.NoError(t, err)
		require.Equal(t, 1, n, "%q", owner)
		require.False(t, m.alive(tokens[owner]))
		delete(tokens, owner)
		for other, token := range tokens {
			require.True(t, m.alive(token), "%q went with %q", other, owner)
		}
	}
}

func TestAStoreInTroubleFailsASignInAndLeavesNothing(t *testing.T) {
	for _, op := range []string{opEpoch, opAdd} {
		for _, existing := range []bool{false, true} {
			m := newSite(t, core.Config{})
			token, session := "", m.begin()
			if existing {
				token, _ = m.start(setNote("basket"))
				session = m.begin(token)
			}
			m.store.fail(errDown, op)
			session.SetOwner("ada")
			header, err := m.tryCommit(session)
			require.Equal(t, 503, core.Status(err), "%s %v", op, err)
			require.ErrorIs(t, err, errDown, op)
			require.Empty(t, header)
			if existing {
				require.Equal(t, "basket", m.read(token), op)
			} else {
				require.Zero(t, m.store.Len(), op)
			}
			m.store.setBefore(op, nil)
			require.Empty(t, m.entries("ada"))
			_, err = m.tryCommit(session)
			require.NoError(t, err, "it may be tried again")
			require.Len(t, m.sessions("ada"), 1)
		}
	}
}

// The addition takes effect, but its answer is lost, twice: nobody may have the token, so nothing
// may be left.
func TestAnAdditionOfUnknownOutcomeIsTakenBack(t *testing.T) {
	for _, answer := range []error{errDown, core.ErrNotDurable} {
		m := newSite(t, core.Config{})
		token, _ := m.start(setNote("basket"))
		m.store.setAfter(opAdd, func(context.Context, error) error { return answer })
		session := m.begin(token)
		session.SetOwner("ada")
		header, err := m.tryCommit(session)
		require.Equal(t, 503, core.Status(err))
		require.NotErrorIs(t, err, core.ErrNotDurable, "which would be a success")
		require.Empty(t, header)
		assert.Equal(t, "basket", m.read(token))
		assert.Empty(t, m.entries("ada"))

		_, err = m.tryCommit(func() *core.Session {
			s := m.begin()
			s.SetOwner("ada")
			return s
		}())
		require.Error(t, err)
		assert.Equal(t, 1, m.store.Len(), "the new one is gone")
		assert.Empty(t, m.sessions("ada"))
	}
}

func TestALostAnswerToAnAdditionIsAskedForOnceMore(t *testing.T) {
	m := newSite(t, core.Config{})
	m.store.setAfter(opAdd, once(func(context.Context, error) error { return errDown }))
	token, id := m.signInAs("ada")
	assert.True(t, m.alive(token))
	assert.Equal(t, []core.ID{id}, m.sessions("ada"))
}

// Somebody else's change to the record, while a refused sign-in is put back, stays.
func TestWhatCameToASessionMeanwhileStaysWhenItIsPutBack(t *testing.T) {
	m := newSite(t, core.Config{})
	token, id := m.start(setNote("basket"))
	in := m.beginSignIn("ada")
	_, err := m.RevokeOwner(t.Context(), "ada")
	require.NoError(t, err)
	m.store.setBefore(opAdd, once(func(context.Context, error) error {
		job, err := m.Open(t.Context(), id)
		require.NoError(t, err)
		hits.Set(job, 7)
		require.NoError(t, m.Commit(t.Context(), job, nil))
		return nil
	}))
	session := m.begin(token)
	session.SetOwner("ada", in)
	_, err = m.tryCommit(session)
	requireStale(t, err)
	session = m.begin(token)
	n, _ := hits.Get(session)
	assert.Equal(t, 7, n)
	assert.Equal(t, "basket", m.read(token))
	assert.Empty(t, session.Owner())
}

func TestAStoreWithoutAnIndexSignsInAllTheSame(t *testing.T) {
	events := &recorder{}
	m := newSite(t, core.Config{
		Store: bareStore{core.NewMemoryStore(core.MemoryOptions{})}, Observe: events.observe,
	})
	in, err := m.BeginSignIn(t.Context(), "ada")
	require.NoError(t, err)
	token := tokenIn(t, m.visit("", func(s *core.Session) { s.SetOwner("ada", in) }))
	assert.Equal(t, "ada", m.begin(token).Owner())
	m.visit(token, (*core.Session).Destroy)
	assert.False(t, m.alive(token))

	_, err = m.Sessions(t.Context(), "ada")
	require.ErrorIs(t, err, errors.ErrUnsupported)
	_, err = m.RevokeOwner(t.Context(), "ada")
	require.ErrorIs(t, err, errors.ErrUnsupported)
	require.ErrorIs(t, m.RevokeBefore(t.Context(), time.Now()), errors.ErrUnsupported)

	_, err = core.New(core.Config{
		Store: bareStore{core.NewMemoryStore(core.MemoryOptions{})}, MaxPerOwner: 1,
	})
	require.ErrorIs(t, err, errors.ErrUnsupported)
	var fault *core.ConfigError
	require.ErrorAs(t, err, &fault)
	assert.Equal(t, "MaxPerOwner", fault.Field)
}
