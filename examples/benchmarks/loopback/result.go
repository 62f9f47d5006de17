package loopback

import (
	"time"

	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/sample"
)

// A Result is what Measure has found. The entries are in the order of request.Contestants.
type Result struct {
	Rounds      int           `json:"rounds"`
	Slice       time.Duration `json:"slice_ns"` // nanoseconds
	Connections int           `json:"connections"`
	Entries     []Entry       `json:"entries"`
}

// An Entry is how many requests a contestant answers.
type Entry struct {
	Framework string        `json:"framework"`
	Name      string        `json:"name"`
	PerSecond sample.Spread `json:"per_second"`
	ToBare    sample.Spread `json:"to_bare"` // ratio to the bare framework, in the same round
}

// Entry returns a contestant's figures; ok is false if there are none.
func (r Result) Entry(framework, name string) (e Entry, ok bool) {
	for _, e := range r.Entries {
		if e.Framework == framework && e.Name == name {
			return e, true
		}
	}
	return Entry{}, false
}
