//go:build !race

// With the race detector, sync.Pool forgets at random, and what frameworks pool is allocated anew.

package cost_test

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	"github.com/gofiber/fiber/v2"
	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/valyala/fasthttp"

	"github.com/sessionserverstore/sessionserverstore/chisession"
	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/echosession"
	"github.com/sessionserverstore/sessionserverstore/fibersession"
	"github.com/sessionserverstore/sessionserverstore/ginsession"
)

var (
	name   = core.NewValue[string]("name")
	visits = core.NewValue[int]("visits")
	answer = []byte("ok")
)

// A scenario is what a handler does with the session; nil is the bare framework.
type scenario struct {
	name   string
	cookie bool
	use    func(*core.Session) bool
}

func scenarios() (bare scenario, others []scenario) {
	read := func(s *core.Session) bool {
		who, _ := name.Get(s)
		n, _ := visits.Get(s)
		return who == "alice" && n > 0
	}
	change := func(s *core.Session) bool {
		visits.Update(s, func(n int) int { return n%100 + 1 })
		return true
	}
	create := func(s *core.Session) bool {
		name.Set(s, "bob")
		visits.Set(s, 1)
		return true
	}
	none := func(*core.Session) bool { return true }
	return scenario{"bare", true, nil}, []scenario{
		{"read", true, read}, {"change", true, change}, {"create", false, create},
		{"untouched", false, none},
	}
}

// A request is one request to a framework's handler, ready to be repeated.
type request func()

// A framework makes a request, which must be answered with 200.
type framework struct {
	name  string
	build func(tb testing.TB, m *core.Manager, cookie string, sc scenario) request
	most  map[string]float64 // allocations that a session may add, by scenario
}

func frameworks() []framework {
	bounds := func(read, change, create, untouched float64) map[string]float64 {
		return map[string]float64{
			"read": read, "change": change, "create": create, "untouched": untouched,
		}
	}
	return []framework{
		{"net/http", buildHTTP, bounds(4, 9, 16, 2)},
		{"chi", buildChi, bounds(4, 9, 16, 2)},
		{"gin", buildGin, bounds(6, 11, 18, 4)},
		{"echo", buildEcho, bounds(5, 10, 17, 3)},
		{"fiber", buildFiber, bounds(2, 7, 12, 1)},
	}
}

func TestASessionAddsFewAllocations(t *testing.T) {
	bare, others := scenarios()
	for _, fw := range frameworks() {
		none := count(t, fw, bare)
		for _, sc := range others {
			t.Run(fw.name+"/"+sc.name, func(t *testing.T) {
				added := count(t, fw, sc) - none
				t.Logf("%s adds %v allocations", sc.name, added)
				assert.LessOrEqual(t, added, fw.most[sc.name])
			})
		}
	}
}

// count is the allocations of one request, on average.
func count(t *testing.T, fw framework, sc scenario) float64 {
	m, cookie := start(t)
	return testing.AllocsPerRun(1000, fw.build(t, m, cookie, sc))
}

// start makes a Manager and the cookie of a session with two values.
func start(tb testing.TB) (*core.Manager, string) {
	m, err := core.New(core.Config{})
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, m.Close()) })
	ctx := context.Background()
	s, err := m.Begin(ctx, http.Header{})
	require.NoError(tb, err)
	name.Set(s, "alice")
	visits.Set(s, 1)
	response := http.Header{}
	require.NoError(tb, m.Commit(ctx, s, response))
	cookie, err := http.ParseSetCookie(response.Get("Set-Cookie"))
	require.NoError(tb, err)
	return m, cookie.Name + "=" + cookie.Value
}

// discard is a response that keeps its header only.
type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
func (d *discard) WriteHeader(status int)      { d.status = status }
func (d *discard) Flush()                      {}

// ofHandler repeats one request to a net/http handler.
func ofHandler(tb testing.TB, h http.Handler, cookie string, sc scenario) request {
	r, err := http.NewRequest(http.MethodGet, "/", nil)
	require.NoError(tb, err)
	if sc.cookie {
		r.Header.Set("Cookie", cookie)
	}
	w := &discard{header: make(http.Header)}
	return func() {
		clear(w.header)
		w.status = http.StatusOK
		h.ServeHTTP(w, r)
		if w.status != http.StatusOK {
			tb.Fatal(w.status)
		}
	}
}

func serveHTTP(tb testing.TB, sc scenario) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if sc.use != nil {
			s, _ := core.FromContext(r.Context())
			check(tb, sc.use(s))
		}
		_, _ = w.Write(answer)
	}
}

func check(tb testing.TB, ok bool) {
	if !ok {
		tb.Fatal("the session is not what it should be")
	}
}

func buildHTTP(tb testing.TB, m *core.Manager, cookie string, sc scenario) request {
	var h http.Handler = serveHTTP(tb, sc)
	if sc.use != nil {
		h = m.Handler(h)
	}
	return ofHandler(tb, h, cookie, sc)
}

func buildChi(tb testing.TB, m *core.Manager, cookie string, sc scenario) request {
	r := chi.NewRouter()
	if sc.use != nil {
		r.Use(chisession.New(m))
	}
	r.Get("/", serveHTTP(tb, sc))
	return ofHandler(tb, r, cookie, sc)
}

func buildGin(tb testing.TB, m *core.Manager, cookie string, sc scenario) request {
	gin.SetMode(gin.ReleaseMode)
	r := gin.New()
	if sc.use != nil {
		r.Use(ginsession.New(m))
	}
	r.GET("/", func(c *gin.Context) {
		if sc.use != nil {
			check(tb, sc.use(ginsession.Get(c)))
		}
		_, _ = c.Writer.Write(answer)
	})
	return ofHandler(tb, r, cookie, sc)
}

func buildEcho(tb testing.TB, m *core.Manager, cookie string, sc scenario) request {
	e := echo.New()
	if sc.use != nil {
		e.Use(echosession.New(m))
	}
	e.GET("/", func(c echo.Context) error {
		if sc.use != nil {
			check(tb, sc.use(echosession.Get(c)))
		}
		_, err := c.Response().Write(answer)
		return err
	})
	return ofHandler(tb, e, cookie, sc)
}

func buildFiber(tb testing.TB, m *core.Manager, cookie string, sc scenario) request {
	app := fiber.New()
	if sc.use != nil {
		app.Use(fibersession.New(m))
	}
	app.Get("/", func(c *fiber.Ctx) error {
		if sc.use != nil {
			check(tb, sc.use(fibersession.Get(c)))
		}
		return c.Send(answer)
	})
	h := app.Handler()
	text := "GET / HTTP/1.1\r\nHost: localhost\r\n"
	if sc.cookie {
		text += "Cookie: " + cookie + "\r\n"
	}
	var ctx fasthttp.RequestCtx
	// As a server reads it: a header that was set by name is kept in another form.
	raw := bufio.NewReader(strings.NewReader(text + "\r\n"))
	require.NoError(tb, ctx.Request.Read(raw))
	return func() {
		ctx.Response.Reset()
		ctx.ResetUserValues()
		h(&ctx)
		if status := ctx.Response.StatusCode(); status != fiber.StatusOK {
			tb.Fatal(status)
		}
	}
}
