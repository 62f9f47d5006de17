// Package faults tests, in the manner of Jepsen, what a store loses when servers die, links break
// and clocks are wrong. Only tests import it.
//
// A Run is clients that use sessions on Nodes, each a core.Manager with a store of its own, and
// keeps a History: what was done when, with what outcome, and what was seen. An operation is ok,
// failed, or unknown: that is what the caller of a Manager can know, and all that counts. Five
// invariants are functions of a History:
//
//	L, CheckEnds      no acknowledged end is ever undone
//	W, CheckChanges   no acknowledged change is lost, no failed one appears
//	R, CheckRenewals  a renewed session has one good token, the newest
//	V, CheckViews     a node sees what was acknowledged through it
//	O, CheckOwners    no session of an owner's whose sign-in had begun before an acknowledged end of
//	                  all of them is accepted after it
//
// A test does something bad while clients work, heals it, and reads everything:
//
//	func TestAnEndSurvivesAPromotion(t *testing.T) {
//		settings.Seeds(func(seed uint64) bool {
//			primary, replica, link := …
//			run := faults.Start(t, seed,
//				faults.NewNode(t, "a", open(primary), core.Config{}),
//				faults.NewNode(t, "b", open(primary), core.Config{}))
//			run.Create(100)
//			stop := run.Go(faults.Load{From: 50})   // a random load on the sessions from 50 on
//			link.Cut()
//			ended := run.End(0, 50)                 // at a time when they are sure to be lost
//			promote(replica)
//			stop()
//			run.Use(faults.NewNode(t, "c", open(replica), core.Config{}))
//			run.Await()                             // until it serves
//			run.ReadAll()                           // by ID and by every token there ever was
//			v := run.Verdict()
//			require.Empty(t, v.Ends, "%v", v)
//			return !t.Failed()
//		})
//	}
//
// with, once in the package, for "go test -run Faults -faults.seed=7 -faults.duration=10m":
//
//	var settings = faults.Flags(flag.CommandLine)
//
// A test that finds nothing proves nothing as long as it has not been seen to find something. Each
// fault therefore runs twice: with a configuration that protects, which must have no violation, and
// as a positive control with one that does not, which must have some (require.NotEmpty). So that it
// bites every time, do by Each or End what must be lost, while it must be; a random load alone may
// miss it.
//
// What to remember of the faults themselves: to stop a process (SIGSTOP) is not a partition, for
// the kernel keeps what was sent and delivers it later. Cut a link in a proxy, and drop what the
// proxy holds before it is healed. Ends that are not confirmed (core.ErrNotDurable) are unknown:
// invariant L says nothing of them. AwaitEnds and Close turn them into confirmed ones once the
// Managers went on successfully; ReadAll after that holds the Managers to it.
package faults
