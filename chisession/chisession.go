// Package chisession keeps sessions on the server for chi v5, and for plain net/http, which is the
// same to it:
//
//	r := chi.NewRouter()
//	r.Use(chisession.New(manager))
//
// Handlers get the session with Get, anything below them with core.FromContext. Install it outside
// of timeouts that answer themselves (http.TimeoutHandler), and inside of Recoverer: a panic that
// passes it stores nothing.
//
// A WebSocket library that writes the answer to an upgrade itself must be given the header, else
// the client does not get its cookie: with gorilla/websocket, Upgrade(w, r, w.Header()).
package chisession

import (
	"net/http"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// A Config says how the middleware behaves. The zero Config is what New uses.
type Config struct {
	// Skip is asked first: where it reports true the request has no session. nil skips nothing.
	Skip func(*http.Request) bool
	// Passive is asked for each request that is not skipped: where it reports true the request is
	// no activity of the user's, and the idle timeout goes on. nil means that all are. It is for what
	// a page sends by itself: polls, event streams.
	Passive func(*http.Request) bool
	// ErrorHandler answers when a session cannot be loaded or committed; see core.HandlerConfig.
	// nil answers with core.Status and its standard text.
	ErrorHandler func(w http.ResponseWriter, r *http.Request, err error)
}

// New returns the middleware of a Manager.
func New(m *core.Manager) func(http.Handler) http.Handler {
	return NewWithConfig(m, Config{})
}

// NewWithConfig is New with settings.
func NewWithConfig(m *core.Manager, cfg Config) func(http.Handler) http.Handler {
	return m.HandlerWithConfig(core.HandlerConfig(cfg))
}

// Get returns the request's session, the innermost if there are several Managers. It panics if the
// middleware did not run, which is a mistake in the program; core.FromContext reports it instead.
func Get(r *http.Request) *core.Session {
	s, ok := core.FromContext(r.Context())
	if !ok {
		panic("chisession: no session: the middleware is not installed on this route")
	}
	return s
}
