package core_test

import (
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

func discardLog() *log.Logger { return log.New(io.Discard, "", 0) }

// record runs one request with a token, or none, and returns the answer.
func record(t *testing.T, h http.Handler, token string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	if token != "" {
		r.Header = cookies(token)
	}
	h.ServeHTTP(w, r)
	return w
}

func handle(f func(w http.ResponseWriter, s *core.Session)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, _ := core.FromContext(r.Context())
		f(w, s)
	})
}

func TestIfTheStoreFailsNoHandlerRuns(t *testing.T) {
	m := newSite(t, core.Config{})
	token, _ := m.start(setNote("x"))
	m.store.fail(errDown, opLoad)
	ran := false
	h := m.Handler(handle(func(http.ResponseWriter, *core.Session) { ran = true }))
	w := record(t, h, token)
	assert.False(t, ran)
	assert.Equal(t, http.StatusServiceUnavailable, w.Code)
	assert.Equal(t, "Service Unavailable\n", w.Body.String())
	assert.Equal(t, "1", w.Header().Get("Retry-After"))
	assert.Equal(t, "Cookie", w.Header().Get("Vary"))
	assert.NotContains(t, w.Body.String(), "down", "the error's text is not for clients")
	record(t, h, "")
	assert.True(t, ran, "a request without a token is not concerned")
}

func TestTheDefaultErrorPageOfEachStatus(t *testing.T) {
	tests := map[string]struct {
		f    func(m *site, s *core.Session)
		code int
		body string
	}{
		"a fault of a value": {func(_ *site, s *core.Session) { note.Set(s, "\xff") },
			500, "Internal Server Error\n"},
		"a session that is gone": {func(m *site, s *core.Session) {
			require.NoError(m.t, m.Revoke(m.t.Context(), s.ID()))
			s.Renew()
		}, 409, "Conflict\n"},
		"a store in trouble": {func(m *site, s *core.Session) {
			m.store.fail(errDown, opUpdate)
			note.Set(s, "y")
		}, 503, "Service Unavailable\n"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			m := newSite(t, core.Config{})
			token, _ := m.start(setNote("x"))
			w := record(t, m.Handler(handle(func(_ http.ResponseWriter, s *core.Session) {
				test.f(m, s)
			})), token)
			assert.Equal(t, test.code, w.Code)
			assert.Equal(t, test.body, w.Body.String())
			assert.Equal(t, test.code == 503, w.Header().Get("Retry-After") != "")
			assert.True(t, w.Flushed, "the whole answer at once")
		})
	}
	t.Run("HEAD has a length and no body", func(t *testing.T) {
		m := newSite(t, core.Config{})
		h := m.Handler(handle(func(_ http.ResponseWriter, s *core.Session) { note.Set(s, "\xff") }))
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodHead, "/", nil))
		assert.Equal(t, "22", w.Header().Get("Content-Length"))
		assert.Empty(t, w.Body.String())
	})
}

func TestAnErrorHandlerOfOnesOwn(t *testing.T) {
	m := newSite(t, core.Config{})
	var told []error
	h := m.HandlerWithConfig(core.HandlerConfig{
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			told = append(told, err)
			assert.Equal(t, "/", r.URL.Path)
			w.Header().Set("X-Own", "1")
			w.WriteHeader(core.Status(err))
			_, _ = io.WriteString(w, "own page")
		},
	})(handle(func(w http.ResponseWriter, s *core.Session) {
		note.Set(s, "x")
		w.Header().Set("X-Handler", "1")
		_, err := io.WriteString(w, "of the handler")
		assert.ErrorIs(t, err, errDown)
	}))
	m.store.fail(errDown, opCreate, opLoad)
	for _, token := range []string{"", core.NewToken().Reveal()} {
		w := record(t, h, token)
		assert.Equal(t, http.StatusServiceUnavailable, w.Code)
		assert.Equal(t, "own page", w.Body.String())
		assert.Equal(t, "1", w.Header().Get("X-Own"))
		assert.NotContains(t, w.Header(), "X-Handler")
		assert.Equal(t, "1", w.Header().Get("Retry-After"))
	}
	require.Len(t, told, 2)
	var store *core.StoreError
	require.ErrorAs(t, told[0], &store)
	require.ErrorAs(t, told[1], &store)
}

