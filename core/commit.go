package core

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"
)

// Commit stores what the request did to its session, and tells the client what it must know. An
// adapter calls it before the first byte of the response leaves, with the response's header, and
// with nil once no header can be sent any more. It may be called again: the second time it stores
// only what is new. If it fails it writes no header: the adapter takes back what the handler
// answered, calls ErrorHeader, and answers Status(err).
//
// It is one Create or one Update under compare-and-set. Where another request wrote first, the
// changes are applied to what that one left, so that nothing is lost; where another request ended
// the session, or deleted the very value, the changes go with it. Everything together is bounded by
// CommitTimeout, and not by ctx: a client that hangs up does not lose a change that it made. But a
// client that has gone gets no new token, and what needs one is not begun.
//
// The errors are *StoreError, ErrNotDurable, ErrGone, ErrConflict, ErrOutdated, ErrCommitted,
// *ValueError and *OwnerError; Status maps them.
func (m *Manager) Commit(ctx context.Context, s *Session, response ResponseHeader) error {
	if s.manager != m {
		return errors.New("session belongs to another Manager")
	}
	s.committing.Lock()
	defer s.committing.Unlock()
	looked, dirty, refusal := s.state(response == nil)
	if dirty {
		if err := m.save(ctx, s, refusal); err != nil {
			return err
		}
	} else if refusal != nil {
		return refusal
	}
	if response != nil {
		m.writeHeader(s, response, looked)
	}
	return nil
}

// state is what Commit needs to know first.
func (s *Session) state(noHeader bool) (looked, dirty bool, refusal error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.looked, s.pending.dirty(), s.refusal(noHeader || s.headerGone)
}

// save carries out an end, which nothing can hold up, and then the rest.
func (m *Manager) save(ctx context.Context, s *Session, refusal error) error {
	clientGone := errors.Is(ctx.Err(), context.Canceled)
	limit := newDeadline(context.WithoutCancel(ctx), time.Now().Add(m.commitTimeout))
	defer limit.stop()
	unconfirmed := m.commitEnd(limit, s)
	if unconfirmed != nil && !errors.Is(unconfirmed, ErrNotDurable) {
		return s.restore(unconfirmed)
	}
	if refusal != nil {
		return refusal
	}
	c := s.take()
	if c == nil {
		return unconfirmed
	}
	if clientGone && c.needsToken() {
		// Not even the values are stored: those set after a renewal must not come to stand under a
		// token that somebody else may hold.
		return s.restore(fmt.Errorf("session: the client has gone: %w", context.Canceled))
	}
	var err error
	switch {
	case c.id != "":
		err = m.commitNew(limit, s, c)
	case s.hasBase():
		err = m.commitChanges(limit, s, c)
	default:
		err = m.drop(ctx, s, c)
	}
	if err != nil && !errors.Is(err, ErrNotDurable) {
		return s.restore(err)
	}
	if err == nil {
		err = unconfirmed
	}
	s.mu.Lock()
	s.failed = nil
	s.mu.Unlock()
	return err
}

// take moves the pending changes to where Commit works on them, so that the handler can go on.
func (s *Session) take() *changes {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.pending.dirty() || s.pending.id == "" && !s.live && !s.gone {
		return nil
	}
	c := s.pending
	s.pending = changes{}
	s.inflight = &c
	return &c
}

// restore puts the changes back after a failure, below those that came meanwhile.
func (s *Session) restore(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.inflight != nil {
		all := *s.inflight
		all.then(s.pending)
		s.pending, s.inflight = all, nil
	}
	s.failed = err
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
	s.base, s.live, s.inflight = base, true, nil
	s.turn++
}

// commitEnd carries out a Destroy. Only if that was done, what was set afterwards may begin.
func (m *Manager) commitEnd(ctx context.Context, s *Session) error {
	s.mu.Lock()
	reason, live, base, claimed := s.pending.end, s.live, s.base, s.claim
	s.mu.Unlock()
	if reason == "" {
		return nil
	}
	var err error
	switch {
	case live:
		err = m.remove(ctx, base.ID, momentOf(base.Expires))
	case claimed.proof != noToken && claimed.proof != alreadyEnded:
		err = m.removeClaimed(ctx, &claimed)
	}
	if err != nil && !errors.Is(err, ErrNotDurable) {
		return err
	}
	s.mu.Lock()
	s.pending.end = ""
	s.live, s.gone, s.base = false, false, stored{}
	s.claim = claim{proof: alreadyEnded}
	s.owed = owed{expire: s.found.presented != 0}
	s.turn++
	s.mu.Unlock()
	if live {
		m.emit(ctx, Event{Kind: SessionExpired, ID: base.ID, Owner: base.Owner, Reason: reason})
	}
	return err
}

