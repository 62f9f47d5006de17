// Package floor is how little a session can cost: two middlewares, written by hand for the one
// application that the benchmark is, to measure a library against.
//
// Plain does what nobody can leave out who keeps sessions on the server under a token of 128
// characters: find the token in the cookie, hash its secret, look its ID up in a map, and hand the
// session to the handler, in the way that suits each framework. It serves one goroutine.
//
// Guarded does what nobody should leave out either: a lock, one look at the clock for both
// timeouts, a comparison in constant time, a response writer that knows when it is too late for a
// cookie, a context that carries the session to any depth, and Vary. In echo and below net/http
// that context is the only way to the session; in gin and fiber a name leads to it as well.
//
// Guarded keeps no promise beyond that. There is no way to end a session or to renew its token, and
// one that has expired opens no more but is never removed. Values are fields of a struct. A change
// takes effect at once, before the answer, and a handler that panics does not undo it. Vary is
// written into the header by whichever goroutine asks for the session first, so that none may
// answer meanwhile. A restart loses all sessions.
package floor
