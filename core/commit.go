package core

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"
)

// Commit stores what the request did to its session, and tells the client what it must know. An
// adapter calls it before the first byte of the response leaves, with the response's header, and
// with nil once no header can be sent any more. It may be called again: the second time it stores
// only what is new. If it fails it writes no header: the adapter takes back what the handler
// answered, calls ErrorHeader, and answers Status(err).
//
// A handler needs no Commit of its own. One that wants to know early passes nil: lines that it has
// Commit write to the response's header are taken back with the rest if a later commit fails.
//
// It is one Create or one Update under compare-and-set. Where another request wrote first, the
// changes are applied to what that one left, so that nothing is lost; where another request ended
// the session, or deleted the very value, the changes go with it. Everything together is bounded by
// CommitTimeout, and not by ctx: a client that hangs up does not lose a change that it made. But a
// client that has gone gets no new token, and what needs one is not begun.
//
// After a *StoreError the changes may be stored or not. Commit may be tried again: it stores them
// then only where they certainly are not, and fails otherwise.
//
// The errors are *StoreError, ErrNotDurable, ErrGone, ErrConflict, ErrOutdated, ErrSignInStale,
// ErrOwnerLimit, ErrCommitted, *ValueError and *OwnerError, and one that wraps context.Canceled if
// the client has gone; Status maps them. Any other is a mistake in the program.
func (m *Manager) Commit(ctx context.Context, s *Session, response ResponseHeader) error {
	if s.manager != m {
		return errors.New("session belongs to another Manager")
	}
	return m.commit(ctx, s, response, false)
}

// commit is Commit, after which, if it is the last that a header can be given to, none can be sent
// any more.
func (m *Manager) commit(
	ctx context.Context, s *Session, response ResponseHeader, last bool,
) error {
	if looked, clean := s.clean(last); clean {
		if looked && response != nil {
			m.writeVary(response)
		}
		return nil
	}
	s.committing.Lock()
	defer s.committing.Unlock()
	looked, dirty, err := s.look(response == nil)
	if dirty {
		err = m.save(ctx, s, response == nil)
	}
	if err != nil {
		m.refused(ctx, s, err)
	}
	if err == nil && response != nil {
		m.writeHeader(s, response, looked)
	}
	if last {
		s.mu.Lock()
		s.headerGone = true
		s.mu.Unlock()
	}
	return err
}

// clean reports whether the handler looked, and whether there is nothing to store and nothing to
// tell the client, as in most requests.
func (s *Session) clean(last bool) (looked, clean bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	clean = s.edits == nil && s.sent.heal == 0 && !s.late
	if clean && last {
		s.headerGone = true
	}
	return s.looked, clean
}

// look is what Commit needs to know where a session is not clean.
func (s *Session) look(noHeader bool) (looked, dirty bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.edits != nil && s.edits.pending.dirty() {
		return s.looked, true, nil
	}
	return s.looked, false, s.refusal(noHeader || s.headerGone)
}

// save carries out an end, which nothing can hold up, and then the rest.
func (m *Manager) save(ctx context.Context, s *Session, noHeader bool) error {
	clientGone := errors.Is(ctx.Err(), context.Canceled)
	limit := newDetachedDeadline(ctx, time.Now().Add(m.commitTimeout))
	defer limit.stop()
	var unconfirmed error
	c, ending, err := s.take(noHeader)
	for ending { // not only once: another goroutine may call Destroy at any time
		ended := m.commitEnd(limit, s)
		if ended != nil && !errors.Is(ended, ErrNotDurable) {
			return s.restore(ended)
		}
		if ended != nil {
			unconfirmed = ended
		}
		c, ending, err = s.take(noHeader)
	}
	switch {
	case err != nil:
		return err
	case c == nil:
		s.succeeded()
		return unconfirmed
	case clientGone && c.needsToken():
		// Not even the values are stored: those set after a renewal must not come to stand under a
		// token that somebody else may hold.
		return s.restore(fmt.Errorf("session: the client has gone: %w", context.Canceled))
	}
	err = m.apply(limit, s, c)
	if err != nil && !errors.Is(err, ErrNotDurable) {
		return s.restore(err)
	}
	s.succeeded()
	return cmp.Or(err, unconfirmed)
}

// apply stores the changes that were taken. After a panic in the store, in an Update's function or
// in Observe they are put back, so that a handler which recovers does not lose them in silence.
func (m *Manager) apply(ctx context.Context, s *Session, c *changes) (err error) {
	returned := false
	defer func() {
		if !returned {
			_ = s.restore(errors.New("session: the commit panicked"))
		}
	}()
	switch {
	case c.id != "":
		err = m.commitNew(ctx, s, c)
	case s.hasBase():
		err = m.commitChanges(ctx, s, c)
	default:
		err = m.drop(ctx, s, c)
	}
	returned = true
	return err
}

