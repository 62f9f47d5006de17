package faults

import (
	"context"
	"fmt"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// owner is whose a session is once it is signed in: two after each other have the same owner.
func (c *client) owner() string { return fmt.Sprint("owner-", c.number/2) }

// doOwner carries out an operation about the session's owner.
func (c *client) doOwner(ctx context.Context, n Node, o *Operation, moment func() int) {
	o.Owner = c.owner()
	switch o.Kind {
	case Ask:
		o.Err = c.ask(ctx, n, moment)
		if o.Outcome = OK; o.Err != nil {
			o.Outcome = Failed
		}
	case SignIn:
		c.signIn(ctx, n, o, moment)
	case RevokeOwner:
		_, o.Err = n.Manager.RevokeOwner(ctx, o.Owner)
		o.Outcome = OutcomeOf(o.Err)
	}
}

// ask begins a sign-in.
func (c *client) ask(ctx context.Context, n Node, moment func() int) error {
	in, err := n.Manager.BeginSignIn(ctx, c.owner())
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked = append(c.asked, asked{in, moment()})
	return nil
}

// completes returns the sign-in that has begun, if any.
func (c *client) completes() (asked, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.asked) == 0 {
		return asked{}, false
	}
	first := c.asked[0]
	c.asked = c.asked[1:]
	return first, true
}

// signIn completes a sign-in. It is not for a session that has ended, or another one would begin.
func (c *client) signIn(ctx context.Context, n Node, o *Operation, moment func() int) {
	in, ok := c.completes()
	if !ok {
		if o.Err = c.ask(ctx, n, moment); o.Err != nil {
			o.Outcome = Failed
			return
		}
		in, _ = c.completes()
	}
	o.Asked = in.moment
	_, tokens := c.known()
	done := false
	c.request(ctx, n, o, func(s *core.Session) {
		if o.Alive || tokens == 0 {
			done = true
			s.SetOwner(o.Owner, in.signIn)
		}
	})
	if !done {
		o.Outcome = Failed
	}
}

// CheckOwners checks invariant O: once the end of all of an owner's sessions was acknowledged, no
// operation that is invoked later finds one of them alive and signed in, if its sign-in had begun
// before that end was asked for. A session that may have been signed in anew does not count, nor
// does one that can be seen by its ID alone since the client was told that its sign-in had failed.
// It returns at most one violation for each session.
func CheckOwners(h History) []Violation {
	ends := endsOfOwners(h)
	return bySession(h, func(one History) []Violation {
		for _, o := range one {
			if signIn, end, wrong := signedIn(one, o, ends); wrong {
				text := "is signed in, though all of its owner's sessions ended"
				return []Violation{{"O", o.Session, text, []Operation{signIn, end, o}}}
			}
		}
		return nil
	})
}

// endsOfOwners are the acknowledged ends of all of an owner's sessions.
func endsOfOwners(h History) map[string][]Operation {
	ends := map[string][]Operation{}
	for _, o := range h {
		if o.Kind == RevokeOwner && o.Outcome == OK && o.Completed > 0 {
			ends[o.Owner] = append(ends[o.Owner], o)
		}
	}
	return ends
}

// signedIn reports whether an operation finds a session signed in that had ended with all others.
func signedIn(
	one History, o Operation, ends map[string][]Operation,
) (signIn, end Operation, wrong bool) {
	if !o.Alive || o.Found == "" {
		return signIn, end, false
	}
	signIn, former := lastSignIn(one, o)
	if o.Token == ByID && signIn.Outcome == Unknown {
		return signIn, end, false // nobody has a token for it, and it is put back as soon as it can be
	}
	for _, end := range ends[o.Found] {
		if former && o.Invoked > end.Completed && signIn.Asked < end.Invoked {
			return signIn, end, true
		}
	}
	return signIn, end, false
}

// lastSignIn is the one of those before an operation that was asked for last, and could have had an
// effect.
func lastSignIn(one History, before Operation) (last Operation, found bool) {
	for _, o := range one {
		could := o.Kind == SignIn && o.Outcome != Failed && o.Invoked < before.Completed
		if could && (!found || o.Asked > last.Asked) {
			last, found = o, true
		}
	}
	return last, found
}
