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
	// Machine is a reader of nothing: what the machine and the runtime do to any goroutine. Quiet
	// reads while nothing ends.
	Machine Latency `json:"machine"`
	Quiet   Latency `json:"quiet"`
	// Expiry is nil for a store whose sessions never end.
	Expiry *Expiry `json:"expiry,omitempty"`
	// LeftPercent is the heap that is left when all sessions have ended and had their sweep and
	// none was read again, in percent of the heap with all of them. A store in which they never
	// end has all of it left.
	LeftPercent float64 `json:"left_percent"`
}

// An Expiry is what a reader of live sessions noticed while as many others ended.
type Expiry struct {
	Ended int `json:"ended"` // sessions that ended
	// Window is for how long the reader read. For a store that is told to sweep it is the sweep
	// itself, and nothing of the calm before and after it. One that sweeps by a timer does so at
	// an unknown moment within the window, so its quantiles are better than they were during the
	// sweep.
	Window time.Duration `json:"window_ns"`
	Get    Latency       `json:"get"`
	// Missed counts reads of live sessions that found none.
	Missed int `json:"missed"`
	// LostLive counts live sessions that were gone afterwards.
	LostLive int `json:"lost_live"`
}
