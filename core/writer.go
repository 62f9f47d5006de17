package core

import (
	"bufio"
	"io"
	"net"
	"net/http"
)

// Wrap returns a writer that opens the gate before the first byte leaves, in whatever way it does:
// WriteHeader, Write, WriteString, ReadFrom, Flush, Hijack. Informational answers (1xx) pass as
// they are. What the writer below can do, it can do; Unwrap gives that writer, for what is not
// written.
func (g *Gate) Wrap(w http.ResponseWriter) http.ResponseWriter {
	gated := &g.writer
	if gated.gate != nil {
		gated = new(writer) // the second time
	}
	gated.ResponseWriter, gated.gate = w, g
	if _, ok := w.(http.Flusher); !ok {
		// A Flusher that cannot flush is the one lie that handlers notice.
		return gated
	}
	if _, ok := w.(closeNotifier); !ok {
		return flushWriter{gated}
	}
	return notifyWriter{flushWriter{gated}}
}

// closeNotifier is http.CloseNotifier, which is deprecated, but gin panics without it.
type closeNotifier interface{ CloseNotify() <-chan bool }

type writer struct {
	http.ResponseWriter
	gate *Gate
}

type flushWriter struct{ *writer }

type notifyWriter struct{ flushWriter }

// Flush implements http.Flusher.
func (w flushWriter) Flush() { _ = w.FlushError() }

// CloseNotify implements http.CloseNotifier.
func (w notifyWriter) CloseNotify() <-chan bool {
	return w.ResponseWriter.(closeNotifier).CloseNotify()
}

// Unwrap is for http.ResponseController.
func (w *writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (w *writer) WriteHeader(code int) {
	informational := 100 <= code && code < 200 && code != http.StatusSwitchingProtocols
	if informational && w.gate.Failed() == nil || !informational && w.gate.Open() == nil {
		w.ResponseWriter.WriteHeader(code)
	}
}

// Write implements http.ResponseWriter.
func (w *writer) Write(b []byte) (int, error) {
	if err := w.gate.Open(); err != nil {
		return 0, err
	}
	return w.ResponseWriter.Write(b)
}

// WriteString implements io.StringWriter.
func (w *writer) WriteString(s string) (int, error) {
	if err := w.gate.Open(); err != nil {
		return 0, err
	}
	return io.WriteString(w.ResponseWriter, s)
}

// ReadFrom implements io.ReaderFrom, so that a file can be sent without copying it.
func (w *writer) ReadFrom(r io.Reader) (int64, error) {
	var sent int64
	if o := w.gate.outcome.Load(); o == nil || o.err != nil {
		// A reader that is empty, or fails at once, sends nothing, and the gate must stay closed. What
		// it gives first goes through Write, which opens it.
		var err error
		sent, err = io.CopyN(struct{ io.Writer }{w}, r, 512)
		if err == io.EOF {
			return sent, nil
		}
		if err != nil {
			return sent, err
		}
	}
	rest, err := io.Copy(w.ResponseWriter, r)
	return sent + rest, err
}

// FlushError is for http.ResponseController.
func (w *writer) FlushError() error {
	if err := w.gate.Open(); err != nil {
		return err
	}
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Hijack implements http.Hijacker. The session is committed before the connection is handed over;
// what answers on it must send the response's header itself, Set-Cookie included.
func (w *writer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if err := w.gate.Open(); err != nil {
		return nil, nil, err
	}
	return http.NewResponseController(w.ResponseWriter).Hijack()
}

// Push implements http.Pusher.
func (w *writer) Push(target string, opts *http.PushOptions) error {
	if pusher, ok := w.ResponseWriter.(http.Pusher); ok {
		return pusher.Push(target, opts)
	}
	return http.ErrNotSupported
}
