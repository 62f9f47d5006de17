package parity

import (
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

const fileText = "a file of twenty-six bytes"

// A reply is one way to answer a request, after the handler has set u to x.
type reply struct {
	row, name, promise string

	method, body string
	lines        []string // of the request
	handle       func(c Ctx, file string) error

	status int
	says   string // "" leaves the body to the framework
}

// replies are the ways to answer that a framework has, each of which sends the header elsewhere.
func replies() []reply {
	const noBody = "-"
	return []reply{
		{row: "2", name: "set-text", promise: "an answer with a text carries the cookie",
			handle: func(c Ctx, _ string) error { return c.Text(200, "text") },
			status: 200, says: "text"},
		{row: "3", name: "silent-handler", promise: "a handler that answers nothing is committed",
			handle: func(Ctx, string) error { return nil },
			status: 200, says: noBody},
		{row: "4", name: "no-content", promise: "204 carries the cookie",
			handle: func(c Ctx, _ string) error { return c.NoContent(204) },
			status: 204, says: noBody},
		{row: "5", name: "not-modified", promise: "304 carries the cookie",
			handle: func(c Ctx, _ string) error { return c.NoContent(304) },
			status: 304, says: noBody},
		{row: "5b", name: "not-modified-file", promise: "304 for a file carries the cookie",
			lines:  []string{"If-Modified-Since: Fri, 31 Dec 2100 00:00:00 GMT"},
			handle: func(c Ctx, file string) error { return c.File(file) },
			status: 304, says: noBody},
		{row: "6", name: "json", promise: "JSON carries the cookie",
			handle: func(c Ctx, _ string) error { return c.JSON(201, "json") },
			status: 201},
		{row: "7", name: "redirect", promise: "a redirect carries the cookie",
			handle: func(c Ctx, _ string) error { return c.Redirect(303, "/next") },
			status: 303},
		{row: "8", name: "error-return", promise: "a handler's error is committed and answered",
			handle: func(Ctx, string) error { return statusError(418) },
			status: 418},
		{row: "9", name: "plain-error", promise: "an error without a status is committed, too",
			handle: func(Ctx, string) error { return errors.New("plain") },
			status: 500},
		{row: "10", name: "file", promise: "a file comes whole, with the cookie",
			handle: func(c Ctx, file string) error { return c.File(file) },
			status: 200, says: fileText},
		{row: "11", name: "file-range", promise: "a part of a file carries the cookie",
			lines:  []string{"Range: bytes=0-5"},
			handle: func(c Ctx, file string) error { return c.File(file) },
			status: 206, says: fileText[:6]},
		{row: "12", name: "file-missing", promise: "a file that is missing is 404 with the cookie",
			handle: func(c Ctx, file string) error { return c.File(file + "-missing") },
			status: 404},
		{row: "13", name: "head", promise: "HEAD carries the cookie and no body",
			method: http.MethodHead,
			handle: func(c Ctx, _ string) error { return c.Text(200, "text") },
			status: 200, says: noBody},
		{row: "14", name: "post", promise: "POST carries the cookie",
			method: http.MethodPost, body: "form",
			handle: func(c Ctx, _ string) error {
				body, err := c.Body(10)
				if err != nil {
					return err
				}
				return c.Text(200, body)
			},
			status: 200, says: "form"},
		{row: "15", name: "stream", promise: "a stream comes whole, with the cookie",
			handle: func(c Ctx, _ string) error {
				return c.Stream(func(w io.Writer, flush func() error) {
					for range 3 {
						_, _ = io.WriteString(w, "chunk\n")
						_ = flush()
					}
				})
			},
			status: 200, says: "chunk\nchunk\nchunk\n"},
		{row: "17", name: "sse-flush-first", promise: "a flush before any byte carries the cookie",
			handle: func(c Ctx, _ string) error {
				return c.Stream(func(w io.Writer, flush func() error) {
					_ = flush()
					_, _ = io.WriteString(w, "data: x\n\n")
				})
			},
			status: 200, says: "data: x\n\n"},
	}
}

func replyBehaviours() []behaviour {
	list := []behaviour{{
		row: "1", name: "anonymous-read",
		promise: "reading without a token costs no store access and sends no cookie",
		check:   anonymousRead,
	}}
	for _, r := range replies() {
		list = append(list, behaviour{
			row: r.row, name: r.name, promise: r.promise,
			check: func(t *testing.T, f framework) { r.check(t, f) },
		})
	}
	return list
}

func anonymousRead(t *testing.T, f framework) {
	s := open(t, f)
	a := s.visitor().get("/read").is(200).says("u=").silent()
	require.Equal(t, []string{"Vary: Cookie"}, a.named("Vary", "Cache-Control"))
	require.Zero(t, s.store.loads.Load())
	require.Zero(t, s.store.writes.Load())
}

// install adds the reply's route. The handler sets headers of its own besides; where the site has
// no session it sets nothing else.
func (r reply) install(t testing.TB) func(s *site) {
	file := filepath.Join(t.TempDir(), "file.txt")
	require.NoError(t, os.WriteFile(file, []byte(fileText), 0o600))
	return func(s *site) {
		s.handle(r.verb(), "/reply", func(c Ctx) error {
			if len(s.layers) > 0 {
				u.Set(c.Session(), "x")
			}
			c.SetHeader("X-Handler", "was here")
			c.SetHeader("Etag", `"tag"`)
			c.SetHeader("Cache-Control", "max-age=60")
			return r.handle(c, file)
		})
	}
}

func (r reply) verb() string {
	if r.method == "" {
		return http.MethodGet
	}
	return r.method
}

// ask sends the request that the reply answers.
func (r reply) ask(s *site) *answer {
	return s.visitor().do(r.verb(), "/reply", r.body, r.lines...)
}

// check requires that the answer is what it is without sessions, and one cookie.
func (r reply) check(t *testing.T, f framework) {
	install := r.install(t)
	s := open(t, f, install)
	a := r.ask(s).is(r.status)
	s.holds(a.issues(), "x")
	require.EqualValues(t, 1, s.store.writes.Load(), "writes")
	require.Equal(t, 1, s.store.Len(), "records")
	switch r.says {
	case "":
	case "-":
		a.says("")
	default:
		a.says(r.says)
	}
	bare := r.ask(open(t, f, install, with())).is(r.status).says(a.body)
	require.Equal(t, bare.others(), a.others(), "headers beside those of the session")
}