// removeClaimed ends what a token claims that opened no living session when the request began. Since
// an ID is public, only the right secret, or one that it replaced, ends a record; where there is
// none the end is written all the same, for it may be a retry of one that was not confirmed.
func (m *Manager) removeClaimed(ctx context.Context, c *claim) error {
	base, err := m.fetch(ctx, c.id)
	switch {
	case errors.Is(err, ErrNotFound):
		return m.remove(ctx, c.id, m.confirmUntil(nil, false))
	case err != nil:
		return err
	case base.domain != m.domain:
		return nil
	case base.verifier.equal(&c.verifier) || c.proof == oldSecret || base.previous.find(&c.verifier) != noMoment:
		return m.remove(ctx, c.id, momentOf(base.Expires))
	}
	return nil
}

// commitNew stores a session that begins.
func (m *Manager) commitNew(ctx context.Context, s *Session, c *changes) error {
	token := newTokenFor(c.id)
	at := now()
	next, _, err := c.merge(noValues, noValues, true)
	if err == nil {
		err = m.checkSize(next)
	}
	if err != nil {
		return err
	}
	base := stored{values: next}
	base.domain, base.verifier = m.domain, m.domain.verifierOf(token.text)
	base.created = c.created
	if c.persist != nil {
		base.setPersist(*c.persist)
	}
	base.Record = Record{ID: c.id, Used: at.time(), Expires: m.expires(c.created, at).time()}
	if c.owner != nil {
		base.Owner = *c.owner
	}
	base.seal()
	err = m.create(ctx, base.Record)
	if err != nil && !errors.Is(err, ErrNotDurable) {
		m.emit(ctx, Event{Kind: StoreFailure, ID: c.id, Reason: "create", Err: err})
		return err
	}
	s.settle(base)
	m.owe(s, &base, token)
	m.emit(ctx, Event{Kind: SessionCreated, ID: base.ID, Owner: base.Owner})
	return err
}

// seal writes the frame and gives the record a new Revision.
func (b *stored) seal() {
	frame := b.head.append(make([]byte, 0, fixedHeadSize+maxPrevious*previousSize+len(b.values)))
	head := len(frame)
	frame = append(frame, b.values...)
	b.Data = string(frame)
	b.values = values(b.Data[head:])
	b.Revision = newRevision()
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
			m.confirm(ctx, unconfirmed{id: rec.ID, rec: &rec, until: momentOf(rec.Expires)})
			return fmt.Errorf("session %s: %w", rec.ID, err)
		}
		there, lost := m.store.Load(ctx, rec.ID)
		if lost == nil && there.Revision == rec.Revision {
			return nil
		}
		if !errors.Is(lost, ErrNotFound) {
			break
		}
	}
	return &StoreError{Op: "create", ID: rec.ID, Err: err}
}

// owe notes the token that the response has to bring.
func (m *Manager) owe(s *Session, base *stored, token Token) {
	debt := owed{token: token.text, persist: base.persist()}
	if end := base.created.add(m.lifetime); end != noMoment {
		debt.maxAge = max(1, end-now())
	}
	s.mu.Lock()
	s.owed = debt
	s.mu.Unlock()
}

// drop is for changes of a session that ended while the request ran: they go with it, as if they had
// come just before the end, unless that is not the same.
func (m *Manager) drop(ctx context.Context, s *Session, c *changes) error {
	s.mu.Lock()
	s.live, s.gone, s.inflight = false, true, nil
	s.turn++
	id, owner := s.base.ID, s.base.Owner
	s.mu.Unlock()
	m.emit(ctx, Event{Kind: ChangesDropped, ID: id, Owner: owner, Reason: "session ended"})
	if c.renew || c.owner != nil || c.takesOnce() {
		return ErrGone
	}
	return nil
}

