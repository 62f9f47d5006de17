package ginsession

import (
	"github.com/gin-gonic/gin"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// Events answers with server-sent events for as long as the session lives: see core.ServeEvents. A
// visitor without a session gets 204. The error of f comes among c.Errors. Config.Passive should
// report true for such a route.
func Events(c *gin.Context, f func(*core.EventStream) error) {
	_ = Get(c) // panics without the middleware
	if err := core.ServeEvents(c.Writer, c.Request, f); err != nil {
		_ = c.Error(err)
	}
}
