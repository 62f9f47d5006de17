package faults

import "slices"

// CheckViews checks invariant V: a node sees what was acknowledged through it. A read that finds
// the session alive finds every mark that was acknowledged by the same node before the read was
// invoked. A mark that was not acknowledged before somebody tried to end the session does not
// count: what comes after an end goes with it, and is acknowledged as if it had come before; if
// nobody was told that the session is over it may be alive again later. It returns at most one
// violation for each mark.
func CheckViews(h History) []Violation {
	return bySession(h, func(one History) []Violation {
		var found []Violation
		missed := map[string]bool{}
		end, ends := firstTry(one)
		for _, o := range one {
			if o.Kind != Read || o.Outcome != OK || !o.Alive {
				continue
			}
			for _, write := range acknowledgedBefore(one, o.Invoked) {
				dropped := ends && write.Completed > end.Invoked
				_, there := slices.BinarySearch(o.Marks, write.Mark)
				if !there && write.Node == o.Node && !dropped && !missed[write.Mark] {
					missed[write.Mark] = true
					found = append(found, Violation{
						"V", o.Session, "did not show " + write.Mark, []Operation{write, o},
					})
				}
			}
		}
		return found
	})
}

// firstTry returns the end that was invoked first, of those that may have taken effect.
func firstTry(one History) (end Operation, ends bool) {
	for _, o := range one {
		if o.Ends() && o.Outcome != Failed && (!ends || o.Invoked < end.Invoked) {
			end, ends = o, true
		}
	}
	return end, ends
}
