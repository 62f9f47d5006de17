package core

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

const (
	maxUnconfirmed  = 1024
	firstConfirm    = 100 * time.Millisecond
	longestConfirm  = 30 * time.Second
	confirmedInTime = 5 * time.Second // what one attempt may take
)

// A weight says which of two unconfirmed writes is given up where there is no room for both: what
// anybody can cause, with requests that need no session, must not crowd out what protects one.
type weight uint8

const (
	ofValues weight = iota // of a beginning, too
	ofNoRecord
	ofRenewal
	ofEnd
)

// unconfirmed is an end, or with a record the write of that Revision, that took effect but is not
// confirmed by as many copies as were asked for.
type unconfirmed struct {
	id     ID
	rec    *Record
	was    Revision // what rec was written on top of
	until  moment   // from then on it does not matter; none means never
	weight weight
	done   bool // confirmAll's own
}

func unconfirmedWrite(rec Record, was Revision, w weight) unconfirmed {
	return unconfirmed{id: rec.ID, rec: &rec, was: was, until: momentOf(rec.Expires), weight: w}
}

// unconfirmedEnd is the end of a record that was there, or with nil of none. Other requests may
// have used the session since base was loaded: the newest record may live longer than that.
func (m *Manager) unconfirmedEnd(id ID, base *snapshot) unconfirmed {
	if base == nil {
		return unconfirmed{id: id, until: now().add(m.lifetime), weight: ofNoRecord}
	}
	until := m.expires(base.createdAt(), now()+clockTolerance)
	if base.expires == noMoment || until != noMoment && base.expires > until {
		until = base.expires
	}
	return unconfirmed{id: id, until: until, weight: ofEnd}
}

// confirmations are tried again until they succeed, with growing pauses.
type confirmations struct {
	background
	mu      sync.Mutex
	jobs    []*unconfirmed
	pause   time.Duration
	givenUp int
}

// add takes a job in, and returns the one that had to be given up for want of room, if any. first
// says that nobody tries yet.
func (u *confirmations) add(job *unconfirmed) (lost *unconfirmed, first bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	first = len(u.jobs) == 0
	if job.rec == nil { // it stands for whatever there is to confirm of this session
		u.jobs = slices.DeleteFunc(u.jobs, func(other *unconfirmed) bool {
			if other.id != job.id {
				return false
			}
			job.weight = max(job.weight, other.weight)
			if other.until == noMoment || job.until != noMoment && other.until > job.until {
				job.until = other.until
			}
			return true
		})
	}
	if len(u.jobs) >= maxUnconfirmed {
		u.givenUp++
		lightest := slices.MinFunc(u.jobs, func(a, b *unconfirmed) int {
			return int(a.weight) - int(b.weight)
		})
		if lightest.weight >= job.weight {
			return job, false
		}
		lost = lightest
		u.jobs = slices.DeleteFunc(u.jobs, func(j *unconfirmed) bool { return j == lost })
	}
	u.jobs = append(u.jobs, job)
	u.pause = firstConfirm
	return lost, first
}

// confirm begins to confirm a write in the background.
func (m *Manager) confirm(ctx context.Context, job unconfirmed) {
	lost, first := m.unsure.add(&job)
	if first {
		m.unsure.after(firstConfirm, m.confirmAll) // before anything that may panic
	}
	if lost != &job {
		m.emit(ctx, Event{Kind: EndUnconfirmed, ID: job.id, Err: ErrNotDurable})
	}
	if lost != nil {
		m.emit(ctx, Event{
			Kind: EndUnconfirmed, ID: lost.id, Reason: "too many at once, given up",
			Err: ErrNotDurable,
		})
	}
}

// confirmAll tries each once. Jobs that come meanwhile are behind those it took.
func (m *Manager) confirmAll() {
	u := &m.unsure
	u.mu.Lock()
	jobs := slices.Clone(u.jobs)
	u.mu.Unlock()
	for _, job := range jobs {
		job.done = m.confirmOne(job)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.jobs = slices.DeleteFunc(u.jobs, func(job *unconfirmed) bool { return job.done })
	if len(u.jobs) > 0 {
		u.pause = min(2*u.pause, longestConfirm)
		u.after(u.pause, m.confirmAll)
	}
}

// confirmOne writes once more what is there already, and reports whether that settles it.
func (m *Manager) confirmOne(job *unconfirmed) bool {
	if job.until != noMoment && now() >= job.until {
		return true
	}
	ctx, cancel := context.WithTimeout(m.unsure.context(), confirmedInTime)
	defer cancel()
	if job.rec == nil {
		return m.store.Delete(ctx, job.id) == nil
	}
	err := m.renew(ctx, *job.rec, job.rec.Revision)
	if errors.Is(err, ErrConflict) {
		err = m.confirmNewest(ctx, job)
	}
	return err == nil || errors.Is(err, ErrNotFound) // an end is confirmed on its own account
}

// confirmNewest confirms a write below what was written on top of it meanwhile. If the store was
// set back to what was there before, as by a failover, it is carried out again.
func (m *Manager) confirmNewest(ctx context.Context, job *unconfirmed) error {
	newest, err := m.store.Load(ctx, job.id)
	switch {
	case err != nil:
		return err
	case job.rec.Owner != "" && newest.Owner != job.rec.Owner:
		return nil // a sign-in was undone: it is lost, for all of its owner's may be revoked since
	case newest.Revision == job.was, undone(&newest, job.rec):
		return m.renew(ctx, *job.rec, newest.Revision)
	}
	return m.renew(ctx, newest, newest.Revision)
}

// undone reports whether the store was set back behind a renewal, perhaps by several writes: the
// newest record is that of a token which the renewal replaced. Its changes since then came with
// that token, and go with it.
func undone(newest, renewal *Record) bool {
	is, _, err := parseHead(newest.Data)
	if err != nil {
		return false
	}
	head, _, err := parseHead(renewal.Data)
	return err == nil && !is.verifier.equal(&head.verifier) &&
		head.previous.find(&is.verifier) != noMoment
}

// stop ends the attempts and says what is not confirmed.
func (u *confirmations) stop() error {
	u.background.stop()
	u.mu.Lock()
	defer u.mu.Unlock()
	var list []error
	for _, job := range u.jobs {
		list = append(list, fmt.Errorf("session %s: %w", job.id, ErrNotDurable))
	}
	if u.givenUp > 0 {
		list = append(list, fmt.Errorf("%d more, given up: %w", u.givenUp, ErrNotDurable))
	}
	return errors.Join(list...)
}
