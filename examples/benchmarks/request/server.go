package request

import (
	"net"
	"strings"
)

// A Server is a contestant that is ready to answer.
type Server interface {
	// Prepare returns a request for a path that can be repeated. cookie is its Cookie line, ""
	// for none.
	Prepare(path, cookie string) Exchange
	// Serve answers on a listener until that is closed.
	Serve(net.Listener) error
	// Close ends what the contestant runs in the background.
	Close() error
}

// An Exchange is a request that is answered without a network, as often as wanted, by one
// goroutine. What it holds of a response is of the last one.
type Exchange interface {
	// Do has the request answered and returns the status.
	Do() int
	// SetCookie returns the Set-Cookie lines.
	SetCookie() []string
	// Body returns what was answered.
	Body() string
}

// A server is a Server with nothing to end.
type server interface {
	Prepare(path, cookie string) Exchange
	Serve(net.Listener) error
}

// closing returns s with end for its Close.
func closing(s server, end func() error) Server { return closer{s, end} }

type closer struct {
	server
	end func() error
}

// Close implements Server.
func (c closer) Close() error { return c.end() }

// endless returns s with a Close that has nothing to do.
func endless(s server) Server { return closing(s, func() error { return nil }) }

// browserHeaders are what clients send besides Cookie, in their order.
func browserHeaders() [][2]string {
	return [][2]string{
		{"User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"},
		{"Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"},
		{"Accept-Language", "en-US,en;q=0.5"},
		{"Accept-Encoding", "gzip, deflate, br, zstd"},
	}
}

// rawRequest is a request as a client sends it. cookie is its Cookie line, "" for none.
func rawRequest(path, cookie string) string {
	var raw strings.Builder
	raw.WriteString("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n")
	for _, header := range browserHeaders() {
		raw.WriteString(header[0] + ": " + header[1] + "\r\n")
	}
	if cookie != "" {
		raw.WriteString("Cookie: " + cookie + "\r\n")
	}
	raw.WriteString("\r\n")
	return raw.String()
}

// bareCookie is the Cookie line for a framework without sessions, as long as ours: a server takes
// time to read it from a connection.
func bareCookie() string { return "__Host-sid=" + strings.Repeat("A", 128) }
