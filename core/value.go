package core

import (
	"context"
	"strings"
)

// A Value is one typed entry of a session, made once with NewValue and used with any session:
//
//	var cart = core.NewValue[Cart]("cart")
//
// Values are kept as JSON (encoding/json without HTML escaping). Two types under one name read each
// other's JSON where that fits. A Value may be copied and used by many goroutines at once.
type Value[T any] struct {
	name string
}

// NewValue names a value: 1 to 255 bytes of UTF-8, else setting it is a *ValueError.
func NewValue[T any](name string) Value[T] {
	return Value[T]{name: strings.Clone(name)} // it may be a view of a framework's buffer
}

// Name is the name that NewValue was given.
func (v Value[T]) Name() string { return v.name }

// Get returns the value, and false if it is absent. If what is stored is no T it returns false,
// too, and Commit fails with a *ValueError unless the handler sets or deletes the value: what
// cannot be read is not silently thrown away.
func (v Value[T]) Get(s *Session) (T, bool) {
	var val T
	text, ok := s.get(v.name)
	if !ok {
		return val, false
	}
	val, err := decode[T](text)
	if err != nil {
		s.undecodable(v.name, err)
		var none T
		return none, false
	}
	return val, true
}

// Set sets the value, and begins a session if there is none. It encodes at once: changing what val
// points to afterwards stores nothing. What cannot be encoded, invalid UTF-8 included, or is too
// large makes Commit fail with a *ValueError. Where two requests set one value the later commit
// wins; to change it depending on what it was, use Update.
func (v Value[T]) Set(s *Session, val T) {
	text, err := encode(val)
	s.set(v.name, text, err)
}

// Update sets the value to f of what it is, the zero T if it is absent. If another request changed
// the value meanwhile, f is run again on the newer one when the session is committed, so that fifty
// parallel increments count fifty: f may run any number of times, in Commit's goroutine as well,
// and should do nothing but compute.
func (v Value[T]) Update(s *Session, f func(T) T) {
	s.update(v.name, func(current string, present bool) (string, error) {
		var val T
		if present {
			var err error
			if val, err = decode[T](current); err != nil {
				return "", err
			}
		}
		return encode(f(val))
	})
}

// Take gets the value and deletes it, as a flash message wants. Two parallel requests may both get
// it; where that must not be, use TakeOnce. What is stored and no T is deleted, too, and false
// returned.
func (v Value[T]) Take(s *Session) (T, bool) { return v.take(s, false) }

// TakeOnce is Take for one-time secrets: if another request took or changed the value first, Commit
// fails with ErrConflict (ErrGone if the session ended), so that only one request ever succeeds.
func (v Value[T]) TakeOnce(s *Session) (T, bool) { return v.take(s, true) }

func (v Value[T]) take(s *Session, once bool) (T, bool) {
	var none T
	text, ok := s.remove(v.name, once)
	if !ok {
		return none, false
	}
	val, err := decode[T](text)
	if err != nil {
		event := Event{Kind: ValueUndecodable, ID: s.ID(), Name: v.name, Err: err}
		s.manager.emit(context.Background(), event)
		return none, false
	}
	return val, true
}

// Delete deletes the value. It is nothing if there is none.
func (v Value[T]) Delete(s *Session) { s.remove(v.name, false) }
