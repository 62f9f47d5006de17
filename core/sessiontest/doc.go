// Package sessiontest tests what is built around package core.
//
// Who writes a store runs TestStore, which holds it to the contract of core.Store, sentence by
// sentence:
//
//	func TestStore(t *testing.T) {
//		sessiontest.TestStore(t, func(t testing.TB) core.Store { return newStore(t) })
//	}
//
// Who writes an adapter for a framework runs TestAdapter, which sends it real requests and needs a
// few lines that serve a Handler behind the adapter.
//
// Who tests a program's handlers gives a request a session with Request:
//
//	r = sessiontest.Request(t, manager, r, func(s *core.Session) { s.SetOwner("user:42") })
//
// Only tests import this package.
package sessiontest
