package sessiontest_test

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// A ledger keeps owners, moments, and who watches: in the plainest way, so that it is easy to see
// that it does what the contracts say.
type ledger struct {
	mu       sync.Mutex
	accounts map[string]*account
	marks    map[string]time.Time
	watchers map[*core.Watching]bool
}

// An account is an owner's.
type account struct {
	epoch   core.Epoch
	until   time.Time
	entries map[core.ID]core.OwnerEntry
}

func newLedger() *ledger {
	return &ledger{
		accounts: map[string]*account{},
		marks:    map[string]time.Time{},
		watchers: map[*core.Watching]bool{},
	}
}

// of is an owner's account. The caller holds the lock.
func (l *ledger) of(owner string) *account {
	if l.accounts[owner] == nil {
		l.accounts[owner] = &account{entries: map[core.ID]core.OwnerEntry{}}
	}
	return l.accounts[owner]
}

func (l *ledger) OwnerEpoch(_ context.Context, owner string) (core.Epoch, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.of(owner).epoch, nil
}

func (l *ledger) AddOwned(
	_ context.Context, owner string, e core.OwnerEntry, epoch core.Epoch, limit int,
) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.of(owner)
	others := len(a.entries)
	if _, ok := a.entries[e.ID]; ok {
		others--
	}
	if a.epoch != epoch {
		return 0, core.ErrConflict
	}
	if limit != 0 && others >= limit {
		return 0, core.ErrOwnerLimit
	}
	a.entries[e.ID] = e
	return len(a.entries), nil
}

func (l *ledger) ListOwned(_ context.Context, owner string) ([]core.OwnerEntry, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Collect(maps.Values(l.of(owner).entries)), nil
}

func (l *ledger) RemoveOwned(_ context.Context, owner string, list ...core.OwnerEntry) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range list {
		if is, ok := l.of(owner).entries[e.ID]; ok && is.Revision == e.Revision {
			delete(l.of(owner).entries, e.ID)
		}
	}
	return nil
}

func (l *ledger) RaiseEpoch(
	_ context.Context, owner string, epoch core.Epoch, until time.Time,
) (core.Epoch, []core.OwnerEntry, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.of(owner)
	before := a.epoch
	a.epoch, a.until = epoch, until
	return before, slices.Collect(maps.Values(a.entries)), nil
}

// forget drops what is over some time before now.
func (l *ledger) forget(now time.Time) {
	const slack = 5 * time.Minute
	over := func(until time.Time) bool { return !until.IsZero() && until.Before(now.Add(-slack)) }
	l.mu.Lock()
	defer l.mu.Unlock()
	for owner, a := range l.accounts {
		for id, e := range a.entries {
			if over(e.Until) {
				delete(a.entries, id)
			}
		}
		if len(a.entries) == 0 && over(a.until) {
			delete(l.accounts, owner)
		}
	}
}

func (l *ledger) Mark(_ context.Context, name string) (time.Time, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.marks[name], nil
}

func (l *ledger) RaiseMark(_ context.Context, name string, at time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if at.After(l.marks[name]) {
		l.marks[name] = at
	}
	return nil
}

func (l *ledger) Watch(ctx context.Context, w core.Watching) error {
	l.enter(&w)
	<-ctx.Done()
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.watchers, &w)
	return ctx.Err()
}

func (l *ledger) enter(w *core.Watching) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.watchers[w] = true
	(*w).Ready()
}

// tell tells all who watch.
func (l *ledger) tell(what func(w core.Watching)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for w := range l.watchers {
		what(*w)
	}
}
