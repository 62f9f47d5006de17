package core

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// RevokeOwned ends one session of an owner's, by its public name, and reports whether there was
// one. If there is none of that name, or it is not that owner's, it has no effect, is no error, and
// does not tell which. The error is an *OwnerError, a *StoreError, after which the session may or
// may not have ended, or wraps ErrNotDurable.
func (m *Manager) RevokeOwned(ctx context.Context, owner string, id ID) (bool, error) {
	if err := checkOwner(owner); err != nil {
		return false, err
	}
	if !wellFormed(string(id), IDLength) {
		return false, nil
	}
	id = ID(strings.Clone(string(id))) // it may be a view of a framework's buffer
	limit := newDeadline(ctx, time.Now().Add(m.commitTimeout))
	defer limit.stop()
	o := m.examineOne(limit, owner, OwnerEntry{ID: id})
	switch o.state {
	case ownedUnknown, ownedDamaged:
		return false, m.ownerFailure(ctx, owner, o.err)
	case ownedOrphan, ownedForeign:
		return false, nil
	}
	// One that is past a timeout may be alive by another node's clock: see verify.
	err := m.endOwned(limit, &o, "revoked")
	if err == nil {
		m.unlist(limit, &o.base)
	}
	return o.state == ownedAlive && (err == nil || errors.Is(err, ErrNotDurable)), err
}

// RevokeOwner ends all sessions of an owner, and makes every sign-in fail that began before (see
// BeginSignIn), so that none is left. It returns how many there were. If some could not be ended
// it goes on with the others; the error names each. The errors are *OwnerError, *StoreError,
// ErrNotDurable, joined, after which it should be called again, or one that wraps
// errors.ErrUnsupported where the store keeps no index of owners. If the request's own session is
// among them, Destroy it, too, so that the client is told.
//
// Each call to the store is bounded by CommitTimeout, and all of them together by ctx alone.
func (m *Manager) RevokeOwner(ctx context.Context, owner string) (int, error) {
	_, _, n, err := m.revokeOwner(ctx, owner, "")
	return n, err
}

// RevokeOthers ends all sessions of s's owner but s itself ("sign out everywhere else"), and
// returns how many there were; see RevokeOwner for the rest. It may be called in the request that
// signs in again after the password was changed, before or after SetOwner: that sign-in is not
// refused for it. Where s belongs to nobody it does nothing.
func (m *Manager) RevokeOthers(ctx context.Context, s *Session) (int, error) {
	owner, id := s.Owner(), s.ID()
	if owner == "" {
		return 0, nil
	}
	before, next, n, err := m.revokeOwner(ctx, owner, id)
	s.mu.Lock()
	defer s.mu.Unlock()
	if next != 0 && !s.sealed {
		// The sign-in that goes on here, or is about to, is not to be refused.
		e, raised := s.edit(), &raisedEpoch{owner: owner, before: before, next: next}
		if e.pending.owner != nil {
			raised.carryOver(*e.pending.owner, e.pending.signIn)
		}
		if last := e.raised; last != nil && last.owner == owner && last.next == before {
			raised.before = last.before
		}
		e.raised = raised
	}
	return n, err
}

// A raisedEpoch is one that a request has raised itself.
type raisedEpoch struct {
	owner        string
	before, next Epoch
}

// carryOver moves a sign-in that began before into the epoch that has begun.
func (r *raisedEpoch) carryOver(owner string, in *signingIn) {
	if r != nil && in.given && owner == r.owner && in.epoch == r.before {
		in.epoch = r.next
	}
}

// revokeOwner ends all sessions of an owner but one. next is zero unless the epoch was raised.
func (m *Manager) revokeOwner(
	ctx context.Context, owner string, except ID,
) (before, next Epoch, n int, err error) {
	if err := checkOwner(owner); err != nil {
		return 0, 0, 0, err
	}
	if m.owners == nil {
		return 0, 0, 0, errNoIndex
	}
	before, next, entries, err := m.raiseEpoch(ctx, owner)
	if err != nil && !errors.Is(err, ErrNotDurable) {
		return 0, 0, 0, err
	}
	entries = slices.DeleteFunc(entries, func(e OwnerEntry) bool { return e.ID == except })
	n, failed := m.revokeEntries(ctx, owner, entries)
	return before, next, n, errors.Join(err, failed)
}

// raiseEpoch ends an owner's epoch, and lists the entries that were added before.
func (m *Manager) raiseEpoch(
	ctx context.Context, owner string,
) (before, next Epoch, entries []OwnerEntry, err error) {
	next = Epoch(newRevision())
	name, until := m.indexName(owner), now().time().Add(epochFor)
	limit := newDeadline(ctx, time.Now().Add(m.commitTimeout))
	defer limit.stop()
	before, entries, err = m.owners.RaiseEpoch(limit, name, next, until)
	trouble := func() bool {
		return err != nil && !errors.Is(err, ErrNotDurable) && !errors.Is(err, errors.ErrUnsupported)
	}
	if trouble() && limit.Err() == nil {
		before, entries, err = m.owners.RaiseEpoch(limit, name, next, until)
	}
	switch {
	case err == nil:
		return before, next, entries, nil
	case errors.Is(err, errors.ErrUnsupported):
		return 0, 0, nil, errNoIndex
	case errors.Is(err, ErrNotDurable):
		return before, next, entries, fmt.Errorf("epoch of a session owner: %w", err)
	}
	return 0, 0, nil, m.ownerFailure(ctx, owner, &StoreError{Op: "raise epoch", Err: err})
}

// revokeEntries ends the sessions of entries, and returns how many there were.
func (m *Manager) revokeEntries(
	ctx context.Context, owner string, entries []OwnerEntry,
) (int, error) {
	all := m.examine(ctx, owner, entries)
	m.each(len(all), func(i int) {
		o := &all[i]
		if o.state == ownedDead || o.state == ownedAlive || o.state == ownedDamaged {
			o.err = m.endOwned(ctx, o, "revoked")
		}
	})
	n := 0
	var failed []error
	var remove []OwnerEntry
	for i := range all {
		o := &all[i]
		switch {
		case o.state == ownedForeign:
		case o.state == ownedOrphan, o.err == nil:
			remove = append(remove, o.entry)
		default:
			failed = append(failed, m.ownerFailure(ctx, owner, o.err))
		}
		if o.state == ownedAlive || o.state == ownedDamaged {
			if o.err == nil || errors.Is(o.err, ErrNotDurable) {
				n++
			}
		}
	}
	m.unlistEntries(ctx, owner, remove...)
	return n, errors.Join(failed...)
}

// endOwned ends a session of an owner's from outside.
func (m *Manager) endOwned(ctx context.Context, o *owned, reason string) error {
	limit := newDeadline(ctx, time.Now().Add(m.commitTimeout))
	defer limit.stop()
	end := m.unconfirmedEnd(o.entry.ID, nil)
	if o.state != ownedDamaged {
		end = m.unconfirmedEnd(o.entry.ID, &o.base)
	}
	err := m.remove(limit, end)
	if o.state != ownedDead && (err == nil || errors.Is(err, ErrNotDurable)) {
		m.emit(ctx, Event{
			Kind: SessionExpired, ID: o.entry.ID, Owner: o.base.owner, Reason: reason,
		})
	}
	return err
}
