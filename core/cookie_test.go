package core_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

const deletion = "Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=0"

// setCookie is the one Set-Cookie line of a response, with T in the place of the token.
func setCookie(t *testing.T, response http.Header) string {
	t.Helper()
	lines := response.Values("Set-Cookie")
	require.Len(t, lines, 1)
	name, rest, _ := strings.Cut(lines[0], "=")
	value, attributes, _ := strings.Cut(rest, ";")
	if value == "" {
		return name + "=;" + attributes
	}
	_, ok := core.ParseToken(value)
	require.True(t, ok, "the value is a token")
	return name + "=T;" + attributes
}

// The lines are literal: they are what browsers get.
func TestTheSetCookieLineOfEveryOption(t *testing.T) {
	tests := map[string]struct {
		cookie        core.Cookie
		name          string
		issue, expire string
	}{
		"the zero Cookie": {core.Cookie{}, "__Host-sid",
			"__Host-sid=T; Path=/; HttpOnly; Secure; SameSite=Lax",
			"__Host-sid=; Path=/; " + deletion + "; HttpOnly; Secure; SameSite=Lax"},
		"Name": {core.Cookie{Name: "__Host-app"}, "__Host-app",
			"__Host-app=T; Path=/; HttpOnly; Secure; SameSite=Lax",
			"__Host-app=; Path=/; " + deletion + "; HttpOnly; Secure; SameSite=Lax"},
		"a Name without a prefix": {core.Cookie{Name: "app"}, "app",
			"app=T; Path=/; HttpOnly; Secure; SameSite=Lax",
			"app=; Path=/; " + deletion + "; HttpOnly; Secure; SameSite=Lax"},
		"a Name with the newer prefix": {core.Cookie{Name: "__Http-app"}, "__Http-app",
			"__Http-app=T; Path=/; HttpOnly; Secure; SameSite=Lax",
			"__Http-app=; Path=/; " + deletion + "; HttpOnly; Secure; SameSite=Lax"},
		"Domain": {core.Cookie{Domain: "example.com"}, "__Secure-sid",
			"__Secure-sid=T; Path=/; Domain=example.com; HttpOnly; Secure; SameSite=Lax",
			"__Secure-sid=; Path=/; Domain=example.com; " + deletion +
				"; HttpOnly; Secure; SameSite=Lax"},
		"a Domain with a dot before it": {core.Cookie{Domain: ".example.com"}, "__Secure-sid",
			"__Secure-sid=T; Path=/; Domain=example.com; HttpOnly; Secure; SameSite=Lax",
			"__Secure-sid=; Path=/; Domain=example.com; " + deletion +
				"; HttpOnly; Secure; SameSite=Lax"},
		"Path": {core.Cookie{Path: "/app"}, "__Secure-sid",
			"__Secure-sid=T; Path=/app; HttpOnly; Secure; SameSite=Lax",
			"__Secure-sid=; Path=/app; " + deletion + "; HttpOnly; Secure; SameSite=Lax"},
		"SameSite Strict": {core.Cookie{SameSite: http.SameSiteStrictMode}, "__Host-sid",
			"__Host-sid=T; Path=/; HttpOnly; Secure; SameSite=Strict",
			"__Host-sid=; Path=/; " + deletion + "; HttpOnly; Secure; SameSite=Strict"},
		"SameSite None": {core.Cookie{SameSite: http.SameSiteNoneMode}, "__Host-sid",
			"__Host-sid=T; Path=/; HttpOnly; Secure; SameSite=None",
			"__Host-sid=; Path=/; " + deletion + "; HttpOnly; Secure; SameSite=None"},
		"Persist": {core.Cookie{Persist: true}, "__Host-sid",
			"__Host-sid=T; Path=/; Max-Age=86400; HttpOnly; Secure; SameSite=Lax",
			"__Host-sid=; Path=/; " + deletion + "; HttpOnly; Secure; SameSite=Lax"},
		"Partitioned": {core.Cookie{Partitioned: true}, "__Host-sid",
			"__Host-sid=T; Path=/; HttpOnly; Secure; SameSite=Lax; Partitioned",
			"__Host-sid=; Path=/; " + deletion + "; HttpOnly; Secure; SameSite=Lax; Partitioned"},
		"Insecure": {core.Cookie{Insecure: true}, "sid",
			"sid=T; Path=/; HttpOnly; SameSite=Lax",
			"sid=; Path=/; " + deletion + "; HttpOnly; SameSite=Lax"},
		"all that go together": {core.Cookie{
			Name: "__Secure-x", Domain: "a.example", Path: "/p", SameSite: http.SameSiteNoneMode,
			Persist: true, Partitioned: true,
		}, "__Secure-x",
			"__Secure-x=T; Path=/p; Domain=a.example; Max-Age=86400; HttpOnly; Secure; " +
				"SameSite=None; Partitioned",
			"__Secure-x=; Path=/p; Domain=a.example; " + deletion +
				"; HttpOnly; Secure; SameSite=None; Partitioned"},
	}
	for name, test := range tests {
		bubble(t, name, func(t *testing.T) {
			m := newSite(t, core.Config{Carrier: test.cookie})
			response := m.visit("", setNote("x"))
			assert.Equal(t, test.issue, setCookie(t, response))
			assert.Equal(t, []string{"no-store"}, response.Values("Cache-Control"))
			assert.Equal(t, []string{"Cookie"}, response.Values("Vary"))

			cookie, err := http.ParseSetCookie(response.Get("Set-Cookie"))
			require.NoError(t, err)
			request := http.Header{"Cookie": {test.name + "=" + cookie.Value}}
			session, err := m.Begin(t.Context(), request)
			require.NoError(t, err)
			require.NotEmpty(t, session.ID(), "the cookie of that name is read")
			session.Destroy()
			assert.Equal(t, test.expire, setCookie(t, m.commit(session)))
		})
	}
}

