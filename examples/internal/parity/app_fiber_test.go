package parity

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/gofiber/contrib/websocket"
	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/adaptor"
	"github.com/gofiber/fiber/v2/middleware/compress"
	"github.com/gofiber/fiber/v2/middleware/recover"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/fibersession"
)

// fiberFramework is fiber v2 with fibersession.
type fiberFramework struct{}

func (fiberFramework) name() string      { return "fiber" }
func (fiberFramework) sockets() []string { return []string{"contrib"} }

func (fiberFramework) lacks() map[ability]string {
	return map[ability]string{
		earlyHints:     "fiber v2 sends one header for a request",
		survivesPanics: "fasthttp recovers no panic: the process ends",
		clientGone:     "fasthttp does not tell a handler that its client has gone",
		http2:          "fasthttp speaks HTTP/1.1 only",
		writers:        "fiber's handlers see no http.ResponseWriter",
	}
}

func (fiberFramework) unavailable() page {
	return page{"text/plain; charset=utf-8", "Service Unavailable"}
}

func (f fiberFramework) serve(t testing.TB, s *site) string {
	cfg := fiber.Config{
		DisableStartupMessage:    true,
		DisableHeaderNormalizing: s.exactHeaders,
		ReadBufferSize:           1 << 16, // room for the cookies that net/http would take
	}
	if s.smallBuffer {
		cfg.ReadBufferSize = 0
	}
	if s.terse != nil {
		cfg.ErrorHandler = func(c *fiber.Ctx, err error) error {
			s.terse <- err
			if !s.mute {
				c.Status(http.StatusServiceUnavailable)
			}
			return nil
		}
	}
	app := fiber.New(cfg)
	for _, l := range s.layers {
		app.Use(f.layer(s, l))
	}
	group := app.Group("/")
	for _, l := range s.group {
		group.Use(f.layer(s, l))
	}
	for _, one := range s.routes {
		group.Add(one.method, one.path, func(c *fiber.Ctx) error {
			return f.failure(one.handler(fiberCtx{c}))
		})
	}
	for path, h := range s.mounts {
		group.All(path, adaptor.HTTPHandler(h))
	}
	s.shutdown = app.ShutdownWithContext
	return f.listen(t, app)
}

func (fiberFramework) listen(t testing.TB, app *fiber.App) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	served := make(chan error, 1)
	go func() { served <- app.Listener(listener) }()
	t.Cleanup(func() {
		assert.NoError(t, app.ShutdownWithTimeout(patience))
		assert.NoError(t, <-served)
	})
	return listener.Addr().String()
}

// failure makes fiber's own error of a status.
func (fiberFramework) failure(err error) error {
	var wanted statusError
	if errors.As(err, &wanted) {
		return fiber.NewError(int(wanted))
	}
	return err
}

func (fiberFramework) layer(s *site, l layer) fiber.Handler {
	switch l {
	case session:
		if s.passive != nil {
			return fibersession.NewWithConfig(s.manager, fibersession.Config{
				Passive: func(c *fiber.Ctx) bool { return s.passive(c.Path()) },
			})
		}
		return fibersession.New(s.manager)
	case another:
		return fibersession.New(s.other)
	case recovers:
		return recover.New()
	case zips:
		return compress.New()
	case shares:
		return func(c *fiber.Ctx) error {
			if allow(c.Set, c.Method()) {
				return c.SendStatus(http.StatusNoContent)
			}
			return c.Next()
		}
	case tracks:
		return func(c *fiber.Ctx) error {
			fiberCtx{c}.SetCookie(track())
			return c.Next()
		}
	case caches:
		return func(c *fiber.Ctx) error {
			c.Set("Cache-Control", "public")
			return c.Next()
		}
	case logs:
		return func(c *fiber.Ctx) error {
			if err := c.Next(); err != nil {
				if err := c.App().ErrorHandler(c, err); err != nil {
					return err
				}
			}
			s.logged <- c.Response().StatusCode()
			return nil
		}
	case wraps:
		return func(c *fiber.Ctx) error { return c.Next() } // there is nothing to wrap
	case denies:
		return func(*fiber.Ctx) error { return fiber.ErrUnauthorized }
	}
	panic("no such layer: " + l)
}

