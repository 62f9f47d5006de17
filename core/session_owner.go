package core

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// maxLabel is how many bytes of a label are kept.
const maxLabel = 128

// A Level says how sure it is that a session is used by its owner: the application's own scale,
// such as NIST SP 800-63B's authenticator assurance levels. Zero is the lowest.
type Level uint8

// Owner is whom the session belongs to, "" for nobody.
func (s *Session) Owner() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.looked = true
	return s.owner()
}

func (s *Session) owner() string {
	if e := s.edits; e != nil {
		switch {
		case e.pending.owner != nil:
			return *e.pending.owner
		case e.pending.hidesOwner():
			return ""
		case e.inflight != nil && e.inflight.owner != nil:
			return *e.inflight.owner
		}
	}
	if s.baseShows() {
		return s.base.owner
	}
	return ""
}

func (c *changes) hidesOwner() bool { return c.end != "" || c.id != "" }

// SetOwner says at sign-in whom the session belongs to from now on: an opaque string of the
// application's, at most 255 bytes of UTF-8 without NUL; anything else is an *OwnerError. The
// session begins if there is none. It gets a new token by itself, also if the owner stays the same
// (a re-authentication), so that fixation cannot be forgotten (OWASP ASVS 5.0, 7.2.4). It notes a
// use, whatever TouchInterval is.
//
// From nobody to somebody the values stay, or those that Keep names. From one owner to another, or
// to nobody (""), the former owner's session ends as by Destroy, with all its values, and another
// begins.
//
// Give it the SignIn that Manager.BeginSignIn made before the password's hash was read. Without it, a
// sign-in whose password was checked just before Manager.RevokeOwner is called, and which is
// committed just after that, survives. If all of the owner's sessions were revoked since the
// sign-in began, or it began more than an hour ago, Commit fails with ErrSignInStale; if the owner
// has Config.MaxPerOwner sessions, and the policy is RefuseNew, with ErrOwnerLimit. The session is
// then as it was before, but a former owner's has ended.
func (s *Session) SetOwner(owner string, options ...SignInOption) {
	s.mu.Lock()
	defer s.unlock()
	if !s.change() {
		return
	}
	e := s.edit()
	e.ownerFault = nil
	in := &signingIn{at: now(), SignIn: SignIn{began: s.manager.notBefore.born()}}
	for _, option := range options {
		option.signIn(in)
	}
	if e.ownerFault = in.fault(owner, &s.manager.notBefore); e.ownerFault != nil {
		return
	}
	current := s.owner()
	if current != "" && current != owner {
		s.destroy("owner")
	}
	if owner == "" {
		return
	}
	s.begin()
	owner = strings.Clone(owner) // it may be a view of a framework's buffer
	e.raised.carryOver(owner, in)
	e.pending.owner, e.pending.signIn = &owner, in
	if in.keep != nil && current == "" {
		e.pending.keepOnly(*in.keep)
	}
	s.renew()
}

// fault says why the owner cannot be set.
func (in *signingIn) fault(owner string, n *notBefore) error {
	if owner != "" {
		if err := checkOwner(owner); err != nil {
			return err
		}
	}
	switch {
	case !in.given:
		return nil
	case in.SignIn == SignIn{}:
		return &OwnerError{Reason: "is not one that a sign-in began for: the SignIn is the zero one"}
	case in.owner != owner:
		return &OwnerError{Reason: "is not the one that the sign-in began for"}
	}
	return in.stale(in.at, n.floor())
}

// Authenticated is when the owner has signed in, in UTC and whole milliseconds: only SetOwner moves
// it. It is the zero time where the session belongs to nobody.
func (s *Session) Authenticated() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.looked = true
	return s.authenticatedAt().time()
}

// AuthenticatedWithin reports whether the owner has signed in less than d ago: for pages that ask
// for the password again (OWASP ASVS 5.0, 7.5.1). Where it says no, check that and call SetOwner
// with the same owner. It is false for a session that belongs to nobody.
func (s *Session) AuthenticatedWithin(d time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.looked = true
	at := s.authenticatedAt()
	if at == noMoment {
		return false
	}
	age := time.Since(at.time())
	return age < d && age >= -time.Duration(clockTolerance)*time.Millisecond
}

func (s *Session) authenticatedAt() moment {
	if e := s.edits; e != nil {
		switch {
		case e.pending.owner != nil:
			return e.pending.signIn.at
		case e.pending.hidesOwner():
			return noMoment
		case e.inflight != nil && e.inflight.owner != nil:
			return e.inflight.signIn.at
		}
	}
	if s.baseShows() {
		return s.base.extension().authenticated()
	}
	return noMoment
}

// Level is how sure it is that the owner is the one who uses the session: zero until SetLevel.
func (s *Session) Level() Level {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.looked = true
	return s.level()
}

func (s *Session) level() Level {
	if e := s.edits; e != nil {
		switch {
		case e.pending.level != nil:
			return *e.pending.level
		case e.pending.hidesOwner():
			return 0
		case e.inflight != nil && e.inflight.level != nil:
			return *e.inflight.level
		}
	}
	if s.baseShows() {
		return s.base.extension().level()
	}
	return 0
}

// SetLevel says how sure it is that the owner is the one who uses the session, say after a second
// factor. Changing it gives the session a new token by itself (NIST SP 800-63B: a session is never
// of a higher level than its authentication). It goes with the owner: where the session belongs to
// nobody it does nothing, so call it after SetOwner, which leaves it as it is where the owner stays.
func (s *Session) SetLevel(level Level) {
	s.mu.Lock()
	defer s.unlock()
	if !s.change() || s.owner() == "" {
		return
	}
	if level == s.level() {
		return
	}
	s.edit().pending.level = &level
	s.renew()
}

// Label is what SetLabel has kept, "" if nothing.
func (s *Session) Label() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.looked = true
	return s.label()
}

func (s *Session) label() string {
	if e := s.edits; e != nil {
		switch {
		case e.pending.label != nil:
			return *e.pending.label
		case e.pending.hidesOwner():
			return ""
		case e.inflight != nil && e.inflight.label != nil:
			return *e.inflight.label
		}
	}
	if s.baseShows() {
		return s.base.extension().label()
	}
	return ""
}

// SetLabel names the session for the owner's list of sessions, such as "Firefox on Linux". It does
// not begin a session. It is for people to read and may come from a client: what is not printable
// becomes a blank, and no more than 128 bytes are kept. Escape it where it is shown.
func (s *Session) SetLabel(label string) {
	s.mu.Lock()
	defer s.unlock()
	if !s.change() {
		return
	}
	label = cleanLabel(label)
	if label == s.label() && s.exists() {
		return
	}
	s.edit().pending.label = &label
}

func cleanLabel(label string) string {
	var b strings.Builder
	for _, r := range label {
		if !unicode.IsPrint(r) || r == utf8.RuneError {
			r = ' '
		}
		if b.Len()+utf8.RuneLen(r) > maxLabel {
			break
		}
		b.WriteRune(r)
	}
	return strings.TrimSpace(b.String())
}
