package chisession_test

import (
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/chisession"
	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/sessiontest"
)

func noEvents(*core.EventStream) error { return nil }

func TestEventsWithoutTheMiddlewarePanics(t *testing.T) {
	router := newRouter()
	router.Get("/", func(w http.ResponseWriter, r *http.Request) {
		assert.PanicsWithValue(t,
			"chisession: no session: the middleware is not installed on this route",
			func() { _ = chisession.Events(w, r, noEvents) })
	})
	require.Equal(t, http.StatusOK, answer(router, get("/")).Code)
}

func TestWhoHasNoSessionGetsNoEvents(t *testing.T) {
	router := newRouter(chisession.New(newManager(t, nil)))
	router.Get("/", func(w http.ResponseWriter, r *http.Request) {
		assert.NoError(t, chisession.Events(w, r, noEvents))
	})
	require.Equal(t, http.StatusNoContent, answer(router, get("/")).Code)
}

func TestAPassiveRequestDoesNotExtendTheIdleTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, err := core.New(core.Config{IdleTimeout: time.Hour})
		require.NoError(t, err)
		defer func() { assert.NoError(t, m.Close()) }()
		router := newRouter(chisession.NewWithConfig(m, chisession.Config{
			Passive: func(r *http.Request) bool { return r.URL.Path == "/poll" },
		}))
		router.Get("/*", func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, time.Until(chisession.Get(r).Expires()).String())
		})
		live := sessiontest.Request(t, m, get("/"), func(s *core.Session) { word().Set(s, "x") })
		ask := func(path string) string {
			live.URL.Path = path
			return answer(router, live).Body.String()
		}
		<-time.After(50 * time.Minute)
		require.Equal(t, "10m0s", ask("/poll"))
		require.Equal(t, "1h0m0s", ask("/page"), "any other request does")
		<-time.After(time.Minute)
		require.Equal(t, "59m0s", ask("/poll"))
	})
}
