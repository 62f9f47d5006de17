package store

import "time"

// An Ends says how sessions of a store end by themselves.
type Ends string

// The ways in which sessions end.
const (
	EndsEach  Ends = "each session at its own time"
	EndsAlike Ends = "all at one age since their last write"
	EndsNever Ends = "never"
)

// A Removal says how what has ended leaves a store's memory, if nobody reads it again.
type Removal string

// The ways in which ended sessions are removed.
const (
	RemovedWhenTold Removal = "by a sweep that is called"
	RemovedByTimer  Removal = "by a timer of its own"
	RemovedNever    Removal = "never"
)

// Traits are what a store can and cannot do beside being fast. Ends is held to by Prove, Removal
// by what is left of the heap; the others are facts from the source of the version that is
// measured.
type Traits struct {
	Ends    Ends    `json:"ends"`
	Removal Removal `json:"removal"`
	// Every is the pause between two sweeps by the store's own timer.
	Every time.Duration `json:"every_ns,omitempty"`
	// Form is how a session is kept.
	Form string `json:"form"`
	// DropsLive says when a session is lost that has not ended; empty: never.
	DropsLive string `json:"drops_live,omitempty"`
	// CompareAndSet reports whether a session can be replaced on condition that it is still the one
	// that was read, without which a late write brings an ended session back.
	CompareAndSet bool `json:"compare_and_set"`
	// Collision says what happens to two keys with one hash; empty: both are kept.
	Collision string `json:"collision,omitempty"`
	// Note is what else must be known to read the figures.
	Note string `json:"note,omitempty"`
}
