package faults

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sessionserverstore/sessionserverstore/core"
)

const (
	maxOperations = 60_000
	atOnce        = 8 // operations of what is not a Load
)

// A Run is clients that use sessions on some nodes, and the history of it. Its methods may be
// called by several goroutines, except where one says otherwise.
type Run struct {
	*state
	ctx context.Context // of the clients' requests
}

type state struct {
	t        testing.TB
	seed     uint64
	recorder *Recorder
	began    time.Time

	mu          sync.Mutex
	name        string
	nodes       []Node
	clients     []*client
	rounds      int
	loads       int
	unconfirmed []Operation // ends
}

// Start begins a run. The seed decides what a Load does in which order; if the test fails it is
// printed, with what to type to run it again.
func Start(t testing.TB, seed uint64, nodes ...Node) *Run {
	t.Helper()
	s := &state{t: t, seed: seed, recorder: NewRecorder(), began: time.Now(), nodes: nodes}
	t.Cleanup(func() {
		if t.Failed() {
			name, _, _ := strings.Cut(t.Name(), "/")
			t.Logf("to run it again: go test -run '^%s$' -faults.seed=%d", name, seed)
		}
	})
	return &Run{s, t.Context()}
}

// In returns the same run with clients whose requests have this context: they hang up when it is
// cancelled.
func (r *Run) In(ctx context.Context) *Run { return &Run{r.state, ctx} }

// Name says what the run's figures are of, where one fault has several runs.
func (r *Run) Name(name string) *Run {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.name = name + ", "
	return r
}

// Use replaces the nodes, as when the application is started anew or fails over to another server.
func (r *Run) Use(nodes ...Node) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.nodes = nodes
}

// Nodes returns the nodes in use.
func (r *Run) Nodes() []Node {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.nodes
}

// Sessions returns how many sessions were begun. They are numbered from 0.
func (r *Run) Sessions() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.clients)
}

// Create begins n sessions. Each is tried until it has a token. If that takes too long the test
// ends.
func (r *Run) Create(n int) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.ctx, settleWithin)
	defer cancel()
	var failed atomic.Value
	r.each(n, func(i int) {
		c := r.newClient()
		for {
			o := r.record(ctx, r.node(i), c, Operation{Kind: Create, Session: c.number})
			if _, tokens := c.known(); tokens > 0 {
				return // perhaps it is not confirmed, but it is there
			}
			if !pause(ctx, 20*time.Millisecond) {
				failed.Store(o)
				return
			}
		}
	})
	if o := failed.Load(); o != nil {
		r.t.Fatalf("a session cannot begin: %v", o)
	}
}

// Each does one operation on each of the sessions from up to, not including, to, spread over the
// nodes and a few at a time, and returns how many were acknowledged. It is for what must happen at
// one certain time: while a link is cut, or just before a kill.
func (r *Run) Each(kind Kind, from, to int) (acknowledged int) {
	r.t.Helper()
	return r.EachNth(kind, 1, from, to)
}

// Insist is EachNth until each was acknowledged, since on a busy machine an answer may come too
// late. It is for what must have happened before a fault. If that takes too long the test ends.
func (r *Run) Insist(kind Kind, n, from, to int) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.ctx, settleWithin)
	defer cancel()
	var failed atomic.Value
	r.each((to-from+n-1)/n, func(i int) {
		o := r.step(ctx, kind, r.node(i), r.client(from+i*n), ByID)
		for o.Outcome != OK && pause(ctx, 20*time.Millisecond) {
			o = r.step(ctx, kind, r.node(i), r.client(from+i*n), ByID)
		}
		if o.Outcome != OK {
			failed.Store(o)
		}
	})
	if o := failed.Load(); o != nil {
		r.t.Fatalf("not acknowledged within %v: %v", settleWithin, o)
	}
}

// EachNth is Each for every n-th session from from on.
func (r *Run) EachNth(kind Kind, n, from, to int) (acknowledged int) {
	r.t.Helper()
	var ok atomic.Int64
	r.each((to-from+n-1)/n, func(i int) {
		o := r.step(r.ctx, kind, r.node(i), r.client(from+i*n), ByID)
		if o.Outcome == OK {
			ok.Add(1)
		}
	})
	return int(ok.Load())
}

// End ends each of the sessions from up to, not including, to: half of them by Destroy, half of
// them by Revoke. It returns how many ends were acknowledged.
func (r *Run) End(from, to int) (acknowledged int) {
	r.t.Helper()
	var ok atomic.Int64
	r.each(to-from, func(i int) {
		kind := []Kind{Destroy, Revoke}[i%2]
		if o := r.step(r.ctx, kind, r.node(i/2), r.client(from+i), ByID); o.Outcome == OK {
			ok.Add(1)
		}
	})
	return int(ok.Load())
}

// Begin makes clients of n sessions that begin with their first SignIn.
func (r *Run) Begin(n int) {
	for range n {
		r.newClient()
	}
}

// each calls do for 0 up to n, not including it, some at once.
func (r *Run) each(n int, do func(i int)) {
	var workers sync.WaitGroup
	var next atomic.Int64
	for range atOnce {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	workers.Wait()
}

// node returns one of the nodes in turn.
func (r *Run) node(i int) Node {
	nodes := r.Nodes()
	return nodes[i%len(nodes)]
}

func (r *Run) client(number int) *client {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.clients[number]
}

func (r *Run) newClient() *client {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := &client{number: len(r.clients)}
	r.clients = append(r.clients, c)
	return c
}

// step does one operation and records it. A Create makes a client of its own; token is ByID for the
// client's newest.
func (r *Run) step(ctx context.Context, kind Kind, n Node, c *client, token int) Operation {
	if kind == Create {
		c = r.newClient()
	}
	_, token = c.token(token)
	if kind == Revoke {
		token = ByID
	}
	return r.record(ctx, n, c, Operation{Kind: kind, Session: c.number, Token: token})
}

// record carries out an operation between its two notes.
func (r *Run) record(ctx context.Context, n Node, c *client, o Operation) Operation {
	o.Node = n.Name
	number := r.recorder.Invoke(o)
	switch o.Kind {
	case Create:
		o.Mark = fmt.Sprint("own", number)
	case Save:
		// A value of its own, or an element of a list that is updated: see writeMark.
		o.Mark = fmt.Sprint([]string{"own", "list"}[number%2], number)
	}
	r.recorder.Mark(number, o.Mark)
	if o.Kind == Ask || o.Kind == SignIn || o.Kind == RevokeOwner {
		c.doOwner(ctx, n, &o, r.recorder.Moment)
	} else {
		c.do(ctx, n, &o)
	}
	r.recorder.Complete(number, o)
	if o.Ends() && o.Outcome == Unknown && errors.Is(o.Err, core.ErrNotDurable) {
		r.mu.Lock()
		r.unconfirmed = append(r.unconfirmed, o)
		r.mu.Unlock()
	}
	return o
}
