package request

// The paths that every contestant serves.
const (
	pathRead      = "/read"      // reads the name and the visits
	pathChange    = "/change"    // adds one to the visits
	pathCreate    = "/create"    // begins a session with two values
	pathFill      = "/fill"      // begins a session with twenty
	pathFields    = "/fields"    // reads the other eighteen
	pathUntouched = "/untouched" // doesn't look at the session
)

// A Scenario is one kind of request, repeated.
type Scenario struct {
	Name  string // short, for tables of figures and the command line
	Title string // in words
	seed  string // the path that makes the session; "": the client has no cookie
	path  string
	check func(*entry) error // what a slice of it must have left behind
}

// Scenarios returns all of them, in the order of the tables.
func Scenarios() []Scenario {
	return []Scenario{
		{"read", "read 2 values", pathCreate, pathRead, readAll},
		{"read20", "read 2 of 20 values, 1 KiB", pathFill, pathRead, readAll},
		{"change", "change 1 of 20 values", pathFill, pathChange, keptChanges},
		{"create", "create, 2 values", "", pathCreate, createdSession},
		{"untouched", "no cookie, session not touched", "", pathUntouched, sentNoCookie},
	}
}

// grows reports whether a contestant may hold more sessions after each request. Such a scenario
// has every contestant built anew for each slice.
func (s Scenario) grows() bool { return s.seed == "" }
