package faults

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A Violation is one breach of an invariant.
type Violation struct {
	Invariant string // "L", "W", "R", "V" or "O"
	Session   int
	Text      string // what happened, as a clause
	// Proof is the operations that contradict each other: first what was acknowledged, then what
	// was seen.
	Proof []Operation
}

// String returns a line, and one for each operation of the proof.
func (v Violation) String() string {
	lines := []string{fmt.Sprintf("%s: session %d %s", v.Invariant, v.Session, v.Text)}
	for _, o := range v.Proof {
		lines = append(lines, "    "+o.String())
	}
	return strings.Join(lines, "\n")
}

// bySession runs a check on each session of a history, in the order of their numbers.
func bySession(h History, check func(one History) []Violation) []Violation {
	var all []Violation
	for _, one := range h.sessions() {
		all = append(all, check(one)...)
	}
	slices.SortStableFunc(all, func(a, b Violation) int { return cmp.Compare(a.Session, b.Session) })
	return all
}

// A Verdict is all that the invariants say of a history.
type Verdict struct {
	Ends     []Violation // invariant L, one for each session that came back
	Changes  []Violation // invariant W, one for each mark
	Renewals []Violation // invariant R
	Views    []Violation // invariant V
	Owners   []Violation // invariant O, one for each session
}

// Judge checks all invariants.
func Judge(h History) Verdict {
	return Verdict{
		Ends: CheckEnds(h), Changes: CheckChanges(h), Renewals: CheckRenewals(h), Views: CheckViews(h),
		Owners: CheckOwners(h),
	}
}

// String returns the number of violations of each invariant, and some of them.
func (v Verdict) String() string {
	text := fmt.Sprintf("violations: %d L, %d W, %d R, %d V, %d O",
		len(v.Ends), len(v.Changes), len(v.Renewals), len(v.Views), len(v.Owners))
	for _, list := range [][]Violation{v.Ends, v.Changes, v.Renewals, v.Views, v.Owners} {
		for _, one := range list[:min(3, len(list))] {
			text += "\n" + one.String()
		}
	}
	return text
}
