package core

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// recheckInterval is how often sessions are looked at whose end the store cannot tell of.
	recheckInterval = 5 * time.Second
	// firstRewatch and longestRewatch are the pauses before the store is asked to watch again.
	firstRewatch   = 100 * time.Millisecond
	longestRewatch = 5 * time.Second
	// watchIdle is how long a watch goes on that nobody needs.
	watchIdle = time.Minute
)

// An EndedError is the cause with which the context of Session.Live is cancelled. It wraps ErrGone.
type EndedError struct {
	ID ID
	// Reason is "ended" for an end by a request or from outside, "idle" or "lifetime" for a
	// timeout, "revoked" for Manager.RevokeBefore, or "replaced" if the session goes on with
	// another token that came with a sign-in or another Level.
	Reason string
}

// Error says why the session is over.
func (e *EndedError) Error() string {
	if e.ID == "" { // there was none
		return "session is over: " + e.Reason
	}
	return "session " + string(e.ID) + " is over: " + e.Reason
}

// Unwrap returns ErrGone.
func (e *EndedError) Unwrap() error { return ErrGone }

var errManagerClosed = errors.New("session manager is closed")

// Live returns a context for what goes on longer than a request, such as an event stream or a
// WebSocket. It is cancelled when the session ends in whatever way, through this process or
// another: destroyed, revoked, or past a timeout; and when a sign-in, or another Level, has
// replaced the token, even if that sign-in is then refused. A plain Renew does not end it.
// context.Cause then gives an *EndedError. It is cancelled with ctx, too, and at once if there is
// no session, or only one that is not committed yet.
//
// Where the store is a Watcher, as those of this module are, that takes a moment; while it cannot
// watch, and where it is none, five seconds longer than it takes to load the sessions that somebody
// waits for, as long as they can be loaded. All contexts together share one watch of the store.
//
// The stream itself is no use of the session, which ends when idle all the same. Call the function
// when the context is not needed any more, or memory is kept until the session ends. Live may be
// called when the request is over.
func (s *Session) Live(ctx context.Context) (context.Context, context.CancelFunc) {
	live, cancel := context.WithCancelCause(ctx)
	x := &stream{cancel: cancel}
	s.mu.Lock()
	s.looked = true
	id, end, shows := ID(strings.Clone(string(s.id()))), noMoment, s.baseShows() && !s.begins()
	if shows {
		x.privilege, end = privilegeOf(s.base), s.manager.end(s.base)
	}
	s.mu.Unlock()
	if !shows {
		cancel(&EndedError{ID: id, Reason: "ended"})
		return live, func() {}
	}
	s.manager.streams.add(id, x, end)
	return live, func() {
		s.manager.streams.release(id, x)
		cancel(nil)
	}
}

// A privilege is what a session was allowed when a stream began.
type privilege struct {
	owner         string
	authenticated moment
	level         Level
}

func privilegeOf(base *snapshot) privilege {
	x := base.extension()
	return privilege{
		owner: strings.Clone(base.owner), authenticated: x.authenticated(), level: x.level(),
	}
}

// A stream is one context of Live's.
type stream struct {
	number    uint64 // in the order in which they began
	cancel    context.CancelCauseFunc
	privilege privilege
}

// A watched session has streams.
type watched struct {
	streams []*stream
	timer   *time.Timer // for the next timeout
	queued  bool        // it is to be looked at
}

// streams are all that wait for the end of a session, by its ID.
type streams struct {
	m *Manager

	mu       sync.Mutex
	byID     map[ID]*watched
	begun    uint64 // streams, so far
	queue    []ID   // to be looked at: each at most once
	checkers int
	checking sync.WaitGroup
	closed   bool
	watch    liveWatch
}

func (t *streams) init(m *Manager) { t.m, t.byID = m, make(map[ID]*watched) }

// add begins to watch over a session for a stream. The session is looked at once more when that is
// so, for it may have ended in between.
func (t *streams) add(id ID, x *stream, end moment) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		x.cancel(errManagerClosed)
		return
	}
	w := t.byID[id]
	if w == nil {
		w = &watched{}
		t.byID[id] = w
	}
	t.begun++
	x.number = t.begun
	w.streams = append(w.streams, x)
	t.expect(id, w, end)
	t.ensureWatch()
	t.enqueue(id, w)
}

// expect looks at a session again at a moment, if any.
func (t *streams) expect(id ID, w *watched, at moment) {
	if at == noMoment {
		return
	}
	wait := max(0, time.Until(at.time()))
	if w.timer != nil {
		w.timer.Reset(wait)
		return
	}
	w.timer = time.AfterFunc(wait, func() { t.check(id) })
}

