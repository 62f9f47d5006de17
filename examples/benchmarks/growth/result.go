package growth

import "github.com/sessionserverstore/sessionserverstore/examples/benchmarks/sample"

// An Operation is what is done again and again, each time with another session.
type Operation string

// The operations. A read of a store loads a session; a write gives it new times. For the whole
// request a read is Begin, two values read, and Commit; a write changes one value as well.
const (
	Read  Operation = "read"
	Write Operation = "write"
)

// A Result has one Series for each contestant and operation along each of the two axes.
type Result struct {
	// ByGoroutines is over the number of goroutines, with At sessions.
	ByGoroutines []Series `json:"by_goroutines"`
	At           int      `json:"at"`
	// BySessions is over the number of sessions, with one goroutine.
	BySessions []Series `json:"by_sessions"`
	// Rounds is how many slices each point is the median of.
	Rounds int `json:"rounds"`
	// Alone is from how many sessions on the contestants were measured one after the other instead
	// of in turns, so that not all had to fit into memory at once.
	Alone int `json:"alone"`
}

// A Series is one line of a plot.
type Series struct {
	Contestant string    `json:"contestant"`
	Operation  Operation `json:"operation"`
	Points     []Point   `json:"points"`
}

// A Point is the time of one operation: what went by on the clock, divided by all operations of
// all goroutines. With two processors, two goroutines that do not disturb each other halve it.
type Point struct {
	X             int `json:"x"` // goroutines, or sessions
	sample.Spread     // nanoseconds
}
