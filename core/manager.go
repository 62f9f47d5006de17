package core

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"
)

// A Manager begins and commits the sessions of requests. Most programs make one with New, give it
// to their framework's adapter, and need nothing else of it. It is safe for concurrent use.
type Manager struct {
	store    Store
	memory   *MemoryStore // the store, if it is one
	toucher  Toucher      // nil if the store is none
	renewer  Renewer      // nil if the store is none
	owners   OwnerIndex   // nil if the store is none
	marker   Marker       // nil if the store is none
	carriers []carrier
	vary     []string
	domain   domain

	maxPerOwner int
	ownerPolicy LimitPolicy
	notBefore   notBefore

	lifetime, idleTimeout      time.Duration
	touchInterval              moment
	maxData                    int
	loadTimeout, commitTimeout time.Duration

	logger  *slog.Logger
	observe func(context.Context, Event)

	opened  *outcome        // of a commit that went well
	ended   *derivedContext // of a request that is over, though nobody waited for it
	sweeper background
	unsure  confirmations
	pruning background
	streams streams
}

// New makes a Manager. It does no I/O. If the Config is at fault it returns every fault at once,
// each a *ConfigError, joined.
func New(cfg Config) (*Manager, error) {
	cfg = cfg.withDefaults()
	if err := cfg.check(); err != nil {
		return nil, err
	}
	if cfg.ObserveStore != nil {
		cfg.Store = newObservedStore(cfg.Store, cfg.ObserveStore)
	}
	m := &Manager{
		store:         cfg.Store,
		carriers:      cfg.Carrier.flatten(nil),
		domain:        newDomain(cfg.Namespace),
		maxPerOwner:   cfg.MaxPerOwner,
		ownerPolicy:   cfg.OwnerPolicy,
		lifetime:      cfg.Lifetime,
		idleTimeout:   cfg.IdleTimeout,
		touchInterval: moment(cfg.TouchInterval.Milliseconds()),
		maxData:       cfg.MaxData,
		loadTimeout:   cfg.LoadTimeout,
		commitTimeout: cfg.CommitTimeout,
		logger:        cfg.Logger,
		observe:       cfg.Observe,
	}
	m.vary = varyOf(m.carriers)
	m.opened, m.ended = new(outcome), endedContext()
	m.memory, _ = cfg.Store.(*MemoryStore)
	m.toucher, _ = cfg.Store.(Toucher)
	m.renewer, _ = cfg.Store.(Renewer)
	m.owners, _ = cfg.Store.(OwnerIndex)
	m.marker, _ = cfg.Store.(Marker)
	m.notBefore.raise(momentOf(cfg.NotBefore))
	m.streams.init(m)
	if s, ok := cfg.Store.(Sweeper); ok {
		m.sweeper.after(sweepInterval, func() { m.sweep(s) })
	}
	return m, nil
}

// Format writes a fixed text, whatever the verb: what a Manager holds is not for a log.
func (m *Manager) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[session manager]") }

// Close ends the Manager's work in the background and waits for what is under way. It cancels what
// Session.Live has returned, since nobody watches any more, and does not close the store. If ends or
// renewals are still not confirmed, it returns an error that wraps ErrNotDurable, names them, and
// says how many more were given up since New. A closed Manager still serves requests, but learns of
// no RevokeBefore of another one any more.
func (m *Manager) Close() error {
	m.sweeper.stop()
	m.notBefore.polling.stop()
	m.pruning.stop()
	m.streams.stop()
	return m.unsure.stop()
}

// sweep removes what has expired, a minute late because nodes' clocks may differ. A failure is
// tried again at the next turn.
func (m *Manager) sweep(s Sweeper) {
	ctx, cancel := context.WithTimeout(m.sweeper.context(), sweepInterval)
	defer cancel()
	limit := (now() - clockTolerance).time()
	n, err := 1, error(nil)
	for ctx.Err() == nil && err == nil && n > 0 {
		n, err = s.DeleteExpired(ctx, limit)
	}
	if errors.Is(err, errors.ErrUnsupported) {
		return
	}
	if err != nil && ctx.Err() == nil {
		m.emit(ctx, Event{Kind: StoreFailure, Reason: "sweep", Err: err})
	}
	m.sweeper.after(sweepInterval, func() { m.sweep(s) })
}

