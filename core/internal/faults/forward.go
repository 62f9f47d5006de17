package faults

import (
	"context"
	"errors"
	"time"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// forward is what a wrapper passes on to the store that it wraps, if that is able to.
type forward struct{ inner core.Store }

// OwnerEpoch implements core.OwnerIndex.
func (f forward) OwnerEpoch(ctx context.Context, owner string) (core.Epoch, error) {
	if able, ok := f.inner.(core.OwnerIndex); ok {
		return able.OwnerEpoch(ctx, owner)
	}
	return 0, errors.ErrUnsupported
}

// AddOwned implements core.OwnerIndex.
func (f forward) AddOwned(
	ctx context.Context, owner string, entry core.OwnerEntry, epoch core.Epoch, limit int,
) (int, error) {
	if able, ok := f.inner.(core.OwnerIndex); ok {
		return able.AddOwned(ctx, owner, entry, epoch, limit)
	}
	return 0, errors.ErrUnsupported
}

// ListOwned implements core.OwnerIndex.
func (f forward) ListOwned(ctx context.Context, owner string) ([]core.OwnerEntry, error) {
	if able, ok := f.inner.(core.OwnerIndex); ok {
		return able.ListOwned(ctx, owner)
	}
	return nil, errors.ErrUnsupported
}

// RemoveOwned implements core.OwnerIndex.
func (f forward) RemoveOwned(
	ctx context.Context, owner string, entries ...core.OwnerEntry,
) error {
	if able, ok := f.inner.(core.OwnerIndex); ok {
		return able.RemoveOwned(ctx, owner, entries...)
	}
	return errors.ErrUnsupported
}

// RaiseEpoch implements core.OwnerIndex.
func (f forward) RaiseEpoch(
	ctx context.Context, owner string, epoch core.Epoch, until time.Time,
) (core.Epoch, []core.OwnerEntry, error) {
	if able, ok := f.inner.(core.OwnerIndex); ok {
		return able.RaiseEpoch(ctx, owner, epoch, until)
	}
	return 0, nil, errors.ErrUnsupported
}
