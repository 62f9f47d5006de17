package core_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

func TestEverythingThatBeganBeforeAMomentEnds(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		store := newSpyStore()
		m := newSite(t, core.Config{Store: store})
		other := newSite(t, core.Config{Store: store})
		foreign := newSite(t, core.Config{Store: store, Namespace: "another"})
		defer func() { _, _, _ = m.Close(), other.Close(), foreign.Close() }()
		adas, id := m.signInAs("ada")
		anonymous, _ := m.start(setNote("x"))
		theirs, _ := foreign.start(setNote("x"))
		require.True(t, other.alive(adas), "so that it has asked before")
		busy := m.begin(anonymous)
		time.Sleep(time.Minute + time.Second) // nobody asks for the mark at this moment

		require.NoError(t, m.RevokeBefore(t.Context(), time.Now()))
		require.Contains(t, m.events.takeKinds(), core.AllRevoked)
		assert.False(t, m.alive(adas))
		e := m.events.take()[0]
		assert.Equal(t, core.SessionUseAfterExpire, e.Kind)
		assert.Equal(t, "revoked", e.Reason)
		assert.False(t, m.alive(anonymous))
		assert.True(t, foreign.alive(theirs), "another Namespace")
		_, err := m.Open(t.Context(), id)
		require.ErrorIs(t, err, core.ErrNotFound)
		assert.Empty(t, m.sessions("ada"))
		note.Set(busy, "late")
		assert.Empty(t, m.commit(busy).Values("Set-Cookie"), "what was under way is dropped")

		assert.True(t, other.alive(adas), "it has not learned of it yet")
		time.Sleep(5*time.Second + time.Millisecond)
		assert.False(t, other.alive(adas))
		require.Contains(t, other.events.takeKinds(), core.AllRevoked)

		require.NoError(t, m.RevokeBefore(t.Context(), time.Now().Add(-time.Hour)))
		assert.False(t, m.alive(adas), "nothing takes it back")
		require.Error(t, m.RevokeBefore(t.Context(), time.Now().Add(time.Minute+time.Second)))
	})
}

// Within the minute by which clocks may differ.
func TestWhatBeginsAfterTheMomentIsAlive(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		store := newSpyStore()
		m, other := newSite(t, core.Config{Store: store}), newSite(t, core.Config{Store: store})
		defer func() { _, _ = m.Close(), other.Close() }()
		other.alive(core.NewToken().Reveal()) // it has asked
		require.NoError(t, m.RevokeBefore(t.Context(), time.Now()))
		token, _ := m.signInAs("ada")
		assert.True(t, m.alive(token))
		assert.Equal(t, time.Now().UTC().Add(time.Minute), m.begin(token).Created())
		assert.NotContains(t, m.events.takeKinds(), core.ClockAhead)
		unaware, _ := other.signInAs("bob")
		fresh := newSite(t, core.Config{Store: store}) // a process that has just begun
		defer func() { _ = fresh.Close() }()
		knows, _ := fresh.signInAs("eve")
		time.Sleep(5*time.Second + time.Millisecond)
		assert.True(t, other.alive(token))
		assert.False(t, other.alive(unaware), "it may have begun before, by another clock")
		assert.True(t, other.alive(knows))
		again, _ := other.signInAs("bob")
		assert.True(t, m.alive(again))
		time.Sleep(time.Minute)
		later, _ := m.signInAs("ada")
		assert.Equal(t, time.Now().UTC(), m.begin(later).Created(), "then all is as ever")
	})
}

func TestAManagerThatBeginsKnowsBeforeItServes(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		store := newSpyStore()
		m := newSite(t, core.Config{Store: store})
		defer func() { _ = m.Close() }()
		token, _ := m.signInAs("ada")
		time.Sleep(2 * time.Minute)
		require.NoError(t, m.RevokeBefore(t.Context(), time.Now()))
		fresh := newSite(t, core.Config{Store: store})
		defer func() { _ = fresh.Close() }()
		assert.False(t, fresh.alive(token), "also the very first request")

		down := newSite(t, core.Config{Store: store})
		defer func() { _ = down.Close() }()
		store.fail(errDown, opMark)
		_, err := down.Begin(t.Context(), cookies(token))
		require.ErrorIs(t, err, errDown)
		assert.Equal(t, 503, core.Status(err))
		store.setBefore(opMark, nil)
		assert.False(t, down.alive(token))
	})
}

