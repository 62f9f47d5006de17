package echosession_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	"github.com/stretchr/testify/assert"
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

func word() core.Value[string] { return core.NewValue[string]("word") }

// An outage is a store that fails when told to.
type outage struct {
	core.Store
	loads, writes bool
}

func newOutage() *outage { return &outage{Store: core.NewMemoryStore(core.MemoryOptions{})} }

func (o *outage) Load(ctx context.Context, id core.ID) (core.Record, error) {
	if o.loads {
		return core.Record{}, errors.New("a secret of the operator's")
	}
	return o.Store.Load(ctx, id)
}

func (o *outage) Create(ctx context.Context, rec core.Record) error {
	if o.writes {
		return errors.New("a secret of the operator's")
	}
	return o.Store.Create(ctx, rec)
}

func newManager(t *testing.T, store core.Store) *core.Manager {
	m, err := core.New(core.Config{Store: store})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	return m
}

// answer lets an echo answer a request.
func answer(e http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	e.ServeHTTP(w, r)
	return w
}

func get(path string) *http.Request { return httptest.NewRequest(http.MethodGet, path, nil) }

func TestGetWithoutTheMiddlewarePanics(t *testing.T) {
	e := newEcho()
	e.GET("/", func(c echo.Context) error {
		_, ok := core.FromContext(c.Request().Context())
		assert.False(t, ok)
		assert.PanicsWithValue(t,
			"echosession: no session: the middleware is not installed on this route",
			func() { echosession.Get(c) })
		return c.NoContent(http.StatusNoContent)
	})
	require.Equal(t, http.StatusNoContent, answer(e, get("/")).Code)
}

func TestARequestThatIsSkippedHasNoSession(t *testing.T) {
	m := newManager(t, nil)
	var skipper middleware.Skipper = func(c echo.Context) bool { return c.Path() == "/skipped" }
	e := newEcho(echosession.NewWithConfig(m, echosession.Config{Skipper: skipper}))
	hello := func(c echo.Context) error {
		_, ok := core.FromContext(c.Request().Context())
		return c.String(http.StatusOK, strconv.FormatBool(ok))
	}
	e.GET("/skipped", hello)
	e.GET("/served", hello)
	require.Equal(t, "false", answer(e, get("/skipped")).Body.String())
	require.Equal(t, "true", answer(e, get("/served")).Body.String())
}

func TestTheMiddlewareMayBeInstalledOnAGroupOrARoute(t *testing.T) {
	m := newManager(t, nil)
	e := newEcho()
	hello := func(c echo.Context) error {
		_, ok := core.FromContext(c.Request().Context())
		return c.String(http.StatusOK, strconv.FormatBool(ok))
	}
	e.GET("/outside", hello)
	e.GET("/route", hello, echosession.New(m))
	e.Group("/group", echosession.New(m)).GET("/", hello)
	require.Equal(t, "false", answer(e, get("/outside")).Body.String())
	require.Equal(t, "true", answer(e, get("/route")).Body.String())
	require.Equal(t, "true", answer(e, get("/group/")).Body.String())
}

// down makes an echo whose store fails, once with a request that must be loaded, and once with one
// that must be committed.
func down(
	t *testing.T, e *echo.Echo, outer ...echo.MiddlewareFunc,
) (answers [2]*httptest.ResponseRecorder) {
	store := newOutage()
	m := newManager(t, store)
	live := sessiontest.Request(t, m, get("/"), func(s *core.Session) { word().Set(s, "hello") })
	e.Use(outer...)
	e.Use(echosession.New(m))
	ran := 0
	e.GET("/", func(c echo.Context) error {
		ran++
		c.Response().Header().Set("X-Handler", "gone")
		word().Set(echosession.Get(c), "hello")
		return c.String(http.StatusOK, "gone, too")
	})
	store.loads = true
	answers[0] = answer(e, live)
	require.Zero(t, ran)
	store.loads, store.writes = false, true
	answers[1] = answer(e, get("/"))
	require.Equal(t, 1, ran)
	return answers
}

