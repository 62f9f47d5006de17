package core

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// A background runs one function after another, each some time after the last. It holds a timer and
// no goroutine while it waits. The zero background is ready.
type background struct {
	mu      sync.Mutex
	stopped bool
	timer   *time.Timer
	running sync.WaitGroup
	ctx     context.Context
	cancel  context.CancelFunc
}

// after runs f in a goroutine of its own after d, unless the background is stopped.
func (b *background) after(d time.Duration, f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stopped {
		return
	}
	b.timer = time.AfterFunc(d, func() {
		if b.enter() {
			defer b.running.Done()
			f()
		}
	})
}

func (b *background) enter() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.stopped {
		b.running.Add(1)
	}
	return !b.stopped
}

// context is cancelled by stop.
func (b *background) context() context.Context {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ctx == nil {
		b.ctx, b.cancel = context.WithCancel(context.Background())
		if b.stopped {
			b.cancel()
		}
	}
	return b.ctx
}

// stop cancels what runs, waits for it, and lets nothing run any more. It may be called again.
func (b *background) stop() {
	b.mu.Lock()
	b.stopped = true
	if b.timer != nil {
		b.timer.Stop()
	}
	if b.cancel != nil {
		b.cancel()
	}
	b.mu.Unlock()
	b.running.Wait()
}

const (
	maxUnconfirmed  = 1024
	firstConfirm    = 100 * time.Millisecond
	longestConfirm  = 30 * time.Second
	confirmedInTime = 5 * time.Second // what one attempt may take
)

// unconfirmed is an end, or with a record the renewal of that Revision, that took effect but is not
// confirmed by as many copies as were asked for.
type unconfirmed struct {
	id    ID
	rec   *Record
	was   Revision // what rec was written on top of
	until moment   // from then on it does not matter; none means never
}

func unconfirmedWrite(rec Record, was Revision) unconfirmed {
	return unconfirmed{id: rec.ID, rec: &rec, was: was, until: momentOf(rec.Expires)}
}

// confirmations are tried again until they succeed, with growing pauses.
type confirmations struct {
	background
	mu    sync.Mutex
	jobs  []unconfirmed
	pause time.Duration
}

// confirm begins to confirm a write in the background.
func (m *Manager) confirm(ctx context.Context, job unconfirmed) {
	m.unsure.mu.Lock()
	full := len(m.unsure.jobs) >= maxUnconfirmed
	idle := len(m.unsure.jobs) == 0
	if !full {
		m.unsure.jobs = append(m.unsure.jobs, job)
		m.unsure.pause = firstConfirm
	}
	m.unsure.mu.Unlock()
	reason := ""
	if full {
		reason = "too many at once, given up"
	}
	m.emit(ctx, Event{Kind: EndUnconfirmed, ID: job.id, Reason: reason, Err: ErrNotDurable})
	if idle && !full {
		m.unsure.after(firstConfirm, m.confirmAll)
	}
}

// confirmAll tries each once. Jobs that come meanwhile are behind those it took.
func (m *Manager) confirmAll() {
	u := &m.unsure
	u.mu.Lock()
	jobs := slices.Clone(u.jobs)
	u.mu.Unlock()
	var left []unconfirmed
	for _, job := range jobs {
		if !m.confirmOne(job) {
			left = append(left, job)
		}
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.jobs = append(left, u.jobs[len(jobs):]...)
	if len(u.jobs) > 0 {
		u.pause = min(2*u.pause, longestConfirm)
		u.after(u.pause, m.confirmAll)
	}
}

// confirmOne writes once more what is there already, and reports whether that settles it.
func (m *Manager) confirmOne(job unconfirmed) bool {
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
func (m *Manager) confirmNewest(ctx context.Context, job unconfirmed) error {
	newest, err := m.store.Load(ctx, job.id)
	switch {
	case err != nil:
		return err
	case newest.Revision == job.was:
		return m.renew(ctx, *job.rec, job.was)
	}
	return m.renew(ctx, newest, newest.Revision)
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
	return errors.Join(list...)
}
