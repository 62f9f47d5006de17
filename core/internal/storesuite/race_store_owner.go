package storesuite

import (
	"context"
	"time"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// An ownerCall is one call of a Manager to its store's index of owners.
type ownerCall struct {
	verb    string // epoch, add, list, remove or raise
	owner   string // as the store knows it
	entries []core.OwnerEntry
}

// callOwner lets the hand on a call about an owner.
func (s *raceStore) callOwner(call ownerCall, do func() error) error {
	if s.onOwner == nil {
		return do()
	}
	return s.onOwner(call, do)
}

// index is the store's, nil if it has none.
func (h *raceHandle) index() core.OwnerIndex {
	index, _ := h.kept.(core.OwnerIndex)
	return index
}

// OwnerEpoch implements core.OwnerIndex.
func (h *raceHandle) OwnerEpoch(
	ctx context.Context, owner string,
) (epoch core.Epoch, err error) {
	if h.index() == nil {
		return 0, errBeneath
	}
	err = h.hand.callOwner(ownerCall{"epoch", owner, nil}, func() (err error) {
		epoch, err = h.index().OwnerEpoch(ctx, owner)
		return err
	})
	return epoch, err
}

// AddOwned implements core.OwnerIndex.
func (h *raceHandle) AddOwned(
	ctx context.Context, owner string, entry core.OwnerEntry, epoch core.Epoch, limit int,
) (n int, err error) {
	if h.index() == nil {
		return 0, errBeneath
	}
	call := ownerCall{"add", owner, []core.OwnerEntry{entry}}
	err = h.hand.callOwner(call, func() (err error) {
		n, err = h.index().AddOwned(ctx, owner, entry, epoch, limit)
		return err
	})
	return n, err
}

// ListOwned implements core.OwnerIndex.
func (h *raceHandle) ListOwned(
	ctx context.Context, owner string,
) (list []core.OwnerEntry, err error) {
	if h.index() == nil {
		return nil, errBeneath
	}
	err = h.hand.callOwner(ownerCall{"list", owner, nil}, func() (err error) {
		list, err = h.index().ListOwned(ctx, owner)
		return err
	})
	return list, err
}

// RemoveOwned implements core.OwnerIndex.
func (h *raceHandle) RemoveOwned(
	ctx context.Context, owner string, entries ...core.OwnerEntry,
) error {
	if h.index() == nil {
		return errBeneath
	}
	return h.hand.callOwner(ownerCall{"remove", owner, entries}, func() error {
		return h.index().RemoveOwned(ctx, owner, entries...)
	})
}

// RaiseEpoch implements core.OwnerIndex.
func (h *raceHandle) RaiseEpoch(
	ctx context.Context, owner string, epoch core.Epoch, until time.Time,
) (before core.Epoch, list []core.OwnerEntry, err error) {
	if h.index() == nil {
		return 0, nil, errBeneath
	}
	err = h.hand.callOwner(ownerCall{"raise", owner, nil}, func() (err error) {
		before, list, err = h.index().RaiseEpoch(ctx, owner, epoch, until)
		return err
	})
	return before, list, err
}

// Mark implements core.Marker.
func (h *raceHandle) Mark(ctx context.Context, name string) (time.Time, error) {
	if marker, ok := h.kept.(core.Marker); ok {
		return marker.Mark(ctx, name)
	}
	return time.Time{}, errBeneath
}

// RaiseMark implements core.Marker.
func (h *raceHandle) RaiseMark(ctx context.Context, name string, at time.Time) error {
	if marker, ok := h.kept.(core.Marker); ok {
		return marker.RaiseMark(ctx, name, at)
	}
	return errBeneath
}

// Watch implements core.Watcher.
func (h *raceHandle) Watch(ctx context.Context, w core.Watching) error {
	if watcher, ok := h.kept.(core.Watcher); ok && !h.hand.deaf {
		return watcher.Watch(ctx, w)
	}
	return errBeneath
}
