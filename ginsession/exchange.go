package ginsession

import (
	"context"
	"fmt"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// An exchange is a request under way, all that is kept of it but the session in one piece of
// memory. It is the request's context, too: the session's, and in it the exchange.
type exchange struct {
	context.Context
	gate    core.Gate
	writer  writer
	request http.Request // what the handler gets

	manager *core.Manager
	cfg     *Config
	c       *gin.Context
}

// An exchangeKey finds a Manager's exchange in the request's context.
type exchangeKey struct{ manager *core.Manager }

// Format writes the session's ID: contexts get printed, and a request's header holds the token.
func (x *exchange) Format(f fmt.State, verb rune) { x.gate.Session().Format(f, verb) }

// Value implements context.Context.
func (x *exchange) Value(key any) any {
	if k, ok := key.(exchangeKey); ok && k.manager == x.manager {
		return x
	}
	return x.Context.Value(key)
}

// Fail answers with gin's own writer, whoever wrapped it since.
func (x *exchange) Fail(err error) {
	c, raw := x.c, x.writer.ResponseWriter
	current := c.Writer
	c.Writer = raw
	fail(c, x.cfg, err)
	raw.WriteHeaderNow()
	flush(raw)
	c.Writer = current
}

// again is for a request that came to gin anew: by Engine.HandleContext, which takes the writer and
// the Keys away, or through another engine, which has its own.
func (x *exchange) again(c *gin.Context) {
	run(c, x.gate.Session(), &writer{ResponseWriter: c.Writer, gate: &x.gate})
	_ = x.gate.Open()
}
