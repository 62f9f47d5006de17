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
	toucher  Toucher // nil if the store is none
	carriers []carrier
	vary     []string
	domain   domain

	lifetime, idleTimeout      time.Duration
	touchInterval              moment
	maxData                    int
	loadTimeout, commitTimeout time.Duration

	logger  *slog.Logger
	observe func(context.Context, Event)

	sweeper background
	unsure  confirmations
}

// New makes a Manager. It does no I/O. If the Config is at fault it returns every fault at once,
// each a *ConfigError, joined.
func New(cfg Config) (*Manager, error) {
	cfg = cfg.withDefaults()
	if err := cfg.check(); err != nil {
		return nil, err
	}
	m := &Manager{
		store:         cfg.Store,
		carriers:      cfg.Carrier.flatten(nil),
		domain:        newDomain(cfg.Namespace),
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
	m.toucher, _ = cfg.Store.(Toucher)
	if s, ok := cfg.Store.(Sweeper); ok {
		m.sweeper.after(sweepInterval, func() { m.sweep(s) })
	}
	return m, nil
}

// Format writes a fixed text, whatever the verb: what a Manager holds is not for a log.
func (m *Manager) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[session manager]") }

// Close ends the Manager's work in the background and waits for what is under way. It does not
// close the store. If ends or renewals are still not confirmed, it returns an error that wraps
// ErrNotDurable and names them. A closed Manager still serves requests.
func (m *Manager) Close() error {
	m.sweeper.stop()
	return m.unsure.stop()
}

// sweep removes what has expired, a minute late because nodes' clocks may differ. A failure is tried
// again at the next turn.
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
// holds exactly one well-formed token, and costs no store access otherwise. The error is a
// *StoreError; then no handler may run, and the answer is Status and ErrorHeader: an outage must
// never look like a visitor who is not signed in.
func (m *Manager) Begin(ctx context.Context, request RequestHeader) (*Session, error) {
	s := &Session{manager: m}
	for i, c := range m.carriers {
		s.found.carrier = i
		c.collect(request, &s.found)
	}
	token := s.found.token
	s.found.token = "" // the request's own string, and a secret
	switch {
	case s.found.distinct == 0:
		return s, nil
	case s.found.distinct > 1:
		m.emit(ctx, Event{Kind: TokenAmbiguous})
		return s, nil
	case !wellFormed(token, TokenLength):
		m.emit(ctx, Event{Kind: TokenMalformed})
		return s, nil
	}
	s.claim.id = ID(strings.Clone(token[:IDLength]))
	s.claim.verifier = m.domain.verifierOf(token)
	return s, m.load(ctx, s)
}

// load looks at what the token claims.
func (m *Manager) load(ctx context.Context, s *Session) error {
	at := time.Now()
	s.begun = momentOf(at)
	limit := newDeadline(ctx, at.Add(m.loadTimeout))
	defer limit.stop()
	base, err := m.fetch(limit, s.claim.id)
	if errors.Is(err, ErrNotFound) {
		s.claim.proof = noRecord
		m.emit(ctx, Event{Kind: TokenUnknown, ID: s.claim.id})
		return nil
	}
	if err != nil {
		m.emit(ctx, Event{Kind: StoreFailure, ID: s.claim.id, Reason: "load", Err: err})
		return err
	}
	s.claim.proof = m.prove(ctx, &s.claim, &base, s.begun)
	if s.claim.proof == rightSecret {
		s.base, s.live = base, true
		m.touch(ctx, s)
	}
	return nil
}

// prove compares what the token claims with the record.
func (m *Manager) prove(ctx context.Context, c *claim, base *stored, at moment) proof {
	event := Event{Kind: TokenUnknown, ID: c.id}
	proof := wrongSecret
	switch {
	case base.domain != m.domain:
	case base.verifier.equal(&c.verifier):
		proof = rightSecret
		reason := m.judge(ctx, base, at)
		if reason == "" {
			return proof
		}
		proof = expired
		event = Event{Kind: SessionUseAfterExpire, ID: c.id, Owner: base.Owner, Reason: reason}
	case base.outdated(&c.verifier, at):
		proof, event.Kind, event.Owner = oldSecret, TokenOutdated, base.Owner
	}
	m.emit(ctx, event)
	return proof
}

// fetch loads a record and takes it apart. Its error wraps ErrNotFound or is a *StoreError.
func (m *Manager) fetch(ctx context.Context, id ID) (stored, error) {
	rec, err := m.store.Load(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return stored{}, ErrNotFound
	}
	if err != nil {
		return stored{}, &StoreError{Op: "load", ID: id, Err: err}
	}
	base := stored{Record: rec}
	base.head, base.values, err = parseFrame(rec.Data)
	if err == nil && rec.ID != id {
		err = errors.New("answered with another record")
	}
	if err != nil {
		return stored{}, &StoreError{Op: "load", ID: id, Err: err}
	}
	return base, nil
}

// judge says why a record is dead at a moment, "" if it is alive. Equality is dead.
func (m *Manager) judge(ctx context.Context, base *stored, at moment) string {
	created, used := base.created, momentOf(base.Used)
	if ahead := at + clockTolerance; created > ahead || used > ahead {
		m.emit(ctx, Event{Kind: ClockAhead, ID: base.ID, Owner: base.Owner})
	}
	over := func(end moment) bool { return end != noMoment && at >= end }
	switch {
	case over(created.add(m.lifetime)):
		return "lifetime"
	case over(used.add(m.idleTimeout)), over(momentOf(base.Expires)):
		return "idle"
	}
	return ""
}

// expires is the end that follows from the Config.
func (m *Manager) expires(created, used moment) moment {
	return earliest(created.add(m.lifetime), used.add(m.idleTimeout))
}

// extend is the end of a record with a later use, or under a Config with longer timeouts. An end that
// comes before the write must be over stays, or a write that lands late would bring the session back.
func (m *Manager) extend(base *stored, used, over moment) moment {
	end, was := m.expires(base.created, used), momentOf(base.Expires)
	if was != noMoment && was <= over {
		return earliest(end, was)
	}
	return end
}

// touch notes a use if enough idle time has passed. It cannot fail a request: at worst the session
// ends a little early.
func (m *Manager) touch(ctx context.Context, s *Session) {
	used := momentOf(s.base.Used)
	if s.begun-used <= m.touchInterval {
		return
	}
	// A touch that lands after the end would bring the session back: the last moments are not used.
	margin := min(moment(m.commitTimeout.Milliseconds()), m.touchInterval)
	end := earliest(m.expires(s.base.created, used), momentOf(s.base.Expires))
	if end != noMoment && end-s.begun <= margin {
		return
	}
	rec := s.base.Record
	rec.Revision = newRevision()
	rec.Used = s.begun.time()
	rec.Expires = m.expires(s.base.created, s.begun).time()
	limit := newDeadline(ctx, time.Now().Add(min(touchTimeout, m.loadTimeout)))
	defer limit.stop()
	err := errors.ErrUnsupported
	if m.toucher != nil {
		err = m.toucher.Touch(limit, rec, s.base.Revision)
	}
	if errors.Is(err, errors.ErrUnsupported) {
		err = m.store.Update(limit, rec, s.base.Revision)
	}
	switch {
	case err == nil, errors.Is(err, ErrNotDurable):
		s.base.Record = rec
	case errors.Is(err, ErrConflict): // somebody else noted a use, or more
	case errors.Is(err, ErrNotFound):
		s.live, s.claim.proof = false, noRecord
		m.emit(ctx, Event{Kind: TokenUnknown, ID: s.claim.id})
	default:
		m.emit(ctx, Event{Kind: StoreFailure, ID: s.claim.id, Reason: "touch", Err: err})
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
	base, err := m.fetch(limit, id)
	if err != nil {
		return nil, err
	}
	if base.domain != m.domain || m.judge(ctx, &base, momentOf(at)) != "" {
		return nil, ErrNotFound
	}
	return &Session{manager: m, headerGone: true, base: base, live: true}, nil
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
	base, err := m.fetch(limit, id)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	found := err == nil
	if found && base.domain != m.domain {
		return nil
	}
	err = m.remove(limit, id, m.confirmUntil(&base, found))
	if found && (err == nil || errors.Is(err, ErrNotDurable)) {
		m.emit(ctx, Event{Kind: SessionExpired, ID: id, Owner: base.Owner, Reason: "revoked"})
	}
	return err
}

// remove deletes a record, and tries again once if the outcome is unknown, since deleting twice
// does no harm.
func (m *Manager) remove(ctx context.Context, id ID, until moment) error {
	err := m.store.Delete(ctx, id)
	if err != nil && !errors.Is(err, ErrNotDurable) && ctx.Err() == nil {
		err = m.store.Delete(ctx, id)
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrNotDurable):
		m.confirm(ctx, unconfirmed{id: id, until: until})
		return fmt.Errorf("session %s: %w", id, err)
	}
	err = &StoreError{Op: "delete", ID: id, Err: err}
	m.emit(ctx, Event{Kind: StoreFailure, ID: id, Reason: "delete", Err: err})
	return err
}

// confirmUntil is when it does not matter any more whether an end is confirmed.
func (m *Manager) confirmUntil(base *stored, known bool) moment {
	if known {
		return momentOf(base.Expires)
	}
	return now().add(m.lifetime)
}

// checkSize bounds what a session may hold.
func (m *Manager) checkSize(v values) error {
	if v.size() > m.maxData {
		err := fmt.Errorf("all values together have %d bytes, more than %d", v.size(), m.maxData)
		return &ValueError{Err: err}
	}
	return nil
}
