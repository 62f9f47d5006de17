package faults

import "slices"

// CheckViews checks invariant V: a node sees what was acknowledged through it. A read that finds
// the session alive finds every mark that was acknowledged by the same node before the read was
// invoked. It returns at most one violation for each mark.
func CheckViews(h History) []Violation {
	return bySession(h, func(one History) []Violation {
		var found []Violation
		missed := map[string]bool{}
		for _, o := range one {
			if o.Kind != Read || o.Outcome != OK || !o.Alive {
				continue
			}
			for _, write := range acknowledgedBefore(one, o.Invoked) {
				_, there := slices.BinarySearch(o.Marks, write.Mark)
				if !there && write.Node == o.Node && !missed[write.Mark] {
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
