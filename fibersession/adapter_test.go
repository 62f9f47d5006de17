package fibersession_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/adaptor"
	"github.com/gofiber/fiber/v2/middleware/recover"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/sessiontest"
	"github.com/sessionserverstore/sessionserverstore/fibersession"
)

// newApp makes an app that recovers from panics.
func newApp(cfg fiber.Config, use ...fiber.Handler) *fiber.App {
	cfg.DisableStartupMessage = true
	app := fiber.New(cfg)
	app.Use(recover.New())
	for _, handler := range use {
		app.Use(handler)
	}
	return app
}

func serve(t testing.TB, app *fiber.App) string {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	stopped := make(chan error, 1)
	go func() { stopped <- app.Listener(listener) }()
	t.Cleanup(func() {
		require.NoError(t, app.Shutdown())
		require.NoError(t, <-stopped)
	})
	return "http://" + listener.Addr().String()
}

func mount(t testing.TB, h sessiontest.Handler, managers ...*core.Manager) string {
	app := newApp(fiber.Config{})
	for _, m := range managers {
		app.Use(fibersession.New(m))
	}
	app.All("/", func(c *fiber.Ctx) error { return h(&exchange{c}) })
	return serve(t, app)
}

// An exchange is a sessiontest.Exchange in fiber.
type exchange struct{ c *fiber.Ctx }

func (x *exchange) Session() *core.Session       { return fibersession.Get(x.c) }
func (x *exchange) Context() context.Context     { return x.c.UserContext() }
func (x *exchange) SetHeader(name, value string) { x.c.Set(name, value) }
func (x *exchange) Stream(string) error          { return errors.ErrUnsupported }

func (x *exchange) SetCookie(name, value string) {
	x.c.Cookie(&fiber.Cookie{Name: name, Value: value})
}

func (x *exchange) Answer(status int, body string) error {
	x.c.Status(status)
	if body == "" {
		return nil
	}
	return x.c.SendString(body)
}

func (x *exchange) Redirect(status int, location string) error {
	return x.c.Redirect(location, status)
}

func TestTheAdapterKeepsItsPromises(t *testing.T) {
	sum := sessiontest.TestAdapter(t, mount, sessiontest.Streams, sessiontest.Disconnects)
	require.Empty(t, sum.Failed)
	require.Len(t, sum.Lacking, 7)
}

func word() core.Value[string] { return core.NewValue[string]("word") }

// An outage is a store that fails when told to.
type outage struct {
	core.Store
	loads, writes atomic.Bool
}

func newOutage() *outage { return &outage{Store: core.NewMemoryStore(core.MemoryOptions{})} }

func (o *outage) Load(ctx context.Context, id core.ID) (core.Record, error) {
	if o.loads.Load() {
		return core.Record{}, errors.New("a secret of the operator's")
	}
	return o.Store.Load(ctx, id)
}

func (o *outage) Create(ctx context.Context, rec core.Record) error {
	if o.writes.Load() {
		return errors.New("a secret of the operator's")
	}
	return o.Store.Create(ctx, rec)
}

