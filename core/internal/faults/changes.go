package faults

import "slices"

// CheckChanges checks invariant W: no acknowledged change is lost. Each read of a round finds every
// mark that was acknowledged before, in a session that nobody tried to end, and that is nobody's;
// a session that is gone has lost them all. A mark that certainly failed is found by no read at all, and no mark twice.
// It returns at most one violation for each mark, or for a session one that lost all.
func CheckChanges(h History) []Violation {
	return bySession(h, func(one History) []Violation {
		found := impossibleMarks(one)
		ends := func(o Operation) bool {
			// Who was signed in may have been ended with all others of the owner's.
			return (o.Ends() || o.Kind == SignIn) && o.Outcome != Failed
		}
		if slices.ContainsFunc(one, ends) {
			return found
		}
		return append(found, lostMarks(one)...)
	})
}

// impossibleMarks finds marks that failed and are there, and those that are there twice.
func impossibleMarks(one History) []Violation {
	failed := map[string]Operation{}
	for _, o := range one {
		if o.Mark != "" && o.Outcome == Failed {
			failed[o.Mark] = o
		}
	}
	var found []Violation
	twice := map[string]bool{}
	for _, o := range one {
		for i, mark := range o.Marks {
			if write, ok := failed[mark]; ok {
				found = append(found, Violation{
					"W", o.Session, "holds " + mark + ", which failed", []Operation{write, o},
				})
				delete(failed, mark)
			}
			if i > 0 && mark == o.Marks[i-1] && !twice[mark] {
				twice[mark] = true
				found = append(found, Violation{
					"W", o.Session, "holds " + mark + " twice", []Operation{o},
				})
			}
		}
	}
	return found
}

// lostMarks finds acknowledged marks that a read of a round does not. A token may be dead though
// the session lives, so that only a living session, or one that was looked for by its ID, tells.
func lostMarks(one History) []Violation {
	var found []Violation
	lost := map[string]bool{}
	for _, o := range one {
		tells := o.Kind == Read && o.Round > 0 && o.Outcome == OK && (o.Alive || o.Token == ByID)
		if !tells {
			continue
		}
		written := acknowledgedBefore(one, o.Invoked)
		if len(written) > 0 && !o.Alive {
			last := written[len(written)-1]
			return append(found, Violation{
				"W", o.Session, "is gone though nobody ended it", []Operation{last, o},
			})
		}
		for _, write := range written {
			_, there := slices.BinarySearch(o.Marks, write.Mark)
			if !there && !lost[write.Mark] {
				lost[write.Mark] = true
				found = append(found, Violation{
					"W", o.Session, "has lost " + write.Mark, []Operation{write, o},
				})
			}
		}
	}
	return found
}

// acknowledgedBefore returns the writes of marks that were acknowledged before a moment.
func acknowledgedBefore(one History, moment int) []Operation {
	var written []Operation
	for _, o := range one {
		if o.Mark != "" && o.Outcome == OK && 0 < o.Completed && o.Completed < moment {
			written = append(written, o)
		}
	}
	return written
}
