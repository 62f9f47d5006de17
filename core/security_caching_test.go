package core_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

func TestT50_NoStoreAndVary(t *testing.T) {
	cases := map[string]struct {
		carrier core.Carrier
		vary    []string
	}{
		"cookie": {core.Cookie{}, []string{"Cookie"}},
		"header": {core.Header{Name: "x-token"}, []string{"X-Token"}},
		"bearer": {core.Bearer{}, []string{"Authorization"}},
		"all": {
			core.Carriers(core.Cookie{}, core.Header{}, core.Bearer{Header: "X-Token"},
				core.Cookie{Name: "old"}),
			[]string{"Cookie", "Session-Id", "Authorization"},
		},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			site := newSecSite(t, core.Config{Carrier: test.carrier})
			serve := func(token string, f func(*core.Session)) http.Header {
				header := secWith(token)
				if token != "" {
					header = http.Header{}
					header.Set("X-Token", token)
					header.Set("Authorization", "Bearer "+token)
					header.Set("Cookie", secCookie+"="+token)
				}
				return site.serveHTTP(header, func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("Cache-Control", "public, max-age=3600")
					s, _ := core.FromContext(r.Context())
					f(s)
				}).Header
			}
			const public = "public, max-age=3600"
			header := serve("", func(*core.Session) {})
			require.Empty(t, header.Values("Vary"), "an untouched response is the same for all")
			require.Equal(t, public, header.Get("Cache-Control"))
			for _, look := range secLooks() {
				header = serve("", look)
				require.Equal(t, test.vary, header.Values("Vary"), "also where no session is found")
				require.Equal(t, public, header.Get("Cache-Control"))
			}

			header = serve("", secSet("a"))
			require.Equal(t, []string{"no-store"}, header.Values("Cache-Control"))
			require.Equal(t, test.vary, header.Values("Vary"))
			token := secIssued(&http.Response{Header: header})
			require.NotEmpty(t, token)
			require.Equal(t, test.vary, serve(token, secRead).Values("Vary"))
			require.Equal(t, test.vary, serve(token, secSet("b")).Values("Vary"))
			for _, change := range []func(*core.Session){
				(*core.Session).Renew, (*core.Session).Destroy,
			} {
				header = serve(token, change)
				require.Equal(t, []string{"no-store"}, header.Values("Cache-Control"))
				require.Equal(t, test.vary, header.Values("Vary"))
			}
		})
	}
}

// secLooks are all the ways to look at a session without changing anything.
func secLooks() []func(*core.Session) {
	return []func(*core.Session){
		func(s *core.Session) { s.ID() }, func(s *core.Session) { s.Owner() },
		func(s *core.Session) { s.Names() }, func(s *core.Session) { s.Created() },
		func(s *core.Session) { s.Used() }, func(s *core.Session) { s.Expires() },
		func(s *core.Session) { secValue().Get(s) }, func(s *core.Session) { secValue().Take(s) },
		secValue().Delete, (*core.Session).Clear, (*core.Session).Renew, (*core.Session).Destroy,
	}
}

func TestT50_VaryIsAddedAndNotDoubled(t *testing.T) {
	for before, want := range map[string][]string{
		"":                        {"Cookie"},
		"Accept-Encoding":         {"Accept-Encoding", "Cookie"},
		"Cookie":                  {"Cookie"},
		"Accept, cookie , Origin": {"Accept, cookie , Origin"},
		"*":                       {"*"},
		"X-Cookie":                {"X-Cookie", "Cookie"},
	} {
		response := newSecSite(t, core.Config{}).serveHTTP(nil,
			func(w http.ResponseWriter, r *http.Request) {
				if before != "" {
					w.Header().Set("Vary", before)
				}
				s, _ := core.FromContext(r.Context())
				secRead(s)
			})
		require.Equal(t, want, response.Header.Values("Vary"), "%q", before)
	}
}

// sharedCache is a cache before a site that many users share, as lenient as RFC 9111 allows: it
// keeps every 200 to a GET unless it is told no-store or private, by URL and by what Vary names.
type sharedCache struct {
	origin http.Handler
	kept   []keptResponse
	hits   int
}

