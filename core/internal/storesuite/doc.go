// Package storesuite holds a whole Manager to the promises of core on any store: over is over,
// nothing is lost, one token is good. sessiontest.TestStore checks what a store answers; this
// package checks what comes of it when requests meet.
//
// Only tests import it. A store's own test is a few lines:
//
//	var flags = storesuite.NewFlags()
//
//	func TestSuite(t *testing.T) {
//		storesuite.Run(t, storesuite.Subject{Flags: flags, Open: open})
//	}
//
// Races runs every way in which two requests of one session can meet, at each call to the store
// and with each fate of its answer, and compares what comes of it with the design, which
// race_spec.go repeats in small. Cases are stories of their own: time that runs out, answers that
// are lost, clients that go away. Models lets a random browser, a thief and an administrator loose,
// from a seed that a failure prints. Nodes does all of that with two Managers on one store, each
// with a handle of its own, and lets them work at the same time, as fast as they can.
//
// Time in these tests is that of a testing/synctest bubble, also where the store is a server: the
// calls to the store leave the bubble, and its clock stands still until they are answered. See
// outside.go.
package storesuite
