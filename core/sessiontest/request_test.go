package sessiontest_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/sessiontest"
)

func word() core.Value[string] { return core.NewValue[string]("word") }

func setWord(text string) func(*core.Session) {
	return func(s *core.Session) { word().Set(s, text) }
}

func newManager(t *testing.T, cfg core.Config) *core.Manager {
	m, err := core.New(cfg)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, m.Close()) })
	return m
}

// begun is the session that a request belongs to.
func begun(t *testing.T, m *core.Manager, r *http.Request) *core.Session {
	s, err := m.Begin(t.Context(), r.Header)
	require.NoError(t, err)
	return s
}

func TestRequestPutsTheTokenWhereTheCarrierReadsIt(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		carrier core.Carrier
		header  http.Header
	}{
		"the default cookie":                    {nil, nil},
		"another cookie":                        {core.Cookie{Name: "id", Insecure: true}, nil},
		"a header":                              {core.Header{}, nil},
		"another header":                        {core.Header{Name: "x-session"}, nil},
		"a bearer token":                        {core.Bearer{}, nil},
		"a bearer token back in another header": {core.Bearer{Header: "X-Session"}, nil},
		"the first of several":                  {core.Carriers(core.Header{}, core.Cookie{}), nil},
		"a bearer token first": {
			core.Carriers(core.Bearer{}, core.Header{}, core.Cookie{}), nil,
		},
		"a header that bears the name of the bearer's": {
			core.Carriers(core.Header{}, core.Bearer{}), nil,
		},
		"the one whose name is in the request": {
			core.Carriers(core.Cookie{}, core.Header{Name: "X-Session"}),
			http.Header{"X-Session": {""}},
		},
		"beside other cookies": {nil, http.Header{"Cookie": {"a=1; b=2", "c=3"}}},
		"beside an authorization of another kind": {
			core.Header{}, http.Header{"Authorization": {"Basic eDp5"}},
		},
		"instead of a cookie that is dead": {
			nil, http.Header{"Cookie": {"a=1; __Host-sid=" + core.NewToken().Reveal()}},
		},
		"instead of cookies that contradict each other": {
			nil, http.Header{"Cookie": {"__Host-sid=1; a=1; __Host-sid=2"}},
		},
		"instead of a bearer token that is dead": {
			core.Carriers(core.Header{}, core.Bearer{}),
			http.Header{"Authorization": {"Bearer " + core.NewToken().Reveal()}},
		},
		"instead of two tokens in two places": {
			core.Carriers(core.Header{}, core.Bearer{}, core.Cookie{}),
			http.Header{"Authorization": {"Bearer 1"}, "Session-Id": {"2"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := newManager(t, core.Config{Carrier: test.carrier})
			bare := httptest.NewRequest(http.MethodGet, "/", nil)
			for name, lines := range test.header {
				bare.Header[name] = lines
			}
			before := bare.Header.Clone()

			r := sessiontest.Request(t, m, bare, setWord("hello"))

			text, ok := word().Get(begun(t, m, r))
			require.True(t, ok, "%v", r.Header)
			require.Equal(t, "hello", text)
			require.Equal(t, before, bare.Header, "the request that was given is not left alone")
		})
	}
}

func TestRequestKeepsWhatElseIsInTheRequest(t *testing.T) {
	t.Parallel()
	m := newManager(t, core.Config{})
	bare := httptest.NewRequest(http.MethodPut, "/some/path?and=query", nil)
	bare.Header.Set("Accept", "text/html")
	bare.Header.Set("Cookie", `a=1; quoted="2"`)
	type key struct{}
	bare = bare.WithContext(context.WithValue(t.Context(), key{}, "kept"))

	r := sessiontest.Request(t, m, bare, setWord("hello"))

	assert.Equal(t, http.MethodPut, r.Method)
	assert.Equal(t, "/some/path?and=query", r.URL.String())
	assert.Equal(t, "text/html", r.Header.Get("Accept"))
	assert.Equal(t, "kept", r.Context().Value(key{}))
	assert.Regexp(t, `^a=1; quoted="2"; __Host-sid=[\w-]{128}$`, r.Header.Get("Cookie"))
}

func TestRequestChangesTheSessionThatIsThere(t *testing.T) {
	t.Parallel()
	for name, carrier := range map[string]core.Carrier{
		"cookie": core.Cookie{}, "header": core.Header{}, "bearer": core.Bearer{},
	} {
		t.Run(name, func(t *testing.T) {
			m := newManager(t, core.Config{Carrier: carrier})
			bare := httptest.NewRequest(http.MethodGet, "/", nil)
			first := sessiontest.Request(t, m, bare, setWord("hello"))

			same := sessiontest.Request(t, m, first, setWord("changed"))
			require.Equal(t, first.Header, same.Header, "the token is still good")

			signIn := func(s *core.Session) { s.SetOwner("user:42") }
			renewed := sessiontest.Request(t, m, same, signIn)
			require.NotEqual(t, first.Header, renewed.Header)
			s := begun(t, m, renewed)
			text, _ := word().Get(s)
			require.Equal(t, "changed", text)
			require.Equal(t, "user:42", s.Owner())
			require.Equal(t, begun(t, m, renewed).ID(), s.ID())
			require.Empty(t, begun(t, m, first).ID(), "the old token is dead")
		})
	}
}

func TestTheSessionOfRequestIsOver(t *testing.T) {
	t.Parallel()
	m := newManager(t, core.Config{})
	var leaked *core.Session
	sessiontest.Request(t, m, httptest.NewRequest(http.MethodGet, "/", nil),
		func(s *core.Session) {
			leaked = s
			word().Set(s, "hello")
		})
	word().Set(leaked, "too late")
	require.ErrorIs(t, leaked.Err(), core.ErrCommitted)
}

// A witness is a testing.TB that is told of a failure.
type witness struct {
	testing.TB
	said string
}

func (w *witness) Helper() {}

func (w *witness) Fatalf(format string, _ ...any) {
	w.said = format
	panic(w)
}

func TestRequestEndsTheTestWhereItFails(t *testing.T) {
	t.Parallel()
	down := newAltered()
	m := newManager(t, core.Config{Store: down})
	bare := httptest.NewRequest(http.MethodGet, "/", nil)
	live := sessiontest.Request(t, m, bare, setWord("hello"))
	down.create = func(context.Context, core.Record) error { return http.ErrServerClosed }
	down.load = func(context.Context, core.ID) (core.Record, error) {
		return core.Record{}, http.ErrServerClosed
	}
	for name, test := range map[string]struct {
		r     *http.Request
		setup func(*core.Session)
	}{
		"the session cannot be loaded":   {live, setWord("changed")},
		"the session cannot be stored":   {bare, setWord("hello")},
		"the value cannot be encoded":    {bare, setWord("\xff")},
		"setup does not begin a session": {bare, func(*core.Session) {}},
		"setup destroys what it has begun": {bare, func(s *core.Session) {
			word().Set(s, "hello")
			s.Destroy()
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w := &witness{TB: t}
			require.PanicsWithValue(t, w, func() { sessiontest.Request(w, m, test.r, test.setup) })
			require.Contains(t, w.said, "sessiontest.Request: ")
		})
	}
}
