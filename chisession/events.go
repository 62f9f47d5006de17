package chisession

import (
	"net/http"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// Events answers with server-sent events for as long as the session lives: see core.ServeEvents. A
// visitor without a session gets 204. The error is that of f. Config.Passive should report true for
// such a route.
func Events(w http.ResponseWriter, r *http.Request, f func(*core.EventStream) error) error {
	_ = Get(r) // panics without the middleware
	return core.ServeEvents(w, r, f)
}
