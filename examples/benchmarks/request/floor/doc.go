// Package floor is how little a session can cost: two middlewares, written by hand for the one
// application that the benchmark is, to measure a library against.
//
// Plain does what nobody can leave out who keeps sessions on the server under a token of 128
// characters: find the token in the cookie, hash its secret, look its ID up in a map, and hand the
// session to the handler. It serves one goroutine.
//
// Guarded does what nobody should leave out either: a lock, one look at the clock for both
// timeouts, a comparison in constant time, a response writer that knows when it is too late for a
// cookie, a context that carries the session to any depth, and Vary. It keeps no promise beyond
// that: two requests that change one session may overwrite each other's change, an ended one may
// still be written to, values are fields of a struct, and a restart loses them all.
package floor