func (s *Session) succeeded() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.edits.failed = nil
}

// take moves the pending changes to where Commit works on them, so that the handler can go on.
// There may be none left, or a reason to refuse them, or an end that has to come first.
func (s *Session) take(noHeader bool) (c *changes, ending bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.edits
	if e.pending.end != "" {
		return nil, true, nil
	}
	if err := s.refusal(noHeader || s.headerGone); err != nil {
		return nil, false, err
	}
	if !e.pending.dirty() || e.pending.id == "" && !s.live && !s.gone {
		return nil, false, nil
	}
	e.taken, e.pending = e.pending, changes{}
	e.inflight = &e.taken
	return e.inflight, false, nil
}

// restore puts the changes back after a failure, below those that came meanwhile.
func (s *Session) restore(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.edits
	if e.inflight != nil {
		all := *e.inflight
		all.then(e.pending)
		e.pending, e.inflight = all, nil
	}
	e.failed = err
	return err
}

func (s *Session) hasBase() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.live
}

// settle makes a stored record what further changes are on top of.
func (s *Session) settle(base stored) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.base == nil {
		s.base = new(snapshot)
	}
	*s.base, s.live = base.snapshot, true
	s.edits.inflight, s.edits.doubt = nil, 0
	s.edits.pending.stale = len(s.edits.pending.values) > 0
}

// commitEnd carries out a Destroy. Only if that was done, what was set afterwards may begin.
func (m *Manager) commitEnd(ctx context.Context, s *Session) error {
	s.mu.Lock()
	reason, live, proof, claimed := s.edits.pending.end, s.live, s.proof, s.claim
	var base snapshot
	if s.base != nil {
		base = *s.base
	}
	s.mu.Unlock()
	if reason == "" {
		return nil
	}
	var err error
	id, owner, ended := base.id, base.owner, live
	switch {
	case live:
		if err = m.remove(ctx, m.unconfirmedEnd(id, &base)); err == nil {
			m.unlist(ctx, &base)
		}
	case proof == rightSecret: // it was alive when the request began
		owner, ended, err = m.removeClaimed(ctx, proof, &claim{id: id})
	case claimed != nil:
		id = claimed.id
		owner, ended, err = m.removeClaimed(ctx, proof, claimed)
	}
	if err != nil && !errors.Is(err, ErrNotDurable) {
		return err
	}
	s.mu.Lock()
	s.edits.pending.end, s.edits.doubt = "", 0
	s.edits.owed = owed{expire: s.sent.presented != 0}
	s.live, s.gone, s.base = false, false, nil
	s.proof, s.claim = alreadyEnded, nil
	s.mu.Unlock()
	if ended {
		m.emit(ctx, Event{Kind: SessionExpired, ID: id, Owner: owner, Reason: reason})
	}
	return err
}

// removeClaimed ends what a token claims that opened no living session when the request began.
// Since an ID is public, only the right secret, or one that it replaced, ends a record; where there
// is none the end is written all the same, for it may be a retry of one that was not confirmed.
func (m *Manager) removeClaimed(
	ctx context.Context, p proof, c *claim,
) (owner string, ended bool, err error) {
	var base snapshot
	err = m.fetch(ctx, c.id, &base)
	switch {
	case errors.Is(err, ErrNotFound):
		return "", false, m.remove(ctx, m.unconfirmedEnd(c.id, nil))
	case err != nil:
		return "", false, err
	case !base.in(&m.domain):
		return "", false, nil
	}
	whole := base.unpack()
	switch {
	case p == rightSecret, p == expired, p == oldSecret,
		base.verifies(&c.verifier), whole.outdated(&c.verifier, now()):
		if err = m.remove(ctx, m.unconfirmedEnd(c.id, &base)); err == nil {
			m.unlist(ctx, &base)
		}
		return base.owner, true, err
	}
	return "", false, nil
}

