// Package cost measures what a session adds to a request, over the bare framework, in each of them:
//
//	go test -run '^$' -bench . -benchmem ./examples/internal/cost
//
// Each has a bare handler, one that reads two values, one that changes one of them, one that begins
// a session with two, and one that is not concerned with sessions, for a client without a cookie. The
// frameworks' handlers are called without a network in between, so that nothing else is measured.
// Compare the lines of one run; times of different runs or machines say nothing.
package cost
