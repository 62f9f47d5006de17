package parity

import (
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/sessionserverstore/sessionserverstore/chisession"
	"github.com/sessionserverstore/sessionserverstore/core"
)

// chiFramework is chi v5 with chisession.
type chiFramework struct{}

func (chiFramework) name() string { return "chi" }

func (chiFramework) lacks() map[ability]string {
	return map[ability]string{
		cleansUp: "chi serves a copy of the request, whose files net/http does not know",
	}
}

func (chiFramework) sockets() []string { return netHTTPSockets() }

func (chiFramework) unavailable() page {
	return page{"text/plain; charset=utf-8", "Service Unavailable\n"}
}

func (f chiFramework) serve(t testing.TB, s *site) string {
	r := chi.NewRouter()
	for _, l := range s.layers {
		r.Use(f.layer(s, l))
	}
	r.Group(func(g chi.Router) {
		for _, l := range s.group {
			g.Use(f.layer(s, l))
		}
		for _, one := range s.routes {
			g.MethodFunc(one.method, one.path, func(w http.ResponseWriter, q *http.Request) {
				answerHTTP(httpCtx{w, q, r, chisession.Get, chisession.Events}, one.handler)
			})
		}
		for path, h := range s.mounts {
			g.Mount(path, h)
		}
	})
	return serveHTTP(t, s, r)
}

func (chiFramework) layer(s *site, l layer) func(http.Handler) http.Handler {
	switch l {
	case session:
		return chisession.NewWithConfig(s.manager, chisession.Config{
			ErrorHandler: tersely(s), Passive: passively(s),
		})
	case another:
		return chisession.New(s.other)
	}
	return httpLayer(s, l)
}

// passively is Config.Passive of a site.
func passively(s *site) func(*http.Request) bool {
	return func(r *http.Request) bool { return s.passive != nil && s.passive(r.URL.Path) }
}

// tersely is the error handler of a terse site, and nil, which is the default, elsewhere.
func tersely(s *site) func(w http.ResponseWriter, r *http.Request, err error) {
	if s.terse == nil {
		return nil
	}
	return func(w http.ResponseWriter, _ *http.Request, err error) {
		s.terse <- err
		if !s.mute {
			w.WriteHeader(core.Status(err))
		}
	}
}

// quiet keeps chi's Recoverer from printing the stack.
type quiet struct{}

func (quiet) Write(int, int, http.Header, time.Duration, any) {}
func (quiet) Panic(any, []byte)                               {}

// httpLayer is a layer for everything that is plain net/http.
func httpLayer(s *site, l layer) func(http.Handler) http.Handler {
	if l == zips {
		return middleware.Compress(5, "text/plain", "application/json")
	}
	return func(next http.Handler) http.Handler {
		if l == recovers {
			next = middleware.Recoverer(next)
		}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			passHTTP(s, l, w, r, next)
		})
	}
}

// passHTTP is what the smaller layers do.
func passHTTP(s *site, l layer, w http.ResponseWriter, r *http.Request, next http.Handler) {
	switch l {
	case recovers:
		r = middleware.WithLogEntry(r, quiet{})
	case shares:
		if allow(w.Header().Set, r.Method) {
			w.WriteHeader(http.StatusNoContent)
			return
		}
	case tracks:
		http.SetCookie(w, track())
	case caches:
		w.Header().Set("Cache-Control", "public")
	case logs:
		seen := middleware.NewWrapResponseWriter(w, r.ProtoMajor)
		next.ServeHTTP(seen, r)
		s.logged <- max(seen.Status(), http.StatusOK)
		return
	case wraps:
		w = struct{ http.ResponseWriter }{w}
	case denies:
		http.Error(w, "denied", http.StatusUnauthorized)
		return
	default:
		panic("no such layer: " + l)
	}
	next.ServeHTTP(w, r)
}

// httpCtx is a Ctx of plain net/http.
type httpCtx struct {
	w      http.ResponseWriter
	r      *http.Request
	router http.Handler
	get    func(*http.Request) *core.Session
	events eventsFunc
}

// An eventsFunc is chisession.Events, or core.ServeEvents.
type eventsFunc func(http.ResponseWriter, *http.Request, func(*core.EventStream) error) error

// answerHTTP runs a handler; what it returns is answered as net/http's users do.
func answerHTTP(c httpCtx, h Handler) {
	switch err := h(c).(type) {
	case nil:
	case statusError:
		http.Error(c.w, http.StatusText(int(err)), int(err))
	default:
		http.Error(c.w, "Internal Server Error", http.StatusInternalServerError)
	}
}

func (c httpCtx) Session() *core.Session                 { return c.get(c.r) }
func (c httpCtx) Query(name string) string               { return c.r.URL.Query().Get(name) }
func (c httpCtx) Body(limit int64) (string, error)       { return readBody(c.w, c.r, limit) }
func (c httpCtx) SetHeader(name, value string)           { c.w.Header().Set(name, value) }
func (c httpCtx) Hints(link string)                      { hint(c.w, link) }
func (c httpCtx) Hijack(serve func(conn net.Conn)) error { return hijack(c.w, serve) }

func (c httpCtx) Contexts() []context.Context {
	return []context.Context{c.r.Context()}
}

func (c httpCtx) Upload() error { return c.r.ParseMultipartForm(1) }

func (c httpCtx) Path() string { return c.r.URL.Path }

func (c httpCtx) SetCookie(cookie *http.Cookie) { http.SetCookie(c.w, cookie) }

func (c httpCtx) Text(status int, text string) error {
	c.SetHeader("Content-Type", "text/plain; charset=utf-8")
	c.w.WriteHeader(status)
	_, _ = io.WriteString(c.w, text)
	return nil
}

func (c httpCtx) JSON(status int, value any) error {
	c.SetHeader("Content-Type", "application/json")
	c.w.WriteHeader(status)
	return encodeJSON(c.w, value)
}

func (c httpCtx) NoContent(status int) error {
	c.w.WriteHeader(status)
	return nil
}

func (c httpCtx) Redirect(status int, to string) error {
	http.Redirect(c.w, c.r, to, status)
	return nil
}

func (c httpCtx) File(path string) error {
	http.ServeFile(c.w, c.r, path)
	return nil
}

func (c httpCtx) Stream(f func(w io.Writer, flush func() error)) error {
	f(c.w, http.NewResponseController(c.w).Flush)
	return nil
}

func (c httpCtx) Trailer(name string) func(value string) {
	c.SetHeader("Trailer", name)
	return func(value string) { c.SetHeader(name, value) }
}

func (c httpCtx) WebSocket(library string, serve func(*core.Session, func(string) error)) error {
	return upgrade(library, c.w, c.r, c.Session(), serve)
}

func (c httpCtx) Echo(library string) error {
	return echoes(library, c.w, c.r, c.Session())
}

func (c httpCtx) Events(f func(*core.EventStream) error) error {
	_ = c.events(c.w, c.r, f) // the answer has begun
	return nil
}

func (c httpCtx) Redispatch(path string) error {
	// chi tells by this value that the request is routed already.
	ctx := context.WithValue(c.r.Context(), chi.RouteCtxKey, nil)
	r := c.r.Clone(ctx)
	r.URL.Path = path
	c.router.ServeHTTP(c.w, r)
	return nil
}
