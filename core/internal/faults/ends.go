package faults

// CheckEnds checks invariant L: no acknowledged end is ever undone. Once an end of a session was
// acknowledged, no operation that is invoked later, with whatever token, on whatever node, finds
// the session alive. It returns at most one violation for each session.
func CheckEnds(h History) []Violation {
	return bySession(h, func(one History) []Violation {
		end, ended := firstEnd(one)
		if !ended {
			return nil
		}
		for _, o := range one {
			if o.Invoked > end.Completed && o.Alive {
				return []Violation{{"L", o.Session, "came back after its end", []Operation{end, o}}}
			}
		}
		return nil
	})
}

// firstEnd returns the acknowledged end of a session that was completed first.
func firstEnd(one History) (end Operation, ended bool) {
	renewed := one.has(Renew)
	for _, o := range one {
		if o.Outcome != OK || !o.Ends() || o.Completed == 0 {
			continue
		}
		// A Destroy with a token that proves nothing does nothing, and says no more than one that
		// repeats an end: where tokens may have changed, only that of a living session counts.
		if o.Kind == Destroy && !o.Alive && renewed {
			continue
		}
		if !ended || o.Completed < end.Completed {
			end, ended = o, true
		}
	}
	return end, ended
}