// maxAttempts bounds how often a commit meets another one. The time is bounded besides.
const maxAttempts = 1000

var errContention = errors.New("too many requests change the session at once")

// commitChanges puts the changes on top of the newest record.
func (m *Manager) commitChanges(ctx context.Context, s *Session, c *changes) error {
	u := &update{m: m, s: s, c: c, base: s.base, fresh: s.base}
	if m.judge(ctx, &u.fresh, now()) != "" {
		// What the store holds counts: another request may have used the session meanwhile.
		if err := u.reload(ctx); err != nil {
			return u.failed(ctx, err)
		}
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
	}
	return u.failed(ctx, &StoreError{Op: "update", ID: u.base.ID, Err: errContention})
}

// An update is one commit's way from the record it began with to the newest one with its changes.
type update struct {
	m       *Manager
	s       *Session
	c       *changes
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
			Kind: ChangesDropped, ID: next.ID, Owner: next.Owner, Name: name,
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
			Kind: StoreFailure, ID: u.base.ID, Owner: u.base.Owner, Reason: store.Op, Err: err,
		}
		u.m.emit(ctx, event)
	}
	return err
}

func (u *update) reload(ctx context.Context) error {
	fresh, err := u.m.fetch(ctx, u.base.ID)
	if err == nil {
		u.fresh = fresh
	}
	return err
}

// attempt tries once. again says that the record changed meanwhile and fresh is newer now.
func (u *update) attempt(ctx context.Context) (again bool, err error) {
	if u.m.judge(ctx, &u.fresh, now()) != "" {
		return false, ErrNotFound
	}
	if err := u.mergeable(); err != nil {
		return false, err
	}
	same := u.fresh.Revision == u.base.Revision
	merged, dropped, err := u.c.merge(u.base.values, u.fresh.values, same)
	if err == nil && merged != u.fresh.values {
		err = u.m.checkSize(merged)
	}
	if err != nil {
		return false, err
	}
	u.dropped = dropped
	if len(dropped) == len(u.c.values) && !u.c.renew && u.c.owner == nil &&
		!u.c.clear && u.c.persist == nil {
		u.settle(ctx, u.fresh)
		return false, nil
	}
	next, token := u.next(merged)
	return u.write(ctx, next, token)
}

// mergeable refuses what would hand the session to somebody else.
func (u *update) mergeable() error {
	if u.fresh.Owner != u.base.Owner {
		return ErrConflict
	}
	renews := u.c.renew || u.c.owner != nil
	if renews && !u.fresh.verifier.equal(&u.base.verifier) {
		return ErrConflict
	}
	return nil
}

// next is the record to write.
func (u *update) next(merged values) (stored, Token) {
	next := u.fresh
	next.values = merged
	if u.c.owner != nil {
		next.Owner = *u.c.owner
	}
	if u.c.persist != nil {
		next.setPersist(*u.c.persist)
	}
	var token Token
	if u.c.renew {
		token = newTokenFor(next.ID)
		next.replace(u.m.domain.verifierOf(token.text), now())
	}
	at := now()
	used := momentOf(next.Used)
	if used > at+clockTolerance {
		used = at
	}
	used = max(used, u.s.begun)
	next.Used = used.time()
	next.Expires = u.m.expires(next.created, used).time()
	next.seal()
	return next, token
}

// write updates the record, and finds out by loading what became of it where the answer is lost.
func (u *update) write(ctx context.Context, next stored, token Token) (again bool, err error) {
	was := u.fresh.Revision
	var unknown error
	for range 2 {
		err := u.m.store.Update(ctx, next.Record, was)
		switch {
		case err == nil:
			return false, u.done(ctx, next, token, nil)
		case errors.Is(err, ErrNotDurable):
			return false, u.done(ctx, next, token, err)
		case errors.Is(err, ErrNotFound):
			return false, ErrNotFound
		}
		lost := u.reload(ctx)
		switch {
		case errors.Is(lost, ErrNotFound):
			return false, lost
		case lost != nil:
			if errors.Is(err, ErrConflict) {
				return false, lost
			}
			return false, &StoreError{Op: "update", ID: next.ID, Err: err}
		case u.fresh.Revision == next.Revision:
			return false, u.done(ctx, next, token, nil)
		case errors.Is(err, ErrConflict) && unknown == nil:
			return true, nil
		case errors.Is(err, ErrConflict) || u.fresh.Revision != was:
			// Somebody wrote, perhaps on top of what this commit wrote before: doing it again could
			// do it twice.
			if unknown == nil {
				unknown = err
			}
			return false, &StoreError{Op: "update", ID: next.ID, Err: unknown}
		}
		unknown = err
	}
	return false, &StoreError{Op: "update", ID: next.ID, Err: unknown}
}