// A change that was not stored must never look like success because an error page is careless.
func TestACarelessErrorHandlerStillAnswersWithTheStatus(t *testing.T) {
	for name, page := range map[string]func(http.ResponseWriter, *http.Request, error){
		"that answers nothing": func(http.ResponseWriter, *http.Request, error) {},
		"that only writes": func(w http.ResponseWriter, _ *http.Request, _ error) {
			_, _ = io.WriteString(w, "sorry")
		},
		"that only flushes": func(w http.ResponseWriter, _ *http.Request, _ error) {
			assert.NoError(t, http.NewResponseController(w).Flush())
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := newSite(t, core.Config{})
			h := m.HandlerWithConfig(core.HandlerConfig{ErrorHandler: page})(
				handle(func(_ http.ResponseWriter, s *core.Session) { note.Set(s, "\xff") }))
			assert.Equal(t, http.StatusInternalServerError, record(t, h, "").Code)
			m.store.fail(errDown, opLoad)
			w := record(t, h, core.NewToken().Reveal())
			assert.Equal(t, http.StatusServiceUnavailable, w.Code)
			assert.Equal(t, "1", w.Header().Get("Retry-After"))
		})
	}
}

func TestSkippedRequestsHaveNoSession(t *testing.T) {
	m := newSite(t, core.Config{})
	token, _ := m.start(setNote("x"))
	m.store.forget()
	h := m.HandlerWithConfig(core.HandlerConfig{
		Skip: func(r *http.Request) bool { return r.URL.Path == "/" },
	})(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, ok := core.FromContext(r.Context())
		assert.Equal(t, r.URL.Path != "/", ok)
	}))
	assert.Empty(t, record(t, h, token).Header())
	assert.Zero(t, m.store.count(opLoad))
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/else", nil)
	r.Header = cookies(token)
	h.ServeHTTP(httptest.NewRecorder(), r)
	assert.Equal(t, 1, m.store.count(opLoad))
}

// recoverer is the middleware that every server has around it all.
func recoverer(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if recover() != nil {
				http.Error(w, "panic", http.StatusInternalServerError)
			}
		}()
		next.ServeHTTP(w, r)
	})
}

func TestAPanicRollsBack(t *testing.T) {
	t.Run("nothing is stored and no session header sent", func(t *testing.T) {
		m := newSite(t, core.Config{})
		token, id := m.start(setNote("x"))
		before := m.record(id)
		w := record(t, recoverer(m.Handler(handle(func(w http.ResponseWriter, s *core.Session) {
			note.Set(s, "y")
			s.SetOwner("ada")
			panic("oops")
		}))), token)
		assert.Equal(t, http.StatusInternalServerError, w.Code)
		assert.Equal(t, "panic\n", w.Body.String())
		assert.NotContains(t, w.Header(), "Set-Cookie")
		assert.Equal(t, before, m.record(id))
	})
	t.Run("an end that was called is carried out", func(t *testing.T) {
		m := newSite(t, core.Config{})
		token, _ := m.start(setNote("x"))
		w := record(t, recoverer(m.Handler(handle(func(_ http.ResponseWriter, s *core.Session) {
			s.Destroy()
			note.Set(s, "new")
			panic("oops")
		}))), token)
		assert.Equal(t, http.StatusInternalServerError, w.Code)
		assert.NotContains(t, w.Header(), "Set-Cookie")
		assert.Zero(t, m.store.Len())
	})
	t.Run("what left before it was stored, what came after it is not", func(t *testing.T) {
		m := newSite(t, core.Config{})
		token, _ := m.start(setNote("x"))
		record(t, recoverer(m.Handler(handle(func(w http.ResponseWriter, s *core.Session) {
			note.Set(s, "y")
			w.(http.Flusher).Flush()
			note.Set(s, "z")
			panic("oops")
		}))), token)
		assert.Equal(t, "y", m.read(token))
	})
	t.Run("a recoverer below the middleware answers as a handler does", func(t *testing.T) {
		m := newSite(t, core.Config{})
		w := record(t, m.Handler(recoverer(handle(func(_ http.ResponseWriter, s *core.Session) {
			note.Set(s, "y")
			panic("oops")
		}))), "")
		assert.Equal(t, http.StatusInternalServerError, w.Code)
		assert.Equal(t, "y", m.read(tokenIn(t, w.Header())))
	})
	t.Run("the panic goes on as it was", func(t *testing.T) {
		m := newSite(t, core.Config{})
		h := m.Handler(handle(func(http.ResponseWriter, *core.Session) {
			panic(http.ErrAbortHandler)
		}))
		assert.PanicsWithValue(t, http.ErrAbortHandler, func() { record(t, h, "") })
	})
	t.Run("leaving the goroutine is one, too", func(t *testing.T) {
		m := newSite(t, core.Config{})
		token, _ := m.start(setNote("x"))
		h := m.Handler(handle(func(_ http.ResponseWriter, s *core.Session) {
			note.Set(s, "y")
			runtime.Goexit()
		}))
		done := make(chan struct{})
		go func() {
			defer close(done)
			record(t, h, token)
		}()
		<-done
		assert.Equal(t, "x", m.read(token))
	})
	t.Run("over a connection that is cut", func(t *testing.T) {
		m := newSite(t, core.Config{})
		token, _ := m.start(setNote("x"))
		server := m.serve(func(_ http.ResponseWriter, r *http.Request) {
			note.Set(sessionOf(t, r), "y")
			panic(http.ErrAbortHandler)
		})
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
		require.NoError(t, err)
		r.Header = cookies(token)
		response, err := server.Client().Do(r)
		if err == nil {
			_ = response.Body.Close()
		}
		require.Error(t, err)
		assert.Equal(t, "x", m.read(token))
	})
}

