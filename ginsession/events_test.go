package ginsession_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/sessiontest"
	"github.com/sessionserverstore/sessionserverstore/ginsession"
)

func noEvents(*core.EventStream) error { return nil }

func TestEventsWithoutTheMiddlewarePanics(t *testing.T) {
	engine := newEngine()
	engine.GET("/", func(c *gin.Context) {
		assert.PanicsWithValue(t,
			"ginsession: no session: the middleware is not installed on this route",
			func() { ginsession.Events(c, noEvents) })
	})
	require.Equal(t, http.StatusOK, answer(engine, get("/")).Code)
}

func TestWhoHasNoSessionGetsNoEvents(t *testing.T) {
	engine := newEngine(ginsession.New(newManager(t, nil)))
	engine.GET("/", func(c *gin.Context) {
		ginsession.Events(c, noEvents)
		assert.Empty(t, c.Errors)
	})
	require.Equal(t, http.StatusNoContent, answer(engine, get("/")).Code)
}

func TestWhatCannotSendEventsSaysSo(t *testing.T) {
	m := newManager(t, nil)
	engine := newEngine(ginsession.New(m))
	engine.GET("/", func(c *gin.Context) {
		ginsession.Events(c, noEvents)
		assert.Len(t, c.Errors, 1)
	})
	waits := http.TimeoutHandler(engine, time.Minute, "")
	require.Equal(t, http.StatusInternalServerError, answer(waits, visitor(t, m, "/")).Code)
}

func TestAPassiveRequestDoesNotExtendTheIdleTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, err := core.New(core.Config{IdleTimeout: time.Hour})
		require.NoError(t, err)
		defer func() { assert.NoError(t, m.Close()) }()
		engine := newEngine(ginsession.NewWithConfig(m, ginsession.Config{
			Passive: func(c *gin.Context) bool { return c.FullPath() == "/poll" },
		}))
		left := func(c *gin.Context) {
			c.String(http.StatusOK, time.Until(ginsession.Get(c).Expires()).String())
		}
		engine.GET("/poll", left)
		engine.GET("/page", left)
		live := sessiontest.Request(t, m, get("/"), func(s *core.Session) { word().Set(s, "x") })
		ask := func(path string) string {
			live.URL.Path = path
			return answer(engine, live).Body.String()
		}
		<-time.After(50 * time.Minute)
		require.Equal(t, "10m0s", ask("/poll"))
		require.Equal(t, "1h0m0s", ask("/page"), "any other request does")
		<-time.After(time.Minute)
		require.Equal(t, "59m0s", ask("/poll"))
	})
}
