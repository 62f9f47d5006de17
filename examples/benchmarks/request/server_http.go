package request

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"strings"
)

// httpServer is a contestant on net/http.
type httpServer struct {
	handler http.Handler
}

func (s httpServer) Serve(l net.Listener) error {
	return (&http.Server{Handler: s.handler}).Serve(l)
}

func (s httpServer) Prepare(path, cookie string) Exchange {
	request, err := http.ReadRequest(bufio.NewReader(strings.NewReader(rawRequest(path, cookie))))
	if err != nil {
		panic(err) // the paths are constants
	}
	request.RemoteAddr = "192.0.2.1:1234"
	ctx, cancel := serverContext()
	return &httpExchange{
		handler:  s.handler,
		template: request.WithContext(ctx),
		cancel:   cancel,
		response: discard{header: make(http.Header)},
	}
}

// serverContext is what net/http's server gives to a request: one that can be cancelled, and knows
// the server and the address.
func serverContext() (context.Context, context.CancelFunc) {
	ctx := context.WithValue(context.Background(), http.ServerContextKey, &http.Server{})
	ctx = context.WithValue(ctx, http.LocalAddrContextKey, &net.TCPAddr{})
	return context.WithCancel(ctx)
}

type httpExchange struct {
	handler  http.Handler
	template *http.Request
	request  http.Request
	cancel   context.CancelFunc // of the request's context, which stays alive
	response discard
}

// Do begins with a fresh copy of the request: gorilla/sessions writes what it has decoded into the
// request itself, and would find it there the next time.
func (x *httpExchange) Do() int {
	x.request = *x.template
	clear(x.response.header)
	x.response.status, x.response.length = 0, 0
	x.handler.ServeHTTP(&x.response, &x.request)
	if x.response.status == 0 {
		return http.StatusOK
	}
	return x.response.status
}

func (x *httpExchange) SetCookie() []string { return x.response.header["Set-Cookie"] }

func (x *httpExchange) Body() string { return string(x.response.body[:x.response.length]) }

// discard is a response of which little is kept.
type discard struct {
	header http.Header
	status int
	body   [64]byte
	length int // of the body
}

func (d *discard) Header() http.Header { return d.header }

func (d *discard) Write(b []byte) (int, error) {
	d.length += copy(d.body[d.length:], b)
	return len(b), nil
}

func (d *discard) WriteHeader(status int) {
	if d.status == 0 {
		d.status = status
	}
}

func (d *discard) Flush() {}
