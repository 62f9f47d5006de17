package core

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A Session is one request's hold on a session. Most callers need only Value's methods, SetOwner at
// sign-in and Destroy at sign-out; the middleware that began the session commits it.
//
// What is changed is kept with the Session until it is committed, and shows in it at once. Where a
// change fails, Err and Commit say so; no method returns an error. All methods may be called by
// several goroutines of the request. After the request a Session can still be read, but a change to
// it is ErrCommitted: what goes on longer uses Manager.Open.
type Session struct {
	manager *Manager
	outer   *Session        // of another Manager, further out
	request context.Context // the request's own; nil unless the handler finds the Session in a context
	derived atomic.Pointer[derivedContext]

	committing sync.Mutex // held by Commit, one at a time, before mu
	mu         sync.Mutex // held by whoever looks at what follows
	proof      proof      // of the request's token
	gated      bool       // a Gate ends the handler's context
	looked     bool       // the handler saw or did something: the response depends on the session
	live       bool       // base is a session that is alive, as far as this request knows
	gone       bool       // it ended while this request ran
	headerGone bool       // no header can be sent any more
	sealed     bool       // the request is over
	late       bool       // something changed after that
	tell       bool       // an event has to tell so: ChangesLost
	sent       sent       // by the request's carriers
	claim      *claim     // of a token that opened no session, nil if there was none
	base       *snapshot  // the record the edits are on top of, nil as long as there is none
	edits      *edits     // nil as long as nothing was changed, as in most requests
}

// A loadedSession is a Session with its base in one piece of memory.
type loadedSession struct {
	Session
	record snapshot
}

// A claim is what a token says that opened no session. Commit needs it for Destroy.
type claim struct {
	id       ID
	verifier verifier
}

// A proof is what a request's token proves.
type proof uint8

const (
	noToken      proof = iota // none, or none that counts
	noRecord                  // nothing under its ID
	wrongSecret               // something under its ID, but not its
	oldSecret                 // its secret was replaced a moment ago
	expired                   // its session is past a timeout
	rightSecret               // its session is alive, or was when the request began
	alreadyEnded              // its session was ended by this request
)

// Format writes the session's ID, whatever the verb: what it holds is not for a log.
func (s *Session) Format(f fmt.State, _ rune) {
	s.mu.Lock()
	id := s.id()
	s.mu.Unlock()
	_, _ = io.WriteString(f, "[session "+string(id)+"]")
}

// ID is the session's public name, "" if there is no session. It is there from the first value or
// owner that is set on, and stays when the session is renewed.
func (s *Session) ID() ID {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.looked = true
	return ID(strings.Clone(string(s.id()))) // who keeps it must not keep the record's text
}

func (s *Session) id() ID {
	if e := s.edits; e != nil {
		switch {
		case e.pending.id != "":
			return e.pending.id
		case e.pending.end != "":
			return ""
		case e.inflight != nil && e.inflight.id != "":
			return e.inflight.id
		}
	}
	if s.baseShows() {
		return s.base.id
	}
	return ""
}

// baseShows reports whether the record is still what the handler sees.
func (s *Session) baseShows() bool {
	return s.live && (s.edits == nil ||
		s.edits.pending.end == "" && (s.edits.inflight == nil || s.edits.inflight.end == ""))
}

// begins reports whether a session is about to begin that no Commit has taken up.
func (s *Session) begins() bool { return s.edits != nil && s.edits.pending.id != "" }

// exists reports whether there is a session, stored or about to be.
func (s *Session) exists() bool { return s.id() != "" }

// Persist says whether the browser keeps this session's cookie when it ends ('remember me'),
// whatever Cookie.Persist says. It is kept with the session. It does not begin one; on one that is
// there it asks for a new token, since only with a new token the cookie is sent again.
func (s *Session) Persist(on bool) {
	s.mu.Lock()
	defer s.unlock()
	if !s.change() {
		return
	}
	if s.baseShows() {
		if was := s.base.persists(); was != nil && *was == on {
			if s.edits != nil {
				s.edits.pending.persist = nil
			}
			return
		}
	}
	s.edit().pending.persist = &on
	if s.exists() {
		s.renew()
	}
}

// Renew gives the session a new token. The old one is dead; ID, values and what is left of the
// lifetime stay. Call it where privileges change without SetOwner and SetLevel. It is nothing where
// there is no session.
func (s *Session) Renew() {
	s.mu.Lock()
	defer s.unlock()
	if s.change() && s.exists() {
		s.renew()
	}
}

