// Package core keeps HTTP sessions on the server. The client holds one opaque token of 128
// characters, in a cookie or in a header; everything else stays in a Store that can update, end and
// expire it for real. Package core needs no framework: Manager.Handler is the middleware for
// net/http, and ginsession, echosession, fibersession and chisession are those of the frameworks.
//
// A program makes one Manager, names its values, and uses them with the request's Session:
//
//	var visits = core.NewValue[int]("visits")
//
//	manager, err := core.New(core.Config{})
//	…
//	http.ListenAndServe(addr, manager.Handler(mux))
//
//	func home(w http.ResponseWriter, r *http.Request) {
//		s, _ := core.FromContext(r.Context())
//		visits.Update(s, func(n int) int { return n + 1 })
//	}
//
// # What it promises
//
// Over is over: a session that was destroyed, revoked or has expired never comes back, not by a
// slow request's late save, not by a touch, not by a renewal. A store's record is only ever created
// under a new ID, or replaced under compare-and-set.
//
// Nothing is lost: two requests that change different values both keep their change. A change is
// stored before the first byte of the response leaves, or the client gets an error; what is changed
// after the first byte is stored when the handler has returned.
//
// It costs almost nothing: a request without a token costs no store access, one with a token costs
// one Load, and a use is written once in a while only.
//
// # Words
//
// The token is the secret that a client holds. Its first 32 characters are the session's ID, which
// is public and stays; of the rest the server keeps a hash, the verifier. A carrier takes tokens
// between client and server. To renew is to replace the token, to destroy to end one's own session,
// to revoke to end it from outside. A touch notes a use.
package core
