package loopback

import (
	"fmt"
	"io"
	"net"

	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/child"
	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/request"
)

// ChildArg is the first one of a process that is to be a server: its main must then call Child with
// the standard input and output, and return.
const ChildArg = "loopback-child"

// A contestant is what a child is asked to be.
type contestant struct {
	Framework, Name string
}

// A site is where it is then, and what to send to it.
type site struct {
	Address string
	Request string
}

// Child is the server's process. It returns when the measuring process has gone.
func Child(in io.Reader, out io.Writer) error { return child.Serve(in, out, listen) }

// listen puts a contestant on a port of its own.
func listen(wanted contestant) (site, error) {
	for _, c := range request.Contestants() {
		if c.Framework != wanted.Framework || c.Name != wanted.Name {
			continue
		}
		server, raw, err := c.Online()
		if err != nil {
			return site{}, err
		}
		listener, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			return site{}, err
		}
		go func() { _ = server.Serve(listener) }() // until the process ends
		return site{Address: listener.Addr().String(), Request: raw}, nil
	}
	return site{}, fmt.Errorf("loopback: there is no %s, %s", wanted.Framework, wanted.Name)
}
