package core_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// serve runs a handler below the middleware on a real connection, and an outer layer above it.
func (s *site) serve(f http.HandlerFunc) *httptest.Server {
	s.t.Helper()
	inner := s.Handler(f)
	server := httptest.NewUnstartedServer(http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Outer", "1")
			inner.ServeHTTP(w, r)
		}))
	server.Config.ErrorLog = discardLog()
	server.Start()
	s.t.Cleanup(server.Close)
	return server
}

// sessionOf is the session of a request that went through the middleware.
func sessionOf(t *testing.T, r *http.Request) *core.Session {
	t.Helper()
	session, ok := core.FromContext(r.Context())
	assert.True(t, ok)
	return session
}

// fetch sends a request with a token, or none, and returns the whole answer.
func fetch(t *testing.T, server *httptest.Server, method, token string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, server.URL, nil)
	require.NoError(t, err)
	if token != "" {
		r.Header = cookies(token)
	}
	client := server.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}
	response, err := client.Do(r)
	require.NoError(t, err)
	defer func() { assert.NoError(t, response.Body.Close()) }()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response, string(body)
}

// answers are the ways in which a handler answers.
func answers() map[string]http.HandlerFunc {
	text := func(w io.Writer) { _, _ = io.WriteString(w, "of the handler") }
	return map[string]http.HandlerFunc{
		"nothing": func(http.ResponseWriter, *http.Request) {},
		"a status": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNoContent)
		},
		"text": func(w http.ResponseWriter, _ *http.Request) { text(w) },
		"bytes": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("of the handler"))
		},
		"status, text": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusCreated)
			text(w)
		},
		"an error": func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "of the handler", http.StatusTeapot)
		},
		"a redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/x", http.StatusSeeOther)
		},
		"a file": func(w http.ResponseWriter, r *http.Request) {
			content := strings.NewReader(strings.Repeat("of the handler", 1000))
			http.ServeContent(w, r, "f.txt", time.Unix(1, 0), content)
		},
		"a copy": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.Copy(w, iotest.OneByteReader(strings.NewReader("of the handler")))
		},
		"a flush first": func(w http.ResponseWriter, _ *http.Request) {
			w.(http.Flusher).Flush()
			text(w)
		},
		"a stream": func(w http.ResponseWriter, _ *http.Request) {
			for range 3 {
				text(w)
				_ = http.NewResponseController(w).Flush()
			}
		},
		"from another goroutine": func(w http.ResponseWriter, _ *http.Request) {
			done := make(chan struct{})
			go func() { defer close(done); text(w) }()
			<-done
		},
	}
}

func TestWhateverAHandlerAnswersItsSessionIsStoredFirst(t *testing.T) {
	for name, answer := range answers() {
		t.Run(name, func(t *testing.T) {
			m := newSite(t, core.Config{})
			server := m.serve(func(w http.ResponseWriter, r *http.Request) {
				note.Set(sessionOf(t, r), "x")
				answer(w, r)
			})
			response, _ := fetch(t, server, http.MethodGet, "")
			token := tokenIn(t, response.Header)
			assert.Equal(t, "x", m.read(token))
			assert.Equal(t, "1", response.Header.Get("X-Outer"))
			assert.Equal(t, "no-store", response.Header.Get("Cache-Control"))
			assert.Equal(t, 1, m.store.writes())

			response, _ = fetch(t, server, http.MethodHead, token)
			assert.NotContains(t, response.Header, "Set-Cookie")
		})
	}
}

func TestWhenItCannotBeStoredNothingOfTheAnswerGoesOut(t *testing.T) {
	for name, answer := range answers() {
		t.Run(name, func(t *testing.T) {
			m := newSite(t, core.Config{})
			m.store.fail(errDown, opCreate)
			ended := make(chan error, 1)
			server := m.serve(func(w http.ResponseWriter, r *http.Request) {
				note.Set(sessionOf(t, r), "x")
				for name, value := range map[string]string{
					"Content-Type": "image/png", "Etag": `"1"`, "Content-Encoding": "gzip",
					"X-Outer": "overwritten", "Set-Cookie": "of=handler", "X-Handler": "1",
				} {
					w.Header().Set(name, value)
				}
				answer(w, r)
				_, err := w.Write([]byte("of the handler"))
				if err == nil {
					err = errors.New("the write went well")
				}
				ended <- errors.Join(err, r.Context().Err())
			})
			response, body := fetch(t, server, http.MethodGet, "")
			assert.Equal(t, http.StatusServiceUnavailable, response.StatusCode)
			assert.Equal(t, "Service Unavailable\n", body)
			response.Header.Del("Date")
			assert.Equal(t, http.Header{
				"Content-Type": {"text/plain; charset=utf-8"}, "Content-Length": {"20"},
				"X-Content-Type-Options": {"nosniff"}, "Retry-After": {"1"}, "Vary": {"Cookie"},
				"X-Outer": {"1"},
			}, response.Header)
			err := <-ended
			if name == "nothing" {
				require.ErrorIs(t, err, errDown)
				return
			}
			require.ErrorIs(t, err, errDown, "what it writes then fails")
			require.ErrorIs(t, err, context.Canceled, "and its context ends")
		})
	}
}

func TestAStreamThatNeverEndsGetsACompleteErrorAtOnce(t *testing.T) {
	m := newSite(t, core.Config{})
	m.store.fail(errDown, opCreate)
	read := make(chan struct{})
	server := m.serve(func(w http.ResponseWriter, r *http.Request) {
		note.Set(sessionOf(t, r), "x")
		w.Header().Set("Content-Type", "text/event-stream")
		for { // ignores every error, and its context
			select {
			case <-read:
				return
			default:
				_, _ = io.WriteString(w, "data: x\n\n")
				w.(http.Flusher).Flush()
				runtime.Gosched()
			}
		}
	})
	response, body := fetch(t, server, http.MethodGet, "")
	close(read)
	assert.Equal(t, http.StatusServiceUnavailable, response.StatusCode)
	assert.Equal(t, "Service Unavailable\n", body)
}

