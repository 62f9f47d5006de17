package core_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// seedLife are the seed's behaviours 1 to 14: tokens, and how long a session lives.
func seedLife() []seedRow {
	return []seedRow{
		{"kept", "an idle timeout and a lifetime, either of which may be none", seedTimeouts},
		{"kept", "a token is 96 random bytes in 128 characters", seedTokenLength},
		{"changed", "a token's alphabet is that of base64url", seedAlphabet},
		{"changed", "an unknown token is no session, and an event says so", seedUnknownRead},
		{"kept", "a value set with an unknown token goes to a new session", seedUnknownWrite},
		{"better", "setting one value leaves the others alone", seedOneValue},
		{"better", "a timeout of less than a millisecond is refused", seedTimeoutZero},
		{"changed", "an expired token is no session, and an event says why", seedExpiredRead},
		{"changed", "nothing of an expired session is carried over", seedExpiredWrite},
		{"kept", "ending what is not there is no error", seedEndTwice},
		{"changed", "reading writes nothing until the touch interval is over", seedTouch},
		{"kept", "use moves the idle timeout and not the lifetime", seedSliding},
		{"better", "what has expired is removed without any request", seedSweep},
		{"kept", "a request that sets nothing makes neither cookie nor record", seedLazy},
	}
}

func seedTimeouts(t *testing.T) {
	site := newSecSite(t, core.Config{IdleTimeout: 600 * time.Second, Lifetime: 10800 * time.Second})
	token := secIssued(site.serve(nil, secSet("a")))
	secPass(600*time.Second - time.Millisecond)
	require.False(t, site.begin(token).Expires().IsZero(), "alive a moment before its idle timeout")
	secPass(600 * time.Second)
	site.requireDead(token)

	defaults := newSecSite(t, core.Config{})
	born := time.Now()
	session := defaults.begin(secIssued(defaults.serve(nil, secSet("a"))))
	require.Equal(t, born.Add(time.Hour), session.Expires().Local())

	never := newSecSite(t, core.Config{IdleTimeout: core.Never})
	session = never.begin(secIssued(never.serve(nil, secSet("a"))))
	require.Equal(t, time.Now().Add(24*time.Hour), session.Expires().Local())
}

func seedTokenLength(t *testing.T) {
	site := newSecSite(t, core.Config{})
	seen := map[string]bool{}
	for range 100 {
		token := secIssued(site.serve(nil, secSet("a")))
		require.Len(t, token, 128)
		seen[token[:32]], seen[token[32:]] = true, true
	}
	require.Len(t, seen, 200, "no ID and no secret comes twice")
}

func seedAlphabet(t *testing.T) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	site := newSecSite(t, core.Config{})
	var all strings.Builder
	for range 100 {
		all.WriteString(secIssued(site.serve(nil, secSet("a"))))
	}
	require.Empty(t, strings.Trim(all.String(), alphabet))
	for _, c := range alphabet {
		require.Contains(t, all.String(), string(c))
	}
}

func seedUnknownRead(t *testing.T) {
	site := newSecSite(t, core.Config{})
	chosen := core.NewToken().Reveal()
	var id core.ID
	response := site.serve(secWith(chosen), func(s *core.Session) { id = s.ID() })
	require.Empty(t, id)
	require.Empty(t, response.Header.Values("Set-Cookie"))
	require.Zero(t, site.store.Len())
	require.Equal(t, []core.EventKind{core.TokenUnknown}, site.seen())
}

func seedUnknownWrite(t *testing.T) {
	site := newSecSite(t, core.Config{})
	chosen := core.NewToken()
	issued := secIssued(site.serve(secWith(chosen.Reveal()), secSet("mine")))
	require.NotEmpty(t, issued)
	require.NotEqual(t, chosen.Reveal()[:32], issued[:32])
	require.NotEqual(t, chosen.Reveal()[32:], issued[32:])
	_, err := site.store.Load(t.Context(), chosen.ID())
	require.ErrorIs(t, err, core.ErrNotFound)
	note, _ := site.read(issued)
	require.Equal(t, "mine", note)
}

func seedOneValue(t *testing.T) {
	one, two := core.NewValue[int]("one"), core.NewValue[int]("two")
	visitor := newSecSite(t, core.Config{}).visitor()
	visitor.visit(func(s *core.Session) { one.Set(s, 1); two.Set(s, 2) })
	visitor.visit(func(s *core.Session) { two.Set(s, 3) })
	visitor.visit(func(s *core.Session) {
		require.Equal(t, []string{"one", "two"}, s.Names())
		n, _ := one.Get(s)
		require.Equal(t, 1, n)
	})
}

func seedTimeoutZero(t *testing.T) {
	for _, bad := range []time.Duration{-time.Hour, -1, 1, time.Millisecond - 1} {
		_, err := core.New(core.Config{Lifetime: bad, IdleTimeout: bad})
		var fault *core.ConfigError
		require.ErrorAs(t, err, &fault, "%v", bad)
		require.ErrorContains(t, err, "Lifetime")
		require.ErrorContains(t, err, "IdleTimeout")
	}
	// Zero is what a Config says that says nothing.
	_, err := core.New(core.Config{})
	require.NoError(t, err)
}