// done settles what was written.
func (u *update) done(ctx context.Context, next stored, token Token, doubt error) error {
	u.settle(ctx, next)
	if token.text != "" {
		u.m.owe(u.s, &next, token)
		event := Event{Kind: SessionRenewed, ID: next.ID, Owner: next.Owner, Reason: "renew"}
		if u.c.owner != nil {
			event.Reason = "owner"
		}
		u.m.emit(ctx, event)
	}
	if doubt == nil {
		return nil
	}
	job := unconfirmed{id: next.ID, rec: &next.Record, until: momentOf(next.Expires)}
	u.m.confirm(ctx, job)
	return fmt.Errorf("session %s: %w", next.ID, doubt)
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

// Rollback is what an adapter does when the handler panicked: nothing is stored and no header is
// sent, but a Destroy that was called is carried out. The request is over.
func (m *Manager) Rollback(ctx context.Context, s *Session) {
	s.committing.Lock()
	defer s.committing.Unlock()
	s.mu.Lock()
	s.pending = changes{end: s.pending.end}
	s.inflight, s.sealed = nil, true
	s.mu.Unlock()
	limit := newDeadline(context.WithoutCancel(ctx), time.Now().Add(m.commitTimeout))
	defer limit.stop()
	_ = m.commitEnd(limit, s) // remove has made the failure known
	s.mu.Lock()
	s.owed = owed{}
	s.mu.Unlock()
}

// Seal is an adapter's last word on a session: the request is over, nobody will commit any more, and
// whatever is changed from now on is ErrCommitted in Err.
func (m *Manager) Seal(s *Session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sealed = true
}

// ErrorHeader is what an adapter adds to the header of its error page when Begin (with a nil
// Session) or Commit failed, after it took back what the handler had set: Retry-After to a 503,
// Vary, and what the client must be told although the answer is an error, because it took effect.
func (m *Manager) ErrorHeader(s *Session, err error, response ResponseHeader) {
	if Status(err) == http.StatusServiceUnavailable {
		response.Set("Retry-After", "1")
	}
	if s == nil {
		m.writeVary(response)
		return
	}
	m.writeHeader(s, response, true)
}

// writeHeader tells the client what is owed to it.
func (m *Manager) writeHeader(s *Session, response ResponseHeader, looked bool) {
	s.mu.Lock()
	debt, heal := s.owed, s.found.heal
	s.owed, s.found.heal = owed{}, 0
	presented, present := s.found.presented, s.found.present
	s.mu.Unlock()
	if debt.token == "" && !debt.expire && heal == 0 {
		if looked {
			m.writeVary(response)
		}
		return
	}
	if presented == 0 {
		presented.put(m.firstOf(present))
	}
	for i, c := range m.carriers {
		if !presented.has(i) {
			continue
		}
		switch {
		case debt.token != "":
			c.issue(response, debt.token, debt.persist, debt.maxAge)
		case debt.expire:
			c.expire(response)
		}
		if heal.has(i) {
			c.heal(response, debt.token != "" || debt.expire)
		}
	}
	response.Set("Cache-Control", "no-store")
	m.writeVary(response)
}

// firstOf is the carrier for a client that holds no token: the first whose own name is in the
// request, else the first.
func (m *Manager) firstOf(present carrierSet) int {
	for i := range m.carriers {
		if present.has(i) {
			return i
		}
	}
	return 0
}

func (m *Manager) writeVary(response ResponseHeader) {
	for _, name := range m.vary {
		addToList(response, "Vary", name)
	}
}
