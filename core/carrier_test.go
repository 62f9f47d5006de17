package core_test

import (
	"net/http"
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// all three ways, the cookie first.
func threeCarriers() core.Carrier {
	return core.Carriers(core.Cookie{}, core.Header{}, core.Bearer{Header: "X-Token"})
}

// outOf says through which carriers a response hands a token out, or takes it back.
func outOf(t *testing.T, response http.Header) (names []string, tokens []string) {
	t.Helper()
	for _, line := range response.Values("Set-Cookie") {
		cookie, err := http.ParseSetCookie(line)
		require.NoError(t, err)
		names, tokens = append(names, "cookie"), append(tokens, cookie.Value)
	}
	for name, key := range map[string]string{"header": "Session-Id", "bearer": "X-Token"} {
		if values := response.Values(key); len(values) > 0 {
			require.Len(t, values, 1)
			names, tokens = append(names, name), append(tokens, values[0])
		}
	}
	for _, token := range tokens {
		require.Equal(t, tokens[0], token, "the same through each")
	}
	return names, tokens
}

func join(headers ...http.Header) http.Header {
	all := http.Header{}
	for _, h := range headers {
		for name, values := range h {
			all[name] = append(all[name], values...)
		}
	}
	return all
}

func TestANewSessionGoesOutThroughTheFirstCarrierWhoseNameIsThere(t *testing.T) {
	empty := cookies("")
	otherCookie := http.Header{"Cookie": {"other=1"}}
	header := http.Header{"Session-Id": {""}}
	bearer := http.Header{"Authorization": {"Bearer"}}
	tests := map[string]struct {
		request http.Header
		want    []string
	}{
		"nothing there":                   {http.Header{}, []string{"cookie"}},
		"another cookie":                  {otherCookie, []string{"cookie"}},
		"an empty cookie":                 {empty, []string{"cookie"}},
		"an empty header":                 {header, []string{"header"}},
		"an empty header, another cookie": {join(otherCookie, header), []string{"header"}},
		"an empty header and cookie":      {join(empty, header), []string{"cookie"}},
		"an empty bearer token":           {bearer, []string{"bearer"}},
		"an empty header and bearer":      {join(header, bearer), []string{"header"}},
		"another scheme": {http.Header{"Authorization": {"Basic dTpw"}},
			[]string{"cookie"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			m := newSite(t, core.Config{Carrier: threeCarriers()})
			response := http.Header{}
			m.visitHeader(test.request, response, setNote("x"))
			names, tokens := outOf(t, response)
			assert.Equal(t, test.want, names)
			assert.Len(t, tokens[0], core.TokenLength)
		})
	}
}

func TestAChangedTokenGoesOutThroughEveryCarrierThatHeldOne(t *testing.T) {
	in := func(name, token string) http.Header {
		switch name {
		case "cookie":
			return cookies(token)
		case "header":
			return http.Header{"Session-Id": {token}}
		}
		return http.Header{"Authorization": {"Bearer " + token}}
	}
	for name, through := range map[string][]string{
		"the cookie": {"cookie"}, "the header": {"header"}, "the bearer token": {"bearer"},
		"cookie and header": {"cookie", "header"}, "header and bearer": {"header", "bearer"},
		"all three": {"cookie", "header", "bearer"},
	} {
		t.Run(name, func(t *testing.T) {
			m := newSite(t, core.Config{Carrier: threeCarriers()})
			response := http.Header{}
			m.visitHeader(http.Header{}, response, setNote("x"))
			_, tokens := outOf(t, response)
			token := tokens[0]
			request := func() http.Header {
				all := http.Header{}
				for _, one := range through {
					all = join(all, in(one, token))
				}
				return all
			}

			response = http.Header{}
			id := m.visitHeader(request(), response, doRenew)
			assert.Equal(t, token[:32], string(id))
			names, tokens := outOf(t, response)
			assert.ElementsMatch(t, through, names)
			token = tokens[0]

			response = http.Header{}
			m.visitHeader(request(), response, func(s *core.Session) {
				s.Destroy()
				note.Set(s, "another")
			})
			names, tokens = outOf(t, response)
			assert.ElementsMatch(t, through, names, "what begins after an end, too")
			token = tokens[0]

			response = http.Header{}
			m.visitHeader(request(), response, doDestroy)
			names, tokens = outOf(t, response)
			assert.ElementsMatch(t, through, names)
			assert.Empty(t, tokens[0])
		})
	}
}

func TestCarriersThatDisagreeGiveNoSession(t *testing.T) {
	m := newSite(t, core.Config{Carrier: threeCarriers()})
	response := http.Header{}
	m.visitHeader(http.Header{}, response, setNote("x"))
	_, tokens := outOf(t, response)
	token := tokens[0]
	for name, other := range map[string]string{
		"another token":               core.NewToken().Reveal(),
		"the token of another secret": token[:127] + differentFrom(token[127]),
		"something ill-formed":        "x",
	} {
		t.Run(name, func(t *testing.T) {
			request := join(cookies(token), http.Header{"Session-Id": {other}})
			m.store.forget()
			m.events.take()
			response := http.Header{}
			assert.Empty(t, m.visitHeader(request, response, nothing))
			assert.Zero(t, m.store.count(opLoad))
			assert.Equal(t, []core.EventKind{core.TokenAmbiguous}, m.events.takeKinds())
			assert.NotContains(t, response, "Set-Cookie")
			assert.NotContains(t, response, "Session-Id")

			m.visitHeader(request, response, setNote("new"))
			names, tokens := outOf(t, response)
			assert.ElementsMatch(t, []string{"cookie", "header"}, names, "a new one settles it")
			assert.NotEqual(t, token[:32], tokens[0][:32])
		})
	}
	assert.True(t, m.visitHeader(cookies(token), http.Header{}, nothing) != "", "it lives on")
}

func differentFrom(c byte) string {
	if c == 'A' {
		return "B"
	}
	return "A"
}

func TestVaryNamesEachRequestHeaderOnceIfTheHandlerLooked(t *testing.T) {
	looks := map[string]func(*core.Session){
		"ID": func(s *core.Session) { s.ID() }, "Owner": func(s *core.Session) { s.Owner() },
		"Get": func(s *core.Session) { note.Get(s) }, "Names": func(s *core.Session) { s.Names() },
		"Created": func(s *core.Session) {
			s.Created()
		}, "Used": func(s *core.Session) {
			s.Used()
		},
		"Expires": func(s *core.Session) { s.Expires() }, "Delete": deleteNote,
		"Destroy": doDestroy, "Take": takeNote,
		"Renew": doRenew, "Clear": doClear,
		"Persist": doPersist,
		"Update":  func(s *core.Session) { note.Update(s, strings.ToUpper) },
	}
	for name, look := range looks {
		t.Run(name, func(t *testing.T) {
			m := newSite(t, core.Config{Carrier: threeCarriers()})
			assert.Equal(t, []string{"Cookie", "Session-Id", "Authorization"},
				m.visit("", look).Values("Vary"))
		})
	}
	m := newSite(t, core.Config{Carrier: core.Carriers(core.Cookie{}, core.Cookie{Name: "old"})})
	assert.Equal(t, []string{"Cookie"}, m.visit("", looks["ID"]).Values("Vary"), "of two cookies")
}

func TestAnUntouchedResponseStaysCacheable(t *testing.T) {
	m := newSite(t, core.Config{Carrier: threeCarriers()})
	assert.Empty(t, m.visit("", nothing))
	token, _ := m.start(setNote("x"))
	assert.Empty(t, m.visit(token, nothing), "also with a session")
	assert.Empty(t, m.visit(core.NewToken().Reveal(), nothing), "also with an unknown one")
	assert.Empty(t, m.visit("malformed", nothing))
}

func TestWhatIsWrongWithCarriersIsAConfigError(t *testing.T) {
	const field = "Carrier"
	tests := map[string]struct {
		carrier core.Carrier
		faults  []string
	}{
		"one":            {core.Carriers(core.Cookie{}), nil},
		"one in another": {core.Carriers(core.Carriers(core.Header{})), nil},
		"two cookies":    {core.Carriers(core.Cookie{}, core.Cookie{Name: "old"}), nil},
		"names differ in case": {
			core.Carriers(core.Cookie{Name: "sid"}, core.Cookie{Name: "SID"}), nil,
		},
		"none":                  {core.Carriers(), []string{field}},
		"a nil one":             {core.Carriers(core.Cookie{}, nil), []string{field}},
		"nothing but a nil one": {core.Carriers(nil), []string{field}},
		"the same cookie twice": {
			core.Carriers(core.Cookie{}, core.Cookie{Name: "__Host-sid"}), []string{field},
		},
		"the same header twice": {
			core.Carriers(core.Header{Name: "x-a"}, core.Header{Name: "X-A"}), []string{field},
		},
		"two bearers": {
			core.Carriers(core.Bearer{}, core.Bearer{Header: "X-B"}), []string{field},
		},
		"the faults of each": {
			core.Carriers(core.Cookie{Path: "x"}, core.Header{Name: "Vary"}),
			[]string{"Carrier.Path", "Carrier.Name"},
		},
		"the same one deep below": {
			core.Carriers(core.Header{}, core.Carriers(core.Header{})), []string{field},
		},
		"16 carriers": {core.Carriers(cookiesNamed(16)...), nil},
		"17 carriers": {core.Carriers(cookiesNamed(17)...), []string{field}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			requireFaults(t, core.Config{Carrier: test.carrier}, test.faults...)
		})
	}
}

