package request

import (
	"time"

	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/sample"
)

// A Result is what Measure has found.
type Result struct {
	Rounds    int              `json:"rounds"`
	Slice     time.Duration    `json:"slice_ns"` // nanoseconds
	Scenarios []ScenarioResult `json:"scenarios"`
}

// A ScenarioResult holds the contestants in the order of Contestants.
type ScenarioResult struct {
	Name    string  `json:"name"`
	Title   string  `json:"title"`
	Entries []Entry `json:"entries"`
	Ratios  []Ratio `json:"ratios"`
}

// An Entry is what a contestant needs for one request. Times are in nanoseconds.
type Entry struct {
	Framework string        `json:"framework"`
	Name      string        `json:"name"`
	Note      string        `json:"note,omitempty"`
	Requests  int           `json:"requests"` // in a slice
	CPU       sample.Spread `json:"cpu_ns"`
	Wall      sample.Spread `json:"wall_ns"`
	// What the bare framework needed in the same round is not part of the following.
	Added     sample.Spread `json:"added_ns"` // CPU
	AddedWall sample.Spread `json:"added_wall_ns"`
	Allocs    int           `json:"allocs"` // the median
	Bytes     int           `json:"bytes"`  // the median
}

// A Ratio compares the added CPU of two contestants of a framework in the same round. A round in
// which To added nothing counts as 1000.
type Ratio struct {
	Framework string        `json:"framework"`
	Of        string        `json:"of"`
	To        string        `json:"to"`
	Spread    sample.Spread `json:"spread"`
}

// Entry returns a contestant's figures; ok is false if there are none.
func (s ScenarioResult) Entry(framework, name string) (e Entry, ok bool) {
	for _, e := range s.Entries {
		if e.Framework == framework && e.Name == name {
			return e, true
		}
	}
	return Entry{}, false
}

// Ratio returns ours to another contestant of a framework; ok is false if it was not measured.
func (s ScenarioResult) Ratio(framework, to string) (r Ratio, ok bool) {
	for _, r := range s.Ratios {
		if r.Framework == framework && r.Of == Ours && r.To == to {
			return r, true
		}
	}
	return Ratio{}, false
}

// Scenario returns the figures of a scenario by its name; ok is false if there are none.
func (r Result) Scenario(name string) (s ScenarioResult, ok bool) {
	for _, s := range r.Scenarios {
		if s.Name == name {
			return s, true
		}
	}
	return ScenarioResult{}, false
}
