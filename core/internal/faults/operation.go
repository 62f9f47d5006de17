package faults

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Kind is what an operation does to a session.
type Kind string

// The kinds of operations. Destroy, Revoke and Confirm are ends.
const (
	Create  Kind = "create"
	Save    Kind = "save"  // adds a mark
	Read    Kind = "read"  // says whether the session is alive, and its marks
	Renew   Kind = "renew" // issues another token
	Destroy Kind = "destroy"
	Revoke  Kind = "revoke"
	// Confirm is an end that was not confirmed when it was carried out, and is now: the Manager
	// went on in the background, and reported nothing left at its Close.
	Confirm Kind = "confirm"
	// Ask begins a sign-in of the session's owner (BeginSignIn), which the next SignIn of the
	// session completes.
	Ask Kind = "ask"
	// SignIn signs the session's owner in, as of an earlier Ask or of now. A session that has not
	// begun begins with it.
	SignIn Kind = "sign in"
	// RevokeOwner ends all sessions of the session's owner. Two sessions after each other have the
	// same one.
	RevokeOwner Kind = "revoke owner"
)

// An Outcome is what is known of an operation's effect.
type Outcome string

// The outcomes. The zero Outcome is Unknown's: an operation that was never completed.
const (
	OK      Outcome = "ok"     // it took effect, and the caller was told so
	Failed  Outcome = "failed" // it certainly had no effect
	Unknown Outcome = ""       // it may have taken effect, or may yet
)

// ByID, as an Operation's Token, says that the session was named by its ID (Open, Revoke).
const ByID = -1

// An Operation is one call of a client, or of the application, on one session.
type Operation struct {
	Kind    Kind
	Session int    // the sessions of a run are numbered from 0
	Node    string // where it was carried out
	// Token is which of the session's tokens was shown, numbered from 0 in the order in which they
	// were issued; or ByID.
	Token int
	// Issued is which token was issued, by a Create (0) or a Renew; 0 for a Renew that issued none.
	Issued int
	Mark   string // what a Create or Save added
	// Invoked and Completed are moments of one clock that counts both, so that all moments of a run
	// differ. Completed is zero for an operation that never was.
	Invoked, Completed int
	Outcome            Outcome
	// Owner is who signs in, or whose sessions are revoked; Asked is the moment when a SignIn was
	// begun for sure, zero if it never was. Found is whose session was found alive.
	Owner, Found string
	Asked        int
	// Alive is whether the session was found alive by the part of the operation that looks.
	Alive bool
	Marks []string // what a Read found; sorted
	// Round is zero while the load runs, and counts the times that everything was read with no load
	// running.
	Round int
	At    time.Duration // since the run began
	Took  time.Duration
	Err   error
}

// Ends reports whether the operation is one that ends its session, whatever its outcome.
func (o Operation) Ends() bool {
	return o.Kind == Destroy || o.Kind == Revoke || o.Kind == Confirm
}

// String returns one line.
func (o Operation) String() string {
	var b strings.Builder
	outcome := cmp.Or(o.Outcome, "unknown")
	fmt.Fprintf(&b, "%6d-%-6d %8v +%v  session %d  %s on %s: %s", o.Invoked, o.Completed,
		o.At.Round(time.Millisecond), o.Took.Round(time.Millisecond), o.Session, o.Kind, o.Node,
		outcome)
	switch {
	case o.Token == ByID:
		b.WriteString(", by ID")
	case o.Kind != Create:
		fmt.Fprintf(&b, ", token %d", o.Token)
	}
	if o.Kind == Renew && o.Issued > 0 {
		fmt.Fprintf(&b, ", issues %d", o.Issued)
	}
	if o.Owner != "" {
		b.WriteString(", " + o.Owner)
	}
	if o.Asked > 0 {
		fmt.Fprintf(&b, ", asked at %d", o.Asked)
	}
	if o.Found != "" {
		b.WriteString(", found " + o.Found + "'s")
	}
	if o.Mark != "" {
		b.WriteString(", mark " + o.Mark)
	}
	if o.Kind != Create && o.Kind != Confirm && o.Outcome != Failed {
		fmt.Fprintf(&b, ", alive %v", o.Alive)
	}
	if o.Kind == Read && o.Alive {
		fmt.Fprintf(&b, ", %d marks", len(o.Marks))
	}
	if o.Round > 0 {
		fmt.Fprintf(&b, ", round %d", o.Round)
	}
	if o.Err != nil {
		fmt.Fprintf(&b, ", %v", o.Err)
	}
	return b.String()
}

// A History is what was done in one run, in any order. The checks on it are pure.
type History []Operation

// sessions splits a history into one for each session, each in the order of invocation.
func (h History) sessions() map[int]History {
	split := map[int]History{}
	for _, o := range h {
		split[o.Session] = append(split[o.Session], o)
	}
	for _, one := range split {
		slices.SortFunc(one, func(a, b Operation) int { return cmp.Compare(a.Invoked, b.Invoked) })
	}
	return split
}

// has reports whether there is an operation of the kind.
func (h History) has(kind Kind) bool {
	return slices.ContainsFunc(h, func(o Operation) bool { return o.Kind == kind })
}

// Count counts the operations of some kinds, all kinds if none is named, that had an outcome.
func (h History) Count(outcome Outcome, kinds ...Kind) int {
	n := 0
	for _, o := range h {
		if o.Outcome == outcome && (len(kinds) == 0 || slices.Contains(kinds, o.Kind)) {
			n++
		}
	}
	return n
}
