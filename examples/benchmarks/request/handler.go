package request

import (
	"errors"
	"slices"
)

// verbs are how a contestant's handlers use the session, by its own idiom, from a framework's
// context C.
type verbs[C any] struct {
	// read returns the session's name and visits, or zero values if there is no session.
	read func(C) (name string, visits int, err error)
	// change adds one to the session's visits.
	change func(C) error
	// create begins a session with two values.
	create func(c C, name string, visits int) error
	// fill begins a session with two values and the fields, in the order of fieldKeys.
	fill func(c C, name string, visits int, fields []string) error
	// fields returns all fields of the session.
	fields func(C) ([]string, error)
}

// ErrMisread is why a handler answers 500: what it read is not what it should be.
var ErrMisread = errors.New("request: the session does not hold what it should")

// A route is a path and what its handler does before it answers "ok". An error is answered with
// 500, in the framework's own way.
type route[C any] struct {
	path string
	step func(C) error
}

var answer = []byte("ok")

// routes are the same for all contestants of all frameworks, whose contexts are C.
func (v verbs[C]) routes(want *Expected) []route[C] {
	return []route[C]{
		{pathRead, func(c C) error {
			name, visits, err := v.read(c)
			if err == nil && (name != want.Name || visits != want.Visits) {
				return ErrMisread
			}
			return err
		}},
		{pathChange, func(c C) error { return v.change(c) }},
		{pathCreate, func(c C) error { return v.create(c, want.Name, want.Visits) }},
		{pathFill, func(c C) error {
			return v.fill(c, want.Name, want.Visits, fieldValues(want.Name))
		}},
		{pathFields, func(c C) error {
			fields, err := v.fields(c)
			if err == nil && !slices.Equal(fields, fieldValues(want.Name)) {
				return ErrMisread
			}
			return err
		}},
		{pathUntouched, func(C) error { return nil }},
	}
}

// bareVerbs are those of a framework without sessions: it does nothing and is believed.
func bareVerbs[C any](want *Expected) verbs[C] {
	return verbs[C]{
		read:   func(C) (string, int, error) { return want.Name, want.Visits, nil },
		change: func(C) error { return nil },
		create: func(C, string, int) error { return nil },
		fill:   func(C, string, int, []string) error { return nil },
		fields: func(C) ([]string, error) { return fieldValues(want.Name), nil },
	}
}
