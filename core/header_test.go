package core_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

const exposes = "Access-Control-Expose-Headers"

// visitHeader is a whole request with a header, on a response that has one before.
func (s *site) visitHeader(
	request, response http.Header, f func(*core.Session),
) (id core.ID) {
	s.t.Helper()
	session, err := s.Begin(s.t.Context(), request)
	require.NoError(s.t, err)
	id = session.ID()
	f(session)
	require.NoError(s.t, s.Commit(s.t.Context(), session, response))
	return id
}

func nothing(*core.Session) {}

func TestAHeaderCarriesTheTokenInBothDirections(t *testing.T) {
	m := newSite(t, core.Config{Carrier: core.Header{}})
	response := http.Header{}
	m.visitHeader(http.Header{}, response, setNote("x"))
	token := response.Get("Session-Id")
	assert.Len(t, token, core.TokenLength)
	assert.Equal(t, http.Header{
		"Session-Id":    {token},
		exposes:         {"Session-Id"},
		"Cache-Control": {"no-store"},
		"Vary":          {"Session-Id"},
	}, response)

	t.Run("while the token stays nothing is answered", func(t *testing.T) {
		response := http.Header{}
		id := m.visitHeader(http.Header{"Session-Id": {token}}, response, setNote("y"))
		assert.Equal(t, core.ID(token[:32]), id)
		assert.Equal(t, http.Header{"Vary": {"Session-Id"}}, response)
	})
	t.Run("a renewal answers with the new one", func(t *testing.T) {
		response := http.Header{}
		m.visitHeader(http.Header{"Session-Id": {token}}, response, doRenew)
		assert.NotEqual(t, token, response.Get("Session-Id"))
		assert.Equal(t, token[:32], response.Get("Session-Id")[:32])
		token = response.Get("Session-Id")
	})
	t.Run("an end answers with nothing in it", func(t *testing.T) {
		response := http.Header{}
		m.visitHeader(http.Header{"Session-Id": {token}}, response, doDestroy)
		assert.Equal(t, http.Header{
			"Session-Id":    {""},
			exposes:         {"Session-Id"},
			"Cache-Control": {"no-store"},
			"Vary":          {"Session-Id"},
		}, response)
	})
}

func TestAHeadersNameDoesNotCountCase(t *testing.T) {
	for _, name := range []string{"x-session", "X-SESSION", "X-Session"} {
		m := newSite(t, core.Config{Carrier: core.Header{Name: name}})
		response := http.Header{}
		m.visitHeader(http.Header{}, response, setNote("x"))
		token := response.Get("X-Session")
		require.Len(t, token, core.TokenLength)
		assert.Equal(t, []string{"X-Session"}, response[exposes])
		assert.NotEmpty(t, m.visitHeader(http.Header{"X-Session": {token}}, http.Header{}, nothing))
	}
}

// What the handler, or a middleware for CORS, has set stays, and nothing is said twice.
func TestListsOfTheResponseAreAddedToAndNeverDoubled(t *testing.T) {
	tests := map[string]struct{ before, after []string }{
		"nothing there":           {nil, []string{"Session-Id"}},
		"another one":             {[]string{"X-Total"}, []string{"X-Total", "Session-Id"}},
		"ours":                    {[]string{"Session-Id"}, []string{"Session-Id"}},
		"ours in small letters":   {[]string{"session-id"}, []string{"session-id"}},
		"ours among others":       {[]string{"A, Session-Id,B"}, []string{"A, Session-Id,B"}},
		"ours after a tab":        {[]string{"A,\tSESSION-ID\t"}, []string{"A,\tSESSION-ID\t"}},
		"ours in the second line": {[]string{"A", "Session-Id"}, []string{"A", "Session-Id"}},
		"a longer name": {
			[]string{"Session-Id-2"}, []string{"Session-Id-2", "Session-Id"},
		},
		"a name that ends with it": {
			[]string{"X-Session-Id"}, []string{"X-Session-Id", "Session-Id"},
		},
		"an empty line":             {[]string{""}, []string{"", "Session-Id"}},
		"ours after empty elements": {[]string{",, ,Session-Id"}, []string{",, ,Session-Id"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			m := newSite(t, core.Config{Carrier: core.Header{}})
			response := http.Header{}
			if test.before != nil {
				response[exposes] = append([]string(nil), test.before...)
				response["Vary"] = append([]string(nil), test.before...)
			}
			m.visitHeader(http.Header{}, response, setNote("x"))
			assert.Equal(t, test.after, response[exposes])
			assert.Equal(t, test.after, response["Vary"])
		})
	}
	t.Run("a star says all for Vary, and not to credentialed pages", func(t *testing.T) {
		m := newSite(t, core.Config{Carrier: core.Header{}})
		response := http.Header{exposes: {"*"}, "Vary": {"*"}}
		m.visitHeader(http.Header{}, response, setNote("x"))
		assert.Equal(t, []string{"*", "Session-Id"}, response[exposes])
		assert.Equal(t, []string{"*"}, response["Vary"])
	})
}

