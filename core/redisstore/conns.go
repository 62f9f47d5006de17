package redisstore

import (
	"crypto/tls"
	"net"
	"sync"
	"time"
)

// refusedPause slows down what connects again and again: the client has loops that do not wait.
const refusedPause = 20 * time.Millisecond

type dialFunc = func(string, *net.Dialer, *tls.Config) (net.Conn, error)

// conns are the connections of a client. They are closed by themselves, before the client: it
// waits for the answers of a silent server, and forgets a connection that is being made.
type conns struct {
	mu     sync.Mutex
	open   map[*trackedConn]struct{}
	closed bool
	lost   func() // is told when one is closed, or cannot be made
}

type trackedConn struct {
	net.Conn
	conns *conns
}

// dialer returns what connects as dial does, nil being TCP, perhaps with TLS.
func (c *conns) dialer(dial dialFunc) dialFunc {
	if dial == nil {
		dial = dialTCP
	}
	return func(address string, dialer *net.Dialer, config *tls.Config) (net.Conn, error) {
		conn, err := dial(address, dialer, config)
		if err != nil {
			c.lost()
			time.Sleep(refusedPause)
			return nil, err
		}
		return c.track(conn)
	}
}

func dialTCP(address string, dialer *net.Dialer, config *tls.Config) (net.Conn, error) {
	if config != nil {
		return tls.DialWithDialer(dialer, "tcp", address, config)
	}
	return dialer.Dial("tcp", address)
}

func (c *conns) track(conn net.Conn) (net.Conn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		_ = conn.Close()
		return nil, errClosed
	}
	if c.open == nil {
		c.open = make(map[*trackedConn]struct{})
	}
	tracked := &trackedConn{Conn: conn, conns: c}
	c.open[tracked] = struct{}{}
	return tracked, nil
}

// Close closes the connection. It may be called again.
func (t *trackedConn) Close() error {
	t.conns.mu.Lock()
	delete(t.conns.open, t)
	t.conns.mu.Unlock()
	t.conns.lost()
	return t.Conn.Close()
}

func (c *conns) close() {
	c.mu.Lock()
	c.closed = true
	open := c.open
	c.open = nil
	c.mu.Unlock()
	for t := range open {
		_ = t.Conn.Close()
	}
}