func cookiesNamed(n int) (list []core.Carrier) {
	for i := range n {
		list = append(list, core.Cookie{Name: strings.Repeat("x", i+1)})
	}
	return list
}

func TestTheLastOf16CarriersWorks(t *testing.T) {
	m := newSite(t, core.Config{Carrier: core.Carriers(cookiesNamed(16)...)})
	last := strings.Repeat("x", 16)
	response := http.Header{}
	m.visitHeader(http.Header{"Cookie": {last + "="}}, response, setNote("x"))
	cookie, err := http.ParseSetCookie(response.Get("Set-Cookie"))
	require.NoError(t, err)
	assert.Equal(t, last, cookie.Name)
	assert.NotEmpty(t, m.visitHeader(
		http.Header{"Cookie": {last + "=" + cookie.Value}}, http.Header{}, nothing))
}

func TestChangingTheListAfterwardsChangesNothing(t *testing.T) {
	list := []core.Carrier{core.Header{}}
	carriers := core.Carriers(list...)
	list[0] = nil
	requireFaults(t, core.Config{Carrier: carriers})
}

// A buffer is a request header as some frameworks have it: its strings and its one slice are views
// of memory that is used again.
type buffer struct {
	memory []byte
	slice  []string
	lines  map[string]string
}

func (b *buffer) Values(name string) []string {
	line, ok := b.lines[name]
	if !ok {
		return nil
	}
	at := len(b.memory)
	b.memory = append(b.memory, line...)
	b.slice = append(b.slice[:0], unsafe.String(&b.memory[at], len(line)))
	return b.slice
}

