package floor_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/request/floor"
)

// serve has a request answered by a handler below the guarded floor.
func serve(
	g *floor.Guarded, cookie string, handler http.HandlerFunc,
) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	if cookie != "" {
		r.Header.Set("Cookie", cookie)
	}
	w := httptest.NewRecorder()
	g.HTTP(handler).ServeHTTP(w, r)
	return w
}

// begin makes a session and returns its Cookie line.
func begin(t *testing.T, g *floor.Guarded) string {
	w := serve(g, "", func(_ http.ResponseWriter, r *http.Request) {
		assert.NoError(t, floor.From(r.Context()).Begin(floor.Values{Name: "alice"}))
	})
	line, _, _ := strings.Cut(w.Header().Get("Set-Cookie"), ";")
	return line
}

func exists(g *floor.Guarded, cookie string) (found bool) {
	serve(g, cookie, func(_ http.ResponseWriter, r *http.Request) {
		found = floor.From(r.Context()).Exists()
	})
	return found
}

func TestTheGuardedFloorEndsAnIdleSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := floor.NewGuarded()
		cookie := begin(t, g)
		time.Sleep(time.Hour - time.Nanosecond)
		require.True(t, exists(g, cookie))
		time.Sleep(time.Hour)
		require.False(t, exists(g, cookie))
	})
}

func TestTheGuardedFloorEndsAnOldSessionThatIsUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := floor.NewGuarded()
		cookie := begin(t, g)
		for range 47 {
			time.Sleep(30 * time.Minute)
			require.True(t, exists(g, cookie))
		}
		time.Sleep(30 * time.Minute)
		require.False(t, exists(g, cookie))
	})
}

func TestTheGuardedFloorKnowsWhenItIsTooLateForACookie(t *testing.T) {
	begun := map[string]func(http.ResponseWriter){
		"WriteHeader": func(w http.ResponseWriter) { w.WriteHeader(http.StatusOK) },
		"Write":       func(w http.ResponseWriter) { _, _ = w.Write([]byte("x")) },
		"Flush":       func(w http.ResponseWriter) { _ = http.NewResponseController(w).Flush() },
	}
	for name, first := range begun {
		t.Run(name, func(t *testing.T) {
			serve(floor.NewGuarded(), "", func(w http.ResponseWriter, r *http.Request) {
				first(w)
				err := floor.From(r.Context()).Begin(floor.Values{})
				require.ErrorIs(t, err, floor.ErrStarted)
			})
		})
	}
	serve(floor.NewGuarded(), "", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		require.NoError(t, floor.From(r.Context()).Begin(floor.Values{}))
	})
}

func TestTheGuardedFloorSendsVaryOnceAndOnlyIfLookedAt(t *testing.T) {
	g := floor.NewGuarded()
	untouched := serve(g, "", func(http.ResponseWriter, *http.Request) {})
	require.Empty(t, untouched.Header().Values("Vary"))
	looked := serve(g, "", func(_ http.ResponseWriter, r *http.Request) {
		floor.From(r.Context())
		floor.From(r.Context())
	})
	require.Equal(t, []string{"Cookie"}, looked.Header().Values("Vary"))
}

func TestTheGuardedFloorServesManyAtOnce(t *testing.T) {
	g := floor.NewGuarded()
	cookie := begin(t, g)
	var all sync.WaitGroup
	for n := range 20 {
		all.Go(func() {
			serve(g, cookie, func(_ http.ResponseWriter, r *http.Request) {
				floor.From(r.Context()).CountVisit()
				_ = floor.From(r.Context()).Name()
			})
			serve(g, "", func(_ http.ResponseWriter, r *http.Request) {
				values := floor.Values{Name: fmt.Sprint(n)}
				assert.NoError(t, floor.From(r.Context()).Begin(values))
			})
		})
	}
	all.Wait()
	serve(g, cookie, func(_ http.ResponseWriter, r *http.Request) {
		require.Equal(t, 20, floor.From(r.Context()).Visits())
	})
}

func TestManyGoroutinesOfARequestMayLookFirst(t *testing.T) {
	w := serve(floor.NewGuarded(), "", func(_ http.ResponseWriter, r *http.Request) {
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() { floor.From(r.Context()) })
		}
		all.Wait()
	})
	require.Equal(t, []string{"Cookie"}, w.Header().Values("Vary"))
}
