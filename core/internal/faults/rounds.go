package faults

import (
	"context"
	"time"
)

// settleWithin bounds how long servers may need after a fault until all can be read.
const settleWithin = 30 * time.Second

// ReadAll reads every session on every node, by its ID and by each token that it ever had, each as
// often as it takes to get an answer. No load may run meanwhile, and no load's operation may be
// under way. It is the end of a run, but may be called again after another fault: what was over in
// one round must be so in the next. If something cannot be read at all the test fails.
func (r *Run) ReadAll() {
	r.t.Helper()
	r.mu.Lock()
	r.rounds++
	round, clients, nodes := r.rounds, r.clients, r.nodes
	r.mu.Unlock()
	ctx, cancel := context.WithTimeout(r.t.Context(), settleWithin)
	defer cancel()
	r.each(len(clients), func(i int) {
		c := clients[i]
		id, tokens := c.known()
		if id == "" {
			return // it never began
		}
		for _, n := range nodes {
			for token := ByID; token < tokens; token++ {
				o := Operation{Kind: Read, Session: i, Token: token, Round: round}
				r.readUntilAnswered(ctx, n, c, o)
			}
		}
	})
}

func (r *Run) readUntilAnswered(ctx context.Context, n Node, c *client, o Operation) {
	for {
		done := r.record(ctx, n, c, o)
		if done.Outcome == OK {
			return
		}
		if !pause(ctx, 20*time.Millisecond) {
			r.t.Errorf("not answered within %v: %v", settleWithin, done)
			return
		}
	}
}

// Await waits until every node serves: until its store says that there is no session of an ID that
// nobody has. It records nothing. If that takes too long the test ends.
func (r *Run) Await() {
	r.t.Helper()
	r.awaitAll("a node does not serve", func(ctx context.Context, n Node) bool {
		_, answered := r.look(ctx, n, &client{id: "no-session-has-this-public-name-"})
		return answered
	})
}

// AwaitEnds waits until no node finds a session alive of which somebody tried to end it, unless
// that certainly failed. It is for what heals by itself: ends that are confirmed in the background,
// or written again after a failover. It records nothing, so that invariant L does not count what
// was seen until then. If that takes too long the test ends.
func (r *Run) AwaitEnds() {
	r.t.Helper()
	ended := map[int]bool{}
	for _, o := range r.History() {
		if o.Ends() && o.Outcome != Failed {
			ended[o.Session] = true
		}
	}
	r.awaitAll("an ended session is alive", func(ctx context.Context, n Node) bool {
		for number := range ended {
			alive, answered := r.look(ctx, n, r.client(number))
			if alive || !answered {
				return false
			}
		}
		return true
	})
}

// AwaitRenewals is AwaitEnds for tokens: it waits until no node takes one whose replacement was
// acknowledged.
func (r *Run) AwaitRenewals() {
	r.t.Helper()
	replaced := map[int]int{}
	for _, o := range r.History() {
		if o.Kind == Renew && o.Outcome == OK && o.Issued > 0 {
			replaced[o.Session] = max(replaced[o.Session], o.Token)
		}
	}
	r.awaitAll("a replaced token is good", func(ctx context.Context, n Node) bool {
		for number, newest := range replaced {
			for token := 0; token <= newest; token++ {
				o := Operation{Kind: Read, Token: token}
				r.client(number).do(ctx, n, &o)
				if o.Alive || o.Outcome != OK {
					return false
				}
			}
		}
		return true
	})
}

// awaitAll waits until something holds for each node.
func (r *Run) awaitAll(otherwise string, holds func(ctx context.Context, n Node) bool) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), settleWithin)
	defer cancel()
	for _, n := range r.Nodes() {
		for !holds(ctx, n) {
			if !pause(ctx, 20*time.Millisecond) {
				r.t.Fatalf("%s after %v: %s", n.Name, settleWithin, otherwise)
			}
		}
	}
}

// look asks a node for a session by its ID, and records nothing.
func (r *Run) look(ctx context.Context, n Node, c *client) (alive, answered bool) {
	var o Operation
	c.open(ctx, n, &o)
	return o.Alive, o.Outcome == OK
}