func newManager(t *testing.T, cfg core.Config) *core.Manager {
	m, err := core.New(cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	return m
}

// answer lets an app answer a request.
func answer(t *testing.T, app *fiber.App, r *http.Request) (*http.Response, string) {
	response, err := app.Test(r, -1)
	require.NoError(t, err)
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response, string(body)
}

func get(path string) *http.Request { return httptest.NewRequest(http.MethodGet, path, nil) }

// hasSession answers whether there is a session.
func hasSession(c *fiber.Ctx) error {
	_, ok := core.FromContext(c.UserContext())
	return c.SendString(strconv.FormatBool(ok))
}

func TestGetWithoutTheMiddlewarePanics(t *testing.T) {
	app := newApp(fiber.Config{})
	app.Get("/", func(c *fiber.Ctx) error {
		assert.PanicsWithValue(t,
			"fibersession: no session: the middleware is not installed on this route",
			func() { fibersession.Get(c) })
		return hasSession(c)
	})
	_, body := answer(t, app, get("/"))
	require.Equal(t, "false", body)
}

func TestARequestForWhichNextIsTrueHasNoSession(t *testing.T) {
	m := newManager(t, core.Config{})
	app := newApp(fiber.Config{}, fibersession.NewWithConfig(m, fibersession.Config{
		Next: func(c *fiber.Ctx) bool { return c.Path() == "/skipped" },
	}))
	app.Get("/skipped", hasSession)
	app.Get("/served", hasSession)
	_, body := answer(t, app, get("/skipped"))
	require.Equal(t, "false", body)
	_, body = answer(t, app, get("/served"))
	require.Equal(t, "true", body)
}

func TestTheMiddlewareMayBeInstalledOnAGroupOrAnAppBelow(t *testing.T) {
	m := newManager(t, core.Config{})
	app := newApp(fiber.Config{})
	app.Get("/outside", hasSession)
	app.Group("/group", fibersession.New(m)).Get("/", hasSession)
	below := fiber.New()
	below.Use(fibersession.New(m))
	below.Get("/", hasSession)
	app.Mount("/mounted", below)
	for path, want := range map[string]string{
		"/outside": "false", "/group/": "true", "/mounted/": "true",
	} {
		_, body := answer(t, app, get(path))
		assert.Equal(t, want, body, path)
	}
}

func TestBothContextsOfFiberFindTheSession(t *testing.T) {
	m := newManager(t, core.Config{})
	app := newApp(fiber.Config{}, fibersession.New(m))
	var want *core.Session
	app.Get("/", func(c *fiber.Ctx) error {
		want = fibersession.Get(c)
		for name, ctx := range map[string]context.Context{
			"UserContext": c.UserContext(), "Context": c.Context(),
		} {
			s, _ := core.FromContext(ctx)
			assert.Same(t, want, s, name)
			s, _ = m.FromContext(ctx)
			assert.Same(t, want, s, name)
		}
		return nil
	})
	app.Get("/adapted", adaptor.HTTPHandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		s, ok := core.FromContext(r.Context())
		assert.True(t, ok, "a handler of net/http does not find the session")
		word().Set(s, "hello")
	}))
	response, _ := answer(t, app, get("/"))
	require.Equal(t, http.StatusOK, response.StatusCode)
	response, _ = answer(t, app, get("/adapted"))
	require.Len(t, response.Cookies(), 1)
}

func TestTheErrorHandlerGetsWhatCannotBeLoadedOrCommitted(t *testing.T) {
	store := newOutage()
	m := newManager(t, core.Config{Store: store})
	live := sessiontest.Request(t, m, get("/"), func(s *core.Session) { word().Set(s, "hello") })
	ran := 0
	app := newApp(fiber.Config{ErrorHandler: func(c *fiber.Ctx, err error) error {
		var status *fiber.Error
		var failure *core.StoreError
		assert.ErrorAs(t, err, &status)
		assert.ErrorAs(t, err, &failure)
		assert.Equal(t, "Service Unavailable", err.Error())
		return c.Status(status.Code).SendString("our own page")
	}}, func(c *fiber.Ctx) error {
		c.Set("X-Outer", "kept")
		return c.Next()
	}, fibersession.New(m))
	app.Get("/", func(c *fiber.Ctx) error {
		ran++
		c.Set("X-Handler", "gone")
		word().Set(fibersession.Get(c), "hello")
		return fiber.NewError(http.StatusTeapot, "gone, too")
	})

	store.loads.Store(true)
	loaded, loadedBody := answer(t, app, live)
	require.Zero(t, ran)
	store.loads.Store(false)
	store.writes.Store(true)
	committed, committedBody := answer(t, app, get("/"))
	require.Equal(t, 1, ran)

	require.Equal(t, "our own page", loadedBody)
	require.Equal(t, "our own page", committedBody)
	for _, response := range []*http.Response{loaded, committed} {
		assert.Equal(t, http.StatusServiceUnavailable, response.StatusCode)
		assert.Equal(t, "1", response.Header.Get("Retry-After"))
		assert.Equal(t, "kept", response.Header.Get("X-Outer"))
		assert.NotContains(t, response.Header, "X-Handler")
		assert.NotContains(t, response.Header, "Set-Cookie")
	}
}

func TestTheDefaultErrorPageTellsNothing(t *testing.T) {
	store := newOutage()
	store.writes.Store(true)
	app := newApp(fiber.Config{}, fibersession.New(newManager(t, core.Config{Store: store})))
	app.Get("/", func(c *fiber.Ctx) error {
		word().Set(fibersession.Get(c), "hello")
		return nil
	})
	response, body := answer(t, app, get("/"))
	require.Equal(t, http.StatusServiceUnavailable, response.StatusCode)
	require.Equal(t, "Service Unavailable", body)
}

