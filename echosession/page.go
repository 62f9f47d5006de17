package echosession

import (
	"bytes"
	"net/http"
	"strconv"
)

// A page collects what echo's error handler answers, so that it can be sent with its length and is
// complete at once, even if the handler that it stands in for goes on and on.
type page struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

// WriteHeader implements http.ResponseWriter.
func (p *page) WriteHeader(status int) { p.status = status }

// Write implements http.ResponseWriter.
func (p *page) Write(b []byte) (int, error) { return p.body.Write(b) }

// Unwrap is for http.ResponseController.
func (p *page) Unwrap() http.ResponseWriter { return p.ResponseWriter }

// FlushError is for http.ResponseController: the page is sent when it is complete.
func (p *page) FlushError() error { return nil }

// send sends it. Nobody is left to tell if that fails.
func (p *page) send(method string) {
	if method != http.MethodHead {
		p.Header().Set("Content-Length", strconv.Itoa(p.body.Len()))
	}
	p.ResponseWriter.WriteHeader(p.status)
	_, _ = p.ResponseWriter.Write(p.body.Bytes())
	_ = http.NewResponseController(p.ResponseWriter).Flush()
}
