package core

import (
	"context"
	"time"
)

// An OwnerIndex is a Store that also keeps, for each owner, which sessions are the owner's, and an
// Epoch. With it a Manager lists, counts and ends an owner's sessions. It is kept by itself:
// Create, Update and Delete do not change it, and an entry whose record is gone is the Manager's to
// find and remove. A store that wraps another one which cannot answers with an error that wraps
// errors.ErrUnsupported.
//
// What a Store promises holds here, too: each method takes effect at one instant, and after an
// error that is not named here a write may or may not have taken effect. An owner is valid UTF-8
// without NUL of 1 to 255 bytes, whatever characters it is made of; it need not be the Owner of a
// Record: a Manager gives a hash of that and of its Namespace. AddOwned and RaiseEpoch are
// confirmed as a Delete is: ErrNotDurable says that they took effect, but not on enough copies.
type OwnerIndex interface {
	// OwnerEpoch returns the owner's Epoch: what RaiseEpoch gave it last, zero if it never did, or
	// if it need not be kept any longer.
	OwnerEpoch(ctx context.Context, owner string) (Epoch, error)

	// AddOwned adds an entry, in place of one with the same ID. It answers ErrConflict unless the
	// owner's Epoch is epoch, and ErrOwnerLimit if there are limit entries of other IDs or more,
	// unless limit is zero; then it changes nothing. It returns how many entries there are.
	AddOwned(
		ctx context.Context, owner string, entry OwnerEntry, epoch Epoch, limit int,
	) (int, error)

	// ListOwned returns all entries, in any order.
	ListOwned(ctx context.Context, owner string) ([]OwnerEntry, error)

	// RemoveOwned removes those entries whose Revision is still the one given. Others stay: they
	// were added anew meanwhile.
	RemoveOwned(ctx context.Context, owner string, entries ...OwnerEntry) error

	// RaiseEpoch gives the owner another Epoch, to be kept until a time at least, and returns the
	// one before and all entries, in one step: no AddOwned comes in between. The entries stay. With
	// ErrNotDurable it returns them, too. It may be called again with the same Epoch.
	RaiseEpoch(
		ctx context.Context, owner string, epoch Epoch, until time.Time,
	) (before Epoch, entries []OwnerEntry, err error)
}

// An OwnerEntry says that a session was an owner's when it was written.
type OwnerEntry struct {
	// ID is the session's.
	ID ID
	// Revision is that of the record when the entry was added. It tells an entry from one that was
	// added for the same session later.
	Revision Revision
	// Until is when the entry may be forgotten, UTC, in whole milliseconds; zero means never. It is
	// for a store's housekeeping: an entry may stay longer, and lists need not give it back.
	Until time.Time
}

// An Epoch is a span of time of one owner, which ends when all the owner's sessions are revoked: a
// sign-in that began in one cannot be completed in the next. It is 64 random bits, so that it
// cannot come to the same value again when a store is set back; zero is the first.
type Epoch uint64