func TestTheHandlersCacheControlIsReplacedOnlyWithATokenInTheResponse(t *testing.T) {
	m := newSite(t, core.Config{Carrier: core.Header{}})
	response := http.Header{"Cache-Control": {"public, max-age=60", "immutable"}}
	m.visitHeader(http.Header{}, response, setNote("x"))
	assert.Equal(t, []string{"no-store"}, response["Cache-Control"])
	token := response.Get("Session-Id")

	response = http.Header{"Cache-Control": {"private, max-age=60"}}
	m.visitHeader(http.Header{"Session-Id": {token}}, response, setNote("y"))
	assert.Equal(t, []string{"private, max-age=60"}, response["Cache-Control"])
}

func TestAHandlersOwnLineOfTheHeaderIsReplaced(t *testing.T) {
	m := newSite(t, core.Config{Carrier: core.Header{}})
	response := http.Header{"Session-Id": {"of the handler", "twice"}}
	m.visitHeader(http.Header{}, response, setNote("x"))
	require.Len(t, response["Session-Id"], 1)
	assert.Len(t, response.Get("Session-Id"), core.TokenLength)
}

func TestWhatCountsInAHeader(t *testing.T) {
	m := newSite(t, core.Config{Carrier: core.Header{}})
	first := http.Header{}
	m.visitHeader(http.Header{}, first, setNote("x"))
	token := first.Get("Session-Id")
	other := core.NewToken().Reveal()
	tests := map[string]struct {
		header http.Header
		opens  bool
		event  []core.EventKind
	}{
		"nothing":         {http.Header{}, false, nil},
		"an empty header": {http.Header{"Session-Id": {""}}, false, nil},
		"only blanks":     {http.Header{"Session-Id": {" \t "}}, false, nil},
		"the token":       {http.Header{"Session-Id": {token}}, true, nil},
		"blanks around it": {
			http.Header{"Session-Id": {"\t " + token + " \t"}}, true, nil,
		},
		"an empty line beside it": {http.Header{"Session-Id": {"", token}}, true, nil},
		"the same in two lines":   {http.Header{"Session-Id": {token, token}}, true, nil},
		"two that differ": {
			http.Header{"Session-Id": {token, other}}, false, []core.EventKind{core.TokenAmbiguous},
		},
		"a list in one line": {
			http.Header{"Session-Id": {token + ", " + token}},
			false,
			[]core.EventKind{core.TokenMalformed},
		},
		"quotes, which are cookies": {
			http.Header{"Session-Id": {`"` + token + `"`}},
			false,
			[]core.EventKind{core.TokenMalformed},
		},
		"a Unicode space before it": {
			http.Header{"Session-Id": {"\u2000" + token}},
			false,
			[]core.EventKind{core.TokenMalformed},
		},
		"junk": {
			http.Header{"Session-Id": {"junk"}}, false, []core.EventKind{core.TokenMalformed},
		},
		"junk beside it": {
			http.Header{"Session-Id": {token, "junk"}},
			false,
			[]core.EventKind{core.TokenAmbiguous},
		},
		"another header": {http.Header{"X-Session-Id": {token}}, false, nil},
		"the cookie":     {cookies(token), false, nil},
		"a bearer token": {
			http.Header{"Authorization": {"Bearer " + token}}, false, nil,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			m.events.take()
			m.store.forget()
			id := m.visitHeader(test.header, http.Header{}, nothing)
			assert.Equal(t, test.opens, id != "")
			assert.ElementsMatch(t, test.event, m.events.takeKinds())
			assert.Equal(t, test.opens, m.store.count(opLoad) == 1, "a load for one token only")
		})
	}
}

