package core_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// A client is what a browser does, for the examples: it keeps the cookie that it is sent.
type client struct {
	manager *core.Manager
	cookie  string
}

// do sends one request to a handler behind the middleware and returns the answer.
func (c *client) do(handle func(w http.ResponseWriter, s *core.Session)) *http.Response {
	h := c.manager.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, _ := core.FromContext(r.Context())
		handle(w, s)
	}))
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Cookie", c.cookie)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	for _, cookie := range w.Result().Cookies() {
		c.cookie = cookie.Name + "=" + cookie.Value
	}
	return w.Result()
}

func newClient() *client {
	m, err := core.New(core.Config{})
	if err != nil {
		panic(err)
	}
	return &client{manager: m}
}

func Example() {
	visits := core.NewValue[int]("visits")
	manager, err := core.New(core.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer manager.Close()

	mux := http.NewServeMux()
	mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
		s, _ := core.FromContext(r.Context())
		visits.Update(s, func(n int) int { return n + 1 })
		n, _ := visits.Get(s)
		fmt.Fprintf(w, "visit %d", n)
	})
	handler := manager.Handler(mux)

	cookie := ""
	for range 2 {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Cookie", cookie)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		fmt.Println(w.Body, "- cookies sent:", len(w.Result().Cookies()))
		for _, c := range w.Result().Cookies() {
			cookie = c.Name + "=" + c.Value
		}
	}
	// Output:
	// visit 1 - cookies sent: 1
	// visit 2 - cookies sent: 0
}

// All faults are reported at once, each with its field.
func ExampleNew() {
	_, err := core.New(core.Config{
		Lifetime:    time.Hour,
		IdleTimeout: 2 * time.Hour,
		Carrier:     core.Cookie{Name: "__Host-sid", Domain: "example.com"},
	})
	fmt.Println(err)
	// Output:
	// session config: IdleTimeout is greater than Lifetime
	// session config: Carrier.Domain is set, which the prefix __Host- forbids
}

func ExampleManager_Handler() {
	c := newClient()
	theme := core.NewValue[string]("theme")
	answer := c.do(func(_ http.ResponseWriter, s *core.Session) { theme.Set(s, "dark") })
	_, attributes, _ := strings.Cut(answer.Header.Get("Set-Cookie"), ";")
	fmt.Println(attributes)
	// Output: Path=/; HttpOnly; Secure; SameSite=Lax
}

// An API whose errors are JSON, and a health check that needs no session.
func ExampleManager_HandlerWithConfig() {
	m, _ := core.New(core.Config{})
	middleware := m.HandlerWithConfig(core.HandlerConfig{
		Skip: func(r *http.Request) bool { return r.URL.Path == "/healthz" },
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(core.Status(err))
			fmt.Fprint(w, `{"error":"try again"}`)
		},
	})
	h := middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, ok := core.FromContext(r.Context())
		fmt.Fprint(w, ok)
	}))
	for _, path := range []string{"/healthz", "/"} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		fmt.Println(path, w.Body)
	}
	// Output:
	// /healthz false
	// / true
}

// What an adapter does with a request: begin, call the handler, commit before the first byte.
func ExampleManager_Begin() {
	m, _ := core.New(core.Config{})
	theme := core.NewValue[string]("theme")
	ctx := context.Background()

	request, response := http.Header{}, http.Header{}
	s, err := m.Begin(ctx, request)
	if err != nil {
		fmt.Println(core.Status(err)) // the answer; no handler may run
		return
	}
	theme.Set(s, "dark")
	if err := m.Commit(ctx, s, response); err != nil {
		m.ErrorHeader(s, err, response)
		fmt.Println(core.Status(err)) // the answer, instead of the handler's
		return
	}
	m.Seal(s)
	fmt.Println(len(response["Set-Cookie"]), response["Cache-Control"], response["Vary"])
	// Output: 1 [no-store] [Cookie]
}

// A handler that does not trust to luck can ask early what Commit will say.
func ExampleSession_Err() {
	c := newClient()
	avatar := core.NewValue[[]byte]("avatar")
	c.do(func(w http.ResponseWriter, s *core.Session) {
		avatar.Set(s, make([]byte, 1<<20))
		var tooLarge *core.ValueError
		fmt.Println(errors.As(s.Err(), &tooLarge))
		avatar.Delete(s)
		fmt.Println(s.Err())
	})
	// Output:
	// true
	// <nil>
}

// A session can be ended from anywhere by its public name, which one may log and show.
func ExampleManager_Revoke() {
	c := newClient()
	theme := core.NewValue[string]("theme")
	var id core.ID
	c.do(func(_ http.ResponseWriter, s *core.Session) {
		theme.Set(s, "dark")
		id = s.ID()
	})
	fmt.Println(c.manager.Revoke(context.Background(), id))
	c.do(func(_ http.ResponseWriter, s *core.Session) {
		_, ok := theme.Get(s)
		fmt.Println(ok)
	})
	// Output:
	// <nil>
	// false
}

