package parity

import (
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

func layerBehaviours() []behaviour {
	return []behaviour{
		{row: "56", name: "cors-on-503", check: sharedFailure,
			promise: "a 503 keeps the headers that middleware further out has set"},
		{row: "56b", name: "cookies-beside-ours", check: otherCookies,
			promise: "cookies of the program stay as they are; on a 503 only those from further out do"},
		{row: "58e", name: "logger-outside", check: loggerOutside,
			promise: "a logger further out sees the status that the client gets"},
		{row: "62", name: "store-down-gzip", check: zippedFailure,
			promise: "a 503 can be read wherever compression stands"},
		{row: "65", name: "gzip-order", check: zipped,
			promise: "compression inside and outside leaves the cookie and the body as they are"},
		{row: "66", name: "timeout-inside", check: timeoutInside, needs: writers,
			promise: "a handler cut off by http.TimeoutHandler is committed whole, and changes no more"},
		{row: "66b", name: "timeout-outside", check: timeoutOutside, needs: writers,
			promise: "http.TimeoutHandler around the middleware never lets half a session through"},
		{row: "67", name: "max-bytes", check: maxBytes,
			promise: "a body that is too large is 413, and begins no session"},
		{row: "67b", name: "uploaded-files", check: uploadedFiles, needs: cleansUp,
			promise: "the files of an upload are removed after the request, as without sessions"},
	}
}

func sharedFailure(t *testing.T, f framework) {
	s := open(t, f, with(shares, session), carry(core.Header{}))
	s.store.interrupt(failingWrites())
	a := s.visitor().get("/set?u=x", "Origin: "+origin).is(503).silent()
	require.Equal(t, f.unavailable().body, a.body)
	require.Equal(t, []string{
		"Access-Control-Allow-Origin: " + origin, "Access-Control-Expose-Headers: X-Total",
	}, a.named("Access-Control-Allow-Origin", "Access-Control-Expose-Headers"))
}

func otherCookies(t *testing.T, f framework) {
	s := open(t, f, with(tracks, session), get("/mine", func(c Ctx) error {
		c.SetCookie(&http.Cookie{Name: "theme", Value: "dark", Path: "/"})
		u.Set(c.Session(), "x")
		c.SetCookie(&http.Cookie{Name: "lang", Value: "en", Path: "/"})
		return c.Text(200, "text")
	}))
	v := s.visitor()
	require.Len(t, v.get("/mine").is(200).named("Set-Cookie"), 4)
	s.holds(v.token(), "x")
	delete(v.jar, cookieName)
	require.Equal(t, map[string]string{"track": "1", "theme": "dark", "lang": "en"}, v.jar)

	s.store.interrupt(failingWrites())
	v = s.visitor()
	require.Len(t, v.get("/mine").is(503).named("Set-Cookie"), 1)
	require.Equal(t, map[string]string{"track": "1"}, v.jar)
}

func loggerOutside(t *testing.T, f framework) {
	for _, r := range replies() {
		s := open(t, f, with(logs, session), r.install(t))
		r.ask(s).is(r.status)
		require.Equal(t, r.status, receive(t, s.logged, "the status"), r.name)
		s.store.interrupt(failingWrites())
		r.ask(s).is(503)
		require.Equal(t, 503, receive(t, s.logged, "the status"), r.name)
	}
}

// zipOrders are the places that compression can stand in.
func zipOrders() [][]layer { return [][]layer{{zips, session}, {session, zips}} }

// unzip is the body as the client's program sees it.
func (a *answer) unzip() string {
	a.t.Helper()
	if a.header.Get("Content-Encoding") == "" {
		return a.body
	}
	require.Equal(a.t, "gzip", a.header.Get("Content-Encoding"))
	z, err := gzip.NewReader(strings.NewReader(a.body))
	require.NoError(a.t, err)
	body, err := io.ReadAll(z)
	require.NoError(a.t, err)
	return string(body)
}

func zippedFailure(t *testing.T, f framework) {
	for _, order := range zipOrders() {
		s := open(t, f, with(order...), get("/big", big))
		s.store.interrupt(failingWrites())
		a := s.visitor().get("/big", "Accept-Encoding: gzip").is(503).silent()
		require.Equal(t, f.unavailable().body, a.unzip(), "%v", order)
	}
}

const bigText = 5000

func big(c Ctx) error {
	u.Set(c.Session(), "x")
	return c.Text(200, strings.Repeat("a", bigText))
}

func zipped(t *testing.T, f framework) {
	for _, order := range zipOrders() {
		s := open(t, f, with(order...), get("/big", big))
		a := s.visitor().get("/big", "Accept-Encoding: gzip").is(200)
		s.holds(a.issues(), "x")
		require.Less(t, len(a.body), bigText/10, "not compressed")
		require.Equal(t, strings.Repeat("a", bigText), a.unzip(), "%v", order)
	}
}

// A slow handler outlasts its time limit, which passes when the handler says so.
type slow struct {
	t                 testing.TB
	over, goOn, ended chan struct{}
	errs              chan error
}

func newSlow(t testing.TB) slow {
	return slow{
		t, make(chan struct{}), make(chan struct{}), make(chan struct{}), make(chan error, 1),
	}
}

// run changes the session, lets its time pass, waits until it may go on, and changes it again.
func (h slow) run(s *core.Session, ctx context.Context) {
	u.Set(s, "x")
	close(h.over)
	hold(h.t, ctx.Done())
	hold(h.t, h.goOn)
	u.Set(s, "late")
	h.errs <- s.Err()
}

// limit is http.TimeoutHandler without a clock.
func (h slow) limit(next http.Handler) http.Handler {
	timeout := http.TimeoutHandler(next, time.Hour, "too slow")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		timeout.ServeHTTP(w, r.WithContext(expiring{r.Context(), h.over}))
	})
}