func TestTheMarkIsAskedForAgainAfterTrouble(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		store := newSpyStore()
		m, other := newSite(t, core.Config{Store: store}), newSite(t, core.Config{Store: store})
		defer func() { _, _ = m.Close(), other.Close() }()
		token, _ := m.signInAs("ada")
		require.True(t, other.alive(token))
		time.Sleep(2 * time.Minute)
		require.NoError(t, m.RevokeBefore(t.Context(), time.Now()))
		store.fail(errDown, opMark)
		time.Sleep(5*time.Second + time.Millisecond)
		require.Contains(t, other.events.takeKinds(), core.StoreFailure)
		store.setBefore(opMark, nil)
		time.Sleep(5*time.Second + time.Millisecond)
		assert.False(t, other.alive(token))
	})
}

// A password that was checked before the incident was known opens nothing after it.
func TestASignInThatBeganBeforeTheMomentIsStale(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		m := newSite(t, core.Config{})
		defer func() { _ = m.Close() }()
		in := m.beginSignIn("ada")
		time.Sleep(time.Millisecond)
		require.NoError(t, m.RevokeBefore(t.Context(), time.Now()))
		session := m.begin()
		session.SetOwner("ada", in)
		_, err := m.tryCommit(session)
		requireStale(t, err)
		session = m.begin()
		session.SetOwner("ada", m.beginSignIn("ada"))
		m.commit(session)
	})
}

// The clock of the node that revokes is behind.
func TestASignInThatBeganWithinTheMinuteIsStale(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		m := newSite(t, core.Config{})
		defer func() { _ = m.Close() }()
		in := m.beginSignIn("ada")
		time.Sleep(time.Second)
		require.NoError(t, m.RevokeBefore(t.Context(), time.Now().Add(-50*time.Second)))
		session := m.begin()
		session.SetOwner("ada", in)
		_, err := m.tryCommit(session)
		requireStale(t, err)
		m.visit("", func(s *core.Session) { s.SetOwner("ada", m.beginSignIn("ada")) })
	})
}

// A node that has just begun, or has rested, learns of the moment when it commits.
func TestASignInOnANodeThatLearnsTheMomentAtItsCommitIsStale(t *testing.T) {
	for name, test := range map[string]struct {
		knows, begins, early bool // has it asked before, is there a SignIn, is SetOwner before it
	}{
		"begun":                      {begins: true},
		"begun, and it asks":         {begins: true, knows: true},
		"begun and set":              {begins: true, early: true},
		"begun and set, and it asks": {begins: true, early: true, knows: true},
		"set":                        {early: true},
		"set, and it asks":           {early: true, knows: true},
	} {
		bubble(t, name, func(t *testing.T) {
			store := newSpyStore()
			m, other := newSite(t, core.Config{Store: store}), newSite(t, core.Config{Store: store})
			defer func() { _, _ = m.Close(), other.Close() }()
			if test.knows {
				other.alive(core.NewToken().Reveal())
			}
			var options []core.SignInOption
			if test.begins {
				options = append(options, other.beginSignIn("ada"))
			}
			session := other.begin()
			if test.early {
				session.SetOwner("ada", options...)
			}
			time.Sleep(time.Second)
			require.NoError(t, m.RevokeBefore(t.Context(), time.Now()))
			if !test.early {
				session.SetOwner("ada", options...)
			}
			header, err := other.tryCommit(session)
			if err != nil {
				requireStale(t, err)
				require.NotContains(t, other.events.takeKinds(), core.StoreFailure)
				return
			}
			time.Sleep(5*time.Second + time.Millisecond) // then it is known everywhere
			require.False(t, m.alive(tokenIn(t, header)))
			require.False(t, other.alive(tokenIn(t, header)))
		})
	}
}

// Between SetOwner and the commit a node learns of the moment, as it asks every few seconds. What it
// would write then begins after the moment, and would be alive.
func TestASignInOnANodeThatLearnsTheMomentBeforeItsCommitIsStale(t *testing.T) {
	for _, begins := range []bool{true, false} {
		bubble(t, fmt.Sprint(begins), func(t *testing.T) {
			store := newSpyStore()
			m, other := newSite(t, core.Config{Store: store}), newSite(t, core.Config{Store: store})
			defer func() { _, _ = m.Close(), other.Close() }()
			other.alive(core.NewToken().Reveal()) // who has asked once asks again
			var options []core.SignInOption
			if begins {
				options = append(options, other.beginSignIn("ada"))
			}
			session := other.begin()
			session.SetOwner("ada", options...)
			time.Sleep(time.Second)
			require.NoError(t, m.RevokeBefore(t.Context(), time.Now()))
			time.Sleep(5*time.Second + time.Millisecond)
			require.Contains(t, other.events.takeKinds(), core.AllRevoked)
			_, err := other.tryCommit(session)
			requireStale(t, err)
			require.Equal(t, []core.EventKind{core.SignInRefused}, other.events.takeKinds())
		})
	}
}