func TestTheDefaultNameHasTheStrongestPrefixThatFits(t *testing.T) {
	for name, test := range map[string]struct {
		cookie core.Cookie
		want   string
	}{
		"nothing else set":     {core.Cookie{}, "__Host-sid"},
		"Path /":               {core.Cookie{Path: "/"}, "__Host-sid"},
		"another Path":         {core.Cookie{Path: "/x"}, "__Secure-sid"},
		"Domain":               {core.Cookie{Domain: "example.com"}, "__Secure-sid"},
		"Domain and Path":      {core.Cookie{Domain: "example.com", Path: "/x"}, "__Secure-sid"},
		"Insecure":             {core.Cookie{Insecure: true}, "sid"},
		"Insecure with Domain": {core.Cookie{Insecure: true, Domain: "example.com"}, "sid"},
		"Insecure with Path":   {core.Cookie{Insecure: true, Path: "/x"}, "sid"},
	} {
		t.Run(name, func(t *testing.T) {
			m := newSite(t, core.Config{Carrier: test.cookie})
			line := setCookie(t, m.visit("", setNote("x")))
			got, _, _ := strings.Cut(line, "=")
			assert.Equal(t, test.want, got)
		})
	}
}

// requireFaults checks which fields New finds at fault, each as often as it is listed.
func requireFaults(t *testing.T, cfg core.Config, fields ...string) {
	t.Helper()
	m, err := core.New(cfg)
	if len(fields) == 0 {
		require.NoError(t, err)
		require.NoError(t, m.Close())
		return
	}
	require.Error(t, err)
	require.Nil(t, m)
	joined, ok := err.(interface{ Unwrap() []error })
	require.True(t, ok, "joined errors")
	var got []string
	for _, one := range joined.Unwrap() {
		var fault *core.ConfigError
		require.ErrorAs(t, one, &fault)
		require.NotEmpty(t, fault.Reason)
		require.Contains(t, err.Error(), "session config: "+fault.Field+" "+fault.Reason)
		got = append(got, fault.Field)
	}
	require.ElementsMatch(t, fields, got, err.Error())
	var first *core.ConfigError
	require.True(t, errors.As(err, &first))
}

