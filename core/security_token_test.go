package core_test

import (
	"crypto/rand"
	"encoding/base64"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// randomTap is a source of randomness that remembers what it gave.
type randomTap struct {
	from io.Reader

	mu    sync.Mutex
	given []string // in base64url
}

func (r *randomTap) Read(b []byte) (int, error) {
	n, err := r.from.Read(b)
	r.mu.Lock()
	r.given = append(r.given, base64.RawURLEncoding.EncodeToString(b[:n]))
	r.mu.Unlock()
	return n, err
}

func TestT01_EveryBitOfATokenComesFromCryptoRand(t *testing.T) {
	site := newSecSite(t, core.Config{})
	tap := &randomTap{from: rand.Reader}
	rand.Reader = tap
	defer func() { rand.Reader = tap.from }()

	first := secIssued(site.serve(nil, secSet("a")))
	require.Contains(t, tap.given, first[:32], "24 bytes are the ID")
	require.Contains(t, tap.given, first[32:], "72 bytes are the secret")

	tap.given = nil
	renewed := secIssued(site.serve(secWith(first), (*core.Session).Renew))
	require.Contains(t, tap.given, renewed[32:])

	tap.given = nil
	text := core.NewToken().Reveal()
	require.Equal(t, text, strings.Join(tap.given, ""))
}

// secStrange are tokens that look right and open nothing. The site must not sweep.
func secStrange(t *testing.T, site *secSite) map[string]string {
	ended := secIssued(site.serve(nil, secSet("ended")))
	site.serve(secWith(ended), (*core.Session).Destroy)

	expired := secIssued(site.serve(nil, secSet("expired")))
	secPass(2 * time.Hour)
	live := secIssued(site.serve(nil, func(s *core.Session) { s.SetOwner("alice") }))
	foreign, err := core.New(core.Config{Store: site.store, Namespace: "another application"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, foreign.Close()) })
	of := &secSite{t: t, manager: foreign, store: site.store}
	other := core.NewToken().Reveal()
	return map[string]string{
		"chosen by the client":             other,
		"all of one letter":                strings.Repeat("A", 128),
		"of a session that has ended":      ended,
		"of a session that has expired":    expired,
		"of another application":           secIssued(of.serve(nil, secSet("foreign"))),
		"with a good ID and another's end": live[:32] + other[32:],
		"with a good end and another's ID": other[:32] + live[32:],
		"with one bit changed":             secFlip(live, 127),
		"with one bit of the ID changed":   secFlip(live, 0),
	}
}

// secFlip replaces the character at one place by another of the alphabet.
func secFlip(token string, at int) string {
	with := "A"
	if token[at] == 'A' {
		with = "B"
	}
	return token[:at] + with + token[at+1:]
}

func TestT05_StrictMode(t *testing.T) {
	mine := func(string) string { return "mine" }
	attempts := map[string]func(*core.Session){
		"set":            secSet("mine"),
		"update":         func(s *core.Session) { secValue().Update(s, mine) },
		"sign in":        func(s *core.Session) { s.SetOwner("mallory"); secSet("mine")(s) },
		"clear, set":     func(s *core.Session) { s.Clear(); secSet("mine")(s) },
		"renew, set":     func(s *core.Session) { s.Renew(); secSet("mine")(s) },
		"take, set":      func(s *core.Session) { secValue().TakeOnce(s); secSet("mine")(s) },
		"persist, set":   func(s *core.Session) { s.Persist(true); secSet("mine")(s) },
		"destroy, set":   func(s *core.Session) { s.Destroy(); secSet("mine")(s) },
		"set, then read": func(s *core.Session) { secSet("mine")(s); s.ID(); s.Names() },
	}
	for name, attempt := range attempts {
		secBubble(t, name, func(t *testing.T) {
			site := newSecSite(t, core.Config{IdleTimeout: time.Hour, Lifetime: core.Never})
			require.NoError(t, site.manager.Close()) // no sweep: the expired one is still there
			for kind, token := range secStrange(t, site) {
				stored, missing := site.store.MemoryStore.Load(t.Context(), core.ID(token[:32]))
				site.serve(secWith(token), func(s *core.Session) {
					require.Empty(t, s.ID(), "a token %s opens nothing", kind)
					require.Empty(t, s.Owner())
					require.Empty(t, s.Names())
				})
				issued := secIssued(site.serve(secWith(token), attempt))
				require.NotEmpty(t, issued, "%s: the client has a session now", kind)
				require.NotEqual(t, token[:32], issued[:32], "the ID of a token %s is not adopted", kind)
				require.NotEqual(t, token[32:], issued[32:])
				note, _ := site.read(issued)
				require.Equal(t, "mine", note)

				site.requireDead(token)
				after, err := site.store.MemoryStore.Load(t.Context(), core.ID(token[:32]))
				if name != "destroy, set" || kind != "of a session that has expired" {
					require.Equal(t, missing, err, "no record under the ID of a token %s", kind)
					require.Equal(t, stored, after, "nor is one changed that is there")
				}
			}
		})
	}
}

