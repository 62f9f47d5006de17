package request

import (
	"bufio"
	"net"
	"strings"

	"github.com/valyala/fasthttp"
)

// fastServer is a contestant on fasthttp.
type fastServer struct {
	handler fasthttp.RequestHandler
	serve   func(net.Listener) error
}

func (s fastServer) Serve(l net.Listener) error { return s.serve(l) }

// Prepare reads the request as a server does: a header that was set by name is kept in another
// form, which costs more to find again.
func (s fastServer) Prepare(path, cookie string) Exchange {
	x := &fastExchange{handler: s.handler}
	raw := bufio.NewReader(strings.NewReader(rawRequest(path, cookie)))
	if err := x.template.Read(raw); err != nil {
		panic(err) // the paths are constants
	}
	x.ctx.Init(&fasthttp.Request{}, &net.TCPAddr{}, nil)
	return x
}

type fastExchange struct {
	handler  fasthttp.RequestHandler
	template fasthttp.Request
	ctx      fasthttp.RequestCtx
}

// Do uses the context again, as fasthttp's server does.
func (x *fastExchange) Do() int {
	x.ctx.ResetUserValues()
	x.ctx.Response.Reset()
	x.template.CopyTo(&x.ctx.Request)
	x.handler(&x.ctx)
	return x.ctx.Response.StatusCode()
}

func (x *fastExchange) SetCookie() []string {
	var lines []string
	for name, line := range x.ctx.Response.Header.All() {
		if string(name) == "Set-Cookie" {
			lines = append(lines, string(line))
		}
	}
	return lines
}

func (x *fastExchange) Body() string { return string(x.ctx.Response.Body()) }