func TestWhatContradictsItselfInACookieIsAConfigError(t *testing.T) {
	const name, domain, path = "Carrier.Name", "Carrier.Domain", "Carrier.Path"
	const site, insecure = "Carrier.SameSite", "Carrier.Insecure"
	tests := map[string]struct {
		cookie core.Cookie
		faults []string
	}{
		"nothing": {core.Cookie{}, nil},
		"__Host- with Domain": {
			core.Cookie{Name: "__Host-x", Domain: "a.example"}, []string{domain},
		},
		"__Host- with Path": {core.Cookie{Name: "__Host-x", Path: "/x"}, []string{path}},
		"__Host- with Insecure": {
			core.Cookie{Name: "__Host-x", Insecure: true}, []string{insecure},
		},
		"__Secure- with Insecure": {
			core.Cookie{Name: "__Secure-x", Insecure: true}, []string{insecure},
		},
		"__Http- with Insecure": {
			core.Cookie{Name: "__Http-x", Insecure: true}, []string{insecure},
		},
		"__Host-Http- with Domain": {
			core.Cookie{Name: "__Host-Http-x", Domain: "a.example"}, []string{domain},
		},
		"__Secure- with Domain":     {core.Cookie{Name: "__Secure-x", Domain: "a.example"}, nil},
		"a prefix in small letters": {core.Cookie{Name: "__host-x"}, []string{name}},
		"a prefix in other letters": {core.Cookie{Name: "__SECURE-x"}, []string{name}},
		"small letters with Domain": {
			core.Cookie{Name: "__host-x", Domain: "a.example"}, []string{name, domain},
		},
		"Partitioned and Insecure": {
			core.Cookie{Partitioned: true, Insecure: true}, []string{"Carrier.Partitioned"},
		},
		"None without Secure": {
			core.Cookie{SameSite: http.SameSiteNoneMode, Insecure: true}, []string{site},
		},
		"Lax without Secure": {
			core.Cookie{SameSite: http.SameSiteLaxMode, Insecure: true}, nil,
		},
		"the default SameSite mode": {
			core.Cookie{SameSite: http.SameSiteDefaultMode}, []string{site},
		},
		"a SameSite of another kind": {core.Cookie{SameSite: 99}, []string{site}},
		"a negative SameSite":        {core.Cookie{SameSite: -1}, []string{site}},
		"a Path without a slash":     {core.Cookie{Path: "x"}, []string{path}},
		"a Path with a semicolon":    {core.Cookie{Path: "/;x"}, []string{path}},
		"a Path with a new line":     {core.Cookie{Path: "/\r\nSet-Cookie: x=y"}, []string{path}},
		"a Path of 1024 bytes":       {core.Cookie{Path: "/" + strings.Repeat("x", 1023)}, nil},
		"a Path of 1025 bytes": {
			core.Cookie{Path: "/" + strings.Repeat("x", 1024)}, []string{path},
		},
		"a Name with a blank":        {core.Cookie{Name: "a b"}, []string{name}},
		"a Name with an equals sign": {core.Cookie{Name: "a=b"}, []string{name}},
		"a Name with a semicolon":    {core.Cookie{Name: "a;b"}, []string{name}},
		"a Name with a new line":     {core.Cookie{Name: "a\nb"}, []string{name}},
		"a Name beyond ASCII":        {core.Cookie{Name: "é"}, []string{name}},
		"a Name that just fits":      {core.Cookie{Name: strings.Repeat("n", 4096-128)}, nil},
		"a Name too long": {
			core.Cookie{Name: strings.Repeat("n", 4096-127)}, []string{name},
		},
		"a Domain with a blank":    {core.Cookie{Domain: "a b"}, []string{domain}},
		"a Domain with a port":     {core.Cookie{Domain: "example.com:80"}, []string{domain}},
		"a Domain with a new line": {core.Cookie{Domain: "a\r\nX: y"}, []string{domain}},
		"a Domain that is an IP":   {core.Cookie{Domain: "127.0.0.1"}, nil},
		"all at once": {core.Cookie{
			Name: "__Host-x y", Domain: "a b", Path: "x", SameSite: http.SameSiteNoneMode,
			Partitioned: true, Insecure: true,
		}, []string{domain, path, insecure, "Carrier.Partitioned", site, path, name, domain}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			requireFaults(t, core.Config{Carrier: test.cookie}, test.faults...)
			requireFaults(t, core.Config{Carrier: &test.cookie}, test.faults...)
		})
	}
	long := core.Cookie{Domain: strings.Repeat("a.", 127) + "example"}
	_, err := core.New(core.Config{Carrier: long})
	assert.ErrorContains(t, err, domain, "a Domain that is too long")
}

