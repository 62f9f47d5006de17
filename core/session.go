package core

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
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
	outer   *Session // of another Manager, further out
	found   found    // what the request held; its token is forgotten by the end of Begin
	begun   moment   // when, unless there was no token
	claim   claim

	committing sync.Mutex // held by Commit, one at a time

	mu         sync.Mutex
	looked     bool   // the handler saw or did something: the response depends on the session
	live       bool   // base is a session that is alive, as far as this request knows
	gone       bool   // it ended while this request ran
	headerGone bool   // no header can be sent any more
	sealed     bool   // the request is over
	late       bool   // something changed after that
	tell       bool   // an event has to tell so
	base       stored // the record the changes are on top of
	pending    changes
	inflight   *changes         // what Commit is storing right now
	faults     map[string]error // by the name of the value
	ownerFault error            // of SetOwner
	failed     error            // the last Commit's, until one succeeds
	doubt      Revision         // what a write of unknown outcome was on top of; 0: none is
	owed       owed
}

// A claim is what a request's token says, and what came of it. Commit needs it for Destroy.
type claim struct {
	proof    proof
	id       ID
	verifier verifier
}

// A proof is what a token proves.
type proof uint8

const (
	noToken      proof = iota // none, or none that counts
	noRecord                  // nothing under its ID
	wrongSecret               // something under its ID, but not its
	oldSecret                 // its secret was replaced a moment ago
	expired                   // its session is past a timeout
	rightSecret               // its session is alive
	alreadyEnded              // its session was ended by this request
)

// stored is a record with its frame taken apart.
type stored struct {
	Record
	head
	values values
}

// owed is what the response still has to tell the client.
type owed struct {
	token   Token // a new one
	maxAge  moment
	persist *bool
	expire  bool // forget the token
}

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
	return s.id()
}

func (s *Session) id() ID {
	switch {
	case s.pending.id != "":
		return s.pending.id
	case s.pending.end != "":
		return ""
	case s.inflight != nil && s.inflight.id != "":
		return s.inflight.id
	case s.baseShows():
		return s.base.ID
	}
	return ""
}

// baseShows reports whether the record is still what the handler sees.
func (s *Session) baseShows() bool {
	return s.live && s.pending.end == "" && (s.inflight == nil || s.inflight.end == "")
}

// exists reports whether there is a session, stored or about to be.
func (s *Session) exists() bool { return s.id() != "" }

// Owner is whom the session belongs to, "" for nobody.
func (s *Session) Owner() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.looked = true
	return s.owner()
}

func (s *Session) owner() string {
	switch {
	case s.pending.owner != nil:
		return *s.pending.owner
	case s.pending.hidesOwner():
		return ""
	case s.inflight != nil && s.inflight.owner != nil:
		return *s.inflight.owner
	case s.baseShows():
		return s.base.Owner
	}
	return ""
}

func (c *changes) hidesOwner() bool { return c.end != "" || c.id != "" }

// SetOwner says at sign-in whom the session belongs to from now on: an opaque string of the
// application's, at most 255 bytes of UTF-8 without NUL; anything else is an *OwnerError. The
// session begins if there is none. It gets a new token by itself, also if the owner stays the same
// (a re-authentication), so that fixation cannot be forgotten (OWASP ASVS 5.0, 7.2.4).
//
// From nobody to somebody the values stay. From one owner to another, or to nobody (""), the former
// owner's session ends as by Destroy, with all its values, and another begins.
func (s *Session) SetOwner(owner string) {
	s.mu.Lock()
	defer s.unlock()
	if !s.change() {
		return
	}
	s.ownerFault = nil
	if len(owner) > 255 || !utf8.ValidString(owner) || strings.ContainsRune(owner, 0) {
		s.ownerFault = &OwnerError{Reason: "is not UTF-8 of at most 255 bytes without NUL"}
		return
	}
	if current := s.owner(); current != "" && current != owner {
		s.destroy("owner")
	}
	if owner == "" {
		return
	}
	s.begin()
	owner = strings.Clone(owner) // it may be a view of a framework's buffer
	s.pending.owner = &owner
	s.renew()
}

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
		if was := s.base.persist(); was != nil && *was == on {
			s.pending.persist = nil
			return
		}
	}
	s.pending.persist = &on
	if s.exists() {
		s.renew()
	}
}

