package parity

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// An answer is a response. Its lines are the header as it came, byte for byte and in order.
type answer struct {
	t        testing.TB
	status   int
	lines    []string
	header   http.Header
	stream   io.Reader      // the body, until it is read
	body     string         // the body, once it is
	response *http.Response // for its trailers, which come with the end of the body
}

// finish reads the rest of the body.
func (a *answer) finish() {
	a.t.Helper()
	body, err := io.ReadAll(a.stream)
	require.NoError(a.t, err, "reading the answer's body")
	a.body = string(body)
}

// read takes exactly n bytes of the body.
func (a *answer) read(n int) string {
	a.t.Helper()
	b := make([]byte, n)
	_, err := io.ReadFull(a.stream, b)
	require.NoError(a.t, err, "reading the answer's body")
	return string(b)
}

// named are the header lines of those names, as they came.
func (a *answer) named(names ...string) []string {
	return slices.DeleteFunc(slices.Clone(a.lines), func(line string) bool {
		return !isOneOf(line, names)
	})
}

// isOneOf reports whether a header line has one of the names.
func isOneOf(line string, names []string) bool {
	name, _, _ := strings.Cut(line, ":")
	return slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) })
}

// sessionHeaders are the names of all response headers that sessions are about.
func sessionHeaders() []string {
	return []string{
		"Set-Cookie", "Session-Id", "Cache-Control", "Vary", "Access-Control-Expose-Headers",
	}
}

// is requires a status.
func (a *answer) is(status int) *answer {
	a.t.Helper()
	require.Equal(a.t, status, a.status, "status; the body is %q", a.body)
	return a
}

// says requires a body.
func (a *answer) says(body string) *answer {
	a.t.Helper()
	require.Equal(a.t, body, a.body, "body")
	return a
}

// silent requires that no token goes out and none is taken back.
func (a *answer) silent() *answer {
	a.t.Helper()
	require.Empty(a.t, a.named("Set-Cookie", "Session-Id"))
	return a
}

// issues requires one session cookie, byte for byte, with what belongs to it, and gives its token.
func (a *answer) issues() string {
	a.t.Helper()
	lines := a.named("Set-Cookie")
	require.Len(a.t, lines, 1)
	_, rest, _ := strings.Cut(lines[0], "=")
	token, _, _ := strings.Cut(rest, ";")
	idOf(a.t, token)
	require.Equal(a.t, []string{
		"Set-Cookie: " + cookieName + "=" + token + "; Path=/; HttpOnly; Secure; SameSite=Lax",
	}, lines)
	require.Equal(a.t, []string{"Cache-Control: no-store"}, a.named("Cache-Control"))
	require.Contains(a.t, a.vary(), "Cookie")
	return token
}

// vary are the elements of all lines of Vary, which some middleware writes anew.
func (a *answer) vary() []string {
	list := strings.Split(strings.Join(a.header["Vary"], ","), ",")
	for i := range list {
		list[i] = strings.TrimSpace(list[i])
	}
	return list
}

// forgets requires that the session cookie is taken back, byte for byte.
func (a *answer) forgets() *answer {
	a.t.Helper()
	require.Equal(a.t, []string{"Set-Cookie: " + cookieName + "=; Path=/; " +
		"Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=0; HttpOnly; Secure; SameSite=Lax",
	}, a.named("Set-Cookie"))
	require.Equal(a.t, []string{"Cache-Control: no-store"}, a.named("Cache-Control"))
	return a
}

// others are the header lines that sessions have nothing to do with, but for the date.
func (a *answer) others() []string { return a.but(append(sessionHeaders(), "Date")...) }

// but are all header lines except those of the given names.
func (a *answer) but(names ...string) []string {
	return slices.DeleteFunc(slices.Clone(a.lines), func(line string) bool {
		return isOneOf(line, names)
	})
}

// masked are the session's header lines in the order of their names, which is not the same in all
// frameworks, with the token made unreadable.
func (a *answer) masked(token string) []string {
	lines := a.named(sessionHeaders()...)
	slices.SortStableFunc(lines, func(x, y string) int {
		name := func(line string) string { return line[:strings.IndexByte(line, ':')] }
		return strings.Compare(name(x), name(y))
	})
	for i := range lines {
		lines[i] = strings.ReplaceAll(lines[i], token, "<token>")
	}
	return lines
}