// A job that outlives its request takes hold of the session by its public name.
func ExampleManager_Open() {
	c := newClient()
	report := core.NewValue[string]("report")
	var id core.ID
	c.do(func(_ http.ResponseWriter, s *core.Session) {
		report.Set(s, "in the making")
		id = s.ID()
	})

	ctx := context.Background()
	s, err := c.manager.Open(ctx, id)
	if err != nil {
		fmt.Println(err) // core.ErrNotFound: signed out meanwhile
		return
	}
	report.Set(s, "ready")
	fmt.Println(c.manager.Commit(ctx, s, nil))

	c.do(func(_ http.ResponseWriter, s *core.Session) {
		text, _ := report.Get(s)
		fmt.Println(text)
	})
	// Output:
	// <nil>
	// ready
}

// Events go to a log, a metric, an alarm. They never hold a token.
func ExampleEvent() {
	m, _ := core.New(core.Config{
		Observe: func(_ context.Context, e core.Event) {
			if e.Kind == core.TokenUnknown {
				fmt.Println(e.Kind, e.ID)
			}
		},
	})
	request := http.Header{"Cookie": {"__Host-sid=" + strings.Repeat("guessed_", 16)}}
	_, err := m.Begin(context.Background(), request)
	fmt.Println(err)
	// Output:
	// token_unknown guessed_guessed_guessed_guessed_
	// <nil>
}

func ExampleCookie() {
	lines := []core.Cookie{
		{},
		{Domain: "example.com", Persist: true},
		{Name: "sid", Insecure: true, SameSite: http.SameSiteStrictMode},
	}
	for _, cookie := range lines {
		m, err := core.New(core.Config{Carrier: cookie})
		if err != nil {
			fmt.Println(err)
			continue
		}
		c := &client{manager: m}
		answer := c.do(func(_ http.ResponseWriter, s *core.Session) { s.SetOwner("user:42") })
		name, rest, _ := strings.Cut(answer.Header.Get("Set-Cookie"), "=")
		_, attributes, _ := strings.Cut(rest, "; ")
		fmt.Println(name+":", attributes)
	}
	// Output:
	// __Host-sid: Path=/; HttpOnly; Secure; SameSite=Lax
	// __Secure-sid: Path=/; Domain=example.com; Max-Age=86400; HttpOnly; Secure; SameSite=Lax
	// sid: Path=/; HttpOnly; SameSite=Strict
}

// A browser's pages use the cookie, an app the header; both find the same session.
func ExampleCarriers() {
	m, _ := core.New(core.Config{Carrier: core.Carriers(core.Cookie{}, core.Header{})})
	ctx := context.Background()
	// An app says that it wants the header by sending an empty one.
	s, _ := m.Begin(ctx, http.Header{"Session-Id": {""}})
	s.SetOwner("user:42")
	response := http.Header{}
	if err := m.Commit(ctx, s, response); err != nil {
		fmt.Println(err)
	}
	fmt.Println(len(response.Get("Session-Id")), len(response["Set-Cookie"]))
	fmt.Println(response.Get("Access-Control-Expose-Headers"))
	// Output:
	// 128 0
	// Session-Id
}

func ExampleHeader() {
	m, err := core.New(core.Config{Carrier: core.Header{Name: "X-Session"}})
	fmt.Println(m != nil, err)
	// Output: true <nil>
}

func ExampleBearer() {
	m, _ := core.New(core.Config{Carrier: core.Bearer{}})
	ctx := context.Background()
	s, _ := m.Begin(ctx, http.Header{})
	s.SetOwner("user:42")
	response := http.Header{}
	if err := m.Commit(ctx, s, response); err != nil {
		fmt.Println(err)
	}
	token := response.Get("Session-Id")
	s, _ = m.Begin(ctx, http.Header{"Authorization": {"Bearer " + token}})
	fmt.Println(s.Owner())
	// Output: user:42
}

func ExampleToken() {
	token := core.NewToken()
	fmt.Println(token, len(token.Reveal()), len(token.ID()))
	fmt.Fprintf(os.Stdout, "%#v\n", token)
	// Output:
	// [session token] 128 32
	// [session token]
}

func ExampleParseToken() {
	_, ok := core.ParseToken(core.NewToken().Reveal())
	fmt.Println(ok)
	_, ok = core.ParseToken("../../etc/passwd")
	fmt.Println(ok)
	// Output:
	// true
	// false
}

func ExampleStatus() {
	fmt.Println(core.Status(&core.StoreError{Op: "load", Err: context.DeadlineExceeded}))
	fmt.Println(core.Status(core.ErrConflict))
	fmt.Println(core.Status(&core.ValueError{Name: "cart"}))
	// Output:
	// 503
	// 409
	// 500
}