func TestT05_StrictModeSaysWhatItSaw(t *testing.T) {
	secBubble(t, "an event for each", func(t *testing.T) {
		site := newSecSite(t, core.Config{IdleTimeout: time.Hour, Lifetime: core.Never})
		require.NoError(t, site.manager.Close())
		for kind, token := range secStrange(t, site) {
			site.seen()
			site.serve(secWith(token), func(*core.Session) {})
			want := core.TokenUnknown
			if kind == "of a session that has expired" {
				want = core.SessionUseAfterExpire
			}
			events := site.seenEvents()
			require.Len(t, events, 1, kind)
			require.Equal(t, want, events[0].Kind, kind)
			require.Equal(t, core.ID(token[:32]), events[0].ID, "what the client claims")
		}
	})
}

// secHostile are headers with what nobody but an attacker sends; good is a token that would open a
// session.
func secHostile(good string) map[string]http.Header {
	cookie := func(lines ...string) http.Header { return http.Header{"Cookie": lines} }
	value := func(v string) http.Header { return cookie(secCookie + "=" + v) }
	// replace keeps the length, so that only the character is at fault.
	replace := func(at int, by string) http.Header {
		return value(good[:at] + by + good[at+len(by):])
	}
	twice := secCookie + "=" + good + "; " + secCookie + "=" + core.NewToken().Reveal()
	lines := append(slices.Repeat([]string{"a=b"}, 3000), secCookie+"="+good)
	return map[string]http.Header{
		"nothing":                      value(""),
		"blanks":                       value("   \t "),
		"only the ID":                  value(good[:32]),
		"one character too few":        value(good[:127]),
		"one character too many":       value(good + "A"),
		"twice the token":              value(good + good),
		"10 kB":                        value(strings.Repeat("A", 10_000)),
		"1 MB":                         value(strings.Repeat("A", 1<<20)),
		"CR LF and a header":           replace(60, "\r\nSet-Cookie: a=b\r\n"),
		"a bare LF at the end":         value(good + "\n"),
		"NUL":                          replace(5, "\x00"),
		"NUL at the end":               value(good + "\x00"),
		"an escape sequence":           replace(5, "\x1b[31m"),
		"UTF-8":                        replace(40, "é"),
		"a letter that folds to ASCII": replace(40, "\u212a"),
		"invalid UTF-8":                replace(40, "\xff\xfe"),
		"percent escapes":              value("%41" + good[3:]),
		"a whole token in escapes":     value(strings.ReplaceAll(good, good[:1], "%"+secHex(good[0]))),
		"padding":                      replace(126, "=="),
		"plus and slash":               replace(10, "+/"),
		"a comma":                      value(good + "," + good),
		"a path":                       replace(0, "../../../etc/passwd"),
		"a query":                      replace(0, "' OR 1=1 --"),
		"commands of Redis":            replace(0, "a\r\nFLUSHALL\r\n"),
		"JSON":                         value(`{"id":1}`),
		"one quote":                    value(`"` + good),
		"quotes in quotes":             value(`""` + good + `""`),
		"single quotes":                value("'" + good + "'"),
		"a quoted blank":               value(`" ` + good + `"`),
		"a no-break space before it":   value("\u00a0" + good),
		"two different tokens":         cookie(twice),
		"a good one and a bad one":     cookie(secCookie+"="+good, secCookie+"=x"),
		"a bad one and a good one":     cookie(secCookie+"=x", secCookie+"="+good),
		"3001 cookies":                 cookie(strings.Repeat("a=b; ", 3000) + secCookie + "=" + good),
		"3001 cookies in 3001 lines":   cookie(lines...),
		"the name in other letters":    cookie("__host-sid=" + good),
		"the name without its prefix":  cookie("sid=" + good),
		"a Unicode space before name":  cookie("\u2000" + secCookie + "=" + good),
		"a no-break space before name": cookie("\u00a0" + secCookie + "=" + good),
		"a name in the value":          cookie("x=" + secCookie + "=" + good),
		"no name":                      cookie("=" + secCookie + "=" + good),
		"another header":               {"Session-Id": {good}, "Authorization": {"Bearer " + good}},
		"headers of proxies":           {"X-Forwarded-Cookie": {secCookie + "=" + good}},
	}
}

