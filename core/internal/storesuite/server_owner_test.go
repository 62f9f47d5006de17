package storesuite_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// An index is a server's part that keeps owners and moments, and tells of ends.
type index struct {
	fault fault

	mu       sync.Mutex
	accounts map[string]*account
	marks    map[string]time.Time
	watchers map[chan told]bool
}

type account struct {
	epoch   core.Epoch
	entries map[core.ID]core.OwnerEntry
}

// A told is what a watcher is told of.
type told struct {
	id      core.ID
	renewed bool
}

func newIndex(f fault) *index {
	return &index{
		fault: f, accounts: map[string]*account{}, marks: map[string]time.Time{},
		watchers: map[chan told]bool{},
	}
}

// of is an owner's account. The caller holds the lock.
func (x *index) of(owner string) *account {
	if x.accounts[owner] == nil {
		x.accounts[owner] = &account{entries: map[core.ID]core.OwnerEntry{}}
	}
	return x.accounts[owner]
}

func (x *index) add(owner string, e core.OwnerEntry, epoch core.Epoch, limit int) (int, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	a := x.of(owner)
	if a.epoch != epoch && x.fault != ignoresEpochs {
		return 0, core.ErrConflict
	}
	others := len(a.entries)
	if _, ok := a.entries[e.ID]; ok {
		others--
	}
	if limit != 0 && others >= limit && x.fault != ignoresLimits {
		return 0, core.ErrOwnerLimit
	}
	if x.fault == addsLate {
		slip(&x.mu)
	}
	a.entries[e.ID] = e
	return len(a.entries), nil
}

func (x *index) list(owner string) []core.OwnerEntry {
	x.mu.Lock()
	defer x.mu.Unlock()
	return slices.Collect(maps.Values(x.of(owner).entries))
}

func (x *index) remove(owner string, list []core.OwnerEntry) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, e := range list {
		is, ok := x.of(owner).entries[e.ID]
		if ok && (is.Revision == e.Revision || x.fault == removesAny) && x.fault != removesNone {
			delete(x.of(owner).entries, e.ID)
		}
	}
}

func (x *index) raise(owner string, epoch core.Epoch) (core.Epoch, []core.OwnerEntry) {
	x.mu.Lock()
	defer x.mu.Unlock()
	a := x.of(owner)
	list := slices.Collect(maps.Values(a.entries))
	switch x.fault {
	case raisesLate:
		slip(&x.mu)
	case raisesBlind:
		list = nil
	}
	before := a.epoch
	a.epoch = epoch
	return before, list
}

func (x *index) tell(t told) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.fault == tellsNothing {
		return
	}
	for w := range x.watchers {
		select {
		case w <- t:
		default:
			delete(x.watchers, w)
			close(w)
		}
	}
}

func (x *index) watch(ctx context.Context, w core.Watching) error {
	queue := make(chan told, 10_000)
	x.mu.Lock()
	x.watchers[queue] = true
	x.mu.Unlock()
	defer func() {
		x.mu.Lock()
		defer x.mu.Unlock()
		delete(x.watchers, queue)
	}()
	w.Ready()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case t, ok := <-queue:
			switch {
			case !ok:
				return errors.New("too much to tell")
			case t.renewed:
				w.Renewed(t.id)
			default:
				w.Ended(t.id)
			}
		}
	}
}

func (h *handle) OwnerEpoch(ctx context.Context, owner string) (epoch core.Epoch, err error) {
	err = h.ask(ctx, func(s *server) error {
		s.index.mu.Lock()
		defer s.index.mu.Unlock()
		epoch = s.index.of(owner).epoch
		return nil
	})
	return epoch, err
}

func (h *handle) AddOwned(
	ctx context.Context, owner string, e core.OwnerEntry, epoch core.Epoch, limit int,
) (n int, err error) {
	err = h.ask(ctx, func(s *server) (err error) {
		n, err = s.index.add(owner, e, epoch, limit)
		return err
	})
	return n, err
}

func (h *handle) ListOwned(
	ctx context.Context, owner string,
) (list []core.OwnerEntry, err error) {
	err = h.ask(ctx, func(s *server) error {
		list = s.index.list(owner)
		return nil
	})
	return list, err
}

func (h *handle) RemoveOwned(ctx context.Context, owner string, list ...core.OwnerEntry) error {
	return h.ask(ctx, func(s *server) error {
		s.index.remove(owner, list)
		return nil
	})
}

func (h *handle) RaiseEpoch(
	ctx context.Context, owner string, epoch core.Epoch, _ time.Time,
) (before core.Epoch, list []core.OwnerEntry, err error) {
	err = h.ask(ctx, func(s *server) error {
		before, list = s.index.raise(owner, epoch)
		return nil
	})
	return before, list, err
}

func (h *handle) Mark(ctx context.Context, name string) (at time.Time, err error) {
	err = h.ask(ctx, func(s *server) error {
		s.index.mu.Lock()
		defer s.index.mu.Unlock()
		at = s.index.marks[name]
		return nil
	})
	return at, err
}

func (h *handle) RaiseMark(ctx context.Context, name string, at time.Time) error {
	return h.ask(ctx, func(s *server) error {
		s.index.mu.Lock()
		defer s.index.mu.Unlock()
		if at.After(s.index.marks[name]) {
			s.index.marks[name] = at
		}
		return nil
	})
}

func (h *handle) Watch(ctx context.Context, w core.Watching) error {
	return h.server.index.watch(ctx, w)
}