// fiberCtx is a Ctx of fiber.
type fiberCtx struct{ c *fiber.Ctx }

func (f fiberCtx) Session() *core.Session { return fibersession.Get(f.c) }

func (f fiberCtx) Contexts() []context.Context {
	return []context.Context{f.c.UserContext(), f.c.Context()}
}

func (f fiberCtx) Query(name string) string { return f.c.Query(name) }

func (f fiberCtx) Body(limit int64) (string, error) {
	if int64(len(f.c.Body())) > limit {
		return "", statusError(http.StatusRequestEntityTooLarge)
	}
	return string(f.c.Body()), nil
}

func (f fiberCtx) SetHeader(name, value string)         { f.c.Set(name, value) }
func (f fiberCtx) JSON(status int, value any) error     { return f.c.Status(status).JSON(value) }
func (f fiberCtx) Redirect(status int, to string) error { return f.c.Redirect(to, status) }
func (f fiberCtx) File(path string) error               { return f.c.SendFile(path) }
func (f fiberCtx) Hints(string)                         { panic("fiber has no early hints") }

func (f fiberCtx) Upload() error {
	_, err := f.c.MultipartForm()
	return err
}

func (f fiberCtx) Path() string { return f.c.Path() }

func (f fiberCtx) SetCookie(c *http.Cookie) {
	f.c.Cookie(&fiber.Cookie{Name: c.Name, Value: c.Value, Path: c.Path, HTTPOnly: c.HttpOnly})
}

func (f fiberCtx) Text(status int, text string) error {
	return f.c.Status(status).SendString(text)
}

func (f fiberCtx) NoContent(status int) error {
	f.c.Status(status)
	return nil
}

func (f fiberCtx) Stream(write func(w io.Writer, flush func() error)) error {
	f.c.Context().SetBodyStreamWriter(func(w *bufio.Writer) { write(w, w.Flush) })
	return nil
}

func (f fiberCtx) Trailer(name string) func(value string) {
	header := &f.c.Response().Header
	if err := header.AddTrailer(name); err != nil {
		panic(err)
	}
	return func(value string) { header.Set(name, value) }
}

func (f fiberCtx) WebSocket(_ string, serve func(*core.Session, func(string) error)) error {
	return websocket.New(func(conn *websocket.Conn) {
		s, _ := conn.Locals(core.ContextKey).(*core.Session)
		serve(s, func(text string) error {
			return conn.WriteMessage(websocket.TextMessage, []byte(text))
		})
	})(f.c)
}

func (f fiberCtx) Events(write func(*core.EventStream) error) error {
	return fibersession.Events(f.c, write)
}

func (f fiberCtx) Echo(string) error {
	return websocket.New(func(conn *websocket.Conn) {
		live, release := conn.Locals(core.ContextKey).(*core.Session).Live(context.Background())
		defer release()
		closed := make(chan struct{})
		stop := context.AfterFunc(live, func() {
			defer close(closed)
			bye := websocket.FormatCloseMessage(websocket.ClosePolicyViolation, "session ended")
			_ = conn.WriteControl(websocket.CloseMessage, bye, time.Now().Add(patience))
			_ = conn.Close()
		})
		defer func() {
			if !stop() {
				<-closed // when this function has returned, conn is another client's
			}
		}()
		for {
			kind, data, err := conn.ReadMessage()
			if err != nil {
				return
			}
			_ = conn.WriteMessage(kind, data)
		}
	})(f.c)
}

func (f fiberCtx) Hijack(serve func(conn net.Conn)) error {
	f.c.Context().HijackSetNoResponse(true)
	f.c.Context().Hijack(serve)
	return nil
}

func (f fiberCtx) Redispatch(path string) error {
	f.c.Path(path)
	return f.c.RestartRouting()
}
