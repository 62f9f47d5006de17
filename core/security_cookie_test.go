package core_test

import (
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// secSetCookie is the one Set-Cookie line of a new session, with the token replaced.
func secSetCookie(t *testing.T, cfg core.Config) string {
	t.Helper()
	response := newSecSite(t, cfg).serve(nil, secSet("a"))
	lines := response.Header.Values("Set-Cookie")
	require.Len(t, lines, 1)
	return regexp.MustCompile(`[A-Za-z0-9_-]{128}`).ReplaceAllString(lines[0], "TOKEN")
}

func TestT40_CookieDefaultsGolden(t *testing.T) {
	const (
		host  = "__Host-sid=TOKEN; Path=/"
		flags = "; HttpOnly; Secure; SameSite="
		rest  = flags + "Lax"
	)
	strict, none := http.SameSiteStrictMode, http.SameSiteNoneMode
	cases := map[string]struct {
		cookie core.Cookie
		want   string
	}{
		"zero":   {core.Cookie{}, host + rest},
		"a path": {core.Cookie{Path: "/app"}, "__Secure-sid=TOKEN; Path=/app" + rest},
		"a domain": {
			core.Cookie{Domain: "example.com"},
			"__Secure-sid=TOKEN; Path=/; Domain=example.com" + rest,
		},
		"insecure":    {core.Cookie{Insecure: true}, "sid=TOKEN; Path=/; HttpOnly; SameSite=Lax"},
		"a name":      {core.Cookie{Name: "id"}, "id=TOKEN; Path=/" + rest},
		"strict":      {core.Cookie{SameSite: strict}, host + flags + "Strict"},
		"none":        {core.Cookie{SameSite: none}, host + flags + "None"},
		"partitioned": {core.Cookie{Partitioned: true}, host + rest + "; Partitioned"},
		"persistent":  {core.Cookie{Persist: true}, host + "; Max-Age=86400" + rest},
	}
	for name, test := range cases {
		secBubble(t, name, func(t *testing.T) {
			require.Equal(t, test.want, secSetCookie(t, core.Config{Carrier: test.cookie}))
		})
	}
	secBubble(t, "no Carrier is the zero Cookie", func(t *testing.T) {
		require.Equal(t, cases["zero"].want, secSetCookie(t, core.Config{}))
	})
}

func TestT40_ADeletionRepeatsWhatMakesTheCookie(t *testing.T) {
	cases := map[string]core.Cookie{
		"__Host-sid=; Path=/; %s; HttpOnly; Secure; SameSite=Lax": {},
		"__Secure-sid=; Path=/a; Domain=example.com; %s; HttpOnly; Secure; SameSite=Strict": {
			Path: "/a", Domain: "example.com", SameSite: http.SameSiteStrictMode},
		"sid=; Path=/; %s; HttpOnly; SameSite=Lax": {Insecure: true},
		"__Host-sid=; Path=/; %s; HttpOnly; Secure; SameSite=None; Partitioned": {
			Partitioned: true, SameSite: http.SameSiteNoneMode},
		"__Host-sid=; Path=/; %s; HttpOnly; Secure; SameSite=Lax ": {Persist: true},
	}
	for want, cookie := range cases {
		t.Run(want, func(t *testing.T) {
			site := newSecSite(t, core.Config{Carrier: cookie})
			made := site.serve(nil, secSet("a"))
			name, _, _ := strings.Cut(made.Header.Get("Set-Cookie"), "=")
			ended := site.serve(http.Header{"Cookie": {name + "=" + secIssued(made)}},
				(*core.Session).Destroy)
			want := strings.TrimSpace(strings.Replace(want, "%s",
				"Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=0", 1))
			require.Equal(t, []string{want}, ended.Header.Values("Set-Cookie"))
		})
	}
}

// requireCookieFaults checks which fields of a Cookie are at fault, none for a good one.
func requireCookieFaults(t *testing.T, cookie core.Cookie, fields ...string) {
	t.Helper()
	_, err := core.New(core.Config{Carrier: cookie})
	var got []string
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, one := range joined.Unwrap() {
			var fault *core.ConfigError
			require.True(t, errors.As(one, &fault))
			if !slices.Contains(got, fault.Field) {
				got = append(got, fault.Field)
			}
		}
	}
	require.Equal(t, fields, got, "%+v: %v", cookie, err)
}

