package ginsession_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/sessiontest"
	"github.com/sessionserverstore/sessionserverstore/ginsession"
)

// newEngine makes an engine that recovers from panics without a word.
func newEngine(use ...gin.HandlerFunc) *gin.Engine {
	gin.SetMode(gin.TestMode)
	engine := gin.New()
	engine.Use(gin.RecoveryWithWriter(io.Discard))
	engine.Use(use...)
	return engine
}

func serve(t testing.TB, handler http.Handler) string {
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

func mount(t testing.TB, h sessiontest.Handler, managers ...*core.Manager) string {
	engine := newEngine()
	for _, m := range managers {
		engine.Use(ginsession.New(m))
	}
	engine.Any("/", func(c *gin.Context) {
		if err := h(&exchange{c}); err != nil {
			_ = c.AbortWithError(http.StatusInternalServerError, err)
		}
	})
	return serve(t, engine)
}

// An exchange is a sessiontest.Exchange in gin.
type exchange struct{ c *gin.Context }

func (x *exchange) Session() *core.Session       { return ginsession.Get(x.c) }
func (x *exchange) Context() context.Context     { return x.c.Request.Context() }
func (x *exchange) SetHeader(name, value string) { x.c.Header(name, value) }

func (x *exchange) SetCookie(name, value string) {
	x.c.SetCookie(name, value, 0, "/", "", false, true)
}

func (x *exchange) Answer(status int, body string) error {
	if body == "" {
		x.c.Status(status)
	} else {
		x.c.String(status, "%s", body)
	}
	return nil
}

func (x *exchange) Redirect(status int, location string) error {
	x.c.Redirect(status, location)
	return nil
}

func (x *exchange) Stream(chunk string) error {
	if _, err := x.c.Writer.WriteString(chunk); err != nil {
		return err
	}
	x.c.Writer.Flush()
	return nil
}

func TestTheAdapterKeepsItsPromises(t *testing.T) {
	sum := sessiontest.TestAdapter(t, mount)
	require.Empty(t, sum.Failed)
	require.Empty(t, sum.Lacking)
}