// renew is for a session that exists; one that only begins gets its token anyway.
func (s *Session) renew() {
	if e := s.edit(); e.pending.id == "" {
		e.pending.renew = true
	}
}

// Destroy ends the session, finally: what was set before goes with it, and what is set afterwards
// begins another one with another ID. The client is told to forget its token. It is nothing where
// the request came without a token.
func (s *Session) Destroy() {
	s.mu.Lock()
	defer s.unlock()
	if s.change() {
		s.destroy("destroyed")
	}
}

func (s *Session) destroy(reason string) {
	ends := s.live || s.proof != noToken && s.proof != alreadyEnded
	if s.edits == nil && !ends {
		return
	}
	e := s.edit()
	ends = ends || e.inflight != nil || e.pending.end != ""
	e.pending = changes{}
	e.faults, e.ownerFault, e.failed = nil, nil, nil
	if ends {
		e.pending.end = reason
	}
}

// endsAnew reports whether Destroy was called since a commit failed.
func (s *Session) endsAnew() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.edits != nil && s.edits.pending.end != "" && s.edits.failed == nil
}

// Clear deletes all values. The session itself stays.
func (s *Session) Clear() {
	s.mu.Lock()
	defer s.unlock()
	if !s.change() {
		return
	}
	if s.edits != nil {
		s.edits.faults = nil
	}
	if s.exists() {
		s.edit().pending.clearAll()
	}
}

// Names lists the names of all values, sorted.
func (s *Session) Names() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.looked = true
	candidates := make(map[string]bool)
	if s.live {
		for _, e := range s.base.values().entries() {
			candidates[e.name] = true
		}
	}
	if s.edits != nil {
		for _, c := range []*changes{s.edits.inflight, &s.edits.pending} {
			for i := 0; c != nil && i < len(c.values); i++ {
				candidates[c.values[i].name] = true
			}
		}
	}
	var names []string
	for name := range candidates {
		if _, ok := s.lookup(name); ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Created is when the session came into being, in UTC and whole milliseconds; the zero time if
// there is none.
func (s *Session) Created() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.looked = true
	return s.createdAt().time()
}

func (s *Session) createdAt() moment {
	if e := s.edits; e != nil {
		switch {
		case e.pending.id != "":
			return e.pending.created
		case e.pending.end != "":
			return noMoment
		case e.inflight != nil && e.inflight.id != "":
			return e.inflight.created
		}
	}
	if s.baseShows() {
		return s.base.createdAt()
	}
	return noMoment
}

// Used is the last use that the store knows of, at most TouchInterval before the true one; the zero
// time if there is no session.
func (s *Session) Used() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.looked = true
	return s.usedAt().time()
}

func (s *Session) usedAt() moment {
	if s.baseShows() && !s.begins() {
		return s.base.used
	}
	return s.createdAt()
}

// Expires is when the session ends unless it is used: the earlier of its idle timeout, counted from
// Used, and its lifetime. The zero time means never, or that there is no session.
func (s *Session) Expires() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.looked = true
	if !s.exists() {
		return time.Time{}
	}
	end := s.manager.expires(s.createdAt(), s.usedAt())
	if s.baseShows() && !s.begins() {
		end = earliest(end, s.base.expires)
	}
	return end.time()
}

// Err is what Commit would say now: a change that cannot be stored, or came too late, can so be
// noticed where it was made. It stays until what is at fault was set anew or deleted.
func (s *Session) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.refusal(s.headerGone); err != nil {
		return err
	}
	if err := s.tooLarge(); err != nil {
		return err
	}
	if e := s.edits; e != nil && (e.pending.dirty() || e.inflight != nil) {
		return e.failed
	}
	return nil
}

// change prepares for a change, and reports whether it can have any effect.
func (s *Session) change() bool {
	s.looked = true
	if s.sealed {
		s.tooLate()
	}
	return !s.sealed
}

// tooLate notes that a change will never be stored.
func (s *Session) tooLate() {
	s.tell = !s.late
	s.late = true
}

// unlock ends what changes the session, and tells of a change that came too late, once.
func (s *Session) unlock() {
	if !s.tell {
		s.mu.Unlock()
		return
	}
	s.tell = false
	event := Event{Kind: ChangesLost, ID: s.id(), Owner: s.owner(), Err: ErrCommitted}
	s.mu.Unlock()
	s.manager.emit(context.Background(), event)
}
