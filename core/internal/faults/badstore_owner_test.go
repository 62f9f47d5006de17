package faults_test

import (
	"context"
	"slices"
	"time"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// An account is what a badStore keeps of an owner. Its list is never changed, but replaced.
type account struct {
	epoch core.Epoch
	list  []core.OwnerEntry
}

// without is the list without the entry of a session.
func (a account) without(id core.ID) []core.OwnerEntry {
	is := func(e core.OwnerEntry) bool { return e.ID == id }
	return slices.DeleteFunc(slices.Clone(a.list), is)
}

// owner is somebody's account, if the store answers.
func (s *badStore) owner(owner string) (account, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away {
		return account{}, errNoAnswer
	}
	return s.owners[owner], nil
}

func (s *badStore) OwnerEpoch(_ context.Context, owner string) (core.Epoch, error) {
	a, err := s.owner(owner)
	return a.epoch, err
}

func (s *badStore) ListOwned(_ context.Context, owner string) ([]core.OwnerEntry, error) {
	a, err := s.owner(owner)
	return slices.Clone(a.list), err
}

func (s *badStore) AddOwned(
	_ context.Context, owner string, e core.OwnerEntry, epoch core.Epoch, limit int,
) (n int, err error) {
	err = s.write(func() error {
		a := s.owners[owner]
		others := a.without(e.ID)
		switch {
		case a.epoch != epoch && !s.anyEpoch:
			return core.ErrConflict
		case limit != 0 && len(others) >= limit:
			return core.ErrOwnerLimit
		}
		a.list = append(others, e)
		s.owners[owner], n = a, len(a.list)
		return nil
	})
	return n, err
}

func (s *badStore) RemoveOwned(
	_ context.Context, owner string, list ...core.OwnerEntry,
) error {
	return s.write(func() error {
		a := s.owners[owner]
		a.list = slices.DeleteFunc(slices.Clone(a.list), func(is core.OwnerEntry) bool {
			return slices.ContainsFunc(list, func(e core.OwnerEntry) bool {
				return is.ID == e.ID && is.Revision == e.Revision
			})
		})
		s.owners[owner] = a
		return nil
	})
}

func (s *badStore) RaiseEpoch(
	_ context.Context, owner string, epoch core.Epoch, _ time.Time,
) (before core.Epoch, list []core.OwnerEntry, err error) {
	err = s.write(func() error {
		a := s.owners[owner]
		before, list = a.epoch, slices.Clone(a.list)
		a.epoch = epoch
		s.owners[owner] = a
		if s.few {
			return core.ErrNotDurable
		}
		return nil
	})
	return before, list, err
}
