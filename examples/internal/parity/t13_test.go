package parity

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// holdings is where a visitor keeps a token for one of the carriers.
type holdings struct {
	name    string
	carrier core.Carrier
	plant   func(v *visitor, token string)
	token   func(v *visitor) string
}

func bothHoldings() []holdings {
	return []holdings{
		{
			"cookie", core.Cookie{},
			func(v *visitor, token string) { v.jar[cookieName] = token },
			func(v *visitor) string { return v.jar[cookieName] },
		},
		{
			"header", core.Header{},
			func(v *visitor, token string) { v.header = token },
			func(v *visitor) string { return v.header },
		},
	}
}

// fixated opens a site where one can sign in and see who one is, in a carrier.
func fixated(t *testing.T, f framework, h holdings) *site {
	return open(t, f, carry(h.carrier),
		get("/sign-in", func(c Ctx) error {
			c.Session().SetOwner("victim")
			return c.Text(200, "")
		}),
		get("/who", func(c Ctx) error { return c.Text(200, "owner="+c.Session().Owner()) }))
}

// TestT13_FixationEndToEnd plays the Web Security Testing Guide's SESS-03 with two visitors: an
// attacker plants a token on a victim, waits for him to sign in, and comes with that token.
func TestT13_FixationEndToEnd(t *testing.T) {
	for _, f := range frameworks() {
		for _, h := range bothHoldings() {
			t.Run(f.name()+"/"+h.name+"/a token of the attacker's session", func(t *testing.T) {
				s := fixated(t, f, h)
				attacker := s.visitor()
				attacker.get("/set?u=planted").is(200)
				planted := h.token(attacker)
				plays(t, s, h, attacker, planted)
			})
			t.Run(f.name()+"/"+h.name+"/a token that he made up", func(t *testing.T) {
				s := fixated(t, f, h)
				attacker := s.visitor()
				h.plant(attacker, like())
				plays(t, s, h, attacker, h.token(attacker))
			})
			t.Run(f.name()+"/"+h.name+"/a text that is no token", func(t *testing.T) {
				s := fixated(t, f, h)
				attacker := s.visitor()
				h.plant(attacker, "planted")
				plays(t, s, h, attacker, "planted")
			})
		}
	}
}

// plays lets the victim sign in with what was planted on him; nobody but he may be he afterwards.
func plays(t *testing.T, s *site, h holdings, attacker *visitor, planted string) {
	victim := s.visitor()
	h.plant(victim, planted)
	victim.get("/who").is(200).says("owner=")
	victim.get("/sign-in").is(200)
	mine := h.token(victim)
	require.NotEqual(t, planted, mine)
	idOf(t, mine)

	attacker.get("/who").is(200).says("owner=").silent()
	require.Equal(t, planted, h.token(attacker))
	victim.get("/who").is(200).says("owner=victim").silent()

	// The victim's browser is given the planted token once more, as by a sibling domain.
	h.plant(victim, planted)
	victim.get("/who").is(200).says("owner=")
	h.plant(victim, mine)
	victim.get("/who").is(200).says("owner=victim")

	// And with it and his own, which is no session at all, rather than one of the two.
	if h.name == "cookie" {
		victim.get("/who", cookie(planted)).is(200).says("owner=")
	} else {
		victim.get("/who", "Session-Id: "+planted).is(200).says("owner=").silent()
	}
	attacker.get("/sign-in")
	require.NotEqual(t, mine, h.token(attacker))
	require.Equal(t, "victim", s.opens(mine).Owner())
}
