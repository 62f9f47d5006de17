package core

import (
	"net/http"
	"net/textproto"
	"strings"
)

const (
	defaultHeader = "Session-Id"
	exposeHeaders = "Access-Control-Expose-Headers"
)

// A Header carries the token in a header of the same name in both directions, for clients that are
// no browsers and for pages that call an API on another origin. Case does not count in its name.
//
// The server answers with it only when the token changes: a client keeps what it has as long as the
// header is absent, and forgets it when the header is empty, which says that the session ended.
type Header struct {
	// Name of the header; "" means Session-Id.
	Name string
}

func (h Header) check(f *faults) {
	if h.Name == "" {
		h.Name = defaultHeader
	}
	checkHeaderName(f, "Carrier.Name", h.Name)
}

// checkHeaderName refuses what is no name, and names that have a meaning of their own.
func checkHeaderName(f *faults, field, name string) {
	cookie := http.Cookie{Name: name} // a cookie's name is a token of RFC 9110, as a header's is
	f.add(cookie.Valid() != nil, field, "is not a header's name")
	switch textproto.CanonicalMIMEHeaderKey(name) {
	case "Cookie", "Set-Cookie", "Authorization", "Host", "Content-Length", "Content-Type",
		"Connection", "Transfer-Encoding", "Vary", "Cache-Control", exposeHeaders:
		f.add(true, field, "is a header with another meaning")
	}
}

func (h Header) flatten(list []carrier) []carrier {
	if h.Name == "" {
		h.Name = defaultHeader
	}
	return append(list, headerCarrier{textproto.CanonicalMIMEHeaderKey(h.Name)})
}

// A headerCarrier is a Header made ready.
type headerCarrier struct{ name string }

func (h headerCarrier) vary() string { return h.name }
func (h headerCarrier) key() string  { return "the header " + h.name }

func (h headerCarrier) collect(request RequestHeader, f found) found {
	for _, line := range request.Values(h.name) {
		f.see(trimBlanks(line))
	}
	return f
}

func (h headerCarrier) issue(response ResponseHeader, token string, _ *bool, _ moment) {
	response.Set(h.name, token)
	addToList(response, exposeHeaders, h.name)
}

func (h headerCarrier) expire(response ResponseHeader) {
	response.Set(h.name, "")
	addToList(response, exposeHeaders, h.name)
}

func (headerCarrier) heal(ResponseHeader, bool) {}

// A Bearer takes the token from "Authorization: Bearer …" (RFC 6750, 2.1) and answers in a header
// of its own, as Header does. Another scheme is no token.
type Bearer struct {
	// Header of the response; "" means Session-Id.
	Header string
}

func (b Bearer) check(f *faults) {
	if b.Header == "" {
		b.Header = defaultHeader
	}
	checkHeaderName(f, "Carrier.Header", b.Header)
}

func (b Bearer) flatten(list []carrier) []carrier {
	if b.Header == "" {
		b.Header = defaultHeader
	}
	name := textproto.CanonicalMIMEHeaderKey(b.Header)
	return append(list, bearerCarrier{headerCarrier{name}})
}

// A bearerCarrier is a Bearer made ready: it answers as its headerCarrier does.
type bearerCarrier struct{ headerCarrier }

func (bearerCarrier) vary() string { return "Authorization" }
func (bearerCarrier) key() string  { return "the bearer token" }

func (b bearerCarrier) collect(request RequestHeader, f found) found {
	for _, line := range request.Values("Authorization") {
		scheme, rest, _ := strings.Cut(trimBlanks(line), " ")
		if strings.EqualFold(scheme, "Bearer") {
			f.see(trimBlanks(rest))
		}
	}
	return f
}
