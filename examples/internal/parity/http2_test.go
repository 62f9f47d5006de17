package parity

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func http2Behaviours() []behaviour {
	return []behaviour{
		{row: "76", name: "http2", check: http2Replies, needs: http2,
			promise: "every way to answer is over HTTP/2 what it is over HTTP/1.1"},
		{row: "76b", name: "http2-stream-live", check: http2Live, needs: http2,
			promise: "over HTTP/2 the cookie and the first bytes arrive while a handler streams"},
		{row: "76c", name: "http2-client-abort", check: http2Abort, needs: http2,
			promise: "a change made after a stream was reset is stored"},
		{row: "76d", name: "http2-store-down-trailers", check: http2TrailersFail, needs: http2,
			promise: "nor does a trailer that was not declared follow an error page"},
	}
}

func overHTTP2(s *site) { s.secure = true }

// fetch sends a request over HTTP/2 and reads the answer's header.
func (s *site) fetch(
	ctx context.Context, method, path, body string, h http.Header,
) (*answer, error) {
	url := "https://" + s.addr + path
	r, err := http.NewRequestWithContext(ctx, method, url, bytes.NewBufferString(body))
	require.NoError(s.t, err)
	r.Header = h
	s.client.CheckRedirect = func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}
	response, err := s.client.Do(r)
	if err != nil {
		return nil, err
	}
	require.Equal(s.t, 2, response.ProtoMajor)
	s.t.Cleanup(func() { _ = response.Body.Close() })
	a := &answer{
		t: s.t, status: response.StatusCode, header: response.Header, stream: response.Body,
		response: response,
	}
	for name, lines := range response.Header {
		for _, line := range lines {
			a.lines = append(a.lines, name+": "+line)
		}
	}
	slices.Sort(a.lines)
	return a, nil
}

func http2Replies(t *testing.T, f framework) {
	for _, r := range replies() {
		t.Run(r.name, func(t *testing.T) {
			s := open(t, f, overHTTP2, r.install(t))
			h := http.Header{}
			for _, line := range r.lines {
				name, val, _ := bytes.Cut([]byte(line), []byte(": "))
				h.Set(string(name), string(val))
			}
			a, err := s.fetch(t.Context(), r.verb(), "/reply", r.body, h)
			require.NoError(t, err)
			a.finish()
			s.holds(a.is(r.status).issues(), "x")
			if r.says != "" && r.says != "-" {
				a.says(r.says)
			}
		})
	}
}

func http2TrailersFail(t *testing.T, f framework) {
	s := open(t, f, overHTTP2, get("/trailer", func(c Ctx) error {
		u.Set(c.Session(), "x")
		_ = c.Text(200, "body")
		c.SetHeader(http.TrailerPrefix+"X-Sum", "42")
		return nil
	}))
	fetch := func() *answer {
		a, err := s.fetch(t.Context(), http.MethodGet, "/trailer", "", http.Header{})
		require.NoError(t, err)
		a.finish()
		return a
	}
	a := fetch().is(200).says("body")
	require.Equal(t, http.Header{"X-Sum": {"42"}}, a.response.Trailer)
	s.store.interrupt(failingWrites())
	a = fetch()
	requireUnavailable(t, f, a)
	require.Empty(t, a.response.Trailer)
}

func http2Live(t *testing.T, f framework) {
	p := newPausing(t)
	s := open(t, f, overHTTP2, get("/stream", p.handler(setTo("x"), setTo("late"))))
	a, err := s.fetch(t.Context(), http.MethodGet, "/stream", "", http.Header{})
	require.NoError(t, err)
	token := a.is(200).issues()
	require.Equal(t, firstChunk, a.read(len(firstChunk)))
	s.holds(token, "x")
	close(p.goOn)
	a.finish()
	require.NoError(t, receive(t, p.errs, "the stream's end"))
	s.holds(token, "late")
}

func http2Abort(t *testing.T, f framework) {
	d := desert(t, f, setTo("y"), overHTTP2)
	a, err := d.fetch(t.Context(), http.MethodGet, "/set?u=x", "", http.Header{})
	require.NoError(t, err)
	token := a.is(200).issues()
	_, _ = io.Copy(io.Discard, a.stream)

	ctx, hangUp := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() {
		h := http.Header{"Cookie": {cookieName + "=" + token}}
		_, err := d.fetch(ctx, http.MethodGet, "/deserted", "", h)
		failed <- err
	}()
	receive(t, d.entered, "the handler")
	hangUp()
	require.ErrorIs(t, receive(t, failed, "the client"), context.Canceled)
	receive(t, d.ended, "the request's end")
	d.holds(token, "y")
	require.Zero(t, d.store.late.Load(), "calls of the store with a context that was over")
}
