package redisstore

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"
)

var errClosed = errors.New("redisstore: the store is closed")

// A link makes the client when it is first needed, since making one connects. While that goes on
// all wait for the same attempt; when it fails those fail, and the next call tries again.
type link struct {
	connect func() (rueidis.Client, error) // nil: the client is not ours to make or to close
	client  atomic.Pointer[rueidis.Client]
	conns   conns
	mood    mood

	mu      sync.Mutex
	attempt *attempt
	closed  bool
	left    time.Time // when a client was last given up
}

// leavePause is the least time between two clients that are given up.
const leavePause = time.Second

type attempt struct {
	done   chan struct{}
	client rueidis.Client
	err    error
}

// open has the link make a client of its own.
func (l *link) open(options rueidis.ClientOption) {
	options.DialFn = l.conns.dialer(options.DialFn)
	l.conns.lost = func() { l.mood.calm.Store(false) }
	l.connect = func() (rueidis.Client, error) { return rueidis.NewClient(options) }
}

func (l *link) get(ctx context.Context) (rueidis.Client, error) {
	if c := l.client.Load(); c != nil {
		return *c, nil
	}
	a, err := l.begin()
	if err != nil {
		return nil, err
	}
	select {
	case <-a.done:
		return a.client, a.err
	case <-ctx.Done():
		return nil, ended(ctx, nil)
	}
}

// begin joins the attempt that goes on, or begins one.
func (l *link) begin() (*attempt, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, errClosed
	}
	if l.attempt == nil {
		l.attempt = &attempt{done: make(chan struct{})}
		go l.run(l.attempt)
	}
	return l.attempt, nil
}

func (l *link) run(a *attempt) {
	client, err := l.connectOnce()
	l.mu.Lock()
	l.attempt = nil
	switch {
	case err != nil:
	case l.closed:
		defer client.Close()
		client, err = nil, errClosed
	default:
		l.client.Store(&client)
	}
	l.mu.Unlock()
	a.client, a.err = client, err
	close(a.done)
}

// connectOnce connects, unless an attempt that was just over has done so.
func (l *link) connectOnce() (rueidis.Client, error) {
	if c := l.client.Load(); c != nil {
		return *c, nil
	}
	return l.connect()
}

// leave gives the client up, so that the next call connects anew: it talks to a server that is a
// replica now, or does not answer any more. A Sentinel may have named it when it no longer was the
// master, or does not let this user hear of the next one, or a name or a proxy leads elsewhere by
// now; and the client is content with what it has.
func (l *link) leave() {
	if l.connect == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if time.Since(l.left) < leavePause {
		return
	}
	if client := l.client.Swap(nil); client != nil {
		l.left = time.Now()
		l.mood.calm.Store(false)
		l.mood.silent.Store(0)
		go (*client).Close()
	}
}

func (l *link) close() {
	l.mu.Lock()
	l.closed = true
	client := l.client.Swap(nil)
	l.mu.Unlock()
	l.conns.close()
	if client != nil && l.connect != nil {
		(*client).Close()
	}
}