// Renew gives the session a new token. The old one is dead; ID, values and what is left of the
// lifetime stay. Call it where privileges change without SetOwner. It is nothing where there is no
// session.
func (s *Session) Renew() {
	s.mu.Lock()
	defer s.unlock()
	if s.change() && s.exists() {
		s.renew()
	}
}

// renew is for a session that exists; one that only begins gets its token anyway.
func (s *Session) renew() {
	if s.pending.id == "" {
		s.pending.renew = true
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
	ends := s.live || s.inflight != nil || s.pending.end != "" ||
		s.claim.proof != noToken && s.claim.proof != alreadyEnded
	s.pending = changes{}
	s.faults, s.ownerFault, s.failed = nil, nil, nil
	if ends {
		s.pending.end = reason
	}
}

// endsAnew reports whether Destroy was called since a commit failed.
func (s *Session) endsAnew() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pending.end != "" && s.failed == nil
}

// Clear deletes all values. The session itself stays.
func (s *Session) Clear() {
	s.mu.Lock()
	defer s.unlock()
	if !s.change() {
		return
	}
	s.faults = nil
	if s.exists() {
		s.pending.clearAll()
	}
}

// Names lists the names of all values, sorted.
func (s *Session) Names() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.looked = true
	candidates := make(map[string]bool)
	if s.live {
		for _, e := range s.base.values.entries() {
			candidates[e.name] = true
		}
	}
	for _, c := range []*changes{s.inflight, &s.pending} {
		if c != nil {
			for i := range c.values {
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
	switch {
	case s.pending.id != "":
		return s.pending.created
	case s.pending.end != "":
		return noMoment
	case s.inflight != nil && s.inflight.id != "":
		return s.inflight.created
	case s.baseShows():
		return s.base.created
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
	if s.baseShows() && s.pending.id == "" {
		return momentOf(s.base.Used)
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
	if s.baseShows() && s.pending.id == "" {
		end = earliest(end, momentOf(s.base.Expires))
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
	if s.pending.dirty() || s.inflight != nil {
		return s.failed
	}
	return nil
}

// refusal is why Commit would not even try.
func (s *Session) refusal(noHeader bool) error {
	if s.late {
		return ErrCommitted
	}
	if len(s.faults) > 0 || s.ownerFault != nil {
		list := []error{s.ownerFault}
		for _, name := range slices.Sorted(maps.Keys(s.faults)) {
			list = append(list, s.faults[name])
		}
		return errors.Join(list...)
	}
	if s.pending.id != "" && s.claim.proof == oldSecret && s.pending.end == "" {
		return ErrOutdated
	}
	if noHeader && s.pending.needsToken() {
		return ErrCommitted
	}
	return nil
}

// tooLarge says what Commit will find when it puts the values together.
func (s *Session) tooLarge() error {
	if len(s.pending.values) == 0 || s.inflight != nil || s.gone {
		return nil
	}
	base := noValues
	if s.baseShows() {
		base = s.base.values
	}
	next, _, err := s.pending.merge(base, base, false)
	if err != nil || next.size() < base.size() {
		return err // what is too large already, by a smaller MaxData, may shrink
	}
	return s.manager.checkSize(next)
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
	tell, id, owner := s.tell, s.id(), s.owner()
	s.tell = false
	s.mu.Unlock()
	if tell {
		event := Event{Kind: ChangesLost, ID: id, Owner: owner, Err: ErrCommitted}
		s.manager.emit(context.Background(), event)
	}
}

// begin brings a session into being, unless there is one or there was one that is gone.
func (s *Session) begin() {
	if s.exists() || s.gone && s.pending.end == "" {
		return
	}
	s.pending.id, s.pending.created = newID(), now()
}

func (s *Session) fault(name string, err error) {
	if s.faults == nil {
		s.faults = make(map[string]error)
	}
	s.faults[strings.Clone(name)] = err
}
