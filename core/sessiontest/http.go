package sessiontest

import (
	"context"
	"io"
	"net/http"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// HTTPHandler makes a Handler one of net/http, for the Mount of what is built on that. get is the
// adapter's Get.
func HTTPHandler(h Handler, get func(r *http.Request) *core.Session) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := h(&httpExchange{w, r, get}); err != nil {
			status := http.StatusInternalServerError
			http.Error(w, http.StatusText(status), status)
		}
	})
}

// An httpExchange is an Exchange in net/http.
type httpExchange struct {
	w   http.ResponseWriter
	r   *http.Request
	get func(*http.Request) *core.Session
}

// Session implements Exchange.
func (x *httpExchange) Session() *core.Session { return x.get(x.r) }

// Context implements Exchange.
func (x *httpExchange) Context() context.Context { return x.r.Context() }

// SetHeader implements Exchange.
func (x *httpExchange) SetHeader(name, value string) { x.w.Header().Set(name, value) }

// SetCookie implements Exchange.
func (x *httpExchange) SetCookie(name, value string) {
	http.SetCookie(x.w, &http.Cookie{Name: name, Value: value})
}

// Answer implements Exchange. A status of 200 is left to the first byte, as most handlers do.
func (x *httpExchange) Answer(status int, body string) error {
	if status != http.StatusOK || body == "" {
		x.w.WriteHeader(status)
	}
	if body == "" {
		return nil
	}
	_, err := io.WriteString(x.w, body)
	return err
}

// Redirect implements Exchange.
func (x *httpExchange) Redirect(status int, location string) error {
	http.Redirect(x.w, x.r, location, status)
	return nil
}

// Stream implements Exchange.
func (x *httpExchange) Stream(chunk string) error {
	if _, err := io.WriteString(x.w, chunk); err != nil {
		return err
	}
	return http.NewResponseController(x.w).Flush()
}