func TestAnErrorHandlerThatOnlySetsAStatusSendsNothingOfTheHandlers(t *testing.T) {
	store := newOutage()
	store.writes.Store(true)
	app := newApp(fiber.Config{ErrorHandler: func(c *fiber.Ctx, _ error) error {
		return c.SendStatus(http.StatusServiceUnavailable)
	}}, fibersession.New(newManager(t, core.Config{Store: store})))
	app.Get("/", func(c *fiber.Ctx) error {
		word().Set(fibersession.Get(c), "hello")
		return c.SendString("the handler's words")
	})
	_, body := answer(t, app, get("/"))
	require.Equal(t, "Service Unavailable", body)
}

func TestBetweenTwoManagersTheOuterSessionIsTheOneFound(t *testing.T) {
	outer, inner := newManager(t, core.Config{}), newManager(t, core.Config{})
	between := func(c *fiber.Ctx) error {
		before := fibersession.Get(c)
		err := c.Next()
		assert.Same(t, before, fibersession.Get(c))
		s, _ := core.FromContext(c.UserContext())
		assert.Same(t, before, s)
		return err
	}
	app := newApp(fiber.Config{}, fibersession.New(outer), between, fibersession.New(inner))
	app.Get("/", func(c *fiber.Ctx) error {
		s, _ := inner.FromContext(c.Context())
		assert.Same(t, s, fibersession.Get(c))
		return nil
	})
	response, _ := answer(t, app, get("/"))
	require.Equal(t, http.StatusOK, response.StatusCode)
}

func TestTheHandlersErrorIsAnsweredWithTheSessionsCookie(t *testing.T) {
	m := newManager(t, core.Config{})
	app := newApp(fiber.Config{ErrorHandler: func(c *fiber.Ctx, err error) error {
		s, _ := core.FromContext(c.UserContext())
		text, _ := word().Get(s)
		return c.Status(http.StatusTeapot).SendString(text + ": " + err.Error())
	}}, fibersession.New(m))
	app.Get("/", func(c *fiber.Ctx) error {
		word().Set(fibersession.Get(c), "hello")
		return errors.New("a handler's error")
	})
	response, body := answer(t, app, get("/"))
	require.Equal(t, http.StatusTeapot, response.StatusCode)
	require.Equal(t, "hello: a handler's error", body)
	require.Len(t, response.Cookies(), 1)
}

func TestARequestThatIsRoutedAnewKeepsItsSession(t *testing.T) {
	m := newManager(t, core.Config{})
	app := newApp(fiber.Config{}, fibersession.New(m))
	second := core.NewValue[string]("second")
	var first *core.Session
	app.Get("/first", func(c *fiber.Ctx) error {
		first = fibersession.Get(c)
		word().Set(first, "hello")
		c.Path("/second")
		return c.RestartRouting()
	})
	app.Get("/second", func(c *fiber.Ctx) error {
		s := fibersession.Get(c)
		assert.Same(t, first, s)
		text, _ := word().Get(s)
		second.Set(s, text+" again")
		return c.Status(http.StatusAccepted).SendString("both")
	})

	response, body := answer(t, app, get("/first"))

	require.Equal(t, http.StatusAccepted, response.StatusCode)
	require.Equal(t, "both", body)
	cookies := response.Cookies()
	require.Len(t, cookies, 1)
	s, err := m.Open(t.Context(), core.ID(cookies[0].Value[:core.IDLength]))
	require.NoError(t, err)
	text, _ := second.Get(s)
	require.Equal(t, "hello again", text)
}

func TestTheSessionIsCommittedWhateverTheHandlerDoesToTheResponse(t *testing.T) {
	m := newManager(t, core.Config{})
	app := newApp(fiber.Config{}, fibersession.New(m), func(c *fiber.Ctx) error {
		word().Set(fibersession.Get(c), "hello")
		return c.Next()
	})
	app.Get("/reset", func(c *fiber.Ctx) error { c.Response().Reset(); return nil })
	app.Get("/error", func(c *fiber.Ctx) error { c.Context().Error("no", 410); return nil })
	app.Get("/json", func(c *fiber.Ctx) error { return c.Status(201).JSON("hello") })
	for path, status := range map[string]int{
		"/reset": 200, "/error": 410, "/json": 201, "/nowhere": 404,
	} {
		response, _ := answer(t, app, get(path))
		assert.Equal(t, status, response.StatusCode, path)
		assert.Len(t, response.Cookies(), 1, path)
	}
}
