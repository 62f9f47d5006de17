// Package ginsession keeps sessions on the server for gin:
//
//	r := gin.New()
//	r.Use(gin.Recovery(), ginsession.New(manager))
//
// Handlers get the session with Get, anything below them with core.FromContext, given the
// *gin.Context or the request's context. Install it inside of gin.Recovery: a panic that passes it
// stores nothing.
//
// A WebSocket library that writes the answer to an upgrade itself must be given the header, else
// the client does not get its cookie: with gorilla/websocket, Upgrade(c.Writer, c.Request,
// c.Writer.Header()).
package ginsession

import (
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// A Config says how the middleware behaves. The zero Config is what New uses.
type Config struct {
	// Passive is asked for each request: where it reports true the request is
	// no activity of the user's, and the idle timeout goes on. nil means that all are. It is for what
	// a page sends by itself: polls, event streams.
	Passive func(c *gin.Context) bool
	// ErrorHandler answers when a session cannot be loaded or committed. The error is among
	// c.Errors already, and the chain is aborted. core.Status maps it; its text is not for clients.
	// nil answers with that status and a JSON object of one field, "error".
	ErrorHandler func(c *gin.Context, err error)
}

// New returns the middleware of a Manager.
func New(m *core.Manager) gin.HandlerFunc { return NewWithConfig(m, Config{}) }

// NewWithConfig is New with settings.
func NewWithConfig(m *core.Manager, cfg Config) gin.HandlerFunc {
	if cfg.ErrorHandler == nil {
		cfg.ErrorHandler = answerError
	}
	return func(c *gin.Context) { serve(c, m, &cfg) }
}

// Get returns the request's session, the innermost if there are several Managers. It panics if the
// middleware did not run, which is a mistake in the program; core.FromContext reports it instead.
func Get(c *gin.Context) *core.Session {
	s, ok := core.FromContext(c)
	if !ok {
		panic("ginsession: no session: the middleware is not installed on this route")
	}
	return s
}

func serve(c *gin.Context, m *core.Manager, cfg *Config) {
	if _, installed := m.FromContext(keys{c}); installed {
		c.Next() // installed twice: the outer one commits
		return
	}
	ctx := c.Request.Context()
	if _, inside := m.FromContext(ctx); !inside {
		begin(c, m, cfg)
		return
	}
	if x, ok := ctx.Value(exchangeKey{m}).(*exchange); ok {
		x.again(c)
		return
	}
	// A middleware for net/http, around gin, commits it.
	innermost, _ := core.FromContext(ctx)
	c.Set(core.ContextKey, innermost)
	c.Next()
}

func begin(c *gin.Context, m *core.Manager, cfg *Config) {
	request, raw := c.Request, c.Writer
	x := &exchange{manager: m, cfg: cfg, c: c, writer: writer{ResponseWriter: raw}}
	x.writer.gate = &x.gate
	x.gate.Passive = cfg.Passive != nil && cfg.Passive(c)
	if err := m.BeginGate(request.Context(), &x.gate, request.Header, raw.Header(), x); err != nil {
		fail(c, cfg, err)
		return
	}
	x.Context = x.gate.Context()
	x.request = *request.WithContext(x)
	c.Request = &x.request
	returned := false
	defer func() {
		if request.MultipartForm == nil {
			request.MultipartForm = c.Request.MultipartForm // net/http removes its own's uploads only
		}
		if !returned { // a panic: what Recovery writes is not the handler's
			c.Writer = raw
			x.gate.Rollback()
		}
	}()
	run(c, x.gate.Session(), &x.writer)
	returned = true
	// gin writes an answer without a body past c.Writer, hence this commit beside the writer's.
	if err := x.gate.Finish(); err != nil {
		_ = c.Error(err)
	}
	c.Writer = raw
}

// run calls the rest of the chain with the session in gin's Keys, where core.FromContext looks if
// it is given the *gin.Context itself.
func run(c *gin.Context, s *core.Session, w *writer) {
	outer, nested := c.Get(core.ContextKey)
	c.Set(core.ContextKey, s)
	c.Writer = w
	c.Next()
	if nested {
		c.Set(core.ContextKey, outer)
	}
}

// keys shows of a gin.Context what is in its Keys, and nothing else.
type keys struct{ *gin.Context }

// Value implements context.Context.
func (k keys) Value(key any) any {
	name, _ := key.(string)
	value, _ := k.Get(name)
	return value
}

func fail(c *gin.Context, cfg *Config, err error) {
	_ = c.Error(err)
	c.Abort()
	c.Status(core.Status(err)) // for an ErrorHandler that answers nothing
	cfg.ErrorHandler(c, err)
}

// flush sends the error page at once, since a handler that streams may hold the connection for
// long. gin's own Flush would panic if what is below cannot flush.
func flush(w gin.ResponseWriter) {
	if below, ok := w.(interface{ Unwrap() http.ResponseWriter }); ok {
		_ = http.NewResponseController(below.Unwrap()).Flush()
		return
	}
	defer func() { _ = recover() }() // what is below another middleware's writer cannot flush
	w.Flush()
}

func answerError(c *gin.Context, err error) {
	status := core.Status(err)
	body := `{"error":"` + http.StatusText(status) + `"}`
	// With its length the answer is complete at once, even if the handler goes on and on.
	c.Header("Content-Length", strconv.Itoa(len(body)))
	c.Data(status, "application/json; charset=utf-8", []byte(body))
}
