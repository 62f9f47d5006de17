package faults

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// settleWithin bounds how long servers may need after a fault until all can be read.
const settleWithin = 3 * time.Minute

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
		// The newest token first: if an older one is good after it, two are.
		for _, n := range nodes {
			for token := tokens - 1; token >= ByID; token-- {
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
	r.awaitAll("it does not serve", func(ctx context.Context, n Node) error {
		_, err := r.look(ctx, n, &client{id: "no-session-has-this-public-name-"})
		return err
	})
}

// AwaitEnds waits until no node finds a session alive whose end was acknowledged, or carried out
// and not confirmed. It is for what heals by itself: ends that are confirmed in the background, or
// written again after a failover. (An end that was never answered is nobody's any more.) It records
// nothing, so that invariant L does not count what was seen until then. If that takes too long the
// test ends.
func (r *Run) AwaitEnds() {
	r.t.Helper()
	ended := map[int]bool{}
	for session, one := range r.History().sessions() {
		_, ended[session] = firstEnd(one)
		for _, o := range one {
			if o.Ends() && errors.Is(o.Err, core.ErrNotDurable) {
				ended[session] = true
			}
		}
	}
	r.awaitAll("an ended session is alive", func(ctx context.Context, n Node) error {
		for number, over := range ended {
			if !over {
				continue
			}
			alive, err := r.look(ctx, n, r.client(number))
			if alive {
				err = r.story(number)
			}
			if err != nil {
				return err
			}
		}
		return nil
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
	r.awaitAll("a replaced token is good", func(ctx context.Context, n Node) error {
		for number, newest := range replaced {
			for token := 0; token <= newest; token++ {
				o := Operation{Kind: Read, Token: token}
				r.client(number).do(ctx, n, &o)
				if o.Alive || o.Outcome != OK {
					return cmp.Or(o.Err, r.story(number))
				}
			}
		}
		return nil
	})
}

// AwaitOwners is AwaitEnds for owners: it waits until no node finds a session signed in whose
// owner's sessions had all ended, by an acknowledged RevokeOwner.
func (r *Run) AwaitOwners() {
	r.t.Helper()
	h := r.History()
	ends := endsOfOwners(h)
	r.awaitAll("somebody is signed in still", func(ctx context.Context, n Node) error {
		for number, one := range h.sessions() {
			o := Operation{Kind: Read, Token: ByID, Invoked: math.MaxInt, Completed: math.MaxInt}
			r.client(number).open(ctx, n, &o)
			if o.Err != nil {
				return o.Err
			}
			if _, _, wrong := signedIn(one, o, ends); wrong {
				return r.story(number)
			}
		}
		return nil
	})
}

// awaitAll waits until a check finds nothing wrong with any node.
func (r *Run) awaitAll(otherwise string, check func(ctx context.Context, n Node) error) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), settleWithin)
	defer cancel()
	for _, n := range r.Nodes() {
		for {
			err := check(ctx, n)
			if err == nil {
				break
			}
			if !pause(ctx, 20*time.Millisecond) {
				r.mu.Lock()
				name := r.name
				r.mu.Unlock()
				r.t.Fatalf("%s%s after %v: %s: %v", name, n.Name, settleWithin, otherwise, err)
			}
		}
	}
}

// story is all that was done with a session, as an error.
func (r *Run) story(session int) error {
	var lines []string
	for _, o := range r.History() {
		if o.Session == session {
			lines = append(lines, o.String())
		}
	}
	return fmt.Errorf("session %d:\n%s", session, strings.Join(lines, "\n"))
}

// look asks a node for a session by its ID, and records nothing.
func (r *Run) look(ctx context.Context, n Node, c *client) (alive bool, err error) {
	var o Operation
	c.open(ctx, n, &o)
	return o.Alive, o.Err
}
