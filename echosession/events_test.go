package echosession_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/sessiontest"
	"github.com/sessionserverstore/sessionserverstore/echosession"
)

func noEvents(*core.EventStream) error { return nil }

func TestEventsWithoutTheMiddlewarePanics(t *testing.T) {
	e := newEcho()
	e.GET("/", func(c echo.Context) error {
		assert.PanicsWithValue(t,
			"echosession: no session: the middleware is not installed on this route",
			func() { _ = echosession.Events(c, noEvents) })
		return nil
	})
	require.Equal(t, http.StatusOK, answer(e, get("/")).Code)
}

func TestWhoHasNoSessionGetsNoEvents(t *testing.T) {
	e := newEcho(echosession.New(newManager(t, nil)))
	e.GET("/", func(c echo.Context) error { return echosession.Events(c, noEvents) })
	require.Equal(t, http.StatusNoContent, answer(e, get("/")).Code)
}

func TestWhatCannotSendEventsSaysSo(t *testing.T) {
	m := newManager(t, nil)
	e := newEcho(echosession.New(m))
	e.GET("/", func(c echo.Context) error { return echosession.Events(c, noEvents) })
	live := sessiontest.Request(t, m, get("/"), func(s *core.Session) { word().Set(s, "x") })
	waits := http.TimeoutHandler(e, time.Minute, "")
	require.Equal(t, http.StatusInternalServerError, answer(waits, live).Code)
}

func TestAPassiveRequestDoesNotExtendTheIdleTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, err := core.New(core.Config{IdleTimeout: time.Hour})
		require.NoError(t, err)
		defer func() { assert.NoError(t, m.Close()) }()
		e := newEcho(echosession.NewWithConfig(m, echosession.Config{
			Passive: func(c echo.Context) bool { return c.Path() == "/poll" },
		}))
		left := func(c echo.Context) error {
			return c.String(http.StatusOK, time.Until(echosession.Get(c).Expires()).String())
		}
		e.GET("/poll", left)
		e.GET("/page", left)
		live := sessiontest.Request(t, m, get("/"), func(s *core.Session) { word().Set(s, "x") })
		ask := func(path string) string {
			live.URL.Path = path
			return answer(e, live).Body.String()
		}
		<-time.After(50 * time.Minute)
		require.Equal(t, "10m0s", ask("/poll"))
		require.Equal(t, "1h0m0s", ask("/page"), "any other request does")
		<-time.After(time.Minute)
		require.Equal(t, "59m0s", ask("/poll"))
	})
}
