package core

// A LimitPolicy says what gives way where there is no room for another session.
type LimitPolicy uint8

const (
	// RefuseNew refuses the session that is about to begin.
	RefuseNew LimitPolicy = iota
	// EndUnusedLongest ends the session that has not been used for the longest time, by the last use
	// that was noted: see Config.TouchInterval.
	EndUnusedLongest
)
