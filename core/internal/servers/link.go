package servers

import (
	"net"
	"sync"
	"testing"
	"time"
)

// Link is a way to a server that can be cut: a TCP proxy inside the test's process. Stopping a
// server is not a partition, since what was sent to it waits in the system's buffers and takes
// effect when it goes on. What is sent into a cut link never arrives if the link is dropped before
// it is healed. A Link is safe for concurrent use.
type Link struct {
	t      testing.TB
	target string
	addr   string

	mu      sync.Mutex
	changed chan struct{} // closed, and made anew, whenever what follows changes
	cut     bool
	delay   time.Duration
	gate    net.Listener // nil while dropped
	open    map[*pipe]struct{}
}

// NewLink opens a way to target, host and port. It is closed when the test has ended.
func NewLink(t testing.TB, target string) *Link {
	t.Helper()
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	l := &Link{
		t: t, target: target, addr: local(port),
		changed: make(chan struct{}), open: map[*pipe]struct{}{},
	}
	if err := l.listen(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Drop)
	return l
}

// Addr returns the host and port at which the target is reached through the link.
func (l *Link) Addr() string { return l.addr }

// Cut stops what is sent from now on, either way. Connections stay open, and new ones are accepted
// and get no answer: a black hole.
func (l *Link) Cut() { l.change(func() { l.cut = true }) }

// Delay makes data wait on its way, for d at least and seldom for more than twice that. 0 is no
// delay.
func (l *Link) Delay(d time.Duration) { l.change(func() { l.delay = d }) }

// Heal ends a cut, a drop and a delay. What waited in a cut goes on its way, unless it was dropped.
func (l *Link) Heal() {
	l.change(func() {
		l.cut, l.delay = false, 0
		if l.gate != nil {
			return
		}
		if err := l.listen(); err != nil {
			l.t.Errorf("a link does not heal: %v", err)
		}
	})
}

// Drop closes all connections, with what is on its way in them, and refuses new ones.
func (l *Link) Drop() {
	l.change(func() {
		if l.gate == nil {
			return
		}
		_ = l.gate.Close()
		l.gate = nil
		for p := range l.open {
			p.discard()
		}
		clear(l.open)
	})
}

func (l *Link) change(what func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	what()
	close(l.changed)
	l.changed = make(chan struct{})
}

// listen opens the gate. The caller holds mu, or is alone.
func (l *Link) listen() error {
	gate, err := net.Listen("tcp", l.addr)
	// A program that was begun when the last gate was open holds it until it has taken over.
	for end := time.Now().Add(patience); err != nil && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
		gate, err = net.Listen("tcp", l.addr)
	}
	if err != nil {
		return err
	}
	l.gate = gate
	go l.accept(gate)
	return nil
}

func (l *Link) accept(gate net.Listener) {
	for {
		conn, err := gate.Accept()
		if err != nil {
			return
		}
		go l.carry(gate, conn)
	}
}

// carry connects a client with the target, once that may be reached, until both have ended.
func (l *Link) carry(gate net.Listener, client net.Conn) {
	p := &pipe{link: l, client: client, gone: make(chan struct{})}
	if !l.register(gate, p) {
		_ = client.Close()
		return
	}
	defer l.forget(p)
	if !p.mayPass() {
		return
	}
	server, err := net.DialTimeout("tcp", l.target, patience)
	if err != nil {
		return
	}
	if !p.join(server) {
		_ = server.Close()
		return
	}
	var both sync.WaitGroup
	both.Go(func() { p.pump(server, client) })
	both.Go(func() { p.pump(client, server) })
	both.Wait()
}

// register notes a connection, unless the gate that it came in by was closed meanwhile.
func (l *Link) register(gate net.Listener, p *pipe) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gate != gate {
		return false
	}
	l.open[p] = struct{}{}
	return true
}

// forget closes a connection that has come to its end.
func (l *Link) forget(p *pipe) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.open, p)
	p.close()
}