func TestLateChanges(t *testing.T) {
	t.Run("are stored when the handler has returned", func(t *testing.T) {
		m := newSite(t, core.Config{})
		token, _ := m.start(setNote("x"))
		w := record(t, m.Handler(handle(func(w http.ResponseWriter, s *core.Session) {
			_, _ = io.WriteString(w, "body")
			note.Set(s, "late")
			assert.NoError(t, s.Err())
		})), token)
		assert.Equal(t, "body", w.Body.String())
		assert.Equal(t, "late", m.read(token))
	})
	t.Run("that cannot be stored go to the error handler", func(t *testing.T) {
		m := newSite(t, core.Config{})
		var told []error
		h := m.HandlerWithConfig(core.HandlerConfig{
			ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
				told = append(told, err)
				w.Header().Set("X-Page", "1")
				w.WriteHeader(http.StatusTeapot)
				n, err := io.WriteString(w, "page")
				assert.NoError(t, err)
				assert.Equal(t, 4, n)
			},
		})(handle(func(w http.ResponseWriter, s *core.Session) {
			_, _ = io.WriteString(w, "body")
			note.Set(s, "late")
			assert.ErrorIs(t, s.Err(), core.ErrCommitted, "seen where it was made")
		}))
		w := record(t, h, "")
		require.Len(t, told, 1)
		require.ErrorIs(t, told[0], core.ErrCommitted)
		assert.Equal(t, http.StatusOK, w.Code)
		assert.Equal(t, "body", w.Body.String())
		assert.NotContains(t, w.Header(), "X-Page")
		assert.Equal(t, []core.EventKind{core.ChangesLost}, m.events.takeKinds())
		assert.Zero(t, m.store.writes())
	})
	t.Run("that the store refuses are told, too", func(t *testing.T) {
		m := newSite(t, core.Config{})
		token, id := m.start(setNote("x"))
		m.store.fail(errDown, opUpdate)
		m.events.take()
		w := record(t, m.Handler(handle(func(w http.ResponseWriter, s *core.Session) {
			_, _ = io.WriteString(w, "body")
			note.Set(s, "late")
		})), token)
		assert.Equal(t, "body", w.Body.String())
		events := m.events.take()
		require.Len(t, events, 2)
		assert.Equal(t, core.StoreFailure, events[0].Kind)
		assert.Equal(t, core.ChangesLost, events[1].Kind)
		assert.Equal(t, id, events[1].ID)
		require.ErrorIs(t, events[1].Err, errDown)
	})
	t.Run("an end still ends the session", func(t *testing.T) {
		m := newSite(t, core.Config{})
		token, _ := m.start(setNote("x"))
		w := record(t, m.Handler(handle(func(w http.ResponseWriter, s *core.Session) {
			_, _ = io.WriteString(w, "body")
			s.Destroy()
		})), token)
		assert.NotContains(t, w.Header(), "Set-Cookie")
		assert.False(t, m.alive(token))
	})
}

func TestAHandlerThatAnswersWithAnErrorCommitsAllTheSame(t *testing.T) {
	m := newSite(t, core.Config{})
	token, _ := m.start(func(s *core.Session) { hits.Set(s, 0) })
	h := m.Handler(handle(func(w http.ResponseWriter, s *core.Session) {
		hits.Update(s, increment)
		http.Error(w, "wrong password", http.StatusUnauthorized)
	}))
	assert.Equal(t, http.StatusUnauthorized, record(t, h, token).Code)
	n, _ := hits.Get(m.begin(token))
	assert.Equal(t, 1, n, "a failed login's counter must count")
}

// What a reader fails with must not look like the gate's error, nor the other way round.
func TestAReaderThatFailsMidwayKeepsItsError(t *testing.T) {
	m := newSite(t, core.Config{})
	broken := errors.New("broken")
	w := record(t, m.Handler(handle(func(w http.ResponseWriter, s *core.Session) {
		note.Set(s, "x")
		source := io.MultiReader(strings.NewReader("half"), failingReader{broken})
		_, err := w.(io.ReaderFrom).ReadFrom(source)
		assert.ErrorIs(t, err, broken)
	})), "")
	assert.Equal(t, "half", w.Body.String())
	tokenIn(t, w.Header())
}

type failingReader struct{ err error }

func (r failingReader) Read([]byte) (int, error) { return 0, r.err }
