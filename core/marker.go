package core

import (
	"context"
	"time"
)

// A Marker is a Store that keeps a few moments by name, for as long as it keeps anything: with it
// Manager.RevokeBefore ends all sessions that began before a moment without looking at any. A store
// that wraps another one which cannot answers with an error that wraps errors.ErrUnsupported.
type Marker interface {
	// Mark returns the moment under a name, the zero time if there is none. A name is 1 to 64
	// characters of A-Z, a-z, 0-9, '-' and '_'.
	Mark(ctx context.Context, name string) (time.Time, error)
	// RaiseMark sets the moment under a name, in whole milliseconds and UTC, unless a later one is
	// there already: it never goes back. It is confirmed as a Delete is: ErrNotDurable says that it
	// took effect, but not on enough copies.
	RaiseMark(ctx context.Context, name string, at time.Time) error
}
