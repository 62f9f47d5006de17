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

// pruneEvery is how many entries an owner's index grows by until it is looked through.
const pruneEvery = 16

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

// signsIn prepares the commit of a sign-in, before the record is written.
func (m *Manager) signsIn(ctx context.Context, c *changes) (err error) {
	if c.owner != nil && !c.signIn.given {
		c.signIn.epoch, err = m.epoch(ctx, *c.owner)
	}
	return err
}

// signIn makes the record the owner's.
func (b *stored) signIn(c *changes) {
	if c.owner != nil {
		b.owner = *c.owner
		b.head.extension = b.head.extension.
			withNumber(authenticatedField, uint64(c.signIn.at)).
			withNumber(stampField, uint64(newRevision()))
	}
	if c.level != nil {
		b.head.extension = b.head.extension.withLevel(*c.level)
	}
	if c.label != nil {
		b.head.extension = b.head.extension.with(labelField, *c.label)
	}
}

// admit adds a session to its owner's index: the record is written, and its token is not handed out
// yet. After an error the session must become what it was before. Everything of the owner may have
// been revoked since the sign-in began; then the epoch is another one. It is the order that leaves
// no gap: whoever revokes raises the epoch and lists the index in one step, and so finds the entry,
// or else the entry is refused here.
func (m *Manager) admit(ctx context.Context, base *stored, epoch Epoch) error {
	if m.owners == nil {
		return nil
	}
	var lost error
	for range maxEvictions {
		n, err := m.owners.AddOwned(ctx, m.indexName(base.owner), m.entry(base), epoch, m.maxPerOwner)
		switch {
		case err == nil:
			m.pruneSometimes(base.owner, n)
			return nil
		case errors.Is(err, errors.ErrUnsupported):
			return nil
		case errors.Is(err, ErrConflict):
			m.refused(ctx, base, "revoked")
			return ErrSignInStale
		case errors.Is(err, ErrOwnerLimit):
			if err := m.makeRoom(ctx, base); err != nil {
				return err
			}
		case lost != nil || ctx.Err() != nil || errors.Is(err, ErrNotDurable):
			m.unlist(ctx, &base.snapshot)
			if errors.Is(err, ErrNotDurable) { // it is there, but that is no success of the commit
				err = errors.New(err.Error())
			}
			return &StoreError{Op: "add owned", ID: base.id, Err: err}
		default:
			lost = err // to add it a second time does no harm
		}
	}
	return &StoreError{Op: "add owned", ID: base.id, Err: errContention}
}

// entry is a record's in its owner's index.
func (m *Manager) entry(base *stored) OwnerEntry {
	until := base.created.add(m.lifetime)
	return OwnerEntry{
		ID: base.id, Revision: base.head.extension.stamp(), Until: until.time(),
	}
}

func (m *Manager) refused(ctx context.Context, base *stored, reason string) {
	m.emit(ctx, Event{Kind: SignInRefused, ID: base.id, Owner: base.owner, Reason: reason})
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
		m.refused(ctx, base, "limit")
		return ErrOwnerLimit
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
	end := m.unconfirmedEnd(base.id, base)
	if err := m.remove(ctx, end); err != nil && !errors.Is(err, ErrNotDurable) {
		m.confirm(ctx, end) // nobody has its token, but it may be in the owner's list
	}
}

// putBack makes a record what it was before a sign-in that was not admitted. Values that came to it
// meanwhile stay.
func (m *Manager) putBack(ctx context.Context, was, next *stored) {
	restored, newest := *was, next.revision
	restored.revision = newRevision()
	var err error
	for range 5 {
		if err = m.store.Update(ctx, restored.record(), newest); err == nil ||
			errors.Is(err, ErrNotFound) || errors.Is(err, ErrNotDurable) {
			return
		}
		var now snapshot
		if m.fetch(ctx, was.id, &now) != nil {
			continue
		}
		whole := now.unpack()
		switch {
		case now.revision == restored.revision, !whole.verifier.equal(&next.verifier):
			return // it is done, or somebody has gone on from there
		case now.revision != newest:
			newest = now.revision
			restored = whole
			restored.owner, restored.head = was.owner, was.head
			restored.encode(now.values(), nil)
		}
	}
	err = &StoreError{Op: "update", ID: was.id, Err: err}
	m.emit(ctx, Event{Kind: StoreFailure, ID: was.id, Reason: "put back", Err: err})
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
	err := m.owners.RemoveOwned(ctx, m.indexName(owner), entries...)
	if err != nil && !errors.Is(err, errors.ErrUnsupported) {
		_ = m.ownerFailure(ctx, owner, &StoreError{Op: "remove owned", Err: err})
	}
}

// pruneSometimes looks through an index that has grown, so that sessions that nobody ended, but
// time, do not pile up in it.
func (m *Manager) pruneSometimes(owner string, n int) {
	if n == 0 || n%pruneEvery != 0 {
		return
	}
	m.pruning.after(0, func() {
		ctx, cancel := context.WithTimeout(m.pruning.context(), time.Minute)
		defer cancel()
		_, _, _ = m.verify(ctx, owner)
	})
}
