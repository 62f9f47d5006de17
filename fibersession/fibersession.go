// Package fibersession keeps sessions on the server for fiber v2:
//
//	app := fiber.New()
//	app.Use(recover.New(), fibersession.New(manager))
//
// Handlers get the session with Get, anything below them with core.FromContext, given c.Context()
// or c.UserContext(). Install it inside of the recover middleware: a panic that passes it stores
// nothing, and one that nobody recovers ends the process, as fasthttp has it.
//
// fasthttp sends the response after the handler has returned, so that the commit is always in time,
// but a body's stream writer runs beside and beyond it: it may read the session, and to change it
// takes core.Manager.Open. It must not use the *fiber.Ctx. Nor does fasthttp tell when a client
// goes.
package fibersession

import (
	"context"
	"net/http"
	"sync"

	"github.com/gofiber/fiber/v2"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// A Config says how the middleware behaves. The zero Config is what New uses. What cannot be loaded
// or committed goes to the app's ErrorHandler as an error that wraps a *fiber.Error of the status
// and the cause, and whose text is the status's.
type Config struct {
	// Next is asked first: where it reports true the request has no session. nil skips nothing.
	Next func(c *fiber.Ctx) bool
	// Passive is asked for each request that is not skipped: where it reports true the request is
	// no activity of the user's, and the idle timeout goes on. nil means that all are. It is for what
	// a page sends by itself: polls, event streams.
	Passive func(c *fiber.Ctx) bool
}

// New returns the middleware of a Manager.
func New(m *core.Manager) fiber.Handler { return NewWithConfig(m, Config{}) }

// NewWithConfig is New with settings.
func NewWithConfig(m *core.Manager, cfg Config) fiber.Handler {
	mw := &middleware{manager: m, cfg: cfg}
	mw.headers.New = func() any { return new(headers) }
	return mw.handle
}

type middleware struct {
	manager *core.Manager
	cfg     Config
	headers sync.Pool // of *headers
	running servers
}

func (mw *middleware) handle(c *fiber.Ctx) error {
	if mw.cfg.Next != nil && mw.cfg.Next(c) {
		return c.Next()
	}
	if _, inside := mw.manager.FromContext(c.Context()); inside {
		return c.Next()
	}
	h := mw.headers.Get().(*headers)
	h.take(c)
	defer func() {
		h.drop()
		mw.headers.Put(h)
	}()
	return mw.serve(c, h)
}

// Get returns the request's session, the innermost if there are several Managers. It panics if the
// middleware did not run, which is a mistake in the program; core.FromContext reports it instead.
func Get(c *fiber.Ctx) *core.Session {
	s, ok := c.Locals(core.ContextKey).(*core.Session)
	if !ok {
		panic("fibersession: no session: the middleware is not installed on this route")
	}
	return s
}

func (mw *middleware) serve(c *fiber.Ctx, h *headers) error {
	m, ctx := mw.manager, c.UserContext()
	s, err := mw.begin(c, ctx, (*requestHeader)(h))
	if err != nil {
		m.ErrorHeader(nil, err, (*responseHeader)(h))
		c.Status(core.Status(err)) // for an ErrorHandler that answers nothing
		return failure{err}
	}
	committed := false
	defer func() { mw.beginStream(c, committed) }()
	err = next(c, m, ctx, s)
	defer m.Seal(s)
	if lost := m.Commit(ctx, s, (*responseHeader)(h)); lost != nil {
		// Nothing of what the handler answered goes out, an upgrade included.
		c.Context().Hijack(nil)
		c.Context().HijackSetNoResponse(false)
		c.Response().Reset()
		h.before.CopyTo(h.response)
		m.ErrorHeader(s, lost, (*responseHeader)(h))
		c.Status(core.Status(lost))
		return failure{lost} // not joined with the handler's error, whose status would win
	}
	committed = true
	return err
}

func (mw *middleware) begin(
	c *fiber.Ctx, ctx context.Context, request core.RequestHeader,
) (*core.Session, error) {
	if mw.cfg.Passive != nil && mw.cfg.Passive(c) {
		return mw.manager.BeginPassive(ctx, request)
	}
	return mw.manager.Begin(ctx, request)
}

// next calls the rest of the chain with the session in it. The app's ErrorHandler, which runs
// later, finds it there, too.
func next(c *fiber.Ctx, m *core.Manager, ctx context.Context, s *core.Session) error {
	outer := c.Context().UserValue(core.ContextKey)
	c.SetUserContext(core.NewContext(ctx, s))
	c.Context().SetUserValue(core.ContextKey, s)
	returned := false
	defer func() {
		if !returned { // a panic: nothing is stored
			m.Rollback(ctx, s)
		}
		if outer != nil {
			c.SetUserContext(ctx)
			c.Context().SetUserValue(core.ContextKey, outer)
		}
	}()
	err := c.Next()
	returned = true
	return err
}

// A failure goes to the app's ErrorHandler. Its text is for clients, which the default handler
// sends it to.
type failure struct{ cause error }

// Error is the status's text.
func (f failure) Error() string { return http.StatusText(core.Status(f.cause)) }

// Unwrap gives the status, where ErrorHandlers look for it, and the cause.
func (f failure) Unwrap() []error {
	return []error{fiber.NewError(core.Status(f.cause)), f.cause}
}
