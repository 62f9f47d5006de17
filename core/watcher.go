package core

import "context"

// A Watcher is a Store that tells of ends and renewals, whichever process they come from. With it a
// Manager cancels Session.Live within a moment; where the store is none, or cannot watch for a
// while, it looks after each session that somebody waits for every few seconds. A store that wraps
// another one which cannot answers with an error that wraps errors.ErrUnsupported.
type Watcher interface {
	// Watch tells of every Delete of a record, and of every Renew, that takes effect from its call
	// of Ready on until it returns. It may tell of more, and more than once. It returns when the
	// context is over, and with an error when it cannot watch, or cannot be sure any more that it
	// hears of everything: it notices within a few seconds that a connection is dead. It does not
	// try again: the Manager does. It holds a bounded number of what it has not told yet, and
	// returns an error rather than hold more. Several may watch one store at once.
	Watch(ctx context.Context, w Watching) error
}

// Watching is whom a Watcher tells. It does not wait for anything, so a store may call it while it
// holds a lock, and from several goroutines at once. It keeps nothing of an ID that it is given.
type Watching interface {
	// Ready says that from now on nothing is missed. It is called once in each Watch.
	Ready()
	// Ended says that a record was deleted, or that a Delete found none.
	Ended(id ID)
	// Renewed says that Renew has replaced a record.
	Renewed(id ID)
}
