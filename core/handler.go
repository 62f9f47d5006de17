package core

import (
	"io"
	"net/http"
	"strconv"
)

// A HandlerConfig says how the middleware for net/http behaves. The zero HandlerConfig is what
// Handler uses.
type HandlerConfig struct {
	// Skip is asked first: where it reports true the request has no session. nil skips nothing.
	Skip func(*http.Request) bool
	// Passive is asked for each request that is not skipped: where it reports true the request is
	// no activity of the user's, and the idle timeout goes on. nil means that all are. It is for what
	// a page sends by itself: polls, event streams.
	Passive func(*http.Request) bool
	// ErrorHandler answers when a session cannot be loaded or committed; nothing of the handler's
	// answer goes out. Status maps the error, whose text is not for clients. If the change that
	// cannot be stored came after the first byte of the response, ErrorHandler is called as well,
	// but what it writes goes nowhere. nil answers with the status and its standard text.
	ErrorHandler func(w http.ResponseWriter, r *http.Request, err error)
}

// Handler is the middleware for net/http and whatever is built on it. Handlers below it find the
// session with FromContext. Installed twice, the inner one does nothing.
func (m *Manager) Handler(next http.Handler) http.Handler {
	return m.HandlerWithConfig(HandlerConfig{})(next)
}

// HandlerWithConfig is Handler with settings.
func (m *Manager) HandlerWithConfig(cfg HandlerConfig) func(http.Handler) http.Handler {
	if cfg.ErrorHandler == nil {
		cfg.ErrorHandler = answerError
	}
	return func(next http.Handler) http.Handler {
		return &handler{manager: m, cfg: cfg, next: next}
	}
}

type handler struct {
	manager *Manager
	cfg     HandlerConfig
	next    http.Handler
}

// ServeHTTP implements http.Handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	_, inside := h.manager.FromContext(ctx)
	if inside || h.cfg.Skip != nil && h.cfg.Skip(r) {
		h.next.ServeHTTP(w, r)
		return
	}
	x := &exchange{handler: h, r: r}
	x.gate.Passive = h.cfg.Passive != nil && h.cfg.Passive(r)
	if err := h.manager.BeginGate(ctx, &x.gate, r.Header, w.Header(), x); err != nil {
		h.fail(w, r, err)
		return
	}
	x.inner = *r.WithContext(x.gate.Context())
	returned := false
	defer func() {
		if r.MultipartForm == nil { // net/http removes its own request's uploads only
			r.MultipartForm = x.inner.MultipartForm
		}
		if !returned { // a panic, or runtime.Goexit
			x.gate.Rollback()
		}
	}()
	h.next.ServeHTTP(x.gate.Wrap(w), &x.inner)
	returned = true
	if err := x.gate.Finish(); err != nil {
		h.cfg.ErrorHandler(nowhere{w.Header().Clone()}, r, err)
	}
}

// An exchange is a request under way, all that is kept of it but the session in one piece of
// memory.
type exchange struct {
	gate    Gate
	handler *handler
	r       *http.Request
	inner   http.Request // what the handler gets
}

// Fail answers past the gate.
func (x *exchange) Fail(err error) { x.handler.fail(x.gate.writer.ResponseWriter, x.r, err) }

// fail answers with the status, also if the ErrorHandler forgets it, or answers nothing.
func (h *handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	page := &errorPage{ResponseWriter: w, status: Status(err)}
	h.cfg.ErrorHandler(page, r, err)
	page.begin()
}

// An errorPage has its status before anything is written.
type errorPage struct {
	http.ResponseWriter
	status int
	begun  bool
}

func (p *errorPage) begin() {
	if !p.begun {
		p.WriteHeader(p.status)
	}
}

// WriteHeader implements http.ResponseWriter.
func (p *errorPage) WriteHeader(status int) {
	p.begun = p.begun || status >= http.StatusOK
	p.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (p *errorPage) Write(b []byte) (int, error) {
	p.begin()
	return p.ResponseWriter.Write(b)
}

// FlushError is for http.ResponseController.
func (p *errorPage) FlushError() error {
	p.begin()
	return http.NewResponseController(p.ResponseWriter).Flush()
}

// Unwrap is for http.ResponseController.
func (p *errorPage) Unwrap() http.ResponseWriter { return p.ResponseWriter }

// answerError is the default ErrorHandler. It sends the whole answer at once, since a handler that
// streams may hold the connection for long.
func answerError(w http.ResponseWriter, r *http.Request, err error) {
	status := Status(err)
	body := http.StatusText(status) + "\n"
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = io.WriteString(w, body)
	}
	_ = http.NewResponseController(w).Flush()
}

// nowhere is the writer of a response that is out already.
type nowhere struct{ header http.Header }

// Header implements http.ResponseWriter.
func (n nowhere) Header() http.Header { return n.header }

// Write implements http.ResponseWriter.
func (n nowhere) Write(b []byte) (int, error) { return len(b), nil }

// WriteHeader implements http.ResponseWriter.
func (n nowhere) WriteHeader(int) {}
