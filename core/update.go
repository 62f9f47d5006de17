package core

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// drop is for changes of a session that ended while the request ran: they go with it, as if they
// had come just before the end, unless that is not the same.
func (m *Manager) drop(ctx context.Context, s *Session, c *changes) error {
	refused := c.renew || c.owner != nil || c.takesOnce()
	s.mu.Lock()
	s.live, s.gone = false, true
	if !refused {
		s.edit().inflight = nil
	}
	id, owner := s.base.id, s.base.owner
	s.mu.Unlock()
	m.emit(ctx, Event{Kind: ChangesDropped, ID: id, Owner: owner, Reason: "session ended"})
	if refused {
		return ErrGone
	}
	return nil
}

// maxAttempts bounds how often a commit meets another one. The time is bounded besides.
const maxAttempts = 1000

var errDoubt = errors.New("it is not known whether an earlier write took effect")

var errContention = errors.New("too many requests change the session at once")

// commitChanges puts the changes on top of the newest record.
func (m *Manager) commitChanges(ctx context.Context, s *Session, c *changes) error {
	base, doubt := s.base.unpack(), s.edit().doubt
	u := &update{m: m, s: s, c: c, at: now(), base: base, fresh: base}
	if err := m.signsIn(ctx, c); err != nil {
		return u.failed(ctx, err)
	}
	if doubt != 0 || m.judge(ctx, &u.fresh.snapshot, u.at) != "" {
		// What the store holds counts: another request may have used the session meanwhile.
		if err := u.reload(ctx); err != nil {
			return u.failed(ctx, err)
		}
	}
	if doubt != 0 && u.fresh.revision != doubt {
		return u.failed(ctx, &StoreError{Op: "update", ID: u.base.id, Err: errDoubt})
	}
	for range maxAttempts {
		again, err := u.attempt(ctx)
		if err != nil && !errors.Is(err, ErrNotDurable) {
			return u.failed(ctx, err)
		}
		if !again {
			return err
		}
		u.pause(ctx)
		u.at = now()
	}
	return u.failed(ctx, &StoreError{Op: "update", ID: u.base.id, Err: errContention})
}

// An update is one commit's way from the record it began with to the newest one with its changes.
type update struct {
	m       *Manager
	s       *Session
	c       *changes
	at      moment // of this attempt
	base    stored // what the request began with
	fresh   stored // the newest record known
	dropped []string
	meeting int // how many conflicts there were
}

// settle ends the update well.
func (u *update) settle(ctx context.Context, next stored) {
	u.s.settle(next)
	for _, name := range u.dropped {
		u.m.emit(ctx, Event{
			Kind: ChangesDropped, ID: next.id, Owner: next.owner, Name: name,
			Reason: "value deleted",
		})
	}
}

// failed turns the end of the session into what it means, and makes store trouble known.
func (u *update) failed(ctx context.Context, err error) error {
	var store *StoreError
	switch {
	case errors.Is(err, ErrNotFound):
		return u.m.drop(ctx, u.s, u.c)
	case errors.As(err, &store):
		event := Event{
			Kind: StoreFailure, ID: u.base.id, Owner: u.base.owner, Reason: store.Op, Err: err,
		}
		u.m.emit(ctx, event)
	}
	return err
}

func (u *update) reload(ctx context.Context) error {
	var fresh snapshot
	err := u.m.fetch(ctx, u.base.id, &fresh)
	u.at = now()
	if err == nil {
		u.fresh = fresh.unpack()
	}
	return err
}

// attempt tries once. again says that the record changed meanwhile and fresh is newer now.
func (u *update) attempt(ctx context.Context) (again bool, err error) {
	if u.m.judge(ctx, &u.fresh.snapshot, u.at) != "" {
		return false, ErrNotFound
	}
	if err := u.mergeable(); err != nil {
		return false, err
	}
	rerun := u.c.stale || u.fresh.revision != u.base.revision
	var room patchRoom
	fresh := u.fresh.values()
	p, dropped, err := u.c.merge(room[:0], u.base.values(), fresh, rerun)
	if err == nil {
		err = u.m.checkPatch(fresh, u.c.under(fresh), p)
	}
	if err != nil {
		return false, err
	}
	u.dropped = dropped
	if len(dropped) == len(u.c.values) && u.c.nothingElse() {
		u.settle(ctx, u.fresh)
		return false, nil
	}
	next, token := u.next(p)
	return u.write(ctx, next, token)
}