// expiring is a context whose deadline is when over is closed.
type expiring struct {
	context.Context
	over <-chan struct{}
}

func (c expiring) Done() <-chan struct{} { return c.over }

func (c expiring) Err() error {
	select {
	case <-c.over:
		return context.DeadlineExceeded
	default:
		return c.Context.Err()
	}
}

func timeoutInside(t *testing.T, f framework) {
	h := newSlow(t)
	s := open(t, f, func(s *site) {
		s.mounts["/slow"] = h.limit(http.HandlerFunc(
			func(_ http.ResponseWriter, r *http.Request) {
				found, _ := core.FromContext(r.Context())
				h.run(found, r.Context())
			}))
	})
	token := s.visitor().get("/slow").is(503).says("too slow").issues()
	s.holds(token, "x")
	close(h.goOn)
	require.ErrorIs(t, receive(t, h.errs, "the handler's end"), core.ErrCommitted)
	s.holds(token, "x")
}

func timeoutOutside(t *testing.T, f framework) {
	h := newSlow(t)
	s := open(t, f, get("/slow", func(c Ctx) error {
		h.run(c.Session(), c.Contexts()[0])
		return c.Text(200, "text")
	}), func(s *site) {
		s.wrap = func(next http.Handler) http.Handler {
			return h.limit(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				next.ServeHTTP(w, r)
				if r.URL.Path == "/slow" {
					close(h.ended)
				}
			}))
		}
	})
	token := s.visitor().get("/set?u=before").is(200).issues()
	s.visitor().get("/slow", cookie(token)).is(503).says("too slow").silent()
	close(h.goOn)
	require.NoError(t, receive(t, h.errs, "the handler's end"))
	receive(t, h.ended, "the request's end")
	s.holds(token, "late")
	require.Equal(t, 1, s.store.Len())
}

func maxBytes(t *testing.T, f framework) {
	s := open(t, f, func(s *site) {
		s.handle(http.MethodPost, "/upload", func(c Ctx) error {
			body, err := c.Body(10)
			if err != nil {
				return err
			}
			u.Set(c.Session(), body)
			return c.Text(200, body)
		})
	})
	s.visitor().do(http.MethodPost, "/upload", strings.Repeat("a", 11)).is(413).silent()
	require.Zero(t, s.store.writes.Load())
	a := s.visitor().do(http.MethodPost, "/upload", strings.Repeat("a", 10)).is(200)
	s.holds(a.issues(), strings.Repeat("a", 10))
}

func uploadedFiles(t *testing.T, f framework) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	s := open(t, f, func(s *site) {
		s.handle(http.MethodPost, "/upload", func(c Ctx) error {
			if err := c.Upload(); err != nil {
				return err
			}
			u.Set(c.Session(), "x")
			return c.Text(200, "text")
		})
	})
	const body = "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f.txt\"\r\n\r\n" +
		fileText + "\r\n--b--\r\n"
	v := s.visitor()
	v.do(http.MethodPost, "/upload", body, "Content-Type: multipart/form-data; boundary=b").is(200)
	v.get("/read").is(200).says("u=x") // the first request is over by now
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, left)
}