func seedExpiredRead(t *testing.T) {
	site := newSecSite(t, core.Config{IdleTimeout: time.Hour, Lifetime: 2 * time.Hour})
	idle := site.visitor()
	idle.visit(secSet("idle"))
	used := site.visitor()
	used.visit(secSet("used"))
	require.NoError(t, site.manager.Close()) // or the sweep would have removed the one
	secPass(40 * time.Minute)
	used.visit(secRead)
	secPass(40 * time.Minute)
	used.visit(secRead)
	site.seen()

	response := idle.visit(func(s *core.Session) { require.Empty(t, s.ID()) })
	require.Empty(t, response.Header.Values("Set-Cookie"))
	secPass(40 * time.Minute)
	site.requireDead(used.token)
	events := site.seenEvents()
	require.Len(t, events, 2)
	require.Equal(t, core.SessionUseAfterExpire, events[0].Kind)
	require.Equal(t, "idle", events[0].Reason)
	require.Equal(t, core.SessionUseAfterExpire, events[1].Kind)
	require.Equal(t, "lifetime", events[1].Reason)
}

func seedExpiredWrite(t *testing.T) {
	other := core.NewValue[string]("other")
	site := newSecSite(t, core.Config{IdleTimeout: time.Hour})
	visitor := site.visitor()
	visitor.visit(func(s *core.Session) { s.SetOwner("alice"); other.Set(s, "secret") })
	old := visitor.token
	secPass(time.Hour)
	visitor.visit(secSet("new"))
	require.NotEqual(t, old[:32], visitor.token[:32])
	visitor.visit(func(s *core.Session) {
		require.Equal(t, []string{"note"}, s.Names())
		require.Empty(t, s.Owner())
	})

	// What expires while a request runs takes the request's changes along, and not in silence.
	session, renewing := site.begin(visitor.token), site.begin(visitor.token)
	secPass(time.Hour)
	secSet("late")(session)
	renewing.Renew()
	site.seen()
	header := http.Header{}
	require.NoError(t, site.manager.Commit(t.Context(), session, header))
	require.Equal(t, []core.EventKind{core.ChangesDropped}, site.seen())
	require.Empty(t, header.Values("Set-Cookie"))
	header = http.Header{}
	require.ErrorIs(t, site.manager.Commit(t.Context(), renewing, header), core.ErrGone)
	require.Empty(t, header)
}

func seedEndTwice(t *testing.T) {
	site := newSecSite(t, core.Config{})
	token := secIssued(site.serve(nil, secSet("a")))
	for range 2 {
		response := site.serve(secWith(token), (*core.Session).Destroy)
		require.Equal(t, http.StatusOK, response.StatusCode)
	}
	for _, id := range []core.ID{core.ID(token[:32]), core.NewToken().ID(), "", "nonsense"} {
		require.NoError(t, site.manager.Revoke(t.Context(), id))
	}
}

func seedTouch(t *testing.T) {
	site := newSecSite(t, core.Config{IdleTimeout: time.Hour, TouchInterval: 5 * time.Minute})
	token := secIssued(site.serve(nil, secSet("a")))
	created := site.begin(token).Created()
	for range 300 {
		secPass(time.Second)
		site.read(token)
	}
	require.Zero(t, site.store.count("touch", "update"))
	secPass(time.Millisecond)
	session := site.begin(token)
	require.Equal(t, 1, site.store.count("touch"))
	require.Equal(t, created, session.Created())
	require.Equal(t, 5*time.Minute+time.Millisecond, session.Used().Sub(created))
}

func seedSliding(t *testing.T) {
	site := newSecSite(t, core.Config{IdleTimeout: time.Hour, Lifetime: 24 * time.Hour})
	token := secIssued(site.serve(nil, secSet("a")))
	for range 47 {
		secPass(30 * time.Minute)
		_, alive := site.read(token)
		require.True(t, alive)
	}
	secPass(30*time.Minute - time.Millisecond)
	_, alive := site.read(token)
	require.True(t, alive)
	secPass(time.Millisecond)
	site.requireDead(token)
}

func seedSweep(t *testing.T) {
	site := newSecSite(t, core.Config{IdleTimeout: time.Hour})
	for range 1000 {
		site.serve(nil, secSet("a"))
	}
	require.Equal(t, 1000, site.store.Len())
	secPass(time.Hour + 3*time.Minute)
	require.Zero(t, site.store.Len())
}

func seedLazy(t *testing.T) {
	site := newSecSite(t, core.Config{})
	response := site.serve(nil, func(s *core.Session) {
		_, ok := secValue().Get(s)
		require.False(t, ok)
		require.Empty(t, s.Names())
		require.Empty(t, s.ID())
	})
	require.Empty(t, response.Header.Values("Set-Cookie"))
	require.Zero(t, site.store.Len())
	require.Zero(t, site.store.count())
}
