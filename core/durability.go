package core

// A Durability is what a store promises of an end that it has acknowledged: by what an ended
// session might come back. It says nothing of a write that the store answered with an error.
// Every store of this module has a method Durability that returns its class; docs/stores.md says
// what each store needs for it.
type Durability string

const (
	// Volatile: the store's records end with the process, so that no ended session comes back, and
	// no living one either.
	Volatile Durability = "volatile"
	// BestEffort: a crash or a failover within some time after an end may undo it.
	BestEffort Durability = "best effort"
	// Durable: an acknowledged end is on stable storage, and survives a crash and a power failure
	// of the machine. A failover to a copy that lags behind may undo it.
	Durable Durability = "durable"
	// Replicated: an acknowledged end, and a renewal, is confirmed by as many further copies as
	// the store was told to ask for; what was not is ErrNotDurable.
	Replicated Durability = "replicated"
)
