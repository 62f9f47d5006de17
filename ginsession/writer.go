package ginsession

import (
	"bufio"
	"net"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// A writer opens the gate before the first byte leaves, in whatever way gin lets it. Status, Size
// and Written are gin's own, which also its engine writes to.
type writer struct {
	gin.ResponseWriter
	gate *core.Gate
}

// Unwrap is for http.ResponseController; gin's own is not part of its interface.
func (w *writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader only notes the status, as gin does.
func (w *writer) WriteHeader(code int) {
	if w.gate.Failed() == nil {
		w.ResponseWriter.WriteHeader(code)
	}
}

// WriteHeaderNow implements gin.ResponseWriter.
func (w *writer) WriteHeaderNow() {
	if w.gate.Open() == nil {
		w.ResponseWriter.WriteHeaderNow()
	}
}

// Write implements http.ResponseWriter.
func (w *writer) Write(b []byte) (int, error) {
	if err := w.gate.Open(); err != nil {
		return 0, err
	}
	return w.ResponseWriter.Write(b)
}

// WriteString implements gin.ResponseWriter.
func (w *writer) WriteString(s string) (int, error) {
	if err := w.gate.Open(); err != nil {
		return 0, err
	}
	return w.ResponseWriter.WriteString(s)
}

// Flush implements http.Flusher.
func (w *writer) Flush() {
	if w.gate.Open() == nil {
		w.ResponseWriter.Flush()
	}
}

// FlushError is for http.ResponseController.
func (w *writer) FlushError() error {
	if err := w.gate.Open(); err != nil {
		return err
	}
	w.ResponseWriter.Flush()
	return nil
}

// Hijack implements http.Hijacker. The session is committed before the connection is handed over;
// what answers on it must send the response's header itself, Set-Cookie included.
func (w *writer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if err := w.gate.Open(); err != nil {
		return nil, nil, err
	}
	return w.ResponseWriter.Hijack()
}
