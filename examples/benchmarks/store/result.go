package store

import "time"

// A Result is what was measured of one contestant.
type Result struct {
	Store    string `json:"store"`
	Module   string `json:"module,omitempty"` // with its version
	Traits   Traits `json:"traits"`
	Sessions int    `json:"sessions"`
	// BytesPerSession is the heap with all sessions in it, less the heap before, by their number.
	BytesPerSession float64 `json:"bytes_per_session"`
	// Collection is how long one forced collection took with all sessions there: the median, and
	// all of them, in their order.
	Collection  time.Duration   `json:"collection_ns"`
	Collections []time.Duration `json:"collections_ns"`
	// LostFull counts sessions that were not there when all had just been put in.
	LostFull int `json:"lost_full"`
	// Machine is a reader of nothing, the control of Expiry: what the machine and the runtime do to
	// any goroutine. It reads in the same process, with all sessions there, for as long and as
	// often as the reader of sessions does, each time right before it. A figure is the median of
	// the windows', Samples their sum.
	Machine Latency `json:"machine"`
	// Quiet is a reader of sessions while nothing ends, for one window, in a store whose sessions
	// never end. It is zero for the others, which have Expiry.
	Quiet Latency `json:"quiet,omitzero"`
	// Expiry is nil for a store whose sessions never end.
	Expiry *Expiry `json:"expiry,omitempty"`
	// LeftPercent is the heap that is left when all sessions have ended and had their sweep and
	// none was read again, in percent of the heap with all of them. A store in which they never
	// end has all of it left.
	LeftPercent float64 `json:"left_percent"`
}

// Lost is how often a live session was not there, over the whole measurement. A store for which it
// is not zero has not done the work that its other figures are the price of.
func (r Result) Lost() int {
	lost := r.LostFull
	if r.Expiry != nil {
		lost += r.Expiry.Missed + r.Expiry.LostLive
	}
	return lost
}

// An Expiry is what a reader of live sessions noticed while as many others ended.
type Expiry struct {
	Ended int `json:"ended"` // sessions that ended, in each round
	// Window is for how long the reader was to read in each round: as long for all stores, and at
	// least 100,000 reads. The sweep lies within it and is but a part of it, so quantiles are those
	// of a store that sweeps so many sessions every so often, not those during the sweep.
	Window time.Duration `json:"window_ns"`
	// Get is, figure by figure, the median of the rounds' (of two, the lower); Samples is the sum.
	Get Latency `json:"get"`
	// Rounds are those that Get is of, in their order. A store that has one age for all sessions
	// has only one: what is put in anew would outlive the sessions that are to live.
	Rounds []Round `json:"rounds"`
	// Missed counts reads of live sessions that found none, in all rounds.
	Missed int `json:"missed"`
	// LostLive counts live sessions that were gone after a round, in all rounds.
	LostLive int `json:"lost_live"`
}

// A Round is one window in which half of the sessions ended, and its control. In a store that
// removes nothing they have ended for good in the first round; the others are the same as its
// sweeps: nothing.
type Round struct {
	Machine Latency `json:"machine"`
	Get     Latency `json:"get"`
	// Read is for how long the reader read: Expiry.Window, or more if the sweep or the number of
	// reads took longer.
	Read time.Duration `json:"read_ns"`
	// Sweep is how long the sweep took in a store that is told to sweep; 0 for the others.
	Sweep time.Duration `json:"sweep_ns,omitempty"`
}