// Begin is the first thing an adapter does with a request. It loads the session if the request
// holds exactly one well-formed token, and costs no access to a store otherwise. (A MemoryStore,
// for which that is cheaper, may look for an ID before the rest of a token is found to be
// ill-formed.) The error is a *StoreError, and there is no Session then: no handler may run, and
// the answer is Status and ErrorHeader, for an outage must never look like a visitor who is not
// signed in.
func (m *Manager) Begin(ctx context.Context, request RequestHeader) (*Session, error) {
	return m.begin(ctx, request, false)
}

// BeginPassive is Begin for a request that no user has made: one that a page sends by itself, to
// ask for news or to show how long the session will last. It notes no use, so that the idle timeout
// comes when the user has been away that long, and not when the page was closed.
func (m *Manager) BeginPassive(ctx context.Context, request RequestHeader) (*Session, error) {
	return m.begin(ctx, request, true)
}

func (m *Manager) begin(
	ctx context.Context, request RequestHeader, passive bool,
) (*Session, error) {
	var f found
	for i, c := range m.carriers {
		f.carrier = uint8(i)
		f = c.collect(request, f)
	}
	if f.distinct == 1 && m.mayLookUp(f.token) {
		s := &loadedSession{Session: Session{manager: m, sent: f.sent}}
		if err := m.load(ctx, s, f.token, passive); err != nil {
			return nil, err
		}
		return &s.Session, nil
	}
	switch {
	case f.distinct > 1:
		m.emit(ctx, Event{Kind: TokenAmbiguous})
	case f.distinct == 1:
		m.emit(ctx, Event{Kind: TokenMalformed})
	}
	return &Session{manager: m, sent: f.sent}, nil
}

// mayLookUp reports whether a token is so well formed that a store may be asked. A MemoryStore only
// sees the ID, and asking it costs less than looking at the rest, which load does if need be.
func (m *Manager) mayLookUp(token string) bool {
	if m.memory == nil || len(token) != TokenLength {
		return wellFormed(token, TokenLength)
	}
	return wellFormed(token[:IDLength], IDLength)
}

// load looks at what the token claims.
func (m *Manager) load(
	ctx context.Context, s *loadedSession, token string, passive bool,
) error {
	at := time.Now()
	verifier := m.domain.verifierOf(token)
	base := &s.record
	id, err := m.lookUp(ctx, token, at, base)
	var event Event
	switch {
	case err == nil:
		s.proof, event = m.prove(ctx, base, &verifier, momentOf(at))
	case errors.Is(err, ErrNotFound):
		s.proof, event = noRecord, Event{Kind: TokenUnknown, ID: id}
		err = nil
	default:
		event = Event{Kind: StoreFailure, ID: id, Reason: "load", Err: err}
	}
	if s.proof == rightSecret {
		s.base, s.live = base, true
		if momentOf(at)-s.base.used > m.touchInterval && !passive {
			m.touch(ctx, &s.Session, momentOf(at))
		}
		return nil
	}
	s.record = snapshot{} // it may be somebody else's
	if !wellFormed(token, TokenLength) {
		s.proof = noToken
		m.emit(ctx, Event{Kind: TokenMalformed})
		return nil
	}
	s.claim = &claim{ID(strings.Clone(string(id))), verifier} // not a part of the record's text
	m.emit(ctx, event)
	return err
}

// lookUp fetches the record that a token names. The token is the request's own string, and a
// secret: nothing that lasts may be a part of it. Only the MemoryStore is known to keep nothing of
// what it is asked for, and never to wait.
func (m *Manager) lookUp(
	ctx context.Context, token string, at time.Time, base *snapshot,
) (id ID, err error) {
	if m.memory != nil {
		err = m.fetch(ctx, ID(token[:IDLength]), base)
		if err == nil {
			return base.id, nil
		}
		id = ID(strings.Clone(token[:IDLength]))
		var damaged *StoreError
		if errors.As(err, &damaged) {
			damaged.ID = id
		}
		return id, err
	}
	id = ID(strings.Clone(token[:IDLength]))
	limit := newDeadline(ctx, at.Add(m.loadTimeout))
	defer limit.stop()
	return id, m.fetch(limit, id, base)
}

// prove compares what a token claims with the record. The event is for any other outcome than
// rightSecret.
func (m *Manager) prove(
	ctx context.Context, base *snapshot, v *verifier, at moment,
) (p proof, e Event) {
	switch {
	case !base.in(&m.domain):
	case base.verifies(v):
		reason := m.judge(ctx, base, at)
		if reason == "" {
			return rightSecret, e
		}
		return expired, Event{
			Kind: SessionUseAfterExpire, ID: base.id, Owner: base.owner, Reason: reason,
		}
	default:
		if whole := base.unpack(); whole.outdated(v, at) {
			return oldSecret, Event{Kind: TokenOutdated, ID: base.id, Owner: base.owner}
		}
	}
	return wrongSecret, Event{Kind: TokenUnknown, ID: base.id}
}