func TestAnUpgradeIsCommittedBeforeTheConnectionIsHandedOver(t *testing.T) {
	upgrade := func(t *testing.T, trouble error) (string, textproto.MIMEHeader, *site) {
		m := newSite(t, core.Config{})
		m.store.fail(trouble, opCreate)
		server := m.serve(func(w http.ResponseWriter, r *http.Request) {
			note.Set(sessionOf(t, r), "x")
			conn, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				assert.ErrorIs(t, err, trouble)
				return
			}
			defer func() { assert.NoError(t, conn.Close()) }()
			_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\n")
			assert.NoError(t, w.Header().Write(conn))
			_, _ = io.WriteString(conn, "\r\n")
		})
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		require.NoError(t, err)
		defer func() { _ = conn.Close() }()
		_, err = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n\r\n")
		require.NoError(t, err)
		reader := textproto.NewReader(bufio.NewReader(conn))
		status, err := reader.ReadLine()
		require.NoError(t, err)
		head, err := reader.ReadMIMEHeader()
		require.NoError(t, err)
		return status, head, m
	}
	t.Run("its header carries the token", func(t *testing.T) {
		status, head, m := upgrade(t, nil)
		assert.Contains(t, status, "101")
		assert.Equal(t, "x", m.read(tokenIn(t, http.Header(head))))
	})
	t.Run("or there is no upgrade", func(t *testing.T) {
		status, head, _ := upgrade(t, errDown)
		assert.Contains(t, status, "503")
		assert.NotContains(t, head, "Set-Cookie")
	})
}

func TestEarlyHintsLeaveBeforeTheSessionIsStored(t *testing.T) {
	m := newSite(t, core.Config{})
	server := m.serve(func(w http.ResponseWriter, r *http.Request) {
		note.Set(sessionOf(t, r), "before")
		w.Header().Set("Link", "</x.css>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		assert.Zero(t, m.store.writes())
		note.Set(sessionOf(t, r), "after")
		w.WriteHeader(http.StatusOK)
	})
	var hints []textproto.MIMEHeader
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		Got1xxResponse: func(code int, header textproto.MIMEHeader) error {
			assert.Equal(t, http.StatusEarlyHints, code)
			hints = append(hints, header)
			return nil
		},
	})
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, nil)
	require.NoError(t, err)
	response, err := server.Client().Do(r)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Len(t, hints, 1)
	assert.NotContains(t, hints[0], "Set-Cookie")
	assert.Contains(t, hints[0], "Link")
	assert.Equal(t, "after", m.read(tokenIn(t, response.Header)))
}

func TestAResponseControllerReachesTheConnection(t *testing.T) {
	m := newSite(t, core.Config{})
	server := m.serve(func(w http.ResponseWriter, r *http.Request) {
		controller := http.NewResponseController(w)
		assert.NoError(t, controller.SetReadDeadline(time.Now().Add(time.Hour)))
		assert.NoError(t, controller.SetWriteDeadline(time.Now().Add(time.Hour)))
		assert.NoError(t, controller.EnableFullDuplex())
		assert.Empty(t, w.Header().Values("Set-Cookie"))
		note.Set(sessionOf(t, r), "x")
		w.Header().Set("Trailer", "X-Sum")
		_, _ = io.WriteString(w, "body")
		w.Header().Set("X-Sum", "4")
	})
	response, body := fetch(t, server, http.MethodGet, "")
	assert.Equal(t, "body", body)
	assert.Equal(t, "4", response.Trailer.Get("X-Sum"))
	tokenIn(t, response.Header)
}

func TestHTTP2(t *testing.T) {
	m := newSite(t, core.Config{})
	handler := func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, 2, r.ProtoMajor)
		note.Set(sessionOf(t, r), "x")
		for range 3 {
			_, _ = fmt.Fprint(w, "data ")
			_ = http.NewResponseController(w).Flush()
		}
	}
	server := httptest.NewUnstartedServer(m.Handler(http.HandlerFunc(handler)))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	response, body := fetch(t, server, http.MethodGet, "")
	assert.Equal(t, "data data data ", body)
	assert.Equal(t, "x", m.read(tokenIn(t, response.Header)))
	m.store.fail(errDown, opCreate)
	response, body = fetch(t, server, http.MethodGet, "")
	assert.Equal(t, http.StatusServiceUnavailable, response.StatusCode)
	assert.Equal(t, "Service Unavailable\n", body)
	assert.NotContains(t, response.Header, "Set-Cookie")
}

func TestAClientThatHangsUpLosesNoChange(t *testing.T) {
	m := newSite(t, core.Config{})
	token, _ := m.start(setNote("x"))
	begun, ended := make(chan struct{}), make(chan struct{})
	inner := m.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(begun)
		<-r.Context().Done()
		note.Set(sessionOf(t, r), "y")
	}))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(ended)
		inner.ServeHTTP(w, r)
	}))
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, nil)
	require.NoError(t, err)
	r.Header = cookies(token)
	go func() {
		<-begun
		cancel()
	}()
	response, err := server.Client().Do(r)
	if err == nil {
		_ = response.Body.Close()
	}
	require.ErrorIs(t, err, context.Canceled)
	<-ended
	assert.Equal(t, "y", m.read(token))
}
