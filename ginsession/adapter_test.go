package ginsession_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
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

// answer lets an engine answer a request.
func answer(engine http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	engine.ServeHTTP(w, r)
	return w
}

func get(path string) *http.Request { return httptest.NewRequest(http.MethodGet, path, nil) }

// visitor is a request that belongs to a session.
func visitor(t *testing.T, m *core.Manager, path string) *http.Request {
	return sessiontest.Request(t, m, get(path), func(s *core.Session) { word().Set(s, "hello") })
}

func TestGetWithoutTheMiddlewarePanics(t *testing.T) {
	engine := newEngine()
	engine.GET("/", func(c *gin.Context) {
		_, ok := core.FromContext(c)
		assert.False(t, ok)
		assert.PanicsWithValue(t,
			"ginsession: no session: the middleware is not installed on this route",
			func() { ginsession.Get(c) })
	})
	require.Equal(t, http.StatusOK, answer(engine, get("/")).Code)
}

func TestTheContextOfGinIsAsGoodAsTheRequests(t *testing.T) {
	m := newManager(t, nil)
	engine := newEngine(ginsession.New(m))
	require.False(t, engine.ContextWithFallback, "what follows must hold without it")
	engine.GET("/", func(c *gin.Context) {
		want := ginsession.Get(c)
		for name, ctx := range map[string]context.Context{
			"gin's": c, "the request's": c.Request.Context(), "a copy's": c.Copy(),
		} {
			s, ok := core.FromContext(ctx)
			assert.True(t, ok, name)
			assert.Same(t, want, s, name)
			s, ok = m.FromContext(ctx)
			assert.True(t, ok, name)
			assert.Same(t, want, s, name)
		}
	})
	require.Equal(t, http.StatusOK, answer(engine, get("/")).Code)
}

func TestTheMiddlewareMayBeInstalledOnAGroup(t *testing.T) {
	m := newManager(t, nil)
	engine := newEngine()
	hello := func(c *gin.Context) {
		_, ok := core.FromContext(c)
		c.String(http.StatusOK, "%t", ok)
	}
	engine.GET("/outside", hello)
	engine.Group("/inside", ginsession.New(m)).GET("/", hello)
	require.Equal(t, "false", answer(engine, get("/outside")).Body.String())
	require.Equal(t, "true", answer(engine, get("/inside/")).Body.String())
}

func TestBetweenTwoManagersTheOuterSessionIsTheOneFound(t *testing.T) {
	outer, inner := newManager(t, nil), newManager(t, nil)
	between := func(c *gin.Context) {
		before := ginsession.Get(c)
		c.Next()
		assert.Same(t, before, ginsession.Get(c))
	}
	engine := newEngine(ginsession.New(outer), between, ginsession.New(inner))
	engine.GET("/", func(c *gin.Context) {
		s, _ := inner.FromContext(c)
		assert.Same(t, s, ginsession.Get(c))
	})
	require.Equal(t, http.StatusOK, answer(engine, get("/")).Code)
}

func TestTheErrorHandlerAnswersWhatCannotBeLoadedOrCommitted(t *testing.T) {
	store := newOutage()
	m := newManager(t, store)
	live := visitor(t, m, "/")
	var outer []*gin.Error
	var status int
	ran := 0
	engine := newEngine(
		func(c *gin.Context) {
			c.Header("X-Outer", "kept")
			c.Next()
			outer, status = c.Errors, c.Writer.Status()
		},
		ginsession.NewWithConfig(m, ginsession.Config{
			ErrorHandler: func(c *gin.Context, err error) {
				assert.True(t, c.IsAborted())
				assert.ErrorIs(t, c.Errors.Last(), err)
				c.String(core.Status(err), "our own page")
			},
		}),
	)
	engine.GET("/", func(c *gin.Context) {
		ran++
		c.Header("X-Handler", "gone")
		word().Set(ginsession.Get(c), "hello")
		c.String(http.StatusOK, "gone, too")
		c.String(http.StatusAccepted, "and this")
	})

	store.loads = true
	loaded := answer(engine, live)
	require.Zero(t, ran)
	store.loads, store.writes = false, true
	committed := answer(engine, get("/"))
	require.Equal(t, 1, ran)

	for _, w := range []*httptest.ResponseRecorder{loaded, committed} {
		assert.Equal(t, http.StatusServiceUnavailable, w.Code)
		assert.Equal(t, "our own page", w.Body.String())
		assert.Equal(t, "1", w.Header().Get("Retry-After"))
		assert.Equal(t, "kept", w.Header().Get("X-Outer"))
		assert.NotContains(t, w.Header(), "X-Handler")
		assert.NotContains(t, w.Header(), "Set-Cookie")
	}
	var failure *core.StoreError
	require.ErrorAs(t, outer[0], &failure, "middleware further out does not learn of it")
	require.Equal(t, http.StatusServiceUnavailable, status, "what is logged is not what went out")
}