// reuse overwrites the memory, as the next request on the connection does.
func (b *buffer) reuse() {
	for i := range b.memory {
		b.memory[i] = 'B'
	}
	for i := range b.slice {
		b.slice[i] = ""
	}
}

func TestBeginCopiesWhatItKeepsOfTheRequest(t *testing.T) {
	m := newSite(t, core.Config{Carrier: core.Carriers(core.Cookie{}, core.Header{})})
	token, id := m.start(setNote("x"))
	b := &buffer{memory: make([]byte, 0, 4096), lines: map[string]string{
		"Cookie": "a=b; __Host-sid=" + token, "Session-Id": token,
	}}
	session, err := m.Begin(t.Context(), b)
	require.NoError(t, err)
	b.reuse()
	assert.Equal(t, id, session.ID())
	note.Set(session, "y")
	m.commit(session)
	assert.Equal(t, "y", m.read(token))

	unknown := core.NewToken()
	b = &buffer{memory: make([]byte, 0, 4096), lines: map[string]string{
		"Cookie": "__Host-sid=" + unknown.Reveal(),
	}}
	m.events.take()
	session, err = m.Begin(t.Context(), b)
	require.NoError(t, err)
	b.reuse()
	assert.Equal(t, unknown.ID(), m.events.take()[0].ID)
	session.Destroy() // which is carried out by what Begin remembers
	requireExpired(t, m.commit(session))
}