type keptResponse struct {
	url     string
	request http.Header // of the request that it answered
	vary    []string
	answer  *httptest.ResponseRecorder
}

func (c *sharedCache) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for _, kept := range c.kept {
		same := func(name string) bool {
			return slices.Equal(kept.request.Values(name), r.Header.Values(name))
		}
		if kept.url == r.URL.String() && !slices.Contains(kept.vary, "*") &&
			!slices.ContainsFunc(kept.vary, func(name string) bool { return !same(name) }) {
			c.hits++
			c.send(w, kept.answer)
			return
		}
	}
	answer := httptest.NewRecorder()
	c.origin.ServeHTTP(answer, r)
	control := strings.Join(answer.Header().Values("Cache-Control"), ",")
	if r.Method == http.MethodGet && answer.Code == http.StatusOK &&
		!strings.Contains(control, "no-store") && !strings.Contains(control, "private") {
		var vary []string
		for _, line := range answer.Header().Values("Vary") {
			for name := range strings.SplitSeq(line, ",") {
				vary = append(vary, strings.TrimSpace(name))
			}
		}
		c.kept = append(c.kept, keptResponse{r.URL.String(), r.Header.Clone(), vary, answer})
	}
	c.send(w, answer)
}

func (c *sharedCache) send(w http.ResponseWriter, answer *httptest.ResponseRecorder) {
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.Code)
	_, _ = io.Copy(w, bytes.NewReader(answer.Body.Bytes()))
}

// CVE-2023-30861 was Flask's: a refreshed cookie without Vary, which a proxy gave to everybody.
func TestT51_CVE202330861_ASharedCacheMixesNobodyUp(t *testing.T) {
	for name, carrier := range map[string]core.Carrier{
		"cookie": core.Cookie{}, "header": core.Header{},
	} {
		t.Run(name, func(t *testing.T) {
			site := newSecSite(t, core.Config{Carrier: carrier})
			mux := http.NewServeMux()
			handle := func(path string, f func(s *core.Session) string) {
				mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("Cache-Control", "public, max-age=3600")
					s, _ := core.FromContext(r.Context())
					_, _ = io.WriteString(w, f(s))
				})
			}
			handle("/who", func(s *core.Session) string { return "you are " + s.Owner() })
			handle("/alice", func(s *core.Session) string { s.SetOwner("alice"); return "in" })
			handle("/renew", func(s *core.Session) string { s.Renew(); return "renewed" })
			handle("/about", func(*core.Session) string { return "about us" })
			cache := &sharedCache{origin: site.manager.Handler(mux)}
			get := func(path, token string) *http.Response {
				r := httptest.NewRequest(http.MethodGet, path, nil)
				if token != "" {
					r.Header.Set("Cookie", secCookie+"="+token)
					r.Header.Set("Session-Id", token)
				}
				w := httptest.NewRecorder()
				cache.ServeHTTP(w, r)
				return w.Result()
			}
			body := func(r *http.Response) string {
				text, err := io.ReadAll(r.Body)
				require.NoError(t, err)
				return string(text)
			}

			require.Equal(t, "you are ", body(get("/who", "")))
			alice := secIssued(get("/alice", ""))
			require.NotEmpty(t, alice)
			again := secIssued(get("/alice", ""))
			require.NotEqual(t, alice, again, "nobody is given another's token")
			require.Equal(t, "you are alice", body(get("/who", alice)))
			require.Equal(t, "you are ", body(get("/who", "")))
			require.Equal(t, "you are alice", body(get("/who", again)))
			first := secIssued(get("/renew", alice))
			require.NotEmpty(t, first)
			require.NotEqual(t, first, secIssued(get("/renew", alice)))

			hits := cache.hits
			get("/about", alice)
			require.Equal(t, "about us", body(get("/about", again)))
			require.Equal(t, hits+1, cache.hits, "what does not depend on a session is cached")
		})
	}
}