func TestMaxAgeIsWhatIsLeftOfTheLifetime(t *testing.T) {
	tests := map[string]struct {
		lifetime, idle, after time.Duration
		want                  string
	}{
		"a day, at its beginning":    {0, 0, 0, "Max-Age=86400"},
		"renewed half an hour later": {0, 0, 30 * time.Minute, "Max-Age=84600"},
		"a second and a half is two": {2500 * time.Millisecond, 0, time.Second, "Max-Age=2"},
		"less than a second is still one": {
			2 * time.Second, 0, 1999 * time.Millisecond, "Max-Age=1",
		},
		"400 days": {
			400 * 24 * time.Hour, core.Never, 0, "Max-Age=34560000",
		},
		"401 days are 400": {
			401 * 24 * time.Hour, core.Never, 0, "Max-Age=34560000",
		},
		"of 401 days, 399 left": {
			401 * 24 * time.Hour, core.Never, 48 * time.Hour, "Max-Age=34473600",
		},
		"Never is 400 days": {core.Never, core.Never, 0, "Max-Age=34560000"},
		"Never, later": {
			core.Never, core.Never, 100 * time.Hour, "Max-Age=34560000",
		},
	}
	for name, test := range tests {
		bubble(t, name, func(t *testing.T) {
			m := newSite(t, core.Config{
				Carrier:  core.Cookie{Persist: true},
				Lifetime: test.lifetime, IdleTimeout: test.idle, TouchInterval: time.Millisecond,
			})
			response := m.visit("", setNote("x"))
			if test.after > 0 {
				token := tokenIn(t, response)
				pass(test.after)
				response = m.visit(token, doRenew)
			}
			assert.Contains(t, setCookie(t, response), "; "+test.want+";")
		})
	}
}

func TestPersistOverrulesTheCookieBothWaysAndIsKept(t *testing.T) {
	const maxAge = "Max-Age=86400"
	for name, test := range map[string]struct {
		cookie, call, want bool
	}{
		"on over off":  {false, true, true},
		"off over on":  {true, false, false},
		"on over on":   {true, true, true},
		"off over off": {false, false, false},
	} {
		bubble(t, name, func(t *testing.T) {
			m := newSite(t, core.Config{Carrier: core.Cookie{Persist: test.cookie}})
			check := func(response http.Header, want bool) string {
				t.Helper()
				assert.Equal(t, want, strings.Contains(setCookie(t, response), maxAge))
				return tokenIn(t, response)
			}
			token := check(m.visit("", func(s *core.Session) {
				s.Persist(test.call) // before there is a session
				s.SetOwner("somebody")
			}), test.want)
			token = check(m.visit(token, doRenew), test.want)

			response := m.visit(token, func(s *core.Session) { s.Persist(test.call) })
			assert.Empty(t, response.Values("Set-Cookie"), "it is so already")

			response = m.visit(token, func(s *core.Session) { s.Persist(!test.call) })
			token = check(response, !test.want)
			check(m.visit(token, doRenew), !test.want)
		})
	}
}

func TestPersistAloneBeginsNothing(t *testing.T) {
	m := newSite(t, core.Config{})
	response := m.visit("", func(s *core.Session) {
		s.Persist(true)
		assert.Empty(t, s.ID())
		require.NoError(t, s.Err())
	})
	assert.Empty(t, response.Values("Set-Cookie"))
	assert.Zero(t, m.store.writes())
}

func TestPersistIsForgottenWithTheSessionThatIsDestroyed(t *testing.T) {
	m := newSite(t, core.Config{})
	token, _ := m.start(func(s *core.Session) {
		s.Persist(true)
		note.Set(s, "x")
	})
	response := m.visit(token, func(s *core.Session) {
		s.Destroy()
		note.Set(s, "another")
	})
	assert.NotContains(t, setCookie(t, response), "Max-Age")
}
