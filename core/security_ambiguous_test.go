package core_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

const (
	secDeletion = "__Host-sid=; Path=/; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=0; " +
		"HttpOnly; Secure; SameSite=Lax"
	secDeletionOfTwin = secDeletion + "; Partitioned"
)

func TestT46_TwoDifferentTokensAreNoSession(t *testing.T) {
	site := newSecSite(t, core.Config{})
	victim := secIssued(site.serve(nil, secOwned("victim", "his")))
	attacker := secIssued(site.serve(nil, secOwned("attacker", "hers")))
	a, b := secCookie+"="+victim, secCookie+"="+attacker
	unknown := secCookie + "=" + core.NewToken().Reveal()
	cases := map[string][]string{
		"the attacker's first":             {b + "; " + a},
		"the victim's first":               {a + "; " + b},
		"in two lines":                     {a, b},
		"in two lines, the other way":      {b, a},
		"with others between":              {a + "; theme=dark; " + b},
		"without blanks":                   {a + ";" + b},
		"with blanks around the name":      {a + "; \t" + secCookie + " = " + attacker},
		"three":                            {a + "; " + b + "; " + a},
		"one that is live, and one not":    {a + "; " + unknown},
		"one that is not live, and one is": {unknown + "; " + a},
		"a good one and an ill-formed":     {a + "; " + secCookie + "=x"},
		"an ill-formed and a good one":     {secCookie + "=x; " + a},
		"a good one and a very long one":   {a + "; " + secCookie + "=" + strings.Repeat("x", 5000)},
		"a good one and a broken quote":    {a + "; " + secCookie + "=\"" + victim},
		"good ones that differ in quotes":  {a + "; " + secCookie + "='" + victim + "'"},
	}
	for name, lines := range cases {
		t.Run(name, func(t *testing.T) {
			calls := site.store.count()
			site.seen()
			response := site.serve(http.Header{"Cookie": lines}, func(s *core.Session) {
				require.Empty(t, s.ID())
				require.Empty(t, s.Owner())
				require.Empty(t, s.Names())
				s.Destroy() // which of the two? neither
			})
			require.Equal(t, calls, site.store.count(), "no store access")
			require.Equal(t, []core.EventKind{core.TokenAmbiguous}, site.seen())
			require.Equal(t, []string{secDeletion, secDeletionOfTwin},
				response.Header.Values("Set-Cookie"), "so that the browser heals")
			require.Equal(t, "no-store", response.Header.Get("Cache-Control"))
		})
	}
	for _, token := range []string{victim, attacker} {
		_, alive := site.read(token)
		require.True(t, alive)
	}
}

func TestT46_OneTokenTwiceIsOne(t *testing.T) {
	site := newSecSite(t, core.Config{})
	token := secIssued(site.serve(nil, secSet("a")))
	one := secCookie + "=" + token
	for _, lines := range [][]string{
		{one + "; " + one}, {one, one}, {one + "; " + secCookie + `="` + token + `"`},
		{one + "; " + secCookie + "="}, {secCookie + "=; " + one}, {secCookie + "; " + one},
		{one + "; __host-sid=evil; sid=evil; \u2000" + secCookie + "=evil"},
	} {
		response := site.serve(http.Header{"Cookie": lines}, func(s *core.Session) {
			note, _ := secValue().Get(s)
			require.Equal(t, "a", note, "%q", lines)
		})
		require.Empty(t, response.Header.Values("Set-Cookie"))
	}
}

// Where a sibling domain can set a cookie of the same name, a deletion would leave the attacker's
// as the only one.
func TestT46_WithoutThePrefixNothingIsDeleted(t *testing.T) {
	for _, carrier := range []core.Cookie{
		{Name: "sid"}, {Domain: "example.com"}, {Path: "/app"}, {Insecure: true},
	} {
		site := newSecSite(t, core.Config{Carrier: carrier})
		made := site.serve(nil, secSet("a"))
		name, _, _ := strings.Cut(made.Header.Get("Set-Cookie"), "=")
		lines := []string{name + "=" + secIssued(made), name + "=" + core.NewToken().Reveal()}
		response := site.serve(http.Header{"Cookie": lines}, func(s *core.Session) {
			require.Empty(t, s.ID())
		})
		require.Empty(t, response.Header.Values("Set-Cookie"))
		require.Contains(t, site.seen(), core.TokenAmbiguous)
	}
}

func TestT46_ANewSessionReplacesBothCookies(t *testing.T) {
	both := http.Header{"Cookie": {
		secCookie + "=" + core.NewToken().Reveal() + "; " + secCookie + "=" + core.NewToken().Reveal(),
	}}
	response := newSecSite(t, core.Config{}).serve(both, secSet("a"))
	lines := response.Header.Values("Set-Cookie")
	require.Len(t, lines, 2)
	require.Contains(t, lines[0], secIssued(response))
	require.Equal(t, secDeletionOfTwin, lines[1], "the new one overwrites the old one of its kind")

	site := newSecSite(t, core.Config{Carrier: core.Cookie{Partitioned: true}})
	response = site.serve(both, secSet("a"))
	lines = response.Header.Values("Set-Cookie")
	require.Len(t, lines, 2)
	require.Equal(t, secDeletion, lines[1])
}

