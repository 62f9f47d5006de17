package core_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// seedHTTP are the seed's behaviours 40 to 50: headers, errors, settings and the clock.
func seedHTTP() []seedRow {
	return []seedRow{
		{"better", "no response brings Access-Control-Allow-Headers", seedAllowHeaders},
		{"kept", "a new token comes in its header, which pages of other origins may read", seedHeader},
		{"better", "a response without the header means: keep what you have", seedHeaderAbsent},
		{"better", "an end brings the header, empty", seedHeaderEnd},
		{"better", "what a CORS middleware has set is added to", seedHeaderCORS},
		{"better", "case does not count in a header's name", seedHeaderCase},
		{"better", "a cookie and a header that disagree are no session", seedTwoCarriers},
		{"better", "caches are told, by Vary and no-store", seedCaches},
		{"kept", "an answer of 500 saves, a panic does not", seedErrors},
		{"better", "a wrong setting is refused at once, and harms no session", seedSettings},
		{"better", "timeouts are exact to the millisecond", seedClock},
	}
}

// seedHeaderSite takes its tokens in Session-Id.
func seedHeaderSite(t *testing.T) *secSite {
	return newSecSite(t, core.Config{Carrier: core.Header{}})
}

func secWithHeader(token string) http.Header { return http.Header{"Session-Id": {token}} }

func seedAllowHeaders(t *testing.T) {
	site := seedHeaderSite(t)
	response := site.serve(nil, secSet("a"))
	token := secIssued(response)
	require.NotEmpty(t, token)
	require.NotContains(t, response.Header, "Access-Control-Allow-Headers")
	for _, f := range []func(*core.Session){
		func(*core.Session) {}, secRead, secSet("b"), (*core.Session).Renew, (*core.Session).Destroy,
	} {
		response = site.serve(secWithHeader(token), f)
		require.NotContains(t, response.Header, "Access-Control-Allow-Headers")
	}
	// A preflight request begins no session.
	preflight := httptest.NewRequest(http.MethodOptions, "/", nil)
	response = site.serveRequest(preflight, http.Header{
		"Origin":                         {"https://other.example"},
		"Access-Control-Request-Method":  {"GET"},
		"Access-Control-Request-Headers": {"session-id"},
	}, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	require.Empty(t, response.Header)
}

func seedHeader(t *testing.T) {
	response := seedHeaderSite(t).serve(nil, secSet("a"))
	require.Len(t, response.Header.Get("Session-Id"), 128)
	require.Equal(t, "Session-Id", response.Header.Get("Access-Control-Expose-Headers"))
}

func seedHeaderAbsent(t *testing.T) {
	site := seedHeaderSite(t)
	token := secIssued(site.serve(nil, secSet("a")))
	for _, f := range []func(*core.Session){secRead, secSet("b")} {
		response := site.serve(secWithHeader(token), f)
		require.NotContains(t, response.Header, "Session-Id")
		require.NotContains(t, response.Header, "Access-Control-Expose-Headers")
	}
	var note string
	site.serve(secWithHeader(token), func(s *core.Session) { note, _ = secValue().Get(s) })
	require.Equal(t, "b", note)
}

func seedHeaderEnd(t *testing.T) {
	site := seedHeaderSite(t)
	token := secIssued(site.serve(nil, secSet("a")))
	response := site.serve(secWithHeader(token), (*core.Session).Destroy)
	require.Equal(t, []string{""}, response.Header.Values("Session-Id"))
	require.Equal(t, "Session-Id", response.Header.Get("Access-Control-Expose-Headers"))
}

func seedHeaderCORS(t *testing.T) {
	site := seedHeaderSite(t)
	handler := site.manager.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		s, _ := core.FromContext(r.Context())
		secSet("a")(s)
	}))
	w := httptest.NewRecorder()
	w.Header().Set("Access-Control-Expose-Headers", "Etag, X-Total")
	w.Header().Set("Access-Control-Allow-Headers", "X-Mine")
	w.Header().Set("Vary", "Origin")
	handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	header := w.Result().Header
	require.Equal(t, []string{"Etag, X-Total", "Session-Id"},
		header.Values("Access-Control-Expose-Headers"))
	require.Equal(t, []string{"X-Mine"}, header.Values("Access-Control-Allow-Headers"))
	require.Equal(t, []string{"Origin", "Session-Id"}, header.Values("Vary"))
}

