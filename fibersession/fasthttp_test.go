package fibersession_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/sessiontest"
	"github.com/sessionserverstore/sessionserverstore/fibersession"
)

// raw sends text as it is, and returns all that comes back until the server closes.
func raw(t *testing.T, url, text string) string {
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	_, err = io.WriteString(conn, text)
	require.NoError(t, err)
	all, err := io.ReadAll(conn)
	require.NoError(t, err)
	return string(all)
}

// lines is a request with header lines as they are.
func lines(list ...string) string {
	list = append([]string{"GET / HTTP/1.1", "Host: localhost"}, list...)
	return strings.Join(list, "\r\n") + "\r\n\r\n"
}

const last = "Connection: close"

func TestNamesOfHeadersCountInAnyCaseWhereFiberDoesNotNormalizeThem(t *testing.T) {
	m := newManager(t, core.Config{Carrier: core.Carriers(core.Cookie{}, core.Header{})})
	bare := get("/")
	bare.Header.Set("Session-Id", "") // so that the token goes there
	live := sessiontest.Request(t, m, bare, func(s *core.Session) { word().Set(s, "hello") })
	token := live.Header.Get("Session-Id")
	app := newApp(fiber.Config{DisableHeaderNormalizing: true}, fibersession.New(m))
	app.Get("/", func(c *fiber.Ctx) error {
		text, _ := word().Get(fibersession.Get(c))
		return c.SendString("word: " + text + ".")
	})
	url := serve(t, app)
	for _, line := range []string{
		"Session-Id: " + token, "session-id: " + token, "SESSION-ID: " + token,
		"Cookie: __Host-sid=" + token, "cookie: a=1; __Host-sid=" + token,
	} {
		assert.Contains(t, raw(t, url, lines(line, last)), "word: hello.",
			strings.Replace(line, token, "…", 1))
	}
	other := core.NewToken().Reveal()
	both := lines("session-id: "+token, "Session-ID: "+other, last)
	assert.Contains(t, raw(t, url, both), "word: .")
}

func TestAConnectionIsOnlyHandedOverOnceTheSessionIsStored(t *testing.T) {
	store := newOutage()
	m := newManager(t, core.Config{Store: store})
	for name, silent := range map[string]bool{"with an answer": false, "without": true} {
		t.Run(name, func(t *testing.T) {
			app := newApp(fiber.Config{}, fibersession.New(m))
			app.Get("/", func(c *fiber.Ctx) error {
				word().Set(fibersession.Get(c), "hello")
				c.Context().HijackSetNoResponse(silent)
				c.Context().Hijack(func(conn net.Conn) { _, _ = io.WriteString(conn, "FRAME") })
				return c.SendStatus(http.StatusSwitchingProtocols)
			})
			url := serve(t, app)

			store.writes.Store(false)
			all := raw(t, url, lines()) // the end of the handler below closes
			require.Contains(t, all, "FRAME")
			require.Equal(t, !silent, strings.Contains(all, "Set-Cookie"))

			store.writes.Store(true)
			all = raw(t, url, lines()+lines(last)) // two, on a connection that goes on
			require.Equal(t, 2, strings.Count(all, "503 Service Unavailable"))
			require.NotContains(t, all, "Set-Cookie")
			require.NotContains(t, all, "FRAME")
		})
	}
}

func TestAStreamWriterMayReadTheSessionButNotChangeIt(t *testing.T) {
	m := newManager(t, core.Config{})
	live := sessiontest.Request(t, m, get("/"), func(s *core.Session) { word().Set(s, "hello") })
	committed, late := make(chan struct{}), make(chan error, 1)
	app := newApp(fiber.Config{}, func(c *fiber.Ctx) error {
		defer close(committed)
		return c.Next()
	}, fibersession.New(m))
	app.Get("/", func(c *fiber.Ctx) error {
		s := fibersession.Get(c)
		c.Context().SetBodyStreamWriter(func(w *bufio.Writer) {
			_, _ = w.WriteString("first ")
			_ = w.Flush()
			<-committed // fasthttp starts the writer at once, beside the handler
			text, _ := word().Get(s)
			word().Set(s, "too late")
			late <- s.Err()
			_, _ = w.WriteString(text)
		})
		return nil
	})
	live.RequestURI, live.URL.Scheme = "", "http"
	live.URL.Host = strings.TrimPrefix(serve(t, app), "http://")
	response, err := http.DefaultClient.Do(live)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equal(t, "first hello", string(body))
	require.ErrorIs(t, <-late, core.ErrCommitted)
}