func TestT46_CarriersThatDisagree(t *testing.T) {
	site := newSecSite(t, core.Config{
		Carrier: core.Carriers(core.Cookie{}, core.Header{}, core.Bearer{Header: "X-Token"}),
	})
	one, two := secIssued(site.serve(nil, secSet("1"))), secIssued(site.serve(nil, secSet("2")))
	oneInCookie, bearer := []string{secCookie + "=" + one}, []string{"Bearer " + two}
	cases := map[string]struct {
		cookie, header, authorization []string
		alive                         bool
	}{
		"cookie and header":     {oneInCookie, []string{two}, nil, false},
		"cookie and bearer":     {oneInCookie, nil, bearer, false},
		"header and bearer":     {nil, []string{one}, bearer, false},
		"two header lines":      {nil, []string{one, two}, nil, false},
		"a header and nonsense": {[]string{secCookie + "=x"}, []string{one}, nil, false},
		"all three the same":    {oneInCookie, []string{one}, []string{"Bearer " + one}, true},
		"another scheme":        {nil, []string{one}, []string{"Basic " + two}, true},
		"an empty header":       {oneInCookie, []string{""}, nil, true},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			site.seen()
			calls := site.store.count()
			header := http.Header{
				"Cookie": test.cookie, "Session-Id": test.header,
				"Authorization": test.authorization,
			}
			response := site.serve(header, func(s *core.Session) {
				require.Equal(t, test.alive, s.ID() != "")
			})
			require.Empty(t, response.Header.Values("Set-Cookie"), "nobody's cookie is at fault")
			if !test.alive {
				require.Equal(t, []core.EventKind{core.TokenAmbiguous}, site.seen())
				require.Equal(t, calls, site.store.count())
			}
		})
	}
}

// The verdict on odd cookies is core's own, and so the same in all frameworks. Where net/http would
// find the token that core does not, or the other way round, the case says so.
func TestT48_OddCookies(t *testing.T) {
	site := newSecSite(t, core.Config{})
	token := secIssued(site.serve(nil, secSet("a")))
	one := secCookie + "=" + token
	cases := []struct {
		name    string
		lines   []string
		alive   bool
		differs bool
	}{
		{"alone", []string{one}, true, false},
		{"among others", []string{"a=b; " + one + "; c=d"}, true, false},
		{"a tab before it", []string{"\t" + one}, true, false},
		{"a blank before the equals sign", []string{secCookie + " =" + token}, true, false},
		{"blanks after the value", []string{secCookie + "=" + token + "  "}, true, false},
		{"quotes", []string{secCookie + `="` + token + `"`}, true, false},
		{"a quoted semicolon", []string{secCookie + `="A;` + token + `"`}, false, false},
		{"a comma for a semicolon", []string{"a=b, " + one}, false, false},
		{"a value that is not ASCII", []string{secCookie + "=" + token + "é"}, false, false},
		{"percent escapes", []string{secCookie + "=%41" + token[1:]}, false, false},
		{"no semicolon at the end of a line", []string{"a=b", one}, true, false},
		{"semicolons only", []string{";;; ; " + one + ";;"}, true, false},
		{"attributes of Set-Cookie", []string{one + "; Path=/; HttpOnly"}, true, false},
		{"old attributes", []string{`$Version="1"; ` + one + `; $Path="/"`}, true, false},
		{"a name without a value", []string{secCookie + "; a=b"}, false, false},
		{"3000 cookies", []string{strings.Repeat("a=b; ", 2999) + one}, true, false},
		{"3001 cookies", []string{strings.Repeat("a=b; ", 3000) + one}, false, false},
		{"an equals sign after it", []string{one + "="}, false, false},
		// More lenient than net/http, which takes the blanks for a part of the value.
		{"blanks before the value", []string{secCookie + "=  " + token}, true, true},
		// Stricter than net/http, which does not see the second: an ill-formed one counts.
		{"and another that is not ASCII", []string{one + "; " + secCookie + "=é"}, false, true},
	}
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			header := http.Header{"Cookie": test.lines}
			site.serve(header, func(s *core.Session) {
				require.Equal(t, test.alive, s.ID() != "")
			})
			found := (&http.Request{Header: header}).CookiesNamed(secCookie)
			byNetHTTP := len(found) == 1 && found[0].Value == token
			require.Equal(t, test.alive != byNetHTTP, test.differs, "net/http: %v", found)
		})
	}
}
