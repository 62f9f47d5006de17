package core

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"
)

// maxEvictions bounds how often a sign-in makes room for itself that others take. The time is
// bounded besides.
const maxEvictions = 100

// fewEntries need not be looked through.
const fewEntries = 16

// epoch asks which epoch an owner is in, zero where the store keeps no index of owners.
func (m *Manager) epoch(ctx context.Context, owner string) (Epoch, error) {
	if m.owners == nil {
		return 0, nil
	}
	epoch, err := m.owners.OwnerEpoch(ctx, m.indexName(owner))
	if err == nil || errors.Is(err, errors.ErrUnsupported) {
		return epoch, nil
	}
	return 0, &StoreError{Op: "owner epoch", Err: err}
}

// signsIn prepares the commit of a sign-in, before the record is written. Since SetOwner looked at
// it, the moment of RevokeBefore may have become known, and so much time may have passed that the
// owner's epoch is forgotten.
func (m *Manager) signsIn(ctx context.Context, c *changes) (err error) {
	if c.owner == nil {
		return nil
	}
	in, floor := c.signIn, m.notBefore.floor()
	if in.given {
		return in.stale(now(), floor)
	}
	if in.began < floor-clockTolerance {
		return &refusedSignIn{*c.owner, "revoked", ErrSignInStale}
	}
	in.epoch, err = m.epoch(ctx, *c.owner)
	return err
}

// signIn makes the record the owner's.
func (m *Manager) signIn(b *stored, c *changes, at moment) {
	x := b.head.extension
	if c.owner != nil {
		if b.owner != *c.owner { // else the entry that there is stays the same
			x = x.withNumber(stampField, uint64(newRevision()))
		}
		b.owner = *c.owner
		x = x.withNumber(authenticatedField, uint64(c.signIn.at))
		if m.owners != nil {
			x = x.withNumber(untilField, uint64(m.listedUntil(b.created, at)))
		}
	}
	if c.level != nil {
		x = x.withLevel(*c.level)
	}
	if c.label != nil {
		x = x.with(labelField, *c.label)
	}
	b.head.extension = x
}

// listedFor is how long an entry of a session without a lifetime is kept, at least.
const listedFor = 24 * time.Hour

// listedUntil is how long the entry of a session is kept in its owner's index: as long as it can be
// alive, or, where nothing but use limits that, so long that it need not be seen to often.
func (m *Manager) listedUntil(created, at moment) moment {
	switch {
	case m.lifetime != Never:
		return created.add(m.lifetime)
	case m.idleTimeout != Never:
		return at.add(m.idleTimeout).add(max(m.idleTimeout, listedFor))
	}
	return noMoment
}

// listed bounds the end of an owner's session: what could live longer than its entry would not be
// found any more when all are revoked. An end that stands already stays.
func (m *Manager) listed(b *snapshot, end moment) moment {
	if m.owners == nil || b.owner == "" {
		return end
	}
	until := b.extension().until()
	if until == noMoment || end != noMoment && end <= until {
		return end
	}
	if b.expires == noMoment || b.expires > until {
		return earliest(end, b.expires)
	}
	return until
}

// relist has an owner's entry kept for longer, for a session that is used for longer than was to be
// expected: without a lifetime, or under one that has been made longer. The entry is there, so that
// whoever revokes everything meanwhile finds it; this one is refused then.
func (m *Manager) relist(ctx context.Context, b *snapshot, at moment) bool {
	epoch, err := m.epoch(ctx, b.owner)
	if err != nil {
		return false
	}
	next := b.unpack()
	until := m.listedUntil(next.created, at)
	next.head.extension = next.head.extension.withNumber(untilField, uint64(until))
	_, err = m.owners.AddOwned(ctx, m.indexName(b.owner), ownerEntryOf(&next), epoch, 0)
	if err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return false
	}
	next.encode(next.values(), nil)
	*b = next.snapshot
	return true
}

// ownerEntryOf is a record's entry in its owner's index.
func ownerEntryOf(b *stored) OwnerEntry {
	x := b.head.extension
	return OwnerEntry{ID: b.id, Revision: x.stamp(), Until: x.until().time()}
}