// release forgets a stream.
func (t *streams) release(id ID, x *stream) {
	t.mu.Lock()
	defer t.mu.Unlock()
	w := t.byID[id]
	if w == nil {
		return
	}
	w.streams = slices.DeleteFunc(w.streams, func(other *stream) bool { return other == x })
	if len(w.streams) == 0 {
		t.forget(id, w)
	}
}

func (t *streams) forget(id ID, w *watched) {
	if w.timer != nil {
		w.timer.Stop()
	}
	delete(t.byID, id)
	if len(t.byID) == 0 {
		t.watch.idle(t)
	}
}

// waiting reports whether anybody waits for the end of a session.
func (t *streams) waiting() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.byID) > 0
}

// Ended implements Watching.
func (t *streams) Ended(id ID) { t.over(id, "ended") }

// Renewed implements Watching.
func (t *streams) Renewed(id ID) { t.check(id) }

// over ends all streams of a session.
func (t *streams) over(id ID, reason string) {
	t.mu.Lock()
	w := t.byID[id]
	if w == nil {
		t.mu.Unlock()
		return
	}
	t.forget(id, w)
	t.mu.Unlock()
	cause := &EndedError{ID: ID(strings.Clone(string(id))), Reason: reason}
	for _, x := range w.streams {
		x.cancel(cause)
	}
}

// check has a session looked at that somebody waits for.
func (t *streams) check(id ID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if w := t.byID[id]; w != nil {
		t.enqueue(ID(strings.Clone(string(id))), w)
	}
}

// checkAll has all of them looked at.
func (t *streams) checkAll() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.enqueueAll()
}

func (t *streams) enqueueAll() {
	for id, w := range t.byID {
		t.enqueue(id, w)
	}
}

// enqueue has a session looked at, by one of a few goroutines, which end when there is nothing to
// do.
func (t *streams) enqueue(id ID, w *watched) {
	if w.queued || t.closed {
		return
	}
	w.queued = true
	t.queue = append(t.queue, id)
	if t.checkers < atOnce {
		t.checkers++
		t.checking.Go(t.work)
	}
}

func (t *streams) work() {
	for {
		id, begun, ok := t.next()
		if !ok {
			return
		}
		t.look(id, begun)
	}
}

// next takes the next session, of which the streams that have begun so far are looked at.
func (t *streams) next() (id ID, begun uint64, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(t.queue) > 0 && !t.closed {
		id := t.queue[0]
		t.queue = t.queue[1:]
		if w := t.byID[id]; w != nil && w.queued {
			w.queued = false // what comes from now on is looked at again
			return id, t.begun, true
		}
	}
	t.queue = nil
	t.checkers--
	return "", 0, false
}

// look loads a session and ends the streams that have outlived it, or their privileges.
func (t *streams) look(id ID, begun uint64) {
	ctx, cancel := context.WithTimeout(context.Background(), t.m.loadTimeout)
	defer cancel()
	at := now() // a use that is noted while it is loaded must not come too late
	var base snapshot
	err := t.m.fetch(ctx, id, &base)
	switch {
	case errors.Is(err, ErrNotFound):
		t.over(id, "ended")
		return
	case err != nil: // store trouble is no end
		t.later(id, now()+moment(recheckInterval.Milliseconds()))
		return
	}
	if reason := t.m.judge(ctx, &base, at); reason != "" {
		t.over(id, reason)
		return
	}
	t.replaced(id, privilegeOf(&base), begun)
	t.later(id, t.m.end(&base))
}

func (t *streams) later(id ID, at moment) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if w := t.byID[id]; w != nil {
		t.expect(id, w, at)
	}
}

// replaced ends the streams that were begun with other privileges. What has begun since the session
// was asked for may have later ones.
func (t *streams) replaced(id ID, is privilege, begun uint64) {
	t.mu.Lock()
	w := t.byID[id]
	if w == nil {
		t.mu.Unlock()
		return
	}
	var ended []*stream
	w.streams = slices.DeleteFunc(w.streams, func(x *stream) bool {
		over := x.privilege != is && x.number <= begun
		if over {
			ended = append(ended, x)
		}
		return over
	})
	if len(w.streams) == 0 {
		t.forget(id, w)
	}
	t.mu.Unlock()
	for _, x := range ended {
		x.cancel(&EndedError{ID: ID(strings.Clone(string(id))), Reason: "replaced"})
	}
}

// stop cancels everything, and waits for what is under way.
func (t *streams) stop() {
	t.mu.Lock()
	t.closed = true
	t.watch.stop()
	all := t.byID
	t.byID = make(map[ID]*watched)
	t.mu.Unlock()
	for _, w := range all {
		if w.timer != nil {
			w.timer.Stop()
		}
		for _, x := range w.streams {
			x.cancel(errManagerClosed)
		}
	}
	t.watch.running.Wait()
	t.checking.Wait()
}
