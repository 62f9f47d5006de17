package echosession_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/sessiontest"
	"github.com/sessionserverstore/sessionserverstore/echosession"
)

// newEcho makes an echo that recovers from panics without a word.
func newEcho(use ...echo.MiddlewareFunc) *echo.Echo {
	e := echo.New()
	e.Logger.SetOutput(io.Discard)
	e.Use(middleware.Recover())
	e.Use(use...)
	return e
}

func serve(t testing.TB, handler http.Handler) string {
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

func mount(t testing.TB, h sessiontest.Handler, managers ...*core.Manager) string {
	e := newEcho()
	for _, m := range managers {
		e.Use(echosession.New(m))
	}
	e.Any("/", func(c echo.Context) error { return h(&exchange{c}) })
	return serve(t, e)
}

// An exchange is a sessiontest.Exchange in echo.
type exchange struct{ c echo.Context }

func (x *exchange) Session() *core.Session       { return echosession.Get(x.c) }
func (x *exchange) Context() context.Context     { return x.c.Request().Context() }
func (x *exchange) SetHeader(name, value string) { x.c.Response().Header().Set(name, value) }

func (x *exchange) SetCookie(name, value string) {
	x.c.SetCookie(&http.Cookie{Name: name, Value: value})
}

func (x *exchange) Answer(status int, body string) error {
	if body == "" {
		return x.c.NoContent(status)
	}
	return x.c.String(status, body)
}

func (x *exchange) Redirect(status int, location string) error {
	return x.c.Redirect(status, location)
}

func (x *exchange) Stream(chunk string) error {
	if _, err := io.WriteString(x.c.Response(), chunk); err != nil {
		return err
	}
	x.c.Response().Flush()
	return nil
}

func TestTheAdapterKeepsItsPromises(t *testing.T) {
	sum := sessiontest.TestAdapter(t, mount)
	require.Empty(t, sum.Failed)
	require.Empty(t, sum.Lacking)
}
