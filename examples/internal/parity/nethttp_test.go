package parity

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	coder "github.com/coder/websocket"
	gorilla "github.com/gorilla/websocket"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// What the frameworks that are built on net/http have in common.

// serveHTTP serves a handler until the test ends, and waits for its requests then.
func serveHTTP(t testing.TB, s *site, h http.Handler) (addr string) {
	t.Helper()
	if s.wrap != nil {
		h = s.wrap(h)
	}
	server := httptest.NewUnstartedServer(h)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	base, cancel := context.WithCancel(t.Context())
	server.Config.BaseContext = func(net.Listener) context.Context { return base }
	server.Config.RegisterOnShutdown(cancel)
	s.shutdown = server.Config.Shutdown
	if s.secure {
		server.EnableHTTP2 = true
		server.StartTLS()
		s.client = server.Client()
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

// readBody reads a body of at most limit bytes.
func readBody(w http.ResponseWriter, r *http.Request, limit int64) (string, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return "", statusError(http.StatusRequestEntityTooLarge)
	}
	return string(body), err
}

// netHTTPSockets are the libraries of upgrade.
func netHTTPSockets() []string { return []string{"gorilla", "coder"} }

// upgrade makes a WebSocket and runs serve on it. An upgrade that fails has answered itself.
func upgrade(
	library string, w http.ResponseWriter, r *http.Request, s *core.Session,
	serve func(s *core.Session, send func(text string) error),
) error {
	if library == "gorilla" {
		upgrader := gorilla.Upgrader{}
		conn, err := upgrader.Upgrade(w, r, w.Header())
		if err != nil {
			return nil
		}
		serve(s, func(text string) error {
			return conn.WriteMessage(gorilla.TextMessage, []byte(text))
		})
		return conn.Close()
	}
	conn, err := coder.Accept(w, r, nil)
	if err != nil {
		return nil
	}
	ctx := context.WithoutCancel(r.Context())
	serve(s, func(text string) error {
		return conn.Write(ctx, coder.MessageText, []byte(text))
	})
	return conn.CloseNow()
}

// echoes is Ctx.Echo.
func echoes(library string, w http.ResponseWriter, r *http.Request, s *core.Session) error {
	if library == "gorilla" {
		return echoesGorilla(w, r, s)
	}
	conn, err := coder.Accept(w, r, nil)
	if err != nil {
		return nil
	}
	defer func() { _ = conn.CloseNow() }()
	ctx := context.WithoutCancel(r.Context())
	live, release := s.Live(ctx)
	defer release()
	stop := context.AfterFunc(live, func() {
		_ = conn.Close(coder.StatusPolicyViolation, "session ended")
	})
	defer stop()
	for {
		kind, data, err := conn.Read(ctx)
		if err != nil {
			return nil
		}
		_ = conn.Write(ctx, kind, data)
	}
}

func echoesGorilla(w http.ResponseWriter, r *http.Request, s *core.Session) error {
	conn, err := (&gorilla.Upgrader{}).Upgrade(w, r, w.Header())
	if err != nil {
		return nil
	}
	defer func() { _ = conn.Close() }()
	live, release := s.Live(context.WithoutCancel(r.Context()))
	defer release()
	stop := context.AfterFunc(live, func() {
		bye := gorilla.FormatCloseMessage(gorilla.ClosePolicyViolation, "session ended")
		_ = conn.WriteControl(gorilla.CloseMessage, bye, time.Now().Add(patience))
		_ = conn.Close()
	})
	defer stop()
	for {
		kind, data, err := conn.ReadMessage()
		if err != nil {
			return nil
		}
		_ = conn.WriteMessage(kind, data)
	}
}

// hijack takes the connection and gives it to serve.
func hijack(w http.ResponseWriter, serve func(conn net.Conn)) error {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return nil // whoever refused it has answered
	}
	serve(conn)
	return conn.Close()
}

// hint sends 103 with a Link.
func hint(w http.ResponseWriter, link string) {
	w.Header().Set("Link", link)
	w.WriteHeader(http.StatusEarlyHints)
}

// zipWriter compresses what is written, as the usual middleware does. Close ends it.
type zipWriter struct {
	http.ResponseWriter
	zip *gzip.Writer
}

func newZipWriter(w http.ResponseWriter) *zipWriter {
	w.Header().Set("Content-Encoding", "gzip")
	w.Header().Add("Vary", "Accept-Encoding")
	return &zipWriter{w, gzip.NewWriter(w)}
}

func (w *zipWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *zipWriter) WriteHeader(code int) {
	w.Header().Del("Content-Length")
	w.ResponseWriter.WriteHeader(code)
}

func (w *zipWriter) Write(b []byte) (int, error) {
	w.Header().Del("Content-Length")
	return w.zip.Write(b)
}

func (w *zipWriter) Flush() {
	_ = w.zip.Flush()
	_ = http.NewResponseController(w.ResponseWriter).Flush()
}

func (w *zipWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return http.NewResponseController(w.ResponseWriter).Hijack()
}