func seedHeaderCase(t *testing.T) {
	for _, configured := range []string{"session-id", "SESSION-ID", "Session-Id", "sEsSiOn-iD"} {
		site := newSecSite(t, core.Config{Carrier: core.Header{Name: configured}})
		token := secIssued(site.serve(nil, secSet("a")))
		require.NotEmpty(t, token, configured)
		for _, sent := range []string{"session-id", "SESSION-ID", "Session-Id"} {
			header := http.Header{}
			header.Set(sent, token)
			var note string
			site.serve(header, func(s *core.Session) { note, _ = secValue().Get(s) })
			require.Equal(t, "a", note, "%s for %s", sent, configured)
		}
	}
}

func seedTwoCarriers(t *testing.T) {
	site := newSecSite(t, core.Config{Carrier: core.Carriers(core.Cookie{}, core.Header{})})
	first, second := secIssued(site.serve(nil, secSet("1"))), secIssued(site.serve(nil, secSet("2")))
	both := secWith(first)
	both.Set("Session-Id", second)
	loads := site.store.count("load")
	site.serve(both, func(s *core.Session) { require.Empty(t, s.ID()) })
	require.Equal(t, loads, site.store.count("load"))
	require.Contains(t, site.seen(), core.TokenAmbiguous)

	both.Set("Session-Id", first)
	var note string
	response := site.serve(both, func(s *core.Session) { note, _ = secValue().Get(s); s.Renew() })
	require.Equal(t, "1", note)
	require.Equal(t, response.Cookies()[0].Value, response.Header.Get("Session-Id"),
		"a new token goes out through each carrier that held one")
}

func seedCaches(t *testing.T) {
	site := newSecSite(t, core.Config{})
	response := site.serve(nil, secSet("a"))
	require.Equal(t, "no-store", response.Header.Get("Cache-Control"))
	require.Equal(t, "Cookie", response.Header.Get("Vary"))
	response = site.serve(secWith(secIssued(response)), secRead)
	require.Equal(t, "Cookie", response.Header.Get("Vary"))
}

func seedErrors(t *testing.T) {
	site := newSecSite(t, core.Config{})
	response := site.serveHTTP(nil, func(w http.ResponseWriter, r *http.Request) {
		s, _ := core.FromContext(r.Context())
		secSet("saved")(s)
		w.WriteHeader(http.StatusInternalServerError)
	})
	require.Equal(t, http.StatusInternalServerError, response.StatusCode)
	note, _ := site.read(secIssued(response))
	require.Equal(t, "saved", note)

	require.PanicsWithValue(t, "handler", func() {
		site.serve(secWith(secIssued(response)), func(s *core.Session) {
			secSet("from a panic")(s)
			panic("handler")
		})
	})
	note, _ = site.read(secIssued(response))
	require.Equal(t, "saved", note)
}

func seedSettings(t *testing.T) {
	site := newSecSite(t, core.Config{})
	token := secIssued(site.serve(nil, secSet("a")))
	_, err := core.New(core.Config{
		Store:    site.store,
		Lifetime: -1, IdleTimeout: -1, TouchInterval: -1, MaxData: -1, LoadTimeout: -1,
		CommitTimeout: -1, Namespace: "\n", Carrier: core.Cookie{Name: "a b"},
	})
	for _, field := range []string{
		"Lifetime", "IdleTimeout", "TouchInterval", "MaxData", "LoadTimeout", "CommitTimeout",
		"Namespace", "Carrier.Name",
	} {
		require.ErrorContains(t, err, "session config: "+field)
	}
	note, _ := site.read(token)
	require.Equal(t, "a", note)
}

func seedClock(t *testing.T) {
	const second = time.Second
	site := newSecSite(t, core.Config{IdleTimeout: second, TouchInterval: second / 2})
	token := secIssued(site.serve(nil, secSet("a")))
	secPass(second - time.Millisecond)
	_, alive := site.read(token) // which notes a use
	require.True(t, alive)
	secPass(second)
	site.requireDead(token)

	site = newSecSite(t, core.Config{Lifetime: second, IdleTimeout: core.Never})
	token = secIssued(site.serve(nil, secSet("a")))
	secPass(second - time.Millisecond)
	_, alive = site.read(token)
	require.True(t, alive)
	secPass(time.Millisecond)
	site.requireDead(token) // at equality it is over
}
