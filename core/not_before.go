package core

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// markInterval is how often a Manager asks for the moment that another may have set.
	markInterval = 5 * time.Second
	// markTurns is how often it asks in vain before it rests: ten minutes without a request.
	markTurns = 120
)

// A notBefore is the moment before which all sessions are over that began: that of the Config, or a
// later one that RevokeBefore has left in the store.
type notBefore struct {
	at      atomic.Int64 // a moment
	known   atomic.Bool  // the store was asked, and is asked again and again
	used    atomic.Bool  // since then
	mu      sync.Mutex
	asking  bool // again and again
	idle    int  // turns in which nobody came
	polling background
}

// fresh reports whether the moment is known, to at most markInterval.
func (n *notBefore) fresh() bool {
	if !n.used.Load() { // seldom, so that requests do not write to one place
		n.used.Store(true)
	}
	return n.known.Load()
}

// raise moves the moment, and reports whether it is a later one.
func (n *notBefore) raise(at moment) bool {
	for {
		was := n.at.Load()
		if int64(at) <= was {
			return false
		}
		if n.at.CompareAndSwap(was, int64(at)) {
			return true
		}
	}
}

// floor is when a session must have begun to be alive, by any node's clock.
func (n *notBefore) floor() moment {
	at := moment(n.at.Load())
	if at == noMoment {
		return noMoment
	}
	return at + clockTolerance
}

// born is when a session begins that begins now. Within a minute of RevokeBefore that is a little
// later than now, or the session would be taken for one that began before.
func (n *notBefore) born() moment { return max(now(), n.floor()) }

// RevokeBefore ends all sessions that began before a moment, whosever they are, without looking at
// any: for when tokens may be in the wrong hands. What began in the minute after it ends, too,
// since nodes' clocks may differ; sessions that begin from then on are not affected. Other Managers
// on the same store, of the same Namespace, learn of it within five seconds, or when the store can
// be asked again; one that nobody has used for ten minutes, before it is used again. Calling it
// with an earlier moment than before changes nothing; nothing takes it back.
//
// The error is a *StoreError, after which it may or may not have taken effect, or wraps
// ErrNotDurable: call it again. It wraps errors.ErrUnsupported where the store keeps no marks. A
// moment more than a minute in the future is an error, too.
func (m *Manager) RevokeBefore(ctx context.Context, at time.Time) error {
	before := momentOf(at)
	if before > now()+clockTolerance {
		return errors.New("session: the moment to revoke before is more than a minute in the future")
	}
	if m.marker == nil {
		return errNoMarks
	}
	limit := newDeadline(ctx, time.Now().Add(m.commitTimeout))
	defer limit.stop()
	err := m.marker.RaiseMark(limit, m.markName(), before.time())
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return errNoMarks
	case errors.Is(err, ErrNotDurable):
		err = fmt.Errorf("session mark: %w", err)
	case err != nil:
		err = &StoreError{Op: "raise mark", Err: err}
		m.emit(ctx, Event{Kind: StoreFailure, Reason: "raise mark", Err: err})
		return err
	}
	m.raised(ctx, before)
	return err
}

var errNoMarks = fmt.Errorf("session store keeps no marks: %w", errors.ErrUnsupported)

// raised takes in a moment that the store holds.
func (m *Manager) raised(ctx context.Context, at moment) {
	if m.notBefore.raise(at) {
		m.emit(ctx, Event{Kind: AllRevoked})
		m.streams.checkAll()
	}
}

func (m *Manager) markName() string {
	return "not-before-" + base64.RawURLEncoding.EncodeToString(m.domain[:])
}

// learn asks the store for the moment, before the first session is looked at and then every few
// seconds.
func (m *Manager) learn(ctx context.Context) error {
	if m.marker == nil {
		m.notBefore.known.Store(true)
		return nil
	}
	at, err := m.marker.Mark(ctx, m.markName())
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		m.notBefore.known.Store(true)
		return nil
	case err != nil:
		return &StoreError{Op: "mark", Err: err}
	}
	m.raised(ctx, momentOf(at))
	n := &m.notBefore
	n.mu.Lock()
	defer n.mu.Unlock()
	n.known.Store(true)
	if !n.asking {
		n.asking, n.idle = true, 0
		n.polling.after(markInterval, m.pollMark)
	}
	return nil
}

func (m *Manager) pollMark() {
	n := &m.notBefore
	ctx, cancel := context.WithTimeout(n.polling.context(), markInterval)
	defer cancel()
	if err := m.learn(ctx); err != nil && n.polling.context().Err() == nil {
		m.emit(ctx, Event{Kind: StoreFailure, Reason: "mark", Err: err})
	}
	if !n.rest(m.streams.waiting()) {
		n.polling.after(markInterval, m.pollMark)
	}
}

// rest ends the asking where nobody has come for long: whoever comes next asks first.
func (n *notBefore) rest(waiting bool) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.idle++
	if n.idle >= markTurns {
		n.known.Store(false) // first: whoever has found it known is seen to have come
	}
	if n.used.Swap(false) || waiting {
		n.idle = 0
	}
	if n.idle < markTurns {
		n.known.Store(true)
		return false
	}
	n.asking = false
	return true
}
