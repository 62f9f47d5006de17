package parity

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/echosession"
)

// echoFramework is echo v4 with echosession.
type echoFramework struct{}

func (echoFramework) name() string              { return "echo" }
func (echoFramework) lacks() map[ability]string { return nil }
func (echoFramework) sockets() []string         { return netHTTPSockets() }

func (echoFramework) unavailable() page {
	return page{"application/json", `{"message":"Service Unavailable"}` + "\n"}
}

func (f echoFramework) serve(t testing.TB, s *site) string {
	e := echo.New()
	e.Logger.SetOutput(io.Discard)
	if s.terse != nil {
		e.HTTPErrorHandler = func(err error, c echo.Context) {
			s.terse <- err
			if !s.mute {
				_ = c.NoContent(http.StatusServiceUnavailable)
			}
		}
	}
	for _, l := range s.layers {
		e.Use(f.layer(s, l))
	}
	var group []echo.MiddlewareFunc
	for _, l := range s.group {
		group = append(group, f.layer(s, l))
	}
	for _, one := range s.routes {
		e.Add(one.method, one.path, func(c echo.Context) error {
			return f.failure(one.handler(echoCtx{c, e}))
		}, group...)
	}
	for path, h := range s.mounts {
		e.Any(path, echo.WrapHandler(h), group...)
	}
	return serveHTTP(t, s, e)
}

// failure makes echo's own error of a status.
func (echoFramework) failure(err error) error {
	var wanted statusError
	if errors.As(err, &wanted) {
		return echo.NewHTTPError(int(wanted))
	}
	return err
}

func (f echoFramework) layer(s *site, l layer) echo.MiddlewareFunc {
	switch l {
	case session:
		if s.passive != nil {
			return echosession.NewWithConfig(s.manager, echosession.Config{
				Passive: func(c echo.Context) bool { return s.passive(c.Path()) },
			})
		}
		return echosession.New(s.manager)
	case another:
		return echosession.New(s.other)
	case recovers:
		return recoverEcho
	case zips:
		return zipEcho
	}
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error { return f.pass(s, l, c, next) }
	}
}

// pass is what the smaller layers do.
func (echoFramework) pass(s *site, l layer, c echo.Context, next echo.HandlerFunc) error {
	switch l {
	case shares:
		if allow(c.Response().Header().Set, c.Request().Method) {
			return c.NoContent(http.StatusNoContent)
		}
	case tracks:
		c.SetCookie(track())
	case caches:
		c.Response().Header().Set("Cache-Control", "public")
	case logs:
		if err := next(c); err != nil {
			c.Error(err)
		}
		s.logged <- c.Response().Status
		return nil
	case wraps:
		c.Response().Writer = struct{ http.ResponseWriter }{c.Response().Writer}
	case denies:
		return echo.ErrUnauthorized
	default:
		panic("no such layer: " + l)
	}
	return next(c)
}

// recoverEcho recovers as echo's middleware.Recover does, which would bring a module of its own.
func recoverEcho(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		defer func() {
			if r := recover(); r != nil {
				if r == http.ErrAbortHandler {
					panic(r)
				}
				c.Error(fmt.Errorf("%v", r))
			}
		}()
		return next(c)
	}
}

// zipEcho compresses as echo's middleware.Gzip does: an answer without a body is left as it is.
func zipEcho(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		response := c.Response()
		raw := response.Writer
		z := &echoZip{zipWriter: newZipWriter(raw)}
		response.Writer = z
		defer func() {
			if z.wrote {
				_ = z.zip.Close()
				return
			}
			response.Writer = raw
			response.Header().Del("Content-Encoding")
		}()
		return next(c)
	}
}

type echoZip struct {
	*zipWriter
	wrote bool
}

func (w *echoZip) Write(b []byte) (int, error) {
	w.wrote = true
	return w.zipWriter.Write(b)
}

// echoCtx is a Ctx of echo.
type echoCtx struct {
	c echo.Context
	e *echo.Echo
}

func (c echoCtx) Session() *core.Session { return echosession.Get(c.c) }

func (c echoCtx) Contexts() []context.Context {
	return []context.Context{c.c.Request().Context()}
}

func (c echoCtx) Query(name string) string { return c.c.QueryParam(name) }

func (c echoCtx) Body(limit int64) (string, error) {
	return readBody(c.c.Response(), c.c.Request(), limit)
}

func (c echoCtx) Text(status int, text string) error     { return c.c.String(status, text) }
func (c echoCtx) JSON(status int, value any) error       { return c.c.JSON(status, value) }
func (c echoCtx) NoContent(status int) error             { return c.c.NoContent(status) }
func (c echoCtx) Redirect(status int, to string) error   { return c.c.Redirect(status, to) }
func (c echoCtx) File(path string) error                 { return c.c.File(path) }
func (c echoCtx) Hints(link string)                      { hint(c.c.Response().Writer, link) }
func (c echoCtx) Hijack(serve func(conn net.Conn)) error { return hijack(c.c.Response(), serve) }

func (c echoCtx) SetHeader(name, value string) {
	c.c.Response().Header().Set(name, value)
}

func (c echoCtx) Upload() error { return c.c.Request().ParseMultipartForm(1) }

func (c echoCtx) Path() string { return c.c.Request().URL.Path }

func (c echoCtx) SetCookie(cookie *http.Cookie) { c.c.SetCookie(cookie) }

func (c echoCtx) Stream(f func(w io.Writer, flush func() error)) error {
	f(c.c.Response(), http.NewResponseController(c.c.Response()).Flush)
	return nil
}

func (c echoCtx) Trailer(name string) func(value string) {
	c.SetHeader("Trailer", name)
	return func(value string) { c.SetHeader(name, value) }
}

func (c echoCtx) WebSocket(library string, serve func(*core.Session, func(string) error)) error {
	return upgrade(library, c.c.Response(), c.c.Request(), c.Session(), serve)
}

func (c echoCtx) Echo(library string) error {
	return echoes(library, c.c.Response(), c.c.Request(), c.Session())
}

func (c echoCtx) Events(f func(*core.EventStream) error) error {
	return echosession.Events(c.c, f)
}

func (c echoCtx) Redispatch(path string) error {
	r := c.c.Request().Clone(c.c.Request().Context())
	r.URL.Path = path
	c.e.ServeHTTP(c.c.Response(), r)
	return nil
}