// admit adds a session to its owner's index: the record is written, and its token is not handed out
// yet. If that fails, undo makes the session what it was before. Everything of the owner may have
// been revoked since the sign-in began; then the epoch is another one. It is the order that leaves
// no gap: whoever revokes raises the epoch and lists the index in one step, and so finds the entry,
// or else the entry is refused here.
//
// A session that was the owner's before takes no further place, whatever the limit is by now.
func (m *Manager) admit(
	ctx context.Context, was string, next *stored, c *changes, undo func(context.Context),
) error {
	if m.owners == nil {
		return nil
	}
	admitted := false
	defer func() { // also after a panic in the store
		if admitted {
			return
		}
		// A store that hung has used up the commit's time.
		limit := newDetachedDeadline(ctx, time.Now().Add(m.loadTimeout))
		defer limit.stop()
		undo(limit)
	}()
	limited := m.maxPerOwner
	if was == next.owner {
		limited = 0
	}
	err := m.add(ctx, next, c.signIn.epoch, limited)
	admitted = err == nil
	return err
}

// add adds the entry, and makes room for it if need be.
func (m *Manager) add(ctx context.Context, next *stored, epoch Epoch, limit int) error {
	var lost error
	for range maxEvictions {
		n, err := m.owners.AddOwned(
			ctx, m.indexName(next.owner), ownerEntryOf(next), epoch, limit)
		switch {
		case err == nil:
			m.pruneSometimes(next.owner, n)
			return nil
		case errors.Is(err, errors.ErrUnsupported):
			return nil
		case errors.Is(err, ErrConflict):
			return &refusedSignIn{next.owner, "revoked", ErrSignInStale}
		case errors.Is(err, ErrOwnerLimit):
			if err := m.makeRoom(ctx, next); err != nil {
				return err
			}
		case errors.Is(err, ErrNotDurable): // it is there, but that is no success of the commit
			return &StoreError{Op: "add owned", ID: next.id, Err: errors.New(err.Error())}
		case lost != nil || ctx.Err() != nil:
			return &StoreError{Op: "add owned", ID: next.id, Err: err}
		default:
			lost = err // to add it a second time does no harm
		}
	}
	return &StoreError{Op: "add owned", ID: next.id, Err: errContention}
}

// makeRoom is for a sign-in that found as many entries as may be. Those without a living session go
// first, so that nobody is refused for their sake.
func (m *Manager) makeRoom(ctx context.Context, base *stored) error {
	alive, gone, err := m.verify(ctx, base.owner)
	if err != nil {
		return err
	}
	alive = slices.DeleteFunc(alive, func(o owned) bool { return o.entry.ID == base.id })
	excess := len(alive) - (m.maxPerOwner - 1)
	switch {
	case gone || excess <= 0:
		return nil
	case m.ownerPolicy == RefuseNew:
		return &refusedSignIn{base.owner, "limit", ErrOwnerLimit}
	}
	slices.SortFunc(alive, func(a, b owned) int { return cmp.Compare(a.used, b.used) })
	for _, o := range alive[:excess] {
		if err := m.endOwned(ctx, &o, "limit"); err != nil && !errors.Is(err, ErrNotDurable) {
			return err
		}
		m.unlistEntries(ctx, base.owner, o.entry)
	}
	return nil
}

// dismiss takes back a new record of a sign-in that was not admitted.
func (m *Manager) dismiss(ctx context.Context, base *snapshot) {
	m.unlist(ctx, base) // the addition may have taken effect
	end := m.unconfirmedEnd(base.id, base)
	if err := m.remove(ctx, end); err != nil && !errors.Is(err, ErrNotDurable) {
		m.confirm(ctx, end) // nobody has its token, but it may be in the owner's list
	}
}

// unlist removes the entry of a session that has ended. If that fails, whoever lists the owner's
// sessions next will find it.
func (m *Manager) unlist(ctx context.Context, base *snapshot) {
	if m.owners == nil || base.owner == "" {
		return
	}
	if stamp := base.extension().stamp(); stamp != 0 {
		m.unlistEntries(ctx, base.owner, OwnerEntry{ID: base.id, Revision: stamp})
	}
}

func (m *Manager) unlistEntries(ctx context.Context, owner string, entries ...OwnerEntry) {
	if len(entries) == 0 {
		return
	}
	limit := newDeadline(ctx, time.Now().Add(m.commitTimeout))
	defer limit.stop()
	err := m.owners.RemoveOwned(limit, m.indexName(owner), entries...)
	if err != nil && !errors.Is(err, errors.ErrUnsupported) {
		_ = m.ownerFailure(ctx, owner, &StoreError{Op: "remove owned", Err: err})
	}
}

// pruneSometimes looks through an index that has grown to twice the size, so that sessions that
// nobody ended, but time, do not pile up in it.
func (m *Manager) pruneSometimes(owner string, n int) {
	if n < fewEntries || n&(n-1) != 0 {
		return
	}
	m.pruning.after(0, func() {
		ctx, cancel := context.WithTimeout(m.pruning.context(), time.Minute)
		defer cancel()
		_, _, _ = m.verify(ctx, owner)
	})
}
