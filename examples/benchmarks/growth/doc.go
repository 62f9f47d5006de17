// Package growth measures how the cost of one operation grows: with the goroutines that work at
// once, and with the number of sessions that a store holds.
//
// Every contestant lives in a process of its own, so that none pays for another's garbage, and all
// processes of one point take turns, a few milliseconds each, in an order drawn anew in each
// round, so that a slow moment of the machine hits none more than the others.
//
// A program that calls Measure must hand over to Child when its first argument is ChildArg:
//
//	if len(os.Args) > 1 && os.Args[1] == growth.ChildArg {
//		err := growth.Child(os.Stdin, os.Stdout)
//		...
//	}
package growth