func TestABearerTokenComesInAuthorizationAndLeavesInItsHeader(t *testing.T) {
	m := newSite(t, core.Config{Carrier: core.Bearer{}})
	response := http.Header{}
	m.visitHeader(http.Header{"Authorization": {"Basic dXNlcjpwYXNz"}}, response, setNote("x"))
	token := response.Get("Session-Id")
	require.Len(t, token, core.TokenLength)
	assert.Equal(t, []string{"Session-Id"}, response[exposes])
	assert.Equal(t, []string{"Authorization"}, response["Vary"])

	tests := map[string]struct {
		lines []string
		opens bool
	}{
		"Bearer":                     {[]string{"Bearer " + token}, true},
		"in small letters":           {[]string{"bearer " + token}, true},
		"in capitals":                {[]string{"BEARER " + token}, true},
		"several blanks":             {[]string{"  Bearer   " + token + "  "}, true},
		"another scheme beside it":   {[]string{"Basic x", "Bearer " + token}, true},
		"the same twice":             {[]string{"Bearer " + token, "bearer " + token}, true},
		"nothing after the scheme":   {[]string{"Bearer"}, false},
		"a blank after the scheme":   {[]string{"Bearer "}, false},
		"without a scheme":           {[]string{token}, false},
		"without a blank":            {[]string{"Bearer" + token}, false},
		"another scheme":             {[]string{"Token " + token}, false},
		"a scheme that begins so":    {[]string{"Bearers " + token}, false},
		"two that differ":            {[]string{"Bearer " + token, "Bearer x"}, false},
		"two tokens in one line":     {[]string{"Bearer " + token + " " + token}, false},
		"a list of schemes":          {[]string{"Bearer " + token + ", Basic x"}, false},
		"a scheme that folds to it":  {[]string{"B\u212aarer " + token}, false},
		"a parameter instead":        {[]string{"Bearer token=" + token}, false},
		"a Unicode space before it":  {[]string{"Bearer \u2000" + token}, false},
		"Digest that looks like one": {[]string{"Digest Bearer " + token}, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			id := m.visitHeader(http.Header{"Authorization": test.lines}, http.Header{}, nothing)
			assert.Equal(t, test.opens, id != "")
		})
	}

	t.Run("the response's header is not read", func(t *testing.T) {
		assert.Empty(t, m.visitHeader(http.Header{"Session-Id": {token}}, http.Header{}, nothing))
	})
	t.Run("an end empties the response's header", func(t *testing.T) {
		response := http.Header{}
		m.visitHeader(http.Header{"Authorization": {"Bearer " + token}}, response,
			doDestroy)
		assert.Equal(t, []string{""}, response["Session-Id"])
	})
}

func TestABearersHeaderCanBeNamed(t *testing.T) {
	m := newSite(t, core.Config{Carrier: core.Bearer{Header: "x-token"}})
	response := http.Header{}
	m.visitHeader(http.Header{}, response, setNote("x"))
	assert.Len(t, response.Get("X-Token"), core.TokenLength)
	assert.Equal(t, []string{"X-Token"}, response[exposes])
}

func TestWhatIsNoHeaderOfOursIsAConfigError(t *testing.T) {
	taken := []string{
		"Cookie", "set-cookie", "AUTHORIZATION", "Host", "content-length", "Content-Type",
		"connection",
		"Transfer-Encoding", "vary", "Cache-Control", "access-control-expose-headers",
	}
	broken := []string{"a b", "a:b", "a\r\nb", "é", "a,b", strings.Repeat("\x00", 3)}
	for _, name := range append(taken, broken...) {
		requireFaults(t, core.Config{Carrier: core.Header{Name: name}}, "Carrier.Name")
		requireFaults(t, core.Config{Carrier: core.Bearer{Header: name}}, "Carrier.Header")
	}
	for _, name := range []string{"", "X-Session", "sid", "X_y.z~"} {
		requireFaults(t, core.Config{Carrier: core.Header{Name: name}})
		requireFaults(t, core.Config{Carrier: core.Bearer{Header: name}})
	}
}
