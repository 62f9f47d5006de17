// Package store measures stores of sessions at a million of them: the memory that one session
// takes, what the collector pays for all, how long a reader waits while half of them expire, and
// what is left of the heap when all have.
//
// Every contestant keeps the same small payload, Values, in the form in which it would keep it in
// production: what a library stores for a session with these two values, or core's own record.
// Each is measured in a process of its own (package child), one after the other, and must first
// pass Prove, so that nobody is fast by not doing the work.
//
// A program that calls Measure must hand over to Child when its first argument is ChildArg:
//
//	if len(os.Args) > 1 && os.Args[1] == store.ChildArg {
//		err := store.Child(os.Stdin, os.Stdout)
//		...
//	}
package store
