package store

import (
	"context"
	"fmt"
	"time"
)

// A Contestant is a store with numbered sessions in it. Get and Touch may be called by several
// goroutines at once, the other methods by one.
type Contestant interface {
	// Put keeps session n with ValuesOf(n) until expires, whether or not it was there.
	Put(n int, expires time.Time) error
	// Get reads what is kept under key as the store itself does, and reports whether it was there.
	// Decoding what was read is not the store's work and is left out. This is what is measured.
	Get(key string) bool
	// Touch gives the session under key a new end in the cheapest way that the store has, and
	// leaves its values. It answers an error that wraps errors.ErrUnsupported if the store has no
	// ends.
	Touch(key string, expires time.Time) error
	// Values reads session n to the last byte. It reports false if there is none, or none any more.
	Values(n int) (Values, bool, error)
	// Close ends the store's goroutines.
	Close() error
}

// A Sweeper is a Contestant that is told when to remove what has expired.
type Sweeper interface {
	// Sweep removes all that has expired at now. It may run beside Get and Touch.
	Sweep(ctx context.Context, now time.Time) error
}

// A Maker makes a contestant, and tells what is known of it.
type Maker struct {
	// Name is how the contestant is called in tables: "ours", "scs".
	Name string
	// Module is the path of the Go module that it comes from, empty if it is written here.
	Module string
	// KeyLength is how long the keys are under which it keeps sessions.
	KeyLength int
	// Traits are what it can and cannot do.
	Traits Traits
	// New makes an empty contestant.
	New func(Settings) (Contestant, error)
}

// Key is the key of session n.
func (m Maker) Key(n int) string { return keyOf(n, m.KeyLength) }

// Settings are what a contestant is to expect.
type Settings struct {
	// Sessions is how many there will be: those that allocate beforehand do it for so many.
	Sessions int
	// Life is how long a session lives in a store that has one age for all, in whole seconds.
	Life time.Duration
}

// Makers are all contestants, ours first.
func Makers() []Maker {
	return []Maker{
		ours(), scsMemstore(), fiberMemory(), quasoftMemstore(), plainMap(), shardedMap(),
		pointerFreeArena(), otterCache(), bigCache(), freeCache(),
	}
}

// Find is the contestant of a name.
func Find(name string) (Maker, error) {
	for _, m := range Makers() {
		if m.Name == name {
			return m, nil
		}
	}
	return Maker{}, fmt.Errorf("no store is called %q", name)
}
