package parity

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"testing"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// plainFramework is net/http's own ServeMux with core's Manager.Handler. It borrows what
// chi has for plain net/http.
type plainFramework struct{}

func (plainFramework) name() string              { return "net-http" }
func (plainFramework) lacks() map[ability]string { return nil }
func (plainFramework) sockets() []string         { return netHTTPSockets() }
func (plainFramework) unavailable() page         { return chiFramework{}.unavailable() }

func (f plainFramework) serve(t testing.TB, s *site) string {
	mux := http.NewServeMux()
	app := f.chain(s, s.layers, mux)
	for _, one := range s.routes {
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			answerHTTP(httpCtx{w, r, app, sessionOf, core.ServeEvents}, one.handler)
		})
		mux.Handle(one.method+" "+one.path, f.chain(s, s.group, h))
	}
	for path, h := range s.mounts {
		mux.Handle(path, f.chain(s, s.group, h))
	}
	return serveHTTP(t, s, app)
}

// sessionOf is the getter where there is no adapter.
func sessionOf(r *http.Request) *core.Session {
	s, ok := core.FromContext(r.Context())
	if !ok {
		panic("no session")
	}
	return s
}

func (f plainFramework) chain(s *site, layers []layer, h http.Handler) http.Handler {
	for _, l := range slices.Backward(layers) {
		h = f.layer(s, l)(h)
	}
	return h
}

func (plainFramework) layer(s *site, l layer) func(http.Handler) http.Handler {
	switch l {
	case session:
		if s.terse == nil && s.passive == nil {
			return s.manager.Handler
		}
		return s.manager.HandlerWithConfig(core.HandlerConfig{
			ErrorHandler: tersely(s), Passive: passively(s),
		})
	case another:
		return s.other.Handler
	}
	return httpLayer(s, l)
}

func encodeJSON(w io.Writer, value any) error { return json.NewEncoder(w).Encode(value) }
