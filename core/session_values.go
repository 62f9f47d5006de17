package core

import (
	"context"
	"fmt"
	"unicode/utf8"
)

// lookup finds the encoded value of a name as the handler sees it.
func (s *Session) lookup(name string) (value string, ok bool) {
	if e := s.edits; e != nil {
		value, ok, known := e.pending.lookup(name)
		if !known && e.inflight != nil {
			value, ok, known = e.inflight.lookup(name)
		}
		if known {
			return value, ok
		}
	}
	if !s.live {
		return "", false
	}
	return s.base.values().get(name)
}

func (s *Session) get(name string) (string, bool) {
	s.mu.Lock()
	s.looked = true
	value, ok := s.lookup(name)
	s.mu.Unlock()
	return value, ok
}

// set notes an encoded value, or why there is none.
func (s *Session) set(name, value string, err error) {
	s.mu.Lock()
	defer s.unlock()
	if !s.change() {
		return
	}
	if err == nil {
		err = checkName(name)
	}
	if err != nil {
		s.fault(name, asValueError(name, err))
		return
	}
	s.forgive(name)
	s.begin()
	s.edit().pending.set(name, value)
}

// update runs f without a lock, so that it may use the session, and again if the value changed
// meanwhile.
func (s *Session) update(name string, f updater) {
	for {
		current, present := s.get(name)
		next, err := f(current, present)
		if s.updated(name, current, present, next, err, f) {
			return
		}
	}
}

// updated notes what f made of current, and reports false if that is not the value any more.
func (s *Session) updated(
	name, current string, present bool, next string, err error, f updater,
) bool {
	s.mu.Lock()
	defer s.unlock()
	if newest, there := s.lookup(name); newest != current || there != present {
		return false
	}
	if !s.change() {
		return true
	}
	if err == nil {
		err = checkName(name)
	}
	if err != nil {
		s.fault(name, asValueError(name, err))
		return true
	}
	s.forgive(name)
	s.begin()
	s.edit().pending.apply(name, next, f)
	return true
}

// remove deletes a value and returns what it was.
func (s *Session) remove(name string, once bool) (string, bool) {
	s.mu.Lock()
	defer s.unlock()
	if !s.change() {
		return s.lookup(name)
	}
	s.forgive(name)
	value, ok := s.lookup(name)
	switch {
	case ok && once:
		s.edit().pending.takeOnce(name, value)
	case ok:
		s.edit().pending.remove(name)
	}
	return value, ok
}

// undecodable notes that what is stored under name is not of the type asked for.
func (s *Session) undecodable(name string, err error) {
	s.mu.Lock()
	first := !s.sealed && s.edit().faults[name] == nil
	if first {
		s.fault(name, asValueError(name, err))
	}
	id := s.id()
	s.mu.Unlock()
	if first {
		event := Event{Kind: ValueUndecodable, ID: id, Name: name, Err: err}
		s.manager.emit(context.Background(), event)
	}
}

func checkName(name string) error {
	if name == "" || len(name) > maxNameLength || !utf8.ValidString(name) {
		return fmt.Errorf("its name is not UTF-8 of 1 to %d bytes", maxNameLength)
	}
	return nil
}
