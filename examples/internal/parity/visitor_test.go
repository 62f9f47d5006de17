package parity

import (
	"bufio"
	"bytes"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A visitor is a client that sees what is on the wire: it speaks HTTP/1.1 on one connection and
// keeps cookies, and the header Session-Id, as a browser and its page would.
type visitor struct {
	t    testing.TB
	site *site
	conn net.Conn
	in   *bufio.Reader

	jar    map[string]string
	header string
}

func (s *site) visitor() *visitor {
	return &visitor{t: s.t, site: s, jar: map[string]string{}}
}

// get sends a request and reads the whole answer.
func (v *visitor) get(path string, lines ...string) *answer {
	v.t.Helper()
	return v.do(http.MethodGet, path, "", lines...)
}

func (v *visitor) do(method, path, body string, lines ...string) *answer {
	v.t.Helper()
	a := v.start(method, path, body, lines...)
	a.finish()
	return a
}

// start sends a request and reads the answer's header.
func (v *visitor) start(method, path, body string, lines ...string) *answer {
	v.t.Helper()
	v.send(method, path, body, lines...)
	return v.receive(method)
}

// send writes a request, with the cookies and the header that the visitor keeps, and more lines.
func (v *visitor) send(method, path, body string, lines ...string) {
	v.t.Helper()
	_, err := v.connection().Write(v.request(method, path, body, lines...))
	require.NoError(v.t, err)
}

func (v *visitor) request(method, path, body string, lines ...string) []byte {
	var b bytes.Buffer
	b.WriteString(method + " " + path + " HTTP/1.1\r\nHost: a.test\r\n")
	if len(v.jar) > 0 {
		var pairs []string
		for _, name := range slices.Sorted(maps.Keys(v.jar)) {
			pairs = append(pairs, name+"="+v.jar[name])
		}
		b.WriteString("Cookie: " + strings.Join(pairs, "; ") + "\r\n")
	}
	if v.header != "" {
		b.WriteString("Session-Id: " + v.header + "\r\n")
	}
	if body != "" {
		b.WriteString("Content-Length: " + strconv.Itoa(len(body)) + "\r\n")
	}
	for _, line := range lines {
		b.WriteString(line + "\r\n")
	}
	b.WriteString("\r\n" + body)
	return b.Bytes()
}

// connection is the open one, or a new one.
func (v *visitor) connection() net.Conn {
	v.t.Helper()
	if v.conn == nil {
		conn, err := net.Dial("tcp", v.site.addr)
		require.NoError(v.t, err)
		v.t.Cleanup(func() { _ = conn.Close() })
		v.conn, v.in = conn, bufio.NewReaderSize(conn, 1<<16)
	}
	require.NoError(v.t, v.conn.SetDeadline(time.Now().Add(patience)))
	return v.conn
}

// receive reads the next answer's header.
func (v *visitor) receive(method string) *answer {
	v.t.Helper()
	lines, err := v.head()
	require.NoError(v.t, err, "reading the answer's header")
	response, err := http.ReadResponse(v.in, &http.Request{Method: method})
	require.NoError(v.t, err)
	if response.Close {
		v.conn = nil // the reader goes on with what is left
	}
	a := &answer{
		t: v.t, status: response.StatusCode, lines: lines, header: response.Header,
		stream: response.Body, response: response,
	}
	v.keep(a)
	return a
}

// head looks at the header's lines without taking them.
func (v *visitor) head() ([]string, error) {
	for {
		seen, _ := v.in.Peek(v.in.Buffered())
		if head, _, ok := bytes.Cut(seen, []byte("\r\n\r\n")); ok {
			return strings.Split(string(head), "\r\n")[1:], nil
		}
		if _, err := v.in.Peek(len(seen) + 1); err != nil {
			return nil, err
		}
	}
}

// keep does with what came as a browser would.
func (v *visitor) keep(a *answer) {
	v.t.Helper()
	for _, line := range a.header["Set-Cookie"] {
		c, err := http.ParseSetCookie(line)
		require.NoError(v.t, err)
		if c.MaxAge < 0 {
			delete(v.jar, c.Name)
		} else {
			v.jar[c.Name] = c.Value
		}
	}
	if val, ok := a.header["Session-Id"]; ok {
		v.header = val[0]
	}
}

// token is the session token that the visitor holds.
func (v *visitor) token() string { return v.jar[cookieName] }

// broken requires that the server closed the connection without a whole answer.
func (v *visitor) broken() {
	v.t.Helper()
	_, err := v.head()
	require.ErrorIs(v.t, err, io.EOF)
	v.conn = nil
}

// hangUp closes the connection so that the server notices at once.
func (v *visitor) hangUp() {
	v.t.Helper()
	require.NoError(v.t, v.conn.Close())
	v.conn = nil
}
