package echosession

import (
	"github.com/labstack/echo/v4"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// Events answers with server-sent events for as long as the session lives: see core.ServeEvents. A
// visitor without a session gets 204. The error is that of f. Config.Passive should report true for
// such a route.
func Events(c echo.Context, f func(*core.EventStream) error) error {
	_ = Get(c) // panics without the middleware
	return core.ServeEvents(c.Response(), c.Request(), f)
}
