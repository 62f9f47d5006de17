// Package echosession keeps sessions on the server for echo v4:
//
//	e := echo.New()
//	e.Use(middleware.Recover(), echosession.New(manager))
//
// Handlers get the session with Get, anything below them with core.FromContext, given the request's
// context. Install it inside of middleware.Recover: a panic that passes it stores nothing. Do not
// use it with echo's deprecated Timeout middleware, which swaps the response under the handler;
// ContextTimeout is fine.
//
// A WebSocket library that writes the answer to an upgrade itself must be given the header, else
// the client does not get its cookie: with gorilla/websocket, Upgrade(c.Response(), c.Request(),
// c.Response().Header()).
package echosession

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// A Config says how the middleware behaves. The zero Config is what New uses. What cannot be loaded
// or committed goes to Echo.HTTPErrorHandler as an *echo.HTTPError whose Internal is the error.
type Config struct {
	// Skipper is asked first: where it reports true the request has no session. nil skips nothing.
	// A middleware.Skipper fits.
	Skipper func(c echo.Context) bool
	// Passive is asked for each request that is not skipped: where it reports true the request is
	// no activity of the user's, and the idle timeout goes on. nil means that all are. It is for what
	// a page sends by itself: polls, event streams.
	Passive func(c echo.Context) bool
}

// New returns the middleware of a Manager.
func New(m *core.Manager) echo.MiddlewareFunc { return NewWithConfig(m, Config{}) }

// NewWithConfig is New with settings.
func NewWithConfig(m *core.Manager, cfg Config) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			_, inside := m.FromContext(c.Request().Context())
			if inside || cfg.Skipper != nil && cfg.Skipper(c) {
				return next(c)
			}
			return serve(c, m, &cfg, next)
		}
	}
}

// Get returns the request's session, the innermost if there are several Managers. It panics if the
// middleware did not run, which is a mistake in the program; core.FromContext reports it instead.
func Get(c echo.Context) *core.Session {
	s, ok := core.FromContext(c.Request().Context())
	if !ok {
		panic("echosession: no session: the middleware is not installed on this route")
	}
	return s
}

func serve(c echo.Context, m *core.Manager, cfg *Config, next echo.HandlerFunc) error {
	request, response := c.Request(), c.Response()
	raw := response.Writer
	x := &exchange{c: c, raw: raw}
	x.gate.Passive = cfg.Passive != nil && cfg.Passive(c)
	err := m.BeginGate(request.Context(), &x.gate, request.Header, response.Header(), x)
	if err != nil {
		fail(c, raw, err)
		return nil
	}
	x.request = *request.WithContext(x.gate.Context())
	c.SetRequest(&x.request)
	response.Writer = x.gate.Wrap(raw)
	returned := false
	defer func() {
		if request.MultipartForm == nil {
			request.MultipartForm = c.Request().MultipartForm // net/http removes its own's uploads
		}
		if !returned { // a panic: what Recover writes is not the handler's
			response.Writer = raw
			x.gate.Rollback()
		}
	}()
	err = next(c)
	returned = true
	// echo's error handler runs only after the whole chain; the session is committed before, so
	// that its answer carries the cookie. The writer stays in place for it.
	late := x.gate.Finish()
	switch {
	case x.gate.Failed() != nil:
		return nil // Fail has answered; the handler's own error is about an answer nobody got
	case err == nil && late != nil:
		return httpError(late)
	}
	return err
}

// An exchange is a request under way, all that is kept of it but the session in one piece of
// memory.
type exchange struct {
	gate    core.Gate
	c       echo.Context
	raw     http.ResponseWriter
	request http.Request // what the handler gets
}

// Fail answers for a session that cannot be committed.
func (x *exchange) Fail(err error) { fail(x.c, x.raw, err) }

// fail answers through echo's own error path, past the gate and past whatever wrapped the writer
// since. What the handler wrote so far counts for nothing.
func fail(c echo.Context, raw http.ResponseWriter, err error) {
	response := c.Response()
	current := response.Writer
	answer := &page{ResponseWriter: raw, status: core.Status(err)}
	response.Writer = answer
	response.Committed, response.Size, response.Status = false, 0, http.StatusOK
	defer func() { // also if the error handler panics
		answer.send(c.Request().Method)
		response.Committed, response.Status = true, answer.status
		response.Writer = current
	}()
	c.Error(httpError(err))
}

func httpError(err error) error {
	return echo.NewHTTPError(core.Status(err)).SetInternal(err)
}
