package parity

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

func carrierBehaviours() []behaviour {
	return []behaviour{
		{row: "51", name: "header-transport", check: headerTransport,
			promise: "a header carries the token in both directions, however its name is written"},
		{row: "52", name: "header-ambiguous", check: headerAmbiguous,
			promise: "two different tokens in two header lines are no session"},
		{row: "53", name: "header-mode-cookie", check: headerIgnoresCookie,
			promise: "where a header carries the token a cookie counts for nothing"},
		{row: "54", name: "both-transports", check: bothTransports,
			promise: "a header and a cookie that differ are no session, and are left as they are"},
		{row: "54b", name: "both-transports-agree", check: bothTransportsAgree,
			promise: "a new token goes out through every carrier that held the old one"},
		{row: "54c", name: "bearer", check: bearer,
			promise: "a bearer token is read from Authorization, and answered in Session-Id"},
		{row: "55", name: "cors-preflight", check: preflight,
			promise: "a preflight costs no store access, and the session's header is exposed to pages"},
		{row: "55b", name: "exposed-already", check: exposedAlready,
			promise: "what a program says in the same headers is kept, and nothing is said twice"},
		{row: "74", name: "cache-headers", check: cacheHeaders,
			promise: "an answer is as cacheable as its handler made it, unless it depends on a session"},
		{row: "75", name: "cookie-attributes", check: headerBytes,
			promise: "every session header of every carrier is the same, byte for byte"},
	}
}

// exactly runs a check with and without fiber's DisableHeaderNormalizing, which others have not.
func exactly(t *testing.T, check func(exact func(*site))) {
	t.Helper()
	for _, on := range []bool{false, true} {
		check(func(s *site) { s.exactHeaders = on })
	}
}

func headerTransport(t *testing.T, f framework) {
	exactly(t, func(exact func(*site)) {
		s := open(t, f, carry(core.Header{}), exact, lifecycle)
		v := s.visitor()
		a := v.get("/set?u=x").is(200)
		require.Empty(t, a.named("Set-Cookie"))
		require.Equal(t, []string{"Session-Id: " + v.header}, a.named("Session-Id"))
		s.holds(v.header, "x")
		for _, name := range []string{"Session-Id", "session-id", "SESSION-ID", "sEssIon-iD"} {
			s.visitor().get("/read", name+": "+v.header).is(200).says("u=x").silent()
		}
		s.visitor().get("/read", "Session_Id: "+v.header).is(200).says("u=").silent()
		require.Equal(t, []string{"Session-Id: "}, v.get("/destroy").is(200).named("Session-Id"))
		require.Zero(t, s.store.Len())
	})
}

func headerAmbiguous(t *testing.T, f framework) {
	exactly(t, func(exact func(*site)) {
		s := open(t, f, carry(core.Header{}), exact)
		v := s.visitor()
		v.get("/set?u=x").is(200)
		for _, other := range []string{core.NewToken().Reveal(), "no-token"} {
			one, two := "Session-Id: "+v.header, "session-id: "+other
			s.visitor().get("/read", one, two).is(200).says("u=").silent()
			s.visitor().get("/read", two, one).is(200).says("u=").silent()
		}
		require.Zero(t, s.store.loads.Load())
		s.visitor().get("/read", "Session-Id: "+v.header, "Session-Id: "+v.header).says("u=x")
		s.holds(v.header, "x")
	})
}

func headerIgnoresCookie(t *testing.T, f framework) {
	s := open(t, f, carry(core.Header{}))
	v := s.visitor()
	v.get("/set?u=x").is(200)
	for _, name := range []string{cookieName, "sid", "Session-Id"} {
		s.visitor().get("/read", "Cookie: "+name+"="+v.header).is(200).says("u=").silent()
	}
	s.visitor().get("/read?Session-Id=" + v.header + "&sid=" + v.header).is(200).says("u=").silent()
	require.Zero(t, s.store.loads.Load())
}

func both() core.Carrier { return core.Carriers(core.Cookie{}, core.Header{}) }

func bothTransports(t *testing.T, f framework) {
	for _, carrier := range []core.Carrier{
		both(), core.Carriers(core.Header{}, core.Cookie{}),
	} {
		s := open(t, f, carry(carrier), lifecycle)
		one := s.visitor().get("/set?u=x", cookie("")).is(200).issues()
		two := s.visitor().get("/set?u=y", cookie("")).is(200).issues()
		for _, path := range []string{"/read", "/renew", "/clear"} {
			s.visitor().get(path, cookie(one), "Session-Id: "+two).is(200).silent()
			s.visitor().get(path, cookie(two), "Session-Id: "+one).is(200).silent()
		}
		require.Zero(t, s.store.loads.Load())
		s.holds(one, "x")
		s.holds(two, "y")
	}
}

