package parity

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/ginsession"
)

// ginFramework is gin with ginsession.
type ginFramework struct{}

func (ginFramework) name() string              { return "gin" }
func (ginFramework) lacks() map[ability]string { return nil }
func (ginFramework) sockets() []string         { return netHTTPSockets() }

func (ginFramework) unavailable() page {
	return page{"application/json; charset=utf-8", `{"error":"Service Unavailable"}`}
}

func (f ginFramework) serve(t testing.TB, s *site) string {
	return serveHTTP(t, s, f.app(s))
}

// app is what serve serves.
func (f ginFramework) app(s *site) http.Handler {
	engine := gin.New()
	engine.HandleMethodNotAllowed = true
	for _, l := range s.layers {
		engine.Use(f.layer(s, l))
	}
	group := engine.Group("/")
	for _, l := range s.group {
		group.Use(f.layer(s, l))
	}
	for _, one := range s.routes {
		group.Handle(one.method, one.path, func(c *gin.Context) {
			f.answer(ginCtx{c, engine}, one.handler)
		})
	}
	for path, h := range s.mounts {
		group.Any(path, gin.WrapH(h))
	}
	return engine
}

// answer runs a handler; its error goes among c.Errors and aborts, which is gin's error path.
func (ginFramework) answer(c ginCtx, h Handler) {
	err := h(c)
	if err == nil {
		return
	}
	status := http.StatusInternalServerError
	var wanted statusError
	if errors.As(err, &wanted) {
		status = int(wanted)
	}
	_ = c.c.AbortWithError(status, err)
}

func (ginFramework) layer(s *site, l layer) gin.HandlerFunc {
	switch l {
	case session:
		if s.passive != nil {
			return ginsession.NewWithConfig(s.manager, ginsession.Config{
				Passive: func(c *gin.Context) bool { return s.passive(c.Request.URL.Path) },
			})
		}
		if s.terse == nil {
			return ginsession.New(s.manager)
		}
		return ginsession.NewWithConfig(s.manager, ginsession.Config{
			ErrorHandler: func(c *gin.Context, err error) {
				s.terse <- err
				if !s.mute {
					c.AbortWithStatus(core.Status(err))
				}
			},
		})
	case another:
		return ginsession.New(s.other)
	case recovers:
		return gin.RecoveryWithWriter(io.Discard)
	case zips:
		return zipGin
	case shares:
		return func(c *gin.Context) {
			if allow(c.Header, c.Request.Method) {
				c.AbortWithStatus(http.StatusNoContent)
			}
		}
	case tracks:
		return func(c *gin.Context) { ginCtx{c: c}.SetCookie(track()) }
	case caches:
		return func(c *gin.Context) { c.Header("Cache-Control", "public") }
	case logs:
		return func(c *gin.Context) {
			c.Next()
			s.logged <- c.Writer.Status()
		}
	case wraps:
		return func(c *gin.Context) { c.Writer = &struct{ gin.ResponseWriter }{c.Writer} }
	case denies:
		return func(c *gin.Context) { c.AbortWithStatus(http.StatusUnauthorized) }
	}
	panic("no such layer: " + l)
}

// zipGin compresses as github.com/gin-contrib/gzip does.
func zipGin(c *gin.Context) {
	z := ginZip{c.Writer, newZipWriter(c.Writer)}
	c.Writer = z
	defer func() { _ = z.zip.zip.Close() }()
	c.Next()
}

type ginZip struct {
	gin.ResponseWriter
	zip *zipWriter
}

func (w ginZip) Write(b []byte) (int, error)          { return w.zip.Write(b) }
func (w ginZip) WriteString(text string) (int, error) { return w.zip.Write([]byte(text)) }
func (w ginZip) Flush()                               { w.zip.Flush() }

// ginCtx is a Ctx of gin.
type ginCtx struct {
	c      *gin.Context
	engine *gin.Engine
}

func (g ginCtx) Session() *core.Session { return ginsession.Get(g.c) }

func (g ginCtx) Contexts() []context.Context {
	return []context.Context{g.c.Request.Context(), g.c}
}

func (g ginCtx) Query(name string) string               { return g.c.Query(name) }
func (g ginCtx) SetHeader(name, value string)           { g.c.Header(name, value) }
func (g ginCtx) Hijack(serve func(conn net.Conn)) error { return hijack(g.c.Writer, serve) }

func (g ginCtx) Body(limit int64) (string, error) {
	return readBody(g.c.Writer, g.c.Request, limit)
}

// Hints goes past gin's own writer, which keeps a status to itself until there is a body.
func (g ginCtx) Hints(link string) {
	var w http.ResponseWriter = g.c.Writer
	for {
		outer, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			hint(w, link)
			return
		}
		w = outer.Unwrap()
	}
}

func (g ginCtx) Upload() error { return g.c.Request.ParseMultipartForm(1) }

func (g ginCtx) Path() string { return g.c.Request.URL.Path }

func (g ginCtx) SetCookie(c *http.Cookie) {
	g.c.SetCookie(c.Name, c.Value, c.MaxAge, c.Path, c.Domain, c.Secure, c.HttpOnly)
}

func (g ginCtx) Text(status int, text string) error {
	g.c.String(status, "%s", text)
	return nil
}

func (g ginCtx) JSON(status int, value any) error {
	g.c.JSON(status, value)
	return nil
}

func (g ginCtx) NoContent(status int) error {
	g.c.Status(status)
	return nil
}

func (g ginCtx) Redirect(status int, to string) error {
	g.c.Redirect(status, to)
	return nil
}

func (g ginCtx) File(path string) error {
	g.c.File(path)
	return nil
}

func (g ginCtx) Stream(f func(w io.Writer, flush func() error)) error {
	g.c.Stream(func(w io.Writer) bool {
		f(w, http.NewResponseController(g.c.Writer).Flush)
		return false
	})
	return nil
}

func (g ginCtx) Trailer(name string) func(value string) {
	g.c.Header("Trailer", name)
	return func(value string) { g.c.Header(name, value) }
}

func (g ginCtx) WebSocket(library string, serve func(*core.Session, func(string) error)) error {
	return upgrade(library, g.c.Writer, g.c.Request, g.Session(), serve)
}

func (g ginCtx) Echo(library string) error {
	return echoes(library, g.c.Writer, g.c.Request, g.Session())
}

func (g ginCtx) Events(f func(*core.EventStream) error) error {
	ginsession.Events(g.c, f)
	return nil
}

func (g ginCtx) Redispatch(path string) error {
	g.c.Request.URL.Path = path
	g.engine.HandleContext(g.c)
	return nil
}
