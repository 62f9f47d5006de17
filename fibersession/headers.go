package fibersession

import (
	"strings"
	"unsafe"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// headers lets core see a request and a response of fasthttp. It is used again by later requests,
// which is safe because it never leaves the middleware and core copies what it keeps.
type headers struct {
	request  *fasthttp.RequestHeader
	response *fasthttp.ResponseHeader
	exact    bool                    // the server does not bring names into canonical form
	before   fasthttp.ResponseHeader // what the response held when the middleware began
	values   []string
}

// The two sides have a method of the same name.
type (
	requestHeader  headers
	responseHeader headers
)

// take points h at one request.
func (h *headers) take(c *fiber.Ctx) {
	h.request, h.response = &c.Request().Header, &c.Response().Header
	h.exact = c.App().Server().DisableHeaderNamesNormalizing // App.Config makes a large copy
	h.response.CopyTo(&h.before)
}

// drop lets go of the request.
func (h *headers) drop() {
	h.request, h.response = nil, nil
	clear(h.values[:cap(h.values)])
}

// add appends a value without copying it: fasthttp keeps it until the request is over.
func (h *headers) add(value []byte) {
	h.values = append(h.values, unsafe.String(unsafe.SliceData(value), len(value)))
}

// Values implements core.RequestHeader.
func (r *requestHeader) Values(name string) []string {
	h := (*headers)(r)
	h.values = h.values[:0]
	if h.exact {
		h.request.VisitAll(func(key, value []byte) {
			if strings.EqualFold(string(key), name) {
				h.add(value)
			}
		})
		return h.values
	}
	for _, value := range h.request.PeekAll(name) {
		h.add(value)
	}
	return h.values
}

// Values implements core.ResponseHeader.
func (r *responseHeader) Values(name string) []string {
	h := (*headers)(r)
	h.values = h.values[:0]
	for _, value := range h.response.PeekAll(name) {
		h.add(value)
	}
	return h.values
}

// Add implements core.ResponseHeader.
func (r *responseHeader) Add(name, value string) { r.response.Add(name, value) }

// Set implements core.ResponseHeader. Core's names need not be brought into canonical form.
func (r *responseHeader) Set(name, value string) {
	r.response.SetCanonical(bytesOf(name), bytesOf(value))
}

// bytesOf is for fasthttp, which only reads them.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