func TestTheErrorHandlerGetsWhatCannotBeLoadedOrCommitted(t *testing.T) {
	e := newEcho()
	calls := 0
	e.HTTPErrorHandler = func(err error, c echo.Context) {
		calls++
		var status *echo.HTTPError
		var failure *core.StoreError
		assert.ErrorAs(t, err, &status)
		assert.Equal(t, http.StatusServiceUnavailable, status.Code)
		assert.ErrorAs(t, err, &failure)
		assert.False(t, c.Response().Committed)
		assert.NoError(t, c.String(status.Code, "our own page"))
	}
	outer := func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			c.Response().Header().Set("X-Outer", "kept")
			err := next(c)
			if err == nil { // the session could not be committed, and the page is out
				assert.Equal(t, http.StatusServiceUnavailable, c.Response().Status)
				assert.True(t, c.Response().Committed)
			}
			return err
		}
	}
	for _, w := range down(t, e, outer) {
		assert.Equal(t, http.StatusServiceUnavailable, w.Code)
		assert.Equal(t, "our own page", w.Body.String())
		assert.Equal(t, "1", w.Header().Get("Retry-After"))
		assert.Equal(t, "kept", w.Header().Get("X-Outer"))
		assert.NotContains(t, w.Header(), "X-Handler")
		assert.NotContains(t, w.Header(), "Set-Cookie")
	}
	require.Equal(t, 2, calls)
}

func TestTheDefaultErrorPageTellsNothing(t *testing.T) {
	for _, w := range down(t, newEcho()) {
		require.Equal(t, http.StatusServiceUnavailable, w.Code)
		require.JSONEq(t, `{"message":"Service Unavailable"}`, w.Body.String())
	}
}

func TestAnErrorHandlerThatWritesNothingStillMeans503(t *testing.T) {
	e := newEcho()
	e.HTTPErrorHandler = func(error, echo.Context) {}
	w := down(t, e)[1]
	require.Equal(t, http.StatusServiceUnavailable, w.Code)
	require.Empty(t, w.Body.String())
}

func TestTheHandlersErrorIsAnsweredWithTheSessionsCookie(t *testing.T) {
	m := newManager(t, nil)
	e := newEcho(echosession.New(m))
	e.GET("/", func(c echo.Context) error {
		word().Set(echosession.Get(c), "hello")
		return echo.NewHTTPError(http.StatusTeapot, "a handler's error")
	})
	w := answer(e, get("/"))
	require.Equal(t, http.StatusTeapot, w.Code)
	require.JSONEq(t, `{"message":"a handler's error"}`, w.Body.String())
	require.Len(t, w.Result().Cookies(), 1)
}

func TestAChangeThatCameTooLateIsTheHandlersError(t *testing.T) {
	m := newManager(t, nil)
	var outer error
	e := newEcho(func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			outer = next(c)
			return outer
		}
	}, echosession.New(m))
	e.GET("/", func(c echo.Context) error {
		err := c.String(http.StatusOK, "out already")
		word().Set(echosession.Get(c), "too late")
		return err
	})
	w := answer(e, get("/"))
	require.Equal(t, http.StatusOK, w.Code)
	require.Equal(t, "out already", w.Body.String())
	require.ErrorIs(t, outer, core.ErrCommitted)
}

// The hooks that echo has for the moment before the first byte miss some of these.
func TestTheSessionIsCommittedWithEchosOwnAnswers(t *testing.T) {
	m := newManager(t, nil)
	e := newEcho(echosession.New(m), func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			word().Set(echosession.Get(c), "hello")
			return next(c)
		}
	})
	e.GET("/blob", func(c echo.Context) error { return c.Blob(200, "text/plain", nil) })
	e.GET("/stream", func(c echo.Context) error {
		return c.Stream(200, "text/plain", strings.NewReader("a stream"))
	})
	e.GET("/writer", func(c echo.Context) error {
		_, err := io.WriteString(c.Response().Writer, "past echo")
		return err
	})
	e.GET("/flush", func(c echo.Context) error { c.Response().Flush(); return nil })
	e.GET("/control", func(c echo.Context) error {
		return http.NewResponseController(c.Response()).Flush()
	})
	e.GET("/wrapped", echo.WrapHandler(http.NotFoundHandler()))
	for path, status := range map[string]int{
		"/blob": 200, "/stream": 200, "/writer": 200, "/flush": 200, "/control": 200,
		"/wrapped": 404, "/nowhere": 404,
	} {
		w := answer(e, get(path))
		assert.Equal(t, status, w.Code, path)
		assert.Len(t, w.Result().Cookies(), 1, path)
	}
}