func TestTheDefaultErrorPageIsJSONAndTellsNothing(t *testing.T) {
	store := newOutage()
	m := newManager(t, store)
	engine := newEngine(ginsession.New(m))
	engine.GET("/", func(c *gin.Context) { word().Set(ginsession.Get(c), "hello") })
	store.writes = true
	w := answer(engine, get("/"))
	require.Equal(t, http.StatusServiceUnavailable, w.Code)
	require.JSONEq(t, `{"error":"Service Unavailable"}`, w.Body.String())
	require.Equal(t, "application/json; charset=utf-8", w.Header().Get("Content-Type"))
	require.NotContains(t, w.Body.String(), "secret")
}

func TestARequestThatIsDispatchedAnewKeepsItsSession(t *testing.T) {
	store := newOutage()
	m := newManager(t, store)
	engine := newEngine(ginsession.New(m))
	second := core.NewValue[string]("second")
	var first *core.Session
	engine.GET("/first", func(c *gin.Context) {
		first = ginsession.Get(c)
		word().Set(first, "hello")
		c.Request.URL.Path = c.DefaultQuery("to", "/second")
		engine.HandleContext(c)
	})
	engine.GET("/silent", func(*gin.Context) {}) // gin itself answers, past the context's writer
	engine.GET("/second", func(c *gin.Context) {
		s := ginsession.Get(c)
		assert.Same(t, first, s)
		text, _ := word().Get(s)
		second.Set(s, text+" again")
		c.String(http.StatusAccepted, "both")
	})

	w := answer(engine, get("/first"))

	require.Equal(t, http.StatusAccepted, w.Code)
	require.Equal(t, "both", w.Body.String())
	cookies := w.Result().Cookies()
	require.Len(t, cookies, 1)
	assert.Len(t, answer(engine, get("/first?to=/silent")).Result().Cookies(), 1)
	s, err := m.Open(t.Context(), core.ID(cookies[0].Value[:core.IDLength]))
	require.NoError(t, err)
	text, _ := second.Get(s)
	require.Equal(t, "hello again", text)
	word().Set(first, "too late")
	require.ErrorIs(t, first.Err(), core.ErrCommitted)

	store.writes = true
	w = answer(engine, get("/first"))
	require.Equal(t, http.StatusServiceUnavailable, w.Code)
	require.NotContains(t, w.Body.String(), "both")
	require.Empty(t, w.Result().Cookies())
}

func TestTheSessionIsCommittedWithGinsOwnAnswers(t *testing.T) {
	m := newManager(t, nil)
	engine := newEngine(ginsession.New(m), func(c *gin.Context) {
		word().Set(ginsession.Get(c), "hello")
		if c.Query("stop") != "" {
			c.AbortWithStatus(http.StatusUnauthorized)
		}
	})
	engine.HandleMethodNotAllowed = true
	engine.GET("/data", func(c *gin.Context) { c.Data(http.StatusOK, "text/plain", nil) })
	engine.GET("/json", func(c *gin.Context) { c.JSON(http.StatusNoContent, nil) })
	engine.GET("/event", func(c *gin.Context) { c.SSEvent("hello", "data") })
	engine.GET("/now", func(c *gin.Context) { c.Writer.WriteHeaderNow() })
	engine.GET("/flush", func(c *gin.Context) { c.Writer.Flush() })
	engine.GET("/control", func(c *gin.Context) {
		assert.NoError(t, http.NewResponseController(c.Writer).Flush())
	})
	for path, status := range map[string]int{
		"/data": 200, "/json": 204, "/event": 200, "/now": 200, "/flush": 200, "/control": 200,
		"/data?stop=1": 401, "/nowhere": 404,
	} {
		w := answer(engine, get(path))
		assert.Equal(t, status, w.Code, path)
		assert.Len(t, w.Result().Cookies(), 1, path)
	}
	w := answer(engine, httptest.NewRequest(http.MethodPost, "/data", nil))
	assert.Equal(t, http.StatusMethodNotAllowed, w.Code)
}

func TestAConnectionIsOnlyHandedOverOnceTheSessionIsStored(t *testing.T) {
	store := newOutage()
	m := newManager(t, store)
	engine := newEngine(ginsession.New(m))
	hijacked := make(chan error, 1)
	engine.GET("/", func(c *gin.Context) {
		word().Set(ginsession.Get(c), "hello")
		conn, _, err := c.Writer.Hijack()
		hijacked <- err
		if err != nil {
			return
		}
		header := c.Writer.Header()
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nConnection: close\r\n")
		_ = header.Write(conn)
		_, _ = io.WriteString(conn, "\r\nraw")
		_ = conn.Close()
	})
	url := serve(t, engine)
	fetch := func() (*http.Response, string) {
		response, err := http.Get(url)
		require.NoError(t, err)
		defer func() { _ = response.Body.Close() }()
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		return response, string(body)
	}

	response, body := fetch()
	require.NoError(t, <-hijacked)
	require.Equal(t, "raw", body)
	require.Len(t, response.Cookies(), 1)

	store.writes = true
	response, body = fetch()
	require.Error(t, <-hijacked)
	require.Equal(t, http.StatusServiceUnavailable, response.StatusCode)
	require.NotContains(t, body, "raw")
}
