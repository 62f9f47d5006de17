package fibersession_test

import (
	"bytes"
	"io"
	"net/http"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/valyala/fasthttp"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/sessiontest"
	"github.com/sessionserverstore/sessionserverstore/fibersession"
)

func noEvents(*core.EventStream) error { return nil }

func TestEventsWithoutTheMiddlewarePanics(t *testing.T) {
	app := newApp(fiber.Config{})
	app.Get("/", func(c *fiber.Ctx) error {
		assert.PanicsWithValue(t,
			"fibersession: no session: the middleware is not installed on this route",
			func() { _ = fibersession.Events(c, noEvents) })
		return nil
	})
	response, _ := answer(t, app, get("/"))
	require.Equal(t, http.StatusOK, response.StatusCode)
}

func TestWhoHasNoSessionGetsNoEvents(t *testing.T) {
	app := newApp(fiber.Config{}, fibersession.New(newManager(t, core.Config{})))
	app.Get("/", func(c *fiber.Ctx) error { return fibersession.Events(c, noEvents) })
	response, body := answer(t, app, get("/"))
	require.Equal(t, http.StatusNoContent, response.StatusCode)
	require.Empty(t, body)
}

// greets is a function of Events that sends a word of the session, which it may read.
func greets(s *core.Session) func(*core.EventStream) error {
	return func(events *core.EventStream) error {
		text, _ := word().Get(s)
		return events.Send(core.StreamEvent{Data: text})
	}
}

func TestEventsBeginOnlyWithTheCommitOfTheLastAnswer(t *testing.T) {
	for name, c := range map[string]struct {
		handler func(c *fiber.Ctx, s *core.Session) error
		status  int
		body    string
	}{
		"a stream": {func(c *fiber.Ctx, s *core.Session) error {
			return fibersession.Events(c, greets(s))
		}, http.StatusOK, ":\n\ndata: hello\n\n"},
		"a stream in place of another": {func(c *fiber.Ctx, s *core.Session) error {
			_ = fibersession.Events(c, noEvents)
			return fibersession.Events(c, greets(s))
		}, http.StatusOK, ":\n\ndata: hello\n\n"},
		"another answer in place of a stream": {func(c *fiber.Ctx, s *core.Session) error {
			_ = fibersession.Events(c, greets(s))
			return c.SendString("text")
		}, http.StatusOK, "text"},
		"a panic": {func(c *fiber.Ctx, _ *core.Session) error {
			_ = fibersession.Events(c, func(*core.EventStream) error {
				assert.Fail(t, "the function was called")
				return nil
			})
			panic("after all")
		}, http.StatusInternalServerError, "Internal Server Error"},
	} {
		t.Run(name, func(t *testing.T) {
			// Before the panic's own answer takes the place of the stream, that must be over.
			recovers := func(c *fiber.Ctx) (err error) {
				defer func() {
					if recover() != nil {
						assertQuiet(t)
						err = fiber.ErrInternalServerError
					}
				}()
				return c.Next()
			}
			m := newManager(t, core.Config{})
			app := newApp(fiber.Config{}, recovers, fibersession.New(m))
			app.Get("/", func(ctx *fiber.Ctx) error {
				s := fibersession.Get(ctx)
				word().Set(s, "hello")
				return c.handler(ctx, s)
			})
			response, err := http.Get(serve(t, app))
			require.NoError(t, err)
			defer func() { _ = response.Body.Close() }()
			require.Equal(t, c.status, response.StatusCode)
			body, err := io.ReadAll(response.Body)
			require.NoError(t, err)
			require.Equal(t, c.body, string(body))
			assertQuiet(t)
		})
	}
}

// assertQuiet asserts that no stream goes on, or waits to begin.
func assertQuiet(t *testing.T) {
	t.Helper()
	assert.Eventually(t, func() bool {
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		return !bytes.Contains(stacks, []byte("fibersession.Events.func"))
	}, 30*time.Second, 10*time.Millisecond)
}

func TestAQuestionForTheHeaderBeginsNoEvents(t *testing.T) {
	m := newManager(t, core.Config{})
	app := newApp(fiber.Config{}, fibersession.New(m))
	app.Get("/", func(c *fiber.Ctx) error {
		return fibersession.Events(c, func(*core.EventStream) error {
			assert.Fail(t, "the function was called")
			return nil
		})
	})
	live := sessiontest.Request(t, m, get("/"), func(s *core.Session) { word().Set(s, "x") })
	live.Method = http.MethodHead
	response, _ := answer(t, app, live)
	require.Equal(t, http.StatusOK, response.StatusCode)
	require.Equal(t, "text/event-stream", response.Header.Get("Content-Type"))
}

func TestAPassiveRequestDoesNotExtendTheIdleTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, core.Config{IdleTimeout: time.Hour})
		app := newApp(fiber.Config{}, fibersession.NewWithConfig(m, fibersession.Config{
			Passive: func(c *fiber.Ctx) bool { return c.Path() == "/poll" },
		}))
		app.Get("/*", func(c *fiber.Ctx) error {
			return c.SendString(time.Until(fibersession.Get(c).Expires()).String())
		})
		live := sessiontest.Request(t, m, get("/"), func(s *core.Session) { word().Set(s, "x") })
		ask := func(path string) string { // without a connection, which no bubble can see through
			var request fasthttp.Request
			request.SetRequestURI(path)
			request.Header.Set("Cookie", live.Header.Get("Cookie"))
			var ctx fasthttp.RequestCtx
			ctx.Init(&request, nil, nil)
			app.Handler()(&ctx)
			return string(ctx.Response.Body())
		}
		<-time.After(50 * time.Minute)
		require.Equal(t, "10m0s", ask("/poll"))
		require.Equal(t, "1h0m0s", ask("/page"), "any other request does")
		<-time.After(time.Minute)
		require.Equal(t, "59m0s", ask("/poll"))
	})
}