func bothTransportsAgree(t *testing.T, f framework) {
	s, old := seeded(t, f, carry(both()), lifecycle)
	v := s.visitor()
	a := v.get("/renew", cookie(old), "Session-Id: "+old).is(200)
	require.Equal(t, a.issues(), v.header)
	s.holds(v.header, "x")

	v = s.visitor()
	v.get("/set?u=y", "Session-Id:").is(200)
	require.Empty(t, v.jar, "who shows the header gets the header")
	s.holds(v.header, "y")
}

func bearer(t *testing.T, f framework) {
	s := open(t, f, carry(core.Bearer{}))
	v := s.visitor()
	require.Empty(t, v.get("/set?u=x").is(200).named("Set-Cookie"))
	for _, scheme := range []string{"Bearer ", "bearer ", "BEARER  "} {
		s.visitor().get("/read", "Authorization: "+scheme+v.header).is(200).says("u=x").silent()
	}
	for _, scheme := range []string{"Basic ", "", "Bearer=", "Bearer\t"} {
		s.visitor().get("/read", "Authorization: "+scheme+v.header).is(200).says("u=").silent()
	}
	v.get("/read").is(200).says("u=").silent() // in its own header it is not asked for
}

func preflight(t *testing.T, f framework) {
	s := open(t, f, with(shares, session), carry(core.Header{}))
	v := s.visitor()
	a := v.get("/set?u=x", "Origin: "+origin).is(200)
	exposed := strings.Join(a.header["Access-Control-Expose-Headers"], ",")
	require.Equal(t, []string{"X-Total", "Session-Id"}, strings.Split(exposed, ","))
	s.store.writes.Store(0)
	v.do(http.MethodOptions, "/set?u=y", "", "Origin: "+origin,
		"Access-Control-Request-Method: GET", "Access-Control-Request-Headers: session-id",
	).is(204).silent()
	require.Zero(t, s.store.loads.Load())
	require.Zero(t, s.store.writes.Load())
}

func exposedAlready(t *testing.T, f framework) {
	s := open(t, f, carry(core.Header{}), get("/exposes", func(c Ctx) error {
		c.SetHeader("Access-Control-Expose-Headers", "X-Total,session-id")
		c.SetHeader("Vary", "Accept-Language")
		u.Set(c.Session(), "x")
		return c.Text(200, "text")
	}))
	a := s.visitor().get("/exposes").is(200)
	require.Equal(t, []string{"Access-Control-Expose-Headers: X-Total,session-id"},
		a.named("Access-Control-Expose-Headers"))
	require.Equal(t, []string{"Accept-Language", "Session-Id"}, a.vary())
}

func cacheHeaders(t *testing.T, f framework) {
	cached := func(do func(c Ctx)) Handler {
		return func(c Ctx) error {
			c.SetHeader("Cache-Control", "max-age=60")
			do(c)
			return c.Text(200, "text")
		}
	}
	s := open(t, f,
		get("/untouched", cached(func(Ctx) {})),
		get("/looks", cached(func(c Ctx) { u.Get(c.Session()) })),
		get("/varies", cached(func(c Ctx) {
			c.SetHeader("Vary", "Accept, cookie")
			u.Get(c.Session())
		})),
		get("/sets", cached(func(c Ctx) { u.Set(c.Session(), "x") })),
	)
	v := s.visitor()
	for _, signedIn := range []bool{false, true} {
		if signedIn {
			v.get("/sets").issues()
		}
		for path, want := range map[string][]string{
			"/untouched": {"Cache-Control: max-age=60"},
			"/looks":     {"Cache-Control: max-age=60", "Vary: Cookie"},
			"/varies":    {"Cache-Control: max-age=60", "Vary: Accept, cookie"},
		} {
			a := v.get(path).is(200).silent()
			require.Equal(t, want, slices.Sorted(slices.Values(a.named(sessionHeaders()...))), path)
		}
	}
}

// headerBytes holds each framework's lines against the same golden ones.
func headerBytes(t *testing.T, f framework) {
	for _, g := range goldens() {
		t.Run(g.name, func(t *testing.T) {
			s := open(t, f, carry(g.carrier), lifecycle, func(s *site) {
				s.config.Lifetime = core.Never // else Max-Age would depend on the clock
				s.handle("GET", "/remember", func(c Ctx) error {
					c.Session().Persist(!g.persists)
					return c.Text(200, "")
				})
			})
			v := s.visitor()
			token := func() string {
				for _, val := range v.jar {
					return val
				}
				return v.header
			}
			bearing := func(path string) *answer {
				if g.bearer {
					return v.get(path, "Authorization: Bearer "+v.header).is(200)
				}
				return v.get(path).is(200)
			}
			require.Equal(t, g.issue, v.get("/set?u=x").is(200).masked(token()), "a new session")
			require.Equal(t, g.issue, bearing("/renew").masked(token()), "a renewal")
			require.Equal(t, g.other, bearing("/remember").masked(token()), "Persist changed")
			last := token()
			require.Equal(t, g.expire, bearing("/destroy").masked(last), "the end")
		})
	}
}
