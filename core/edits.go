package core

import (
	"errors"
	"maps"
	"slices"
)

// edits are what was done to a session in this request, and what came of it so far.
type edits struct {
	pending    changes
	inflight   *changes         // what Commit is storing right now, nil if it is not at work
	taken      changes          // which is what inflight points to
	faults     map[string]error // by the name of the value
	ownerFault error            // of SetOwner
	failed     error            // the last Commit's, until one succeeds
	doubt      Revision         // what a write of unknown outcome was on top of; 0: none is
	owed       owed
	raised     *raisedEpoch // by RevokeOthers, nil as in most requests
}

// edit is for whoever is about to change something.
func (s *Session) edit() *edits {
	if s.edits == nil {
		s.edits = new(edits)
	}
	return s.edits
}

// owed is what the response still has to tell the client.
type owed struct {
	token   Token // a new one
	maxAge  moment
	persist *bool
	expire  bool // forget the token
}

// begin brings a session into being, unless there is one or there was one that is gone.
func (s *Session) begin() {
	e := s.edit()
	if s.exists() || s.gone && e.pending.end == "" {
		return
	}
	e.pending.id, e.pending.created = newID(), s.manager.notBefore.born()
}

// refusal is why Commit would not even try.
func (s *Session) refusal(noHeader bool) error {
	if s.late {
		return ErrCommitted
	}
	e := s.edits
	if e == nil {
		return nil
	}
	if len(e.faults) > 0 || e.ownerFault != nil {
		list := []error{e.ownerFault}
		for _, name := range slices.Sorted(maps.Keys(e.faults)) {
			list = append(list, e.faults[name])
		}
		return errors.Join(list...)
	}
	if e.pending.id != "" && s.proof == oldSecret && e.pending.end == "" {
		return ErrOutdated
	}
	if noHeader && e.pending.needsToken() {
		return ErrCommitted
	}
	return nil
}

// tooLarge says what Commit will find when it puts the values together.
func (s *Session) tooLarge() error {
	e := s.edits
	if e == nil || len(e.pending.values) == 0 || e.inflight != nil || s.gone {
		return nil
	}
	base := noValues
	if s.baseShows() {
		base = s.base.values()
	}
	var room patchRoom
	p, _, err := e.pending.merge(room[:0], base, base, false)
	if err != nil {
		return err
	}
	return s.manager.checkPatch(base, e.pending.under(base), p)
}

// fault notes what is wrong with a value.
func (s *Session) fault(name string, err error) {
	e := s.edit()
	if e.faults == nil {
		e.faults = make(map[string]error)
	}
	e.faults[name] = err
}

// forgive forgets what was wrong with a value that is set anew or deleted.
func (s *Session) forgive(name string) {
	e := s.edits
	if e == nil {
		return
	}
	delete(e.faults, name)
	if e.failed == nil {
		return
	}
	var fault *ValueError
	if errors.As(e.failed, &fault) && (fault.Name == name || fault.Name == "") {
		e.failed = nil
	}
}