func TestT41_PrefixRules(t *testing.T) {
	requireCookieFaults(t, core.Cookie{Name: "__Host-id"})
	requireCookieFaults(t, core.Cookie{Name: "__Host-id", Path: "/"})
	requireCookieFaults(t, core.Cookie{Name: "__Host-Http-id"})
	requireCookieFaults(t, core.Cookie{Name: "__Http-id", Domain: "example.com", Path: "/a"})
	requireCookieFaults(t, core.Cookie{Name: "__Secure-id", Domain: "example.com", Path: "/a"})
	requireCookieFaults(t, core.Cookie{Name: "__Host-id", Domain: "example.com"}, "Carrier.Domain")
	requireCookieFaults(t, core.Cookie{Name: "__Host-id", Path: "/a"}, "Carrier.Path")
	requireCookieFaults(t, core.Cookie{Name: "__Host-id", Insecure: true}, "Carrier.Insecure")
	requireCookieFaults(t, core.Cookie{Name: "__Secure-id", Insecure: true}, "Carrier.Insecure")
	requireCookieFaults(t, core.Cookie{Name: "__Http-id", Insecure: true}, "Carrier.Insecure")
	for _, folded := range []string{"__host-id", "__HOST-id", "__secure-id", "__SECURE-id"} {
		requireCookieFaults(t, core.Cookie{Name: folded}, "Carrier.Name")
	}
	// No request is taken by a name in other letters, which a browser does not protect.
	site := newSecSite(t, core.Config{})
	token := secIssued(site.serve(nil, secSet("a")))
	for _, name := range []string{"__host-sid", "__HOST-SID", "__Host-Sid", "sid", "__Secure-sid"} {
		site.serve(http.Header{"Cookie": {name + "=" + token}}, func(s *core.Session) {
			require.Empty(t, s.ID(), name)
		})
	}
}

func TestT42_NoneAndPartitionedNeedSecure(t *testing.T) {
	none, lax := http.SameSiteNoneMode, http.SameSiteLaxMode
	requireCookieFaults(t, core.Cookie{SameSite: none})
	requireCookieFaults(t, core.Cookie{SameSite: none, Partitioned: true})
	requireCookieFaults(t, core.Cookie{SameSite: lax, Insecure: true})
	requireCookieFaults(t, core.Cookie{SameSite: none, Insecure: true}, "Carrier.SameSite")
	requireCookieFaults(t, core.Cookie{Partitioned: true, Insecure: true}, "Carrier.Partitioned")
	for _, strange := range []http.SameSite{-1, http.SameSiteDefaultMode, 5} {
		requireCookieFaults(t, core.Cookie{SameSite: strange}, "Carrier.SameSite")
	}
}

func TestT43_SizesAndTheClampOf400Days(t *testing.T) {
	requireCookieFaults(t, core.Cookie{Name: strings.Repeat("n", 4096-128)})
	requireCookieFaults(t, core.Cookie{Name: strings.Repeat("n", 4096-127)}, "Carrier.Name")
	requireCookieFaults(t, core.Cookie{Path: "/" + strings.Repeat("p", 1023)})
	requireCookieFaults(t, core.Cookie{Path: "/" + strings.Repeat("p", 1024)}, "Carrier.Path")
	requireCookieFaults(t, core.Cookie{Domain: strings.Repeat("d.", 127)}, "Carrier.Domain")

	ages := map[time.Duration]int{
		core.Never:              34560000,
		400 * 24 * time.Hour:    34560000,
		4000 * 24 * time.Hour:   34560000,
		30 * 24 * time.Hour:     2592000,
		1500 * time.Millisecond: 2,
		time.Millisecond:        1, // and not zero, which would be a deletion
	}
	for lifetime, want := range ages {
		secBubble(t, lifetime.String(), func(t *testing.T) {
			site := newSecSite(t, core.Config{
				Lifetime: lifetime, Carrier: core.Cookie{Persist: true},
			})
			cookies := site.serve(nil, secSet("a")).Cookies()
			require.Len(t, cookies, 1)
			require.Equal(t, want, cookies[0].MaxAge)
		})
	}
}

func TestT44_OneSetCookieAResponse(t *testing.T) {
	verbs := []func(*core.Session){
		secSet("a"), (*core.Session).Renew, func(s *core.Session) { s.SetOwner("alice") },
		func(s *core.Session) { s.Persist(true) }, (*core.Session).Destroy,
		func(s *core.Session) { s.SetOwner("bob") }, (*core.Session).Clear,
	}
	site := newSecSite(t, core.Config{})
	for first := range verbs {
		for second := range verbs {
			for third := range verbs {
				token := secIssued(site.serve(nil, secOwned("carol", "a")))
				response := site.serve(secWith(token), func(s *core.Session) {
					verbs[first](s)
					verbs[second](s)
					verbs[third](s)
				})
				lines := response.Header.Values("Set-Cookie")
				require.LessOrEqual(t, len(lines), 1, "verbs %d %d %d: %q", first, second, third, lines)
			}
		}
	}
	// An application's own cookies stay as they are, also one of a name that looks alike.
	response := site.serveHTTP(nil, func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "theme", Value: "dark"})
		http.SetCookie(w, &http.Cookie{Name: "sid", Value: "mine"})
		s, _ := core.FromContext(r.Context())
		secSet("a")(s)
	})
	lines := response.Header.Values("Set-Cookie")
	require.Len(t, lines, 3)
	require.Equal(t, []string{"theme=dark", "sid=mine"}, lines[:2])
}

func TestT49_NamesTellNothing(t *testing.T) {
	cookie, _, _ := strings.Cut(secSetCookie(t, core.Config{}), "=")
	require.Equal(t, "__Host-sid", cookie)
	header := newSecSite(t, core.Config{Carrier: core.Header{}}).serve(nil, secSet("a")).Header
	require.Contains(t, header, "Session-Id")
	for name := range header {
		for _, told := range []string{
			"golang", "gosess", "gin", "echo", "fiber", "chi", "store", "server", "plug", "elixir",
		} {
			require.NotContains(t, strings.ToLower(name), told)
		}
	}
}
