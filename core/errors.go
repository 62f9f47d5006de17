package core

import (
	"context"
	"errors"
	"fmt"
	"net/http"
)

// The errors that a Store answers with. A store may wrap them.
var (
	// ErrNotFound says that there is no record, or no living session, under an ID.
	ErrNotFound = errors.New("session not found")
	// ErrExists says that Create found a record under the ID.
	ErrExists = errors.New("session already exists")
	// ErrConflict says that somebody else wrote the record first. From a Store it means that the
	// Revision was no longer the one given. From Manager.Commit it means that the request's changes
	// cannot be merged with what another request did: a change of owner, a renewal with a token
	// that was replaced meanwhile, or a value that Value.TakeOnce found taken.
	ErrConflict = errors.New("session was changed by another request")
	// ErrNotDurable says that a write took effect, but was not confirmed by as many copies as were
	// asked for. The Manager goes on confirming it in the background.
	ErrNotDurable = errors.New("session write is not confirmed by enough copies")
	// ErrOwnerLimit says that an owner has as many sessions as Config.MaxPerOwner allows. From
	// Manager.Commit it means that the sign-in was refused.
	ErrOwnerLimit = errors.New("owner has too many sessions")
	// ErrStoreFull says that a store has no room for a new record, or for a larger one, and that
	// the write has not taken effect. A MemoryStore with a limit answers with it.
	ErrStoreFull = errors.New("session store is full")
)

// The errors of Manager.Commit and Session.Err beside *StoreError, *ValueError, *OwnerError and
// ErrConflict.
var (
	// ErrGone says that the session ended while the request ran, and that what the request did
	// (renew, sign in, take a one-time value) cannot be as if it had come before the end.
	ErrGone = errors.New("session ended while the request ran")
	// ErrSignInStale says that a sign-in must begin anew: the sessions of the owner, or of everybody,
	// were revoked since it began, or it began more than an hour ago.
	ErrSignInStale = errors.New("session sign-in must begin anew")
	// ErrOutdated says that the request's token was replaced less than a minute ago: it can read
	// nothing and cannot begin a session, which would overwrite the good token of its own client.
	ErrOutdated = errors.New("session token was replaced")
	// ErrCommitted says that a change came too late: it needed a response header, but the first
	// byte of the response had left, or the request was over.
	ErrCommitted = errors.New("session change came after the response began")
)

// A ConfigError names one fault of a Config. New returns all of them at once, joined.
type ConfigError struct {
	Field  string // the field at fault, for example "Lifetime" or "Carrier.Domain"
	Reason string // what is wrong with it, as a clause
	Err    error  // errors.ErrUnsupported where the store lacks an ability, else nil
}

// Error says which field is at fault, and why.
func (e *ConfigError) Error() string {
	return "session config: " + e.Field + " " + e.Reason
}

// Unwrap returns Err.
func (e *ConfigError) Unwrap() error { return e.Err }

// A StoreError says that the store failed: it was unreachable, slow, full, or answered what cannot
// be. It is never a verdict about the session: the token that the client holds is still good.
type StoreError struct {
	Op  string // what was tried, as StoreCall.Op names it
	ID  ID     // the session's public name, "" where no session was asked for
	Err error  // what the store said
}

// Error names the operation and the ID, which is public, and what the store said.
func (e *StoreError) Error() string {
	if e.ID == "" {
		return fmt.Sprintf("session store: %s: %v", e.Op, e.Err)
	}
	return fmt.Sprintf("session store: %s %s: %v", e.Op, e.ID, e.Err)
}

// Unwrap returns what the store said.
func (e *StoreError) Unwrap() error { return e.Err }

// A ValueError says that a value cannot be stored or read: it is not encodable, too large, under an
// impossible name, or what is stored is of another type. It never holds the value.
type ValueError struct {
	Name string // the value's name; "" where the sum of all values is at fault
	Err  error
}

// Error names the value and says what is wrong with it.
func (e *ValueError) Error() string {
	return fmt.Sprintf("session value %q: %v", e.Name, e.Err)
}

// Unwrap returns the cause.
func (e *ValueError) Unwrap() error { return e.Err }

// An OwnerError says that an owner is one that no store could keep, or the empty one, or not the one
// of the SignIn.
type OwnerError struct {
	Reason string
}

// Error says what is wrong with the owner.
func (e *OwnerError) Error() string { return "session owner " + e.Reason }

// A FrameError says that a record's Data is not a frame that this version can read. Version is the
// version the frame names, zero if it is damaged or not a frame at all.
type FrameError struct {
	Version int
	Reason  string
}

// Error says why the frame cannot be read.
func (e *FrameError) Error() string {
	if e.Version != 0 {
		return fmt.Sprintf("session frame of version %d: %s", e.Version, e.Reason)
	}
	return "session frame: " + e.Reason
}

// Status is the HTTP status that answers an error of Begin or Commit: 503 where the store is in
// trouble (try again), 409 where another request came first (begin anew), 500 where the handler
// did what cannot be done, 200 for nil.
func Status(err error) int {
	var store *StoreError
	switch {
	case err == nil:
		return http.StatusOK
	case errors.As(err, &store), errors.Is(err, ErrNotDurable),
		errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return http.StatusServiceUnavailable
	case errors.Is(err, ErrGone), errors.Is(err, ErrConflict), errors.Is(err, ErrOutdated),
		errors.Is(err, ErrSignInStale), errors.Is(err, ErrOwnerLimit):
		return http.StatusConflict
	}
	return http.StatusInternalServerError
}
