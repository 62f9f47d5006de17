package core_test

import (
	"crypto/sha256"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// What docs/security.md advises is tried here.

func TestT55_CrossOriginProtectionAroundTheSession(t *testing.T) {
	site := newSecSite(t, core.Config{Carrier: core.Cookie{SameSite: http.SameSiteNoneMode}})
	token := secIssued(site.serve(nil, secOwned("alice", "a")))
	paid := 0
	handler := http.NewCrossOriginProtection().Handler(site.manager.Handler(http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			if s, _ := core.FromContext(r.Context()); r.Method == http.MethodPost && s.Owner() == "alice" {
				paid++
			}
		})))
	post := func(header map[string]string) int {
		r := httptest.NewRequest(http.MethodPost, "https://shop.example/pay", nil)
		r.Header.Set("Cookie", secCookie+"="+token)
		for name, value := range header {
			r.Header.Set(name, value)
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w.Code
	}
	loads := site.store.count("load")
	for _, foreign := range []map[string]string{
		{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
		{"Origin": "https://evil.example"}, {"Origin": "null"},
	} {
		require.Equal(t, http.StatusForbidden, post(foreign), foreign)
	}
	require.Zero(t, paid)
	require.Equal(t, loads, site.store.count("load"), "the session is not even loaded")
	require.Equal(t, http.StatusOK, post(map[string]string{"Sec-Fetch-Site": "same-origin"}))
	require.Equal(t, http.StatusOK, post(map[string]string{"Origin": "https://shop.example"}))
	require.Equal(t, 2, paid)
}

// A page of another origin can make a browser send cookies, but not a header.
func TestT55_AHeaderComesOnlyFromOnesOwnPages(t *testing.T) {
	site := newSecSite(t, core.Config{Carrier: core.Header{}})
	token := secIssued(site.serve(nil, secOwned("alice", "a")))
	for name, request := range map[string]*http.Request{
		"a form":  httptest.NewRequest(http.MethodPost, "/", strings.NewReader("Session-Id="+token)),
		"a link":  httptest.NewRequest(http.MethodGet, "/?Session-Id="+token+"&session-id="+token, nil),
		"a path":  httptest.NewRequest(http.MethodGet, "/;Session-Id="+token, nil),
		"cookies": httptest.NewRequest(http.MethodGet, "/", nil),
	} {
		header := http.Header{
			"Cookie":       {"Session-Id=" + token, "Session-Id=" + token, secCookie + "=" + token},
			"Content-Type": {"application/x-www-form-urlencoded"}, "Referer": {"/?" + token},
		}
		site.serveRequest(request, header, func(_ http.ResponseWriter, r *http.Request) {
			s, _ := core.FromContext(r.Context())
			require.Empty(t, s.Owner(), name)
		})
	}
	require.Zero(t, site.store.count("load"))
}

func TestT08_ATokenDoesNotMoveFromTheCookieToAHeader(t *testing.T) {
	site := newSecSite(t, core.Config{Carrier: core.Carriers(core.Cookie{}, core.Header{})})
	token := secIssued(site.serve(nil, secOwned("alice", "a")))
	header := secWith(token)
	header.Set("Session-Id", "") // as a script in the page may add
	for _, change := range []func(*core.Session){
		(*core.Session).Renew, secOwned("alice", "b"), secOwned("bob", "c"), (*core.Session).Destroy,
	} {
		response := site.serve(header, change)
		require.NotContains(t, response.Header, "Session-Id")
		if next := secIssued(response); next != "" {
			header.Set("Cookie", secCookie+"="+next)
		}
	}
	// But who holds no token yet gets it where he asks for it, which a script may do.
	response := site.serve(http.Header{"Session-Id": {""}}, secSet("a"))
	require.Len(t, response.Header.Get("Session-Id"), core.TokenLength)
	require.Empty(t, response.Header.Values("Set-Cookie"))
}

func TestAdvice_ClearBeforeSignInDropsWhatWasPlanted(t *testing.T) {
	visitor := newSecSite(t, core.Config{}).visitor()
	visitor.visit(secSet("planted"))
	visitor.visit(func(s *core.Session) { s.Clear(); s.SetOwner("alice") })
	visitor.visit(func(s *core.Session) {
		require.Empty(t, s.Names())
		require.Equal(t, "alice", s.Owner())
	})
}

func TestAdvice_SignInThatIsRemembered(t *testing.T) {
	site := newSecSite(t, core.Config{})
	visitor := site.visitor()
	visitor.visit(secSet("cart"))
	response := visitor.visit(func(s *core.Session) { s.SetOwner("alice"); s.Persist(true) })
	require.Len(t, response.Cookies(), 1)
	require.Positive(t, response.Cookies()[0].MaxAge)
	response = visitor.visit((*core.Session).Renew)
	require.Positive(t, response.Cookies()[0].MaxAge, "it is kept with the session")
}

func TestAdvice_SignOutKeepsWhatTheHandlerAdds(t *testing.T) {
	site := newSecSite(t, core.Config{})
	token := secIssued(site.serve(nil, secOwned("alice", "a")))
	response := site.serveHTTP(secWith(token), func(w http.ResponseWriter, r *http.Request) {
		s, _ := core.FromContext(r.Context())
		s.Destroy()
		w.Header().Set("Clear-Site-Data", `"cache"`)
		http.Redirect(w, r, "/", http.StatusSeeOther)
	})
	require.Equal(t, `"cache"`, response.Header.Get("Clear-Site-Data"))
	require.True(t, secExpired(response))
}

func TestAdvice_RevokeOnlyWhatBelongsToWhoAsks(t *testing.T) {
	site := newSecSite(t, core.Config{})
	phone := secIssued(site.serve(nil, func(s *core.Session) { s.SetOwner("alice") }))
	foreign := secIssued(site.serve(nil, func(s *core.Session) { s.SetOwner("bob") }))
	revoke := func(s *core.Session, id core.ID) bool {
		other, err := site.manager.Open(t.Context(), id)
		if err != nil || s.Owner() == "" || other.Owner() != s.Owner() {
			return false
		}
		return site.manager.Revoke(t.Context(), id) == nil
	}
	laptop := secIssued(site.serve(nil, func(s *core.Session) { s.SetOwner("alice") }))
	site.serve(secWith(laptop), func(s *core.Session) {
		require.True(t, revoke(s, core.ID(phone[:32])))
		require.False(t, revoke(s, core.ID(foreign[:32])))
	})
	site.requireDead(phone)
	site.serve(secWith(foreign), func(s *core.Session) { require.Equal(t, "bob", s.Owner()) })
}

func TestT34_DocumentedTimeouts(t *testing.T) {
	for name, cfg := range map[string]core.Config{
		"AAL1": {Lifetime: 30 * 24 * time.Hour, IdleTimeout: core.Never},
		"AAL2": {},
		"AAL3": {Lifetime: 12 * time.Hour, IdleTimeout: 15 * time.Minute},
		"bank": {Lifetime: 4 * time.Hour, IdleTimeout: 5 * time.Minute, TouchInterval: 15 * time.Second},
	} {
		secBubble(t, name, func(t *testing.T) {
			site := newSecSite(t, cfg)
			token := secIssued(site.serve(nil, secSet("a")))
			idle := cfg.IdleTimeout
			if idle == 0 {
				idle = time.Hour
			}
			if idle == core.Never {
				idle = cfg.Lifetime
			}
			require.Equal(t, idle, site.begin(token).Expires().Sub(site.begin(token).Created()))
			require.NoError(t, site.manager.Close()) // the sweep would wake up every minute
			secPass(idle)
			site.requireDead(token)
		})
	}
}

func TestT34_ATimeoutIsShortenedAtOnceAndLengthenedWithTheNextWrite(t *testing.T) {
	secBubble(t, "two programs on one store", func(t *testing.T) {
		hour := newSecSite(t, core.Config{IdleTimeout: time.Hour})
		manager, err := core.New(core.Config{Store: hour.store, IdleTimeout: 20 * time.Minute})
		require.NoError(t, err)
		defer manager.Close()
		short := &secSite{t: t, manager: manager, store: hour.store}
		token := secIssued(hour.serve(nil, secSet("a")))
		secPass(20 * time.Minute)
		short.requireDead(token)
		_, alive := hour.read(token) // which notes a use
		require.True(t, alive)

		token = secIssued(short.serve(nil, secSet("a")))
		secPass(10 * time.Minute)
		hour.serve(secWith(token), secSet("b"))
		secPass(59 * time.Minute)
		_, alive = hour.read(token)
		require.True(t, alive)
	})
}

func TestT36_HowEarlyTheIdleTimeoutMayBe(t *testing.T) {
	const idle, interval = time.Hour, 5 * time.Minute
	for use, end := range map[time.Duration]time.Duration{
		interval:                          idle, // too soon after the beginning to be written down
		interval + time.Millisecond:       idle + interval + time.Millisecond,
		idle - 5001*time.Millisecond:      2*idle - 5001*time.Millisecond,
		idle - 5*time.Second:              idle, // too late for a write that must not come after the end
		idle - interval - time.Nanosecond: 2*idle - interval - time.Millisecond,
	} {
		secBubble(t, "used after "+use.String(), func(t *testing.T) {
			site := newSecSite(t, core.Config{IdleTimeout: idle, TouchInterval: interval})
			token := secIssued(site.serve(nil, secSet("a")))
			created := site.begin(token).Created()
			secPass(use)
			site.read(token)
			require.Equal(t, end, site.begin(token).Expires().Sub(created))
		})
	}
}

// Nodes whose clocks differ by up to a minute agree well enough; nothing outlives its lifetime by
// more than that.
func TestT35_Clocks(t *testing.T) {
	secBubble(t, "a record from a clock that is ahead", func(t *testing.T) {
		site := newSecSite(t, core.Config{Lifetime: 2 * time.Hour, IdleTimeout: time.Hour})
		token := secIssued(site.serve(nil, secSet("a")))
		record, err := site.store.Load(t.Context(), core.ID(token[:32]))
		require.NoError(t, err)
		for _, ahead := range []time.Duration{time.Minute, time.Hour, 100 * 365 * 24 * time.Hour} {
			wrong := record
			wrong.Used, wrong.Expires = record.Used.Add(ahead), time.Time{}
			require.NoError(t, site.store.Update(t.Context(), wrong, record.Revision))
			_, alive := site.read(token)
			require.True(t, alive, "%v", ahead)
		}
		secPass(2 * time.Hour)
		site.requireDead(token)
	})
}

// Whoever can write the store needs no token, as docs/security.md says: he makes one.
func TestNotDefended_WhoCanWriteTheStore(t *testing.T) {
	site := newSecSite(t, core.Config{})
	victim := secIssued(site.serve(nil, secOwned("alice", "hers")))
	record, err := site.store.Load(t.Context(), core.ID(victim[:32]))
	require.NoError(t, err)
	forged := victim[:32] + strings.Repeat("A", 96)
	namespace := sha256.Sum256([]byte("session namespace:"))
	verifier := sha256.Sum256([]byte(string(namespace[:16]) + forged[32:]))
	changed := record
	changed.Data = record.Data[:18] + string(verifier[:]) + record.Data[50:]
	require.NoError(t, site.store.Update(t.Context(), changed, record.Revision))
	note, _ := site.read(forged)
	require.Equal(t, "hers", note)
}

// Values lie in the store as they are.
func TestNotDefended_WhoCanReadTheStoreReadsTheValues(t *testing.T) {
	site := newSecSite(t, core.Config{})
	token := secIssued(site.serve(nil, secOwned("alice", "hers")))
	record, err := site.store.Load(t.Context(), core.ID(token[:32]))
	require.NoError(t, err)
	require.Contains(t, record.Data, `"hers"`)
	require.Equal(t, "alice", record.Owner)
}
