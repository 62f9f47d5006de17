package core_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

func TestAPassiveRequestDoesNotExtendTheIdleTime(t *testing.T) {
	ask := func(h http.Handler, path, token string) string {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header = cookies(token)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Body.String()
	}
	newHandler := func(s *site) http.Handler {
		cfg := core.HandlerConfig{
			Passive: func(r *http.Request) bool { return r.URL.Path == "/poll" },
		}
		return s.HandlerWithConfig(cfg)(http.HandlerFunc(
			func(w http.ResponseWriter, r *http.Request) {
				left := time.Until(sessionOf(s.t, r).Expires())
				_, _ = w.Write([]byte(left.String()))
			}))
	}
	bubble(t, "nor does the answer claim so", func(t *testing.T) {
		s := newSite(t, core.Config{IdleTimeout: time.Hour})
		h := newHandler(s)
		token, _ := s.start(setNote("x"))
		for range 5 {
			pass(10 * time.Minute)
			ask(h, "/poll", token)
		}
		require.Equal(t, "10m0s", ask(h, "/poll", token))
		pass(10*time.Minute - time.Millisecond)
		require.Equal(t, "1ms", ask(h, "/poll", token))
		pass(time.Millisecond)
		require.False(t, s.alive(token))
	})
	bubble(t, "and other requests do", func(t *testing.T) {
		s := newSite(t, core.Config{IdleTimeout: time.Hour})
		h := newHandler(s)
		token, _ := s.start(setNote("x"))
		pass(50 * time.Minute)
		require.Equal(t, "1h0m0s", ask(h, "/", token))
		require.Equal(t, "1h0m0s", ask(h, "/poll", token))
	})
}
