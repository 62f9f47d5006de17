package servers

import (
	"net"
	"time"
)

// pipe is one connection through a link.
type pipe struct {
	link   *Link
	client net.Conn
	server net.Conn      // nil until there is one; the link's mu guards it
	gone   chan struct{} // closed when the link was dropped
}

// join adds the connection to the target, unless the link was dropped meanwhile.
func (p *pipe) join(server net.Conn) bool {
	p.link.mu.Lock()
	defer p.link.mu.Unlock()
	if _, ok := p.link.open[p]; !ok {
		return false
	}
	p.server = server
	return true
}

// pump carries bytes one way until that way ends, and then its end.
func (p *pipe) pump(to, from net.Conn) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		// The end of a connection is news as well, and does not pass a cut.
		if !p.mayPass() {
			return
		}
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				_ = from.Close() // nobody will take the rest
				return
			}
		}
		if err != nil {
			if half, ok := to.(*net.TCPConn); ok {
				_ = half.CloseWrite()
			}
			return
		}
	}
}

// mayPass waits for the delay and the end of a cut. It reports false if the link was dropped.
func (p *pipe) mayPass() bool {
	late := p.delayed()
	for {
		cut, changed := p.state()
		if !cut && late == nil {
			return !p.dropped()
		}
		select {
		case <-late:
			late = nil
		case <-changed:
		case <-p.gone:
			return false
		}
	}
}

// delayed returns what tells that the delay is over, nil if there is none.
func (p *pipe) delayed() <-chan time.Time {
	p.link.mu.Lock()
	defer p.link.mu.Unlock()
	if p.link.delay <= 0 {
		return nil
	}
	return time.After(p.link.delay)
}

func (p *pipe) state() (cut bool, changed <-chan struct{}) {
	p.link.mu.Lock()
	defer p.link.mu.Unlock()
	return p.link.cut, p.link.changed
}

func (p *pipe) dropped() bool {
	select {
	case <-p.gone:
		return true
	default:
		return false
	}
}

// close ends both sides in good order. The caller holds the link's mu.
func (p *pipe) close() {
	_ = p.client.Close()
	if p.server != nil {
		_ = p.server.Close()
	}
}

// discard ends both sides at once, without what is still in their buffers. The caller holds the
// link's mu.
func (p *pipe) discard() {
	close(p.gone)
	for _, conn := range []net.Conn{p.client, p.server} {
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
	}
	p.close()
}
