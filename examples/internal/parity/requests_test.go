package parity

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// requestBehaviours are about what a request may hold.
func requestBehaviours() []behaviour {
	return []behaviour{
		{row: "46", name: "invalid-ids", check: invalidTokens,
			promise: "what is no token costs no store access, and is no error"},
		{row: "46b", name: "token-in-other-dress", check: dressedTokens,
			promise: "blanks around a token and one pair of quotes are no part of it"},
		{row: "47", name: "cookie-10k", check: hugeCookie,
			promise: "a huge cookie is anonymous, or refused before any handler runs"},
		{row: "48", name: "cookies-many", check: manyCookies,
			promise: "of 3000 cookies one counts, of 3001 none does"},
		{row: "49", name: "duplicate-cookies", check: duplicateCookies,
			promise: "two different session cookies are no session, and both are expired"},
		{row: "49b", name: "duplicate-cookies-tossable", check: tossedCookies,
			promise: "without the prefix __Host- two different cookies are left as they are"},
		{row: "49c", name: "repeated-cookies", check: repeatedCookies,
			promise: "the same cookie twice is one"},
		{row: "50", name: "cookie-name-case", check: cookieNames,
			promise: "a cookie's name is matched exactly"},
	}
}

// cookie is a header line with one session cookie.
func cookie(val string) string { return "Cookie: " + cookieName + "=" + val }

// seeded opens a site with one live session, where u is x, and returns its token.
func seeded(t *testing.T, f framework, changes ...func(*site)) (*site, string) {
	t.Helper()
	s := open(t, f, changes...)
	token := s.visitor().get("/set?u=x").is(200).issues()
	s.store.loads.Store(0)
	s.store.writes.Store(0)
	return s, token
}

func invalidTokens(t *testing.T, f framework) {
	s, live := seeded(t, f)
	for _, val := range []string{
		"", live[1:], live + "A", live[:core.IDLength], "../../" + live[6:], live[:126] + "%00",
		live[:126] + "é", live[:60] + " " + live[61:], live[:127] + "=", live[:127] + "+",
		live[:127] + "/", live[:127] + `"`, `""` + live + `""`, "null", live + "," + live,
	} {
		s.visitor().get("/read", cookie(val)).is(200).says("u=").silent()
		require.Zero(t, s.store.loads.Load(), "%q", val)
		s.holds(s.visitor().get("/set?u=y", cookie(val)).is(200).issues(), "y")
	}
	require.Zero(t, s.store.loads.Load())
	other := strings.ToLower(live)
	s.visitor().get("/read", cookie(other)).is(200).says("u=").silent()
	s.holds(live, "x")
}

func dressedTokens(t *testing.T, f framework) {
	exactly(t, func(exact func(*site)) {
		s, live := seeded(t, f, exact)
		for _, line := range []string{
			cookie(`"` + live + `"`), cookie(" " + live + " "), cookie(live + " ; theme=dark"),
			"Cookie: theme=dark;" + cookieName + "=" + live,
			"Cookie: ;; " + cookieName + "=" + live,
			"Cookie:\t" + cookieName + "\t=\t" + live,
			"cookie:" + cookieName + "=" + live, "COOKIE: " + cookieName + "=" + live,
		} {
			a := s.visitor().get("/read", line).is(200).silent()
			require.Equal(t, "u=x", a.body, "%q", line)
		}
	})
}

func hugeCookie(t *testing.T, f framework) {
	huge := cookie(strings.Repeat("A", 10_000))
	s := open(t, f)
	s.visitor().get("/read", huge).is(200).says("u=").silent()
	require.Zero(t, s.store.loads.Load())
	if f == (fiberFramework{}) { // its own buffer is smaller than that
		s := open(t, f, func(s *site) { s.smallBuffer = true })
		s.visitor().get("/set?u=x", huge).is(431).silent()
		require.Zero(t, s.store.writes.Load())
	}
}

func manyCookies(t *testing.T, f framework) {
	s, live := seeded(t, f)
	others := strings.Repeat("; c=", 2999)
	s.visitor().get("/read", cookie(live)+others).is(200).says("u=x").silent()
	require.EqualValues(t, 1, s.store.loads.Load())
	s.visitor().get("/read", cookie(live)+others+"; c=").is(200).says("u=").silent()
	s.visitor().get("/read", cookie(live)+others, "Cookie: c=").is(200).says("u=").silent()
	require.EqualValues(t, 1, s.store.loads.Load())
}

// twice are the ways in which a request can hold two cookies.
func twice(name, one, two string) [][]string {
	return [][]string{
		{"Cookie: " + name + "=" + one + "; " + name + "=" + two},
		{"Cookie: " + name + "=" + one, "Cookie: theme=dark; " + name + "=" + two},
	}
}

func duplicateCookies(t *testing.T, f framework) {
	s, live := seeded(t, f)
	const gone = "Set-Cookie: " + cookieName + "=; Path=/; " +
		"Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=0; HttpOnly; Secure; SameSite=Lax"
	for _, dead := range []string{core.NewToken().Reveal(), "no-token"} {
		for _, lines := range append(
			twice(cookieName, dead, live), twice(cookieName, live, dead)...,
		) {
			a := s.visitor().get("/read", lines...).is(200).says("u=")
			require.Equal(t, []string{gone, gone + "; Partitioned"}, a.named("Set-Cookie"))
			require.Equal(t, []string{"Cache-Control: no-store"}, a.named("Cache-Control"))
		}
	}
	require.Equal(t, 8, s.heard(core.TokenAmbiguous))
	require.Zero(t, s.store.loads.Load())
	s.holds(live, "x")
}

func tossedCookies(t *testing.T, f framework) {
	s := open(t, f, carry(core.Cookie{Insecure: true}))
	v := s.visitor()
	v.get("/set?u=x").is(200)
	live := v.jar["sid"]
	for _, lines := range twice("sid", core.NewToken().Reveal(), live) {
		s.visitor().get("/read", lines...).is(200).says("u=").silent()
	}
	require.Zero(t, s.store.loads.Load())
	s.holds(live, "x")
}

func repeatedCookies(t *testing.T, f framework) {
	s, live := seeded(t, f)
	for _, lines := range append(twice(cookieName, live, live), twice(cookieName, "", live)...) {
		s.visitor().get("/read", lines...).is(200).says("u=x").silent()
	}
	require.EqualValues(t, 4, s.store.loads.Load())
	require.Zero(t, s.heard(core.TokenAmbiguous))
}

func cookieNames(t *testing.T, f framework) {
	s, live := seeded(t, f)
	for _, name := range []string{
		"__HOST-sid", "__Host-SID", "__host-sid", "sid", "__Secure-sid", "\u00a0__Host-sid",
		"\u2003__Host-sid", "__Host-sid\u00a0", "x__Host-sid", "__Host-sid.1",
	} {
		s.visitor().get("/read", "Cookie: "+name+"="+live).is(200).says("u=").silent()
	}
	require.Zero(t, s.store.loads.Load())
}