// commitNew stores a session that begins.
func (m *Manager) commitNew(ctx context.Context, s *Session, c *changes) error {
	if err := m.readyToCreate(ctx, c); err != nil {
		if !errors.Is(err, ErrSignInStale) {
			m.emit(ctx, Event{Kind: StoreFailure, ID: c.id, Reason: "create", Err: err})
		}
		return err
	}
	token := newTokenFor(c.id)
	at := now()
	var room patchRoom
	p, _, err := c.merge(room[:0], noValues, noValues, false)
	if err == nil {
		err = m.checkPatch(noValues, noValues, p)
	}
	if err != nil {
		return err
	}
	var base stored
	base.domain, base.verifier = m.domain, m.domain.verifierOf(token.Reveal())
	base.created = c.created
	if c.persist != nil {
		base.setPersist(*c.persist)
	}
	base.id, base.used, base.expires = c.id, at, m.expires(c.created, at)
	m.signIn(&base, c, at)
	base.encode(noValues, p)
	err = m.create(ctx, base.record())
	if err != nil && !errors.Is(err, ErrNotDurable) {
		m.emit(ctx, Event{Kind: StoreFailure, ID: c.id, Reason: "create", Err: err})
		return err
	}
	if c.owner != nil {
		back := func(ctx context.Context) {
			m.dismiss(ctx, &base.snapshot)
			// Its end may still have to be carried out: another attempt begins another session.
			s.mu.Lock()
			c.id = newID()
			s.mu.Unlock()
		}
		if err := m.admit(ctx, "", &base, c, back); err != nil {
			var trouble *StoreError
			if errors.As(err, &trouble) {
				m.emit(ctx, Event{Kind: StoreFailure, ID: base.id, Reason: trouble.Op, Err: err})
			}
			return err
		}
	}
	s.settle(base)
	m.owe(s, &base, token, at)
	m.emit(ctx, Event{Kind: SessionCreated, ID: base.id, Owner: base.owner})
	return err
}

// readyToCreate asks the store for what must be known before a session begins.
func (m *Manager) readyToCreate(ctx context.Context, c *changes) error {
	if !m.notBefore.fresh() {
		if err := m.learn(ctx); err != nil {
			return err
		}
		c.created = max(c.created, m.notBefore.floor())
	}
	return m.signsIn(ctx, c)
}

// create creates a record, and finds out by loading what became of it where the answer is lost.
func (m *Manager) create(ctx context.Context, rec Record) error {
	var err error
	for range 2 {
		err = m.store.Create(ctx, rec)
		if err == nil {
			return nil
		}
		if errors.Is(err, ErrNotDurable) {
			return m.createdUnconfirmed(ctx, rec, err)
		}
		if errors.Is(err, ErrStoreFull) {
			break
		}
		there, lost := m.store.Load(ctx, rec.ID)
		if lost == nil && there.Revision == rec.Revision {
			return m.createdUnconfirmed(ctx, rec, m.confirmFound(ctx, rec))
		}
		if !errors.Is(lost, ErrNotFound) {
			break
		}
	}
	return &StoreError{Op: "create", ID: rec.ID, Err: err}
}

// createdUnconfirmed sees to a record that is there, and may still have to be confirmed.
func (m *Manager) createdUnconfirmed(ctx context.Context, rec Record, err error) error {
	if err == nil {
		return nil
	}
	m.confirm(ctx, unconfirmedWrite(rec, rec.Revision, ofValues))
	return fmt.Errorf("session %s: %w", rec.ID, err)
}

// owe notes the token that the response has to bring.
func (m *Manager) owe(s *Session, base *stored, token Token, at moment) {
	debt := owed{token: token, persist: base.head.persist()}
	if end := base.created.add(m.lifetime); end != noMoment {
		debt.maxAge = max(1, end-at)
	}
	s.mu.Lock()
	s.edits.owed = debt
	s.mu.Unlock()
}

// Rollback is what an adapter does when the handler panicked: nothing is stored and no header is
// sent, but a Destroy that was called is carried out. The request is over.
func (m *Manager) Rollback(ctx context.Context, s *Session) {
	s.committing.Lock()
	defer s.committing.Unlock()
	s.mu.Lock()
	s.sealed = true
	e := s.edits
	if e != nil {
		e.pending = changes{end: e.pending.end}
		e.inflight = nil
	}
	s.mu.Unlock()
	if e == nil {
		return
	}
	limit := newDetachedDeadline(ctx, time.Now().Add(m.commitTimeout))
	defer limit.stop()
	_ = m.commitEnd(limit, s) // remove has made the failure known
	s.mu.Lock()
	e.owed = owed{}
	s.mu.Unlock()
}

// Seal is an adapter's last word on a session: the request is over, nobody will commit any more,
// and whatever is changed from now on is ErrCommitted in Err.
func (m *Manager) Seal(s *Session) {
	s.mu.Lock()
	defer s.unlock()
	s.sealed = true
	e := s.edits
	if e == nil || e.failed != nil || s.refusal(s.headerGone) != nil {
		return
	}
	if e.pending.end != "" || e.pending.id != "" || e.pending.touchesRecord() ||
		e.pending.label != nil && s.exists() {
		s.tooLate() // another goroutine changed something after the last commit
	}
}
