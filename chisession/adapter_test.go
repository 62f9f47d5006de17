package chisession_test

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/chisession"
	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/sessiontest"
)

// newRouter makes a router that recovers from panics without a word.
func newRouter(use ...func(http.Handler) http.Handler) *chi.Mux {
	router := chi.NewRouter()
	quiet := &middleware.DefaultLogFormatter{Logger: log.New(io.Discard, "", 0), NoColor: true}
	router.Use(middleware.RequestLogger(quiet), middleware.Recoverer)
	router.Use(use...)
	return router
}

func serve(t testing.TB, handler http.Handler) string {
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

func mount(t testing.TB, h sessiontest.Handler, managers ...*core.Manager) string {
	router := newRouter()
	for _, m := range managers {
		router.Use(chisession.New(m))
	}
	router.Handle("/", sessiontest.HTTPHandler(h, chisession.Get))
	return serve(t, router)
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

// answer lets a router answer a request.
func answer(router http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	router.ServeHTTP(w, r)
	return w
}

func get(path string) *http.Request { return httptest.NewRequest(http.MethodGet, path, nil) }

// hasSession answers whether there is a session.
func hasSession(w http.ResponseWriter, r *http.Request) {
	_, ok := core.FromContext(r.Context())
	_, _ = io.WriteString(w, strconv.FormatBool(ok))
}

// setsWord begins a session and answers.
func setsWord(w http.ResponseWriter, r *http.Request) {
	word().Set(chisession.Get(r), "hello")
	w.Header().Set("X-Handler", "here")
	_, _ = io.WriteString(w, strings.Repeat("the handler's words ", 500))
}

func TestGetWithoutTheMiddlewarePanics(t *testing.T) {
	router := newRouter()
	router.Get("/", func(_ http.ResponseWriter, r *http.Request) {
		assert.PanicsWithValue(t,
			"chisession: no session: the middleware is not installed on this route",
			func() { chisession.Get(r) })
	})
	require.Equal(t, http.StatusOK, answer(router, get("/")).Code)
}

func TestARequestThatIsSkippedHasNoSession(t *testing.T) {
	m := newManager(t, nil)
	router := newRouter(chisession.NewWithConfig(m, chisession.Config{
		Skip: func(r *http.Request) bool { return r.URL.Path == "/skipped" },
	}))
	router.Get("/skipped", hasSession)
	router.Get("/served", hasSession)
	require.Equal(t, "false", answer(router, get("/skipped")).Body.String())
	require.Equal(t, "true", answer(router, get("/served")).Body.String())
}

func TestTheMiddlewareMayBeInstalledOnAnyPartOfTheRoutes(t *testing.T) {
	m := newManager(t, nil)
	router := newRouter()
	router.Get("/outside", hasSession)
	router.With(chisession.New(m)).Get("/with", hasSession)
	router.Group(func(r chi.Router) {
		r.Use(chisession.New(m))
		r.Get("/group", hasSession)
	})
	below := chi.NewRouter()
	below.Use(chisession.New(m))
	below.Get("/", hasSession)
	router.Mount("/mounted", below)
	for path, want := range map[string]string{
		"/outside": "false", "/with": "true", "/group": "true", "/mounted": "true",
	} {
		assert.Equal(t, want, answer(router, get(path)).Body.String(), path)
	}
}

// down lets a store fail, once with a request that must be loaded, and once with one that must be
// committed.
func down(t *testing.T, cfg chisession.Config) (answers [2]*httptest.ResponseRecorder) {
	store := newOutage()
	m := newManager(t, store)
	live := sessiontest.Request(t, m, get("/"), func(s *core.Session) { word().Set(s, "hello") })
	router := newRouter(
		middleware.SetHeader("X-Outer", "kept"), chisession.NewWithConfig(m, cfg))
	router.Get("/", setsWord)
	store.loads = true
	answers[0] = answer(router, live)
	store.loads, store.writes = false, true
	answers[1] = answer(router, get("/"))
	for _, w := range answers {
		assert.Equal(t, http.StatusServiceUnavailable, w.Code)
		assert.Equal(t, "1", w.Header().Get("Retry-After"))
		assert.Equal(t, "kept", w.Header().Get("X-Outer"))
		assert.NotContains(t, w.Header(), "X-Handler")
		assert.NotContains(t, w.Header(), "Set-Cookie")
		assert.NotContains(t, w.Body.String(), "secret")
	}
	return answers
}

func TestTheErrorHandlerAnswersWhatCannotBeLoadedOrCommitted(t *testing.T) {
	answers := down(t, chisession.Config{
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			var failure *core.StoreError
			assert.ErrorAs(t, err, &failure)
			assert.Equal(t, "/", r.URL.Path)
			w.WriteHeader(core.Status(err))
			_, _ = io.WriteString(w, "our own page")
		},
	})
	for _, w := range answers {
		require.Equal(t, "our own page", w.Body.String())
	}
}

func TestTheDefaultErrorPageTellsNothing(t *testing.T) {
	for _, w := range down(t, chisession.Config{}) {
		require.Equal(t, "Service Unavailable\n", w.Body.String())
	}
}

func TestChisOwnMiddlewareGoesBesideIt(t *testing.T) {
	compress := middleware.Compress(5, "text/plain")
	for name, use := range map[string]func(session func(http.Handler) http.Handler) chi.Middlewares{
		"compression inside": func(session func(http.Handler) http.Handler) chi.Middlewares {
			return chi.Middlewares{session, compress}
		},
		"compression outside": func(session func(http.Handler) http.Handler) chi.Middlewares {
			return chi.Middlewares{compress, session}
		},
		"a path that is cleaned": func(session func(http.Handler) http.Handler) chi.Middlewares {
			return chi.Middlewares{middleware.CleanPath, session, middleware.GetHead}
		},
	} {
		t.Run(name, func(t *testing.T) {
			store := newOutage()
			m := newManager(t, store)
			router := newRouter(use(chisession.New(m))...)
			router.Get("/some/path", setsWord)
			fetch := func() (*http.Response, string) {
				response, err := http.Get(serve(t, router) + "/some/path")
				require.NoError(t, err)
				defer func() { _ = response.Body.Close() }()
				body, err := io.ReadAll(response.Body)
				require.NoError(t, err)
				return response, string(body)
			}

			response, body := fetch()
			require.Len(t, response.Cookies(), 1)
			require.Equal(t, 500, strings.Count(body, "the handler's words"))

			store.writes = true
			response, body = fetch()
			require.Equal(t, http.StatusServiceUnavailable, response.StatusCode)
			require.Empty(t, response.Cookies())
			require.Equal(t, "Service Unavailable\n", body)
		})
	}
}