// fetch loads a record into base and checks it. Its error wraps ErrNotFound or is a
// *StoreError.
func (m *Manager) fetch(ctx context.Context, id ID, base *snapshot) error {
	if !m.notBefore.fresh() {
		if err := m.learn(ctx); err != nil {
			return err
		}
	}
	if m.memory != nil {
		if !m.memory.recall(id, base) {
			return ErrNotFound
		}
	} else if err := m.ask(ctx, id, base); err != nil {
		return err
	}
	if err := base.check(); err != nil {
		return &StoreError{Op: "load", ID: id, Err: err}
	}
	return nil
}

// ask is fetch for a store that may be anywhere.
func (m *Manager) ask(ctx context.Context, id ID, base *snapshot) error {
	rec, err := m.store.Load(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return ErrNotFound
	}
	if err == nil && rec.ID != id {
		err = errors.New("answered with another record")
	}
	if err != nil {
		return &StoreError{Op: "load", ID: id, Err: err}
	}
	*base = snapshotOf(&rec)
	return nil
}

// judge says why a record is dead at a moment, "" if it is alive. Equality is dead.
func (m *Manager) judge(ctx context.Context, base *snapshot, at moment) string {
	created, used := base.createdAt(), base.used
	// What has begun since RevokeBefore may be dated ahead by more than clocks differ.
	if ahead := max(at+clockTolerance, m.notBefore.floor()); created > ahead || used > ahead {
		m.emit(ctx, Event{Kind: ClockAhead, ID: base.id, Owner: base.owner})
	}
	over := func(end moment) bool { return end != noMoment && at >= end }
	switch {
	case created < m.notBefore.floor():
		return "revoked"
	case over(created.add(m.lifetime)):
		return "lifetime"
	case over(used.add(m.idleTimeout)), over(base.expires):
		return "idle"
	}
	return ""
}

// expires is the end that follows from the Config.
func (m *Manager) expires(created, used moment) moment {
	return earliest(created.add(m.lifetime), used.add(m.idleTimeout))
}

// end is when a session ends unless it is used.
func (m *Manager) end(base *snapshot) moment {
	return earliest(m.expires(base.createdAt(), base.used), base.expires)
}

// extend is the end of a record with a later use, or under a Config with longer timeouts. An end
// that comes before the write must be over stays, or a write that lands late would bring the
// session back.
func (m *Manager) extend(base *snapshot, used, over moment) moment {
	end, was := m.listed(base, m.expires(base.createdAt(), used)), base.expires
	if was != noMoment && was <= over {
		return earliest(end, was)
	}
	return end
}

// touch notes a use, for enough idle time has passed. It cannot fail a request: at worst the
// session ends a little early.
func (m *Manager) touch(ctx context.Context, s *Session, at moment) {
	// A touch that lands after the end would bring the session back: the last moments are not used.
	margin := min(moment(m.commitTimeout.Milliseconds()), m.touchInterval)
	created := s.base.createdAt()
	end := m.end(s.base)
	if end != noMoment && end-at <= margin {
		return
	}
	limit := newDeadline(ctx, time.Now().Add(min(touchTimeout, m.loadTimeout)))
	defer limit.stop()
	next := *s.base
	next.revision, next.used = newRevision(), at
	next.expires = m.expires(created, at)
	relisted := false
	if end := m.listed(s.base, next.expires); end != next.expires {
		if relisted = m.relist(limit, &next, at); !relisted {
			next.expires = end
		}
	}
	rec, err := next.record(), errors.ErrUnsupported
	if m.toucher != nil && !relisted {
		err = m.toucher.Touch(limit, rec, s.base.revision)
	}
	if errors.Is(err, errors.ErrUnsupported) {
		err = m.store.Update(limit, rec, s.base.revision)
	}
	switch {
	case err == nil, errors.Is(err, ErrNotDurable):
		*s.base = next
	case errors.Is(err, ErrConflict): // somebody else noted a use, or more
	case errors.Is(err, ErrNotFound):
		s.live, s.proof = false, noRecord
		s.claim = &claim{rec.ID, s.base.unpack().verifier}
		m.emit(ctx, Event{Kind: TokenUnknown, ID: rec.ID})
	default:
		m.emit(ctx, Event{Kind: StoreFailure, ID: rec.ID, Reason: "touch", Err: err})
	}
}

