package fibersession

import (
	"bufio"
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// Events answers with server-sent events for as long as the session lives, as core.ServeEvents
// does: f is called when the session is committed, and is to return when the stream's Context is
// cancelled. A visitor without a session gets 204. The error is always nil. Config.Passive should
// report true for such a route.
//
// f runs when the handler has returned, in a goroutine of its own: it must not use the *fiber.Ctx,
// nobody gets the error that it returns, and if it panics the process ends. It may read the session
// that Get gave; to change it takes core.Manager.Open. That a client has gone is found out by what
// is sent, a heartbeat if need be. The server's WriteTimeout does not end the stream, its Shutdown
// does.
func Events(c *fiber.Ctx, f func(*core.EventStream) error) error {
	s := Get(c)
	if s.ID() == "" {
		c.Set(fiber.HeaderCacheControl, "no-store")
		c.Status(fiber.StatusNoContent)
		return nil
	}
	core.EventHeader(c.Set)
	c.Context().SetConnectionClose() // its deadlines are the stream's, and not the next request's
	if c.Method() == fiber.MethodHead {
		return nil
	}
	if p := pendingStream(c.Context()); p != nil {
		p.begin <- nil // the handler has thought better of it
	}
	p := &pending{begin: make(chan context.Context, 1)}
	c.Context().SetUserValue(pendingKey{}, p)
	conn := c.Context().Conn()
	if c.App().Server().MaxConnsPerIP > 0 {
		conn = nil // fasthttp wraps it, and uses the wrapping again for another one
	}
	c.Context().SetBodyStreamWriter(func(w *bufio.Writer) { // in another goroutine, and at once
		if ctx := <-p.begin; ctx != nil {
			_ = core.StreamEvents(core.NewContext(ctx, s), s, eventWriter{w, conn}, f)
		}
	})
	return nil
}

// A pending stream waits for the commit.
type pending struct {
	begin chan context.Context // gets one, nil if the stream is not to begin
}

// A pendingKey is where the stream waits among the request's values.
type pendingKey struct{}

func pendingStream(c *fasthttp.RequestCtx) *pending {
	p, _ := c.UserValue(pendingKey{}).(*pending)
	return p
}

// beginStream lets the stream begin that the handler answered with, if any.
func (mw *middleware) beginStream(c *fiber.Ctx, committed bool) {
	p := pendingStream(c.Context())
	if p == nil {
		return
	}
	c.Context().RemoveUserValue(pendingKey{})
	if !committed {
		p.begin <- nil
		return
	}
	p.begin <- mw.running.context(c.Context().Done())
}

// servers are those that the middleware is used in, mostly one.
type servers struct {
	mu       sync.Mutex
	contexts map[<-chan struct{}]context.Context
}

// context is cancelled when a server stops, which closes the channel. All of a server's streams
// share it, and the goroutine that it takes. It has no part of the request's own context, for that
// may belong to another request when this one is over.
func (s *servers) context(stopped <-chan struct{}) context.Context {
	if stopped == nil { // nobody serves: it is a test
		return context.Background()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if ctx, ok := s.contexts[stopped]; ok {
		return ctx
	}
	ctx, cancel := context.WithCancel(context.Background())
	if s.contexts == nil {
		s.contexts = make(map[<-chan struct{}]context.Context)
	}
	s.contexts[stopped] = ctx
	go func() {
		<-stopped
		cancel()
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.contexts, stopped)
	}()
	return ctx
}

// An eventWriter is the body of a response that fasthttp sends in another goroutine.
type eventWriter struct {
	*bufio.Writer
	conn net.Conn
}

// SetWriteDeadline bounds how long fasthttp waits for the client. When that is over it closes the
// body, and what writes to it gets an error.
func (w eventWriter) SetWriteDeadline(t time.Time) error {
	if w.conn == nil {
		return errors.ErrUnsupported
	}
	return w.conn.SetWriteDeadline(t)
}
