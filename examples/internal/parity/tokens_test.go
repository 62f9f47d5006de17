package parity

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

func tokenBehaviours() []behaviour {
	return []behaviour{
		{row: "34", name: "round-trip", check: roundTrip,
			promise: "what one request set the next one reads, and no cookie is sent again"},
		{row: "41", name: "renew", check: renew,
			promise: "a renewal changes the token and keeps ID and values; the old token is dead"},
		{row: "41b", name: "outdated-token", check: outdatedToken,
			promise: "a token replaced a moment ago reads nothing, sends nothing and begins nothing"},
		{row: "42", name: "renew-then-error", check: renewThenError,
			promise: "a renewal's token is delivered with an error page, too"},
		{row: "43", name: "destroy", check: destroy,
			promise: "a destroyed session is gone from the store, and its cookie is taken back"},
		{row: "43b", name: "destroy-then-set", check: destroyThenSet,
			promise: "what is set after a destroy begins another session with another ID"},
		{row: "44", name: "destroy-unknown", check: destroyAnonymous,
			promise: "destroying, clearing and renewing without a token is nothing"},
		{row: "45", name: "unknown-id", check: unknownToken,
			promise: "an ID that a client chose is never adopted"},
		{row: "45b", name: "wrong-secret", check: wrongSecret,
			promise: "who knows a session's ID but not its secret cannot read or end it"},
	}
}

func roundTrip(t *testing.T, f framework) {
	s := open(t, f)
	v := s.visitor()
	v.get("/set?u=x").is(200).issues()
	require.Zero(t, s.store.loads.Load())
	v.get("/read").is(200).says("u=x").silent()
	require.EqualValues(t, 1, s.store.loads.Load())
	require.EqualValues(t, 1, s.store.writes.Load())
}

// lifecycle has a route for each verb of a session.
func lifecycle(s *site) {
	do := func(path string, verb func(s *core.Session)) {
		s.handle("GET", path, func(c Ctx) error {
			verb(c.Session())
			return c.Text(200, string(c.Session().ID()))
		})
	}
	do("/renew", (*core.Session).Renew)
	do("/destroy", (*core.Session).Destroy)
	do("/clear", (*core.Session).Clear)
	do("/again", func(s *core.Session) {
		u.Set(s, "lost")
		s.Destroy()
		u.Set(s, "new")
	})
}

func renew(t *testing.T, f framework) {
	s := open(t, f, lifecycle)
	v := s.visitor()
	old := v.get("/set?u=x").issues()
	a := v.get("/renew").is(200)
	token := a.issues()
	require.NotEqual(t, old, token)
	require.Equal(t, idOf(t, old), idOf(t, token))
	a.says(string(idOf(t, token)))
	require.Equal(t, token, v.token())
	s.holds(token, "x")
	require.Empty(t, s.opens(old).ID(), "the old token still opens the session")
	v.get("/read").is(200).says("u=x").silent()
}

func outdatedToken(t *testing.T, f framework) {
	s := open(t, f, lifecycle)
	v := s.visitor()
	old := v.get("/set?u=x").issues()
	token := v.get("/renew").issues()
	v.jar[cookieName] = old
	v.get("/read").is(200).says("u=").silent()
	v.get("/set?u=y").is(409).silent()
	s.holds(token, "x")
	require.Equal(t, 1, s.store.Len())
}

func renewThenError(t *testing.T, f framework) {
	s := open(t, f, get("/renew", func(c Ctx) error {
		c.Session().Renew()
		return errors.New("on purpose")
	}))
	v := s.visitor()
	old := v.get("/set?u=x").issues()
	token := v.get("/renew").is(500).issues()
	require.NotEqual(t, old, token)
	s.holds(token, "x")
}

func destroy(t *testing.T, f framework) {
	s := open(t, f, lifecycle)
	v := s.visitor()
	token := v.get("/set?u=x").issues()
	v.get("/destroy").is(200).says("").forgets()
	require.Zero(t, s.store.Len())
	require.Empty(t, v.jar)
	v.jar[cookieName] = token
	v.get("/read").is(200).says("u=").silent()
}

func destroyThenSet(t *testing.T, f framework) {
	s := open(t, f, lifecycle)
	v := s.visitor()
	old := v.get("/set?u=x").issues()
	token := v.get("/again").is(200).issues()
	require.NotEqual(t, idOf(t, old), idOf(t, token))
	s.holds(token, "new")
	require.Equal(t, 1, s.store.Len())
}

func destroyAnonymous(t *testing.T, f framework) {
	s := open(t, f, lifecycle)
	for _, path := range []string{"/destroy", "/clear", "/renew"} {
		s.visitor().get(path).is(200).says("").silent()
	}
	require.Zero(t, s.store.loads.Load())
	require.Zero(t, s.store.writes.Load())
}

func unknownToken(t *testing.T, f framework) {
	s := open(t, f)
	v := s.visitor()
	chosen := core.NewToken()
	v.jar[cookieName] = chosen.Reveal()
	v.get("/read").is(200).says("u=").silent()
	require.Equal(t, chosen.ID(), s.await(core.TokenUnknown).ID)
	token := v.get("/set?u=x").is(200).issues()
	require.NotEqual(t, chosen.ID(), idOf(t, token))
	s.holds(token, "x")
	require.Empty(t, s.opens(chosen.Reveal()).ID())
	require.Equal(t, 1, s.store.Len())
}

func wrongSecret(t *testing.T, f framework) {
	s := open(t, f, lifecycle)
	v := s.visitor()
	token := v.get("/set?u=x").issues()
	forged := token[:core.IDLength] + core.NewToken().Reveal()[core.IDLength:]
	for _, path := range []string{"/read", "/renew", "/clear"} {
		s.visitor().get(path, "Cookie: "+cookieName+"="+forged).is(200).silent()
	}
	// The client is told to forget what it holds, which is no good.
	s.visitor().get("/destroy", "Cookie: "+cookieName+"="+forged).is(200).forgets()
	s.holds(token, "x")
	require.EqualValues(t, 1, s.store.writes.Load())
}
