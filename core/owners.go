package core

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// atOnce is how many of an owner's records are asked for at once.
const atOnce = 8

// A SessionInfo is what an owner may know of one of the own sessions, for a list of devices.
type SessionInfo struct {
	ID            ID // the public name, for Manager.RevokeOwned; it opens nothing
	Owner         string
	Label         string    // what Session.SetLabel kept; escape it
	Created       time.Time // when it began
	Authenticated time.Time // when the owner signed in last
	Used          time.Time // the last use that was noted, at most TouchInterval before the true one
	Expires       time.Time // when it ends unless it is used; zero means never
	Level         Level
}

// indexName is under which name an owner's entries are kept: one that is another in each Namespace,
// "" included, so that nobody can choose a name with which to reach into another.
func (m *Manager) indexName(owner string) string { return m.domain.nameOf(owner) }

// An owned is an entry with what became of its record.
type owned struct {
	entry OwnerEntry
	used  moment
	base  snapshot
	err   error
	state ownedState
}

type ownedState uint8

const (
	ownedOrphan ownedState = iota // there is no record, or it is not the owner's
	ownedDead                     // it is past a timeout
	ownedAlive
	ownedDamaged // it is the owner's, and cannot be read
	ownedForeign // it is of another Namespace, which cannot be: leave it alone
	ownedUnknown // the store could not tell
)

// Sessions lists the sessions of an owner that are alive, the one used last first. The error is an
// *OwnerError, a *StoreError, or wraps errors.ErrUnsupported where the store keeps no index of
// owners. It notes no use.
func (m *Manager) Sessions(ctx context.Context, owner string) ([]SessionInfo, error) {
	if err := checkOwner(owner); err != nil {
		return nil, err
	}
	if m.owners == nil {
		return nil, errNoIndex
	}
	entries, err := m.listOwned(ctx, owner)
	if err != nil {
		return nil, m.ownerFailure(ctx, owner, err)
	}
	all := m.examine(ctx, owner, entries)
	var list []SessionInfo
	var orphans []OwnerEntry
	for i := range all {
		switch o := &all[i]; o.state {
		case ownedUnknown:
			return nil, m.ownerFailure(ctx, owner, o.err)
		case ownedDamaged:
			_ = m.ownerFailure(ctx, owner, o.err)
		case ownedOrphan:
			orphans = append(orphans, o.entry)
		case ownedAlive:
			list = append(list, m.info(&o.base))
		}
	}
	m.unlistEntries(ctx, owner, orphans...)
	slices.SortStableFunc(list, func(a, b SessionInfo) int {
		if c := b.Used.Compare(a.Used); c != 0 {
			return c
		}
		return b.Created.Compare(a.Created)
	})
	return list, nil
}

var errNoIndex = fmt.Errorf("session store keeps no index of owners: %w", errors.ErrUnsupported)

func (m *Manager) info(base *snapshot) SessionInfo {
	extension := base.extension()
	return SessionInfo{
		ID: ID(strings.Clone(string(base.id))), Owner: base.owner,
		Label: strings.Clone(extension.label()), Level: extension.level(),
		Created: base.createdAt().time(), Authenticated: extension.authenticated().time(),
		Used: base.used.time(), Expires: m.end(base).time(),
	}
}

// ownerFailure makes store trouble with an owner's sessions known, once.
func (m *Manager) ownerFailure(ctx context.Context, owner string, err error) error {
	var store *StoreError
	if errors.As(err, &store) && store.Op != "delete" { // which remove has told
		m.emit(ctx, Event{
			Kind: StoreFailure, ID: store.ID, Owner: owner, Reason: store.Op, Err: err,
		})
	}
	return err
}

// listOwned asks for an owner's entries.
func (m *Manager) listOwned(ctx context.Context, owner string) ([]OwnerEntry, error) {
	limit := newDeadline(ctx, time.Now().Add(m.loadTimeout))
	defer limit.stop()
	entries, err := m.owners.ListOwned(limit, m.indexName(owner))
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return nil, errNoIndex
	case err != nil:
		return nil, &StoreError{Op: "list owned", Err: err}
	}
	return entries, nil
}

// examine loads the records of entries.
func (m *Manager) examine(ctx context.Context, owner string, entries []OwnerEntry) []owned {
	all := make([]owned, len(entries))
	m.each(len(entries), func(i int) {
		limit := newDeadline(ctx, time.Now().Add(m.loadTimeout))
		defer limit.stop()
		all[i] = m.examineOne(limit, owner, entries[i])
	})
	return all
}

func (m *Manager) examineOne(ctx context.Context, owner string, entry OwnerEntry) owned {
	o := owned{entry: entry}
	o.err = m.fetch(ctx, entry.ID, &o.base)
	var damaged *FrameError
	switch {
	case errors.Is(o.err, ErrNotFound):
	case errors.As(o.err, &damaged) && o.base.owner == owner:
		o.state, o.base = ownedDamaged, snapshot{id: entry.ID, owner: owner}
	case o.err != nil:
		o.state = ownedUnknown
	case !o.base.in(&m.domain):
		o.state = ownedForeign
	case o.base.owner != owner:
	case m.judge(ctx, &o.base, now()) != "":
		o.state = ownedDead
	default:
		o.state, o.used = ownedAlive, o.base.used
	}
	return o
}

// each runs f for every number below n, some at once where that may wait.
func (m *Manager) each(n int, f func(i int)) {
	if m.memory != nil || n == 1 {
		for i := range n {
			f(i)
		}
		return
	}
	var running sync.WaitGroup
	next := make(chan int)
	for range min(n, atOnce) {
		running.Go(func() {
			for i := range next {
				f(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	running.Wait()
}

// verify finds which of an owner's sessions are alive, and removes what is left of the others from
// the index, of which gone says that there were some. A session that is past a timeout is ended: by
// the clock of another node it may be alive, and if it were used there it would not be in the index
// any more.
func (m *Manager) verify(ctx context.Context, owner string) (alive []owned, gone bool, err error) {
	entries, err := m.listOwned(ctx, owner)
	if err != nil {
		return nil, false, err
	}
	var remove []OwnerEntry
	for _, o := range m.examine(ctx, owner, entries) {
		switch o.state {
		case ownedAlive, ownedDamaged:
			alive = append(alive, o)
			continue
		case ownedForeign:
			continue
		case ownedUnknown:
			return nil, false, o.err
		case ownedDead:
			if err := m.remove(ctx, m.unconfirmedEnd(o.entry.ID, &o.base)); err != nil {
				continue
			}
		}
		remove = append(remove, o.entry)
	}
	m.unlistEntries(ctx, owner, remove...)
	return alive, len(remove) > 0, nil
}