// Open takes hold of a session from outside a request, by its public name: for jobs in the
// background, and streams that outlive their handler. It notes no use and needs no token; save with
// Commit(ctx, s, nil). Renew, SetOwner and what else needs a new token is ErrCommitted there. The
// error is ErrNotFound if no session of that ID is alive, or a *StoreError.
func (m *Manager) Open(ctx context.Context, id ID) (*Session, error) {
	if !wellFormed(string(id), IDLength) {
		return nil, ErrNotFound
	}
	id = ID(strings.Clone(string(id))) // it may be a view of a framework's buffer
	at := time.Now()
	limit := newDeadline(ctx, at.Add(m.loadTimeout))
	defer limit.stop()
	var base snapshot
	err := m.fetch(limit, id, &base)
	if err != nil {
		return nil, err
	}
	if !base.in(&m.domain) || m.judge(ctx, &base, momentOf(at)) != "" {
		return nil, ErrNotFound
	}
	return &Session{manager: m, headerGone: true, base: &base, live: true}, nil
}

// Revoke ends a session from outside, by its public name. It is no error, and has no effect, if
// there is none. The error is a *StoreError, after which the session may or may not have ended, or
// wraps ErrNotDurable.
func (m *Manager) Revoke(ctx context.Context, id ID) error {
	if !wellFormed(string(id), IDLength) {
		return nil
	}
	id = ID(strings.Clone(string(id))) // it may be a view of a framework's buffer
	limit := newDeadline(ctx, time.Now().Add(m.commitTimeout))
	defer limit.stop()
	var base snapshot
	err := m.fetch(limit, id, &base)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	found := err == nil
	if found && !base.in(&m.domain) {
		return nil
	}
	end := m.unconfirmedEnd(id, nil)
	if found {
		end = m.unconfirmedEnd(id, &base)
	}
	err = m.remove(limit, end)
	if found && (err == nil || errors.Is(err, ErrNotDurable)) {
		m.emit(ctx, Event{Kind: SessionExpired, ID: id, Owner: base.owner, Reason: "revoked"})
	}
	if found && err == nil {
		m.unlist(limit, &base)
	}
	return err
}

// remove deletes a record, and tries again once if the outcome is unknown, since deleting twice
// does no harm. end is what is confirmed later if it is not at once.
func (m *Manager) remove(ctx context.Context, end unconfirmed) error {
	id := end.id
	err := m.store.Delete(ctx, id)
	if err != nil && !errors.Is(err, ErrNotDurable) && ctx.Err() == nil {
		err = m.store.Delete(ctx, id)
	}
	switch {
	case err == nil:
		m.streams.Ended(id)
		return nil
	case errors.Is(err, ErrNotDurable):
		m.streams.Ended(id)
		m.confirm(ctx, end)
		return fmt.Errorf("session %s: %w", id, err)
	}
	err = &StoreError{Op: "delete", ID: id, Err: err}
	m.emit(ctx, Event{Kind: StoreFailure, ID: id, Reason: "delete", Err: err})
	return err
}

// renew updates a record so that it is confirmed as an end is, where the store can.
func (m *Manager) renew(ctx context.Context, rec Record, was Revision) error {
	err := errors.ErrUnsupported
	if m.renewer != nil {
		err = m.renewer.Renew(ctx, rec, was)
	}
	if errors.Is(err, errors.ErrUnsupported) {
		err = m.store.Update(ctx, rec, was)
	}
	return err
}

// confirmFound is for a write whose answer was lost, and which a Load has found: that it is there
// does not say that it is confirmed. Where the store can confirm, it is written once more.
func (m *Manager) confirmFound(ctx context.Context, rec Record) error {
	if m.renewer == nil {
		return nil
	}
	err := m.renewer.Renew(ctx, rec, rec.Revision)
	if err == nil || errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	if errors.Is(err, ErrConflict) || errors.Is(err, ErrNotFound) {
		return fmt.Errorf("%w: %v", ErrNotDurable, err) // no verdict on the commit, which took effect
	}
	return fmt.Errorf("%w: %w", ErrNotDurable, err)
}

// checkPatch bounds what a session may hold. What is too large already, by a smaller MaxData, may
// not grow.
func (m *Manager) checkPatch(was, on values, p patch) error {
	_, size := on.locate(p)
	if size <= m.maxData || size <= was.size() {
		return nil
	}
	err := fmt.Errorf("all values together have %d bytes, more than %d", size, m.maxData)
	return &ValueError{Err: err}
}
