// Package request measures what a session adds to a request: the time and the allocations that a
// framework's handler needs with it, over those it needs without.
//
// A Contestant is a framework with one way to keep sessions, set up as its documentation says. All
// contestants serve the same paths, and their handlers do the same with the session (handler.go).
// A handler checks all that it reads against what is expected, and answers 500 otherwise, so that
// nobody is measured who does not do the work; Prove checks beforehand what cannot be seen in
// passing: that a contestant keeps changes, keeps sessions apart and refuses forged tokens.
//
// Measure calls the handlers without a network in between. The contestants take turns, in another
// order in each round, and are compared within a round only, so that whatever else the machine
// does strikes all of them alike.
package request