// mergeable refuses what would hand the session to somebody else.
func (u *update) mergeable() error {
	if u.fresh.owner != u.base.owner {
		return ErrConflict
	}
	renews := u.c.renew || u.c.owner != nil
	if renews && !u.fresh.verifier.equal(&u.base.verifier) {
		return ErrConflict
	}
	return nil
}

// next is the record to write.
func (u *update) next(p patch) (stored, Token) {
	next := u.fresh
	u.m.signIn(&next, u.c, u.at)
	if u.c.persist != nil {
		next.setPersist(*u.c.persist)
	}
	var token Token
	if u.c.renew {
		token = newTokenFor(next.id)
		next.replace(u.m.domain.verifierOf(token.Reveal()), u.at)
	}
	if next.used > u.at+clockTolerance { // else it stays: a touch notes a use, and a sign-in
		next.used = u.at
	}
	if u.c.owner != nil {
		next.used = max(next.used, u.c.signIn.at)
	}
	next.expires = u.m.extend(&u.fresh.snapshot, next.used, u.at.add(u.m.commitTimeout))
	next.encode(u.c.under(u.fresh.values()), p)
	return next, token
}

// write updates the record, and finds out by loading what became of it where the answer is lost.
func (u *update) write(ctx context.Context, next stored, token Token) (again bool, err error) {
	before, was, rec := u.fresh, u.fresh.revision, next.record()
	var unknown error
	if u.s.edit().doubt != 0 {
		unknown = errDoubt // what an earlier Commit wrote may land at any time
	}
	store := u.m.store.Update
	if token.text != nil {
		store = u.m.renew
	}
	for range 2 {
		err := store(ctx, rec, was)
		switch {
		case err == nil:
			return false, u.done(ctx, &before, next, token, nil)
		case errors.Is(err, ErrNotDurable):
			return false, u.done(ctx, &before, next, token, err)
		case errors.Is(err, ErrNotFound):
			return false, ErrNotFound
		case errors.Is(err, ErrStoreFull) && unknown == nil:
			return false, &StoreError{Op: "update", ID: u.base.id, Err: err}
		}
		lost := u.reload(ctx)
		switch {
		case errors.Is(lost, ErrNotFound):
			return false, lost
		case lost != nil && errors.Is(err, ErrConflict) && unknown == nil:
			return false, lost
		case lost != nil:
			return false, u.unsure(was, cmp.Or(unknown, err))
		case u.fresh.revision == next.revision:
			return false, u.done(ctx, &before, next, token, u.m.confirmFound(ctx, rec))
		case errors.Is(err, ErrConflict) && unknown == nil:
			return true, nil
		case errors.Is(err, ErrConflict) || u.fresh.revision != was:
			// Somebody wrote, perhaps on top of what this commit wrote before: doing it again could
			// do it twice.
			return false, u.unsure(was, cmp.Or(unknown, err))
		}
		unknown = err
	}
	return false, u.unsure(was, unknown)
}

// unsure notes what the write of unknown outcome was on top of, for another Commit of the changes.
func (u *update) unsure(was Revision, err error) error {
	u.s.edit().doubt = was
	return &StoreError{Op: "update", ID: u.base.id, Err: err}
}

// done settles what was written on top of before.
func (u *update) done(
	ctx context.Context, before *stored, next stored, token Token, doubt error,
) error {
	if u.c.owner != nil {
		back := func(ctx context.Context) { u.m.putBack(ctx, before, &next) }
		if err := u.m.admit(ctx, before.owner, &next, u.c, back); err != nil {
			return err
		}
	}
	u.settle(ctx, next)
	if token.text != nil {
		u.m.streams.Renewed(next.id)
		u.m.owe(u.s, &next, token, u.at)
		event := Event{Kind: SessionRenewed, ID: next.id, Owner: next.owner, Reason: "renew"}
		if u.c.owner != nil {
			event.Reason = "owner"
		}
		u.m.emit(ctx, event)
	}
	if doubt == nil {
		return nil
	}
	w := ofValues
	if token.text != nil {
		w = ofRenewal
	}
	u.m.confirm(ctx, unconfirmedWrite(next.record(), before.revision, w))
	return fmt.Errorf("session %s: %w", next.id, doubt)
}

// pause lets others go first, longer with each meeting, so that many writers of one session do not
// keep each other from writing. The first two meetings cost nothing.
func (u *update) pause(ctx context.Context) {
	u.meeting++
	if u.meeting < 3 {
		return
	}
	longest := time.Millisecond << min(u.meeting-3, 4)
	timer := time.NewTimer(rand.N(longest))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