func secHex(c byte) string {
	const digits = "0123456789ABCDEF"
	return string([]byte{digits[c>>4], digits[c&15]})
}

func TestT06_HostileTokensReachNoStore(t *testing.T) {
	site := newSecSite(t, core.Config{})
	good := secIssued(site.serve(nil, secSet("secret")))
	for name, header := range secHostile(good) {
		t.Run(name, func(t *testing.T) {
			calls, records := site.store.count(), site.store.Len()
			response := site.serve(header, func(s *core.Session) {
				_, found := secValue().Get(s)
				require.False(t, found)
				require.Empty(t, s.ID())
				require.Empty(t, s.Names())
			})
			require.Equal(t, http.StatusOK, response.StatusCode, "no error page")
			require.Equal(t, calls, site.store.count(), "no store call")
			require.Equal(t, records, site.store.Len())

			issued := secIssued(site.serve(header, secSet("mine")))
			require.NotEmpty(t, issued, "and the client can have a session")
			require.NotEqual(t, good[:32], issued[:32])
			require.Equal(t, 1, site.store.count()-calls, "one Create, and nothing else")
		})
	}
	note, _ := site.read(good)
	require.Equal(t, "secret", note, "the session of the good token is as it was")
}

func TestT06_HostileTokensInHeaders(t *testing.T) {
	for name, carrier := range map[string]core.Carrier{
		"Session-Id": core.Header{}, "Authorization": core.Bearer{},
	} {
		t.Run(name, func(t *testing.T) {
			site := newSecSite(t, core.Config{Carrier: carrier})
			good := site.serve(nil, secSet("secret")).Header.Get("Session-Id")
			scheme := ""
			if name == "Authorization" {
				scheme = "Bearer "
			}
			for _, lines := range [][]string{
				{""}, {scheme}, {scheme + "   "}, {scheme + good[:127]}, {scheme + good + "A"},
				{scheme + good + ", " + good}, {scheme + `"` + good + `"`}, {scheme + good + "\x00"},
				{scheme + "\u00a0" + good}, {scheme + strings.Repeat("A", 10_000)},
				{scheme + good, scheme + core.NewToken().Reveal()}, {scheme + good, scheme + "x"},
				{"Basic " + good}, {"Bearer" + good}, {"Bearer\u00a0" + good}, {"Token " + good},
			} {
				calls := site.store.count()
				response := site.serve(http.Header{name: lines}, secRead)
				require.Equal(t, http.StatusOK, response.StatusCode)
				require.Equal(t, calls, site.store.count(), "%q", lines)
				require.NotContains(t, response.Header, "Session-Id")
			}
			header := http.Header{name: {scheme + good}}
			site.serve(header, func(s *core.Session) { require.NotEmpty(t, s.ID()) })
		})
	}
}
