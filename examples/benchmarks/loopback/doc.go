// Package loopback measures how many requests a server answers over real connections when each of
// them reads a session, against the same server without sessions.
//
// Each contestant listens in a process of its own, and all of them live as long as the measurement.
// A client in the measuring process asks one at a time, over a number of kept-alive connections,
// for a slice of time. The contestants take turns, in another order in each round, and are compared
// within a round. Client and server share the machine's processors.
package loopback
