package core_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// secPoison is what an attacker adds to break out of a header or a log line.
func secPoison() []string {
	return []string{
		"\r\nSet-Cookie: evil=1", "\nX: evil", "\r", "\n", "\x00", "\x7f", "\x1b[2J",
		"; Domain=evil.example", "\u2028", "\u0085", "é", "\xff", ",", "\"", " ", "\t",
	}
}

func TestT94_NoSettingBreaksOutOfAHeader(t *testing.T) {
	harmlessInPath := []string{",", "\"", " "}
	harmlessInNamespace := append([]string{"; Domain=evil.example"}, harmlessInPath...)
	for _, poison := range secPoison() {
		settings := map[string]core.Config{
			"a cookie's name":   {Carrier: core.Cookie{Name: "sid" + poison}},
			"a cookie's domain": {Carrier: core.Cookie{Domain: "example.com" + poison}},
			"a header's name":   {Carrier: core.Header{Name: "Session-Id" + poison}},
			"a bearer's header": {Carrier: core.Bearer{Header: "Session-Id" + poison}},
		}
		if !slices.Contains(harmlessInPath, poison) {
			settings["a cookie's path"] = core.Config{Carrier: core.Cookie{Path: "/" + poison}}
		}
		if !slices.Contains(harmlessInNamespace, poison) {
			settings["the namespace"] = core.Config{Namespace: "shop" + poison}
		}
		for name, cfg := range settings {
			_, err := core.New(cfg)
			var fault *core.ConfigError
			require.ErrorAs(t, err, &fault, "%s with %q", name, poison)
			require.NotContains(t, err.Error(), "evil", "nor does the error repeat it")
		}
	}
	for _, meant := range []string{
		"Set-Cookie", "cookie", "AUTHORIZATION", "host", "Content-Length", "Content-Type",
		"Transfer-Encoding", "connection", "Vary", "Cache-Control", "Access-Control-Expose-Headers",
	} {
		_, err := core.New(core.Config{Carrier: core.Header{Name: meant}})
		require.ErrorContains(t, err, "Carrier.Name", meant)
		_, err = core.New(core.Config{Carrier: core.Bearer{Header: meant}})
		require.ErrorContains(t, err, "Carrier.Header", meant)
	}
}

// secAnswers are all the lines that the carriers may add to a response, whatever a client sends.
func secAnswers() *regexp.Regexp {
	return regexp.MustCompile(`^(|[\w-]{128}|no-store|Cookie|Session-Id|X-Token|Authorization|` +
		`(__Host-|__Secure-)?sid=([\w-]{128})?(; [A-Za-z-]+(=[\w/.,: -]+)?)+)$`)
}

func TestT94_NothingThatAClientSendsComesBack(t *testing.T) {
	carriers := map[string]core.Carrier{
		"cookie": core.Cookie{Persist: true, Domain: "example.com", Path: "/app"},
		"header": core.Header{},
		"all":    core.Carriers(core.Cookie{}, core.Header{}, core.Bearer{Header: "X-Token"}),
	}
	for name, carrier := range carriers {
		t.Run(name, func(t *testing.T) {
			allowed := secAnswers()
			site := newSecSite(t, core.Config{Carrier: carrier})
			token := secIssued(site.serve(nil, secSet("a")))
			for _, poison := range secPoison() {
				for _, sent := range []string{
					poison, token + poison, poison + token, token[:128-len(poison)] + poison,
				} {
					header := http.Header{
						"Cookie":     {"__Host-sid=" + sent, "__Secure-sid=" + sent},
						"Session-Id": {sent}, "Authorization": {"Bearer " + sent},
						"Origin": {"https://evil.example" + poison}, "X-Forwarded-Host": {poison},
					}
					for _, f := range []func(*core.Session){
						secSet("a" + poison), secOwned(poison, poison), (*core.Session).Destroy,
					} {
						response := site.serve(header, f)
						if response.StatusCode != http.StatusOK {
							continue // invalid UTF-8 or a NUL, which is the application's own mistake
						}
						for field, lines := range response.Header {
							for _, line := range lines {
								require.Regexp(t, allowed, line, "%s after %q", field, sent)
							}
						}
					}
				}
			}
		})
	}
}

func TestT63_NoEventBreaksALogLine(t *testing.T) {
	var text, lines bytes.Buffer
	for _, handler := range []slog.Handler{
		slog.NewTextHandler(&text, nil), slog.NewJSONHandler(&lines, nil),
	} {
		site := newSecSite(t, core.Config{Logger: slog.New(handler)})
		for _, poison := range secPoison() {
			poison = strings.ToValidUTF8(strings.ReplaceAll(poison, "\x00", ""), "")
			site.serve(http.Header{"Cookie": {secCookie + "=" + poison}}, secRead)
			visitor := site.visitor()
			visitor.visit(func(s *core.Session) {
				s.SetOwner("alice" + poison)
				core.NewValue[string]("name"+poison).Set(s, "v")
			})
			visitor.visit(func(s *core.Session) { core.NewValue[int]("name" + poison).Get(s) })
			visitor.visit((*core.Session).Destroy)
		}
		site.serve(secWith(strings.Repeat("A", 64<<10)), secRead)
	}
	count := 0
	for line := range strings.Lines(text.String()) {
		count++
		require.True(t, strings.HasPrefix(line, "time="), line)
		require.False(t, strings.ContainsFunc(strings.TrimSuffix(line, "\n"), func(r rune) bool {
			return r < ' ' || r == '\u0085' || r == '\u2028'
		}), "%q", line)
		require.Less(t, len(line), 512, "what a client sends does not fill a log")
	}
	require.Greater(t, count, 3*len(secPoison()))
	for decoder := json.NewDecoder(&lines); decoder.More(); count-- {
		var event map[string]any
		require.NoError(t, decoder.Decode(&event))
		require.Contains(t, core.EventKinds(), core.EventKind(event["msg"].(string)))
	}
	require.Zero(t, count)
}
