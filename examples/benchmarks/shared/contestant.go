package shared

import (
	"context"
	"errors"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// A Contestant keeps records in a store, in its own way. It may be used by several goroutines at
// once. A library without revisions ignores them.
type Contestant interface {
	// Create begins a session.
	Create(ctx context.Context, rec core.Record) error
	// Load returns the Data of a session; ok is false if there is none.
	Load(ctx context.Context, id core.ID) (data string, ok bool, err error)
	// Change replaces a session whose revision is was.
	Change(ctx context.Context, rec core.Record, was core.Revision) error
	// Touch gives a session new times, in the cheapest way that the contestant has.
	Touch(ctx context.Context, rec core.Record, was core.Revision) error
	// Delete ends a session.
	Delete(ctx context.Context, id core.ID) error
	// Close lets go of the store. What is in it may stay.
	Close() error
}

// errRefused is what a contestant answers to a write whose session has changed or ended meanwhile.
var errRefused = errors.New("shared: the session has changed or ended")

// A Maker makes a contestant, and tells what is known of it.
type Maker struct {
	// Name is how the contestant is called in tables: "ours", "by hand", "scs".
	Name string
	// What says what it is, for readers.
	What string
	// Guarded says that it refuses a change to a session that has changed or ended meanwhile, as
	// Prove has seen; the others bring an ended session back.
	Guarded bool
	// Operations are those that are measured; nil: all, and its size.
	Operations []Operation
	// New makes a contestant in an empty store at a place.
	New func(ctx context.Context, at Place) (Contestant, error)
}

// A Place is where a contestant may keep sessions: the directory of a file, the address of a Redis
// server, or the URL of an empty database.
type Place string