// A sign-in that begins on a node that does not know of the moment yet asks first.
func TestASignInThatBeginsAfterTheMomentGoesWell(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		store := newSpyStore()
		m, other := newSite(t, core.Config{Store: store}), newSite(t, core.Config{Store: store})
		defer func() { _, _ = m.Close(), other.Close() }()
		require.NoError(t, m.RevokeBefore(t.Context(), time.Now()))
		store.fail(errDown, opMark)
		_, err := other.BeginSignIn(t.Context(), "ada")
		require.Equal(t, 503, core.Status(err))
		store.setBefore(opMark, nil)
		session := other.begin()
		session.SetOwner("ada", other.beginSignIn("ada"))
		other.commit(session)
	})
}

func TestSessionsThatAreDatedAheadAreNoClockThatIs(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		m := newSite(t, core.Config{})
		defer func() { _ = m.Close() }()
		require.NoError(t, m.RevokeBefore(t.Context(), time.Now().Add(59*time.Second)))
		token, _ := m.signInAs("ada")
		require.True(t, m.alive(token))
		require.NotContains(t, m.events.takeKinds(), core.ClockAhead)
	})
}

// A Manager that nobody uses lets the store rest, and asks before it serves again.
func TestAnIdleManagerDoesNotAskForEver(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		store := newSpyStore()
		m := newSite(t, core.Config{Store: store, Lifetime: core.Never, IdleTimeout: core.Never})
		other := newSite(t, core.Config{Store: store, Lifetime: core.Never, IdleTimeout: core.Never})
		defer func() { _, _ = m.Close(), other.Close() }()
		token, _ := m.signInAs("ada")
		require.True(t, other.alive(token))
		time.Sleep(9 * time.Minute)
		require.True(t, other.alive(token))
		time.Sleep(2 * time.Minute)
		require.True(t, other.alive(token))
		store.forget()
		time.Sleep(9 * time.Minute)
		require.InDelta(t, 108, store.count(opMark), 3, "the one that was used asks, the other rests")
		store.forget()
		time.Sleep(24 * time.Hour)
		require.Less(t, store.count(opMark), 60)

		require.NoError(t, m.RevokeBefore(t.Context(), time.Now()))
		require.False(t, other.alive(token), "it asks first")
		kept, _ := m.signInAs("ada")
		live := other.live(kept)
		time.Sleep(time.Hour)
		require.NoError(t, m.RevokeBefore(t.Context(), time.Now()))
		time.Sleep(5*time.Second + time.Millisecond)
		requireEnded(t, live, "revoked")
	})
}

func TestNotBeforeOfTheConfig(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		store := newSpyStore()
		m := newSite(t, core.Config{Store: store})
		defer func() { _ = m.Close() }()
		before, _ := m.signInAs("ada")
		time.Sleep(time.Hour / 2)
		restored := time.Now()
		within, _ := m.signInAs("ada")
		time.Sleep(time.Minute)
		after, _ := m.signInAs("ada")
		m = newSite(t, core.Config{Store: store, NotBefore: restored})
		defer func() { _ = m.Close() }()
		assert.False(t, m.alive(before))
		assert.False(t, m.alive(within), "clocks may differ by a minute")
		assert.True(t, m.alive(after))
		require.NoError(t, m.RevokeBefore(t.Context(), restored.Add(-time.Hour)))
		assert.False(t, m.alive(before), "the later one counts")

		_, err := core.New(core.Config{NotBefore: time.Now().Add(2 * time.Minute)})
		var fault *core.ConfigError
		require.ErrorAs(t, err, &fault)
		assert.Equal(t, "NotBefore", fault.Field)
	})
}

func TestRevokingEverythingInTrouble(t *testing.T) {
	m := newSite(t, core.Config{})
	m.store.fail(errDown, opRaiseMark)
	err := m.RevokeBefore(t.Context(), time.Now())
	require.ErrorIs(t, err, errDown)
	require.Equal(t, 503, core.Status(err))
	require.Equal(t, []core.EventKind{core.StoreFailure}, m.events.takeKinds())
	m.store.setBefore(opRaiseMark, nil)
	m.store.setAfter(opRaiseMark, func(context.Context, error) error {
		return fmt.Errorf("0 of 1: %w", core.ErrNotDurable)
	})
	token, _ := m.signInAs("ada")
	require.ErrorIs(t, m.RevokeBefore(t.Context(), time.Now()), core.ErrNotDurable)
	assert.False(t, m.alive(token), "it has taken effect")

	token, _ = m.signInAs("ada")
	m.store.fail(fmt.Errorf("wrapped: %w", errors.ErrUnsupported), opMark, opRaiseMark)
	require.ErrorIs(t, m.RevokeBefore(t.Context(), time.Now()), errors.ErrUnsupported)
	fresh := newSite(t, core.Config{Store: m.store})
	assert.True(t, fresh.alive(token))
	require.Empty(t, fresh.events.take(), "a store below that keeps no marks")
}
