package storesuite

import (
	"context"
	"time"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// OwnerEpoch implements core.OwnerIndex.
func (o *outside) OwnerEpoch(ctx context.Context, owner string) (epoch core.Epoch, err error) {
	index, ok := o.store.(core.OwnerIndex)
	if !ok {
		return 0, errBeneath
	}
	err = o.do(ctx, func(ctx context.Context) (err error) {
		epoch, err = index.OwnerEpoch(ctx, owner)
		return err
	})
	return epoch, err
}

// AddOwned implements core.OwnerIndex.
func (o *outside) AddOwned(
	ctx context.Context, owner string, entry core.OwnerEntry, epoch core.Epoch, limit int,
) (n int, err error) {
	index, ok := o.store.(core.OwnerIndex)
	if !ok {
		return 0, errBeneath
	}
	err = o.do(ctx, func(ctx context.Context) (err error) {
		n, err = index.AddOwned(ctx, owner, entry, epoch, limit)
		return err
	})
	return n, err
}

// ListOwned implements core.OwnerIndex.
func (o *outside) ListOwned(
	ctx context.Context, owner string,
) (list []core.OwnerEntry, err error) {
	index, ok := o.store.(core.OwnerIndex)
	if !ok {
		return nil, errBeneath
	}
	err = o.do(ctx, func(ctx context.Context) (err error) {
		list, err = index.ListOwned(ctx, owner)
		return err
	})
	return list, err
}

// RemoveOwned implements core.OwnerIndex.
func (o *outside) RemoveOwned(
	ctx context.Context, owner string, entries ...core.OwnerEntry,
) error {
	index, ok := o.store.(core.OwnerIndex)
	if !ok {
		return errBeneath
	}
	return o.do(ctx, func(ctx context.Context) error {
		return index.RemoveOwned(ctx, owner, entries...)
	})
}

// RaiseEpoch implements core.OwnerIndex.
func (o *outside) RaiseEpoch(
	ctx context.Context, owner string, epoch core.Epoch, until time.Time,
) (before core.Epoch, list []core.OwnerEntry, err error) {
	index, ok := o.store.(core.OwnerIndex)
	if !ok {
		return 0, nil, errBeneath
	}
	err = o.do(ctx, func(ctx context.Context) (err error) {
		before, list, err = index.RaiseEpoch(ctx, owner, epoch, until)
		return err
	})
	return before, list, err
}

// Mark implements core.Marker.
func (o *outside) Mark(ctx context.Context, name string) (at time.Time, err error) {
	marker, ok := o.store.(core.Marker)
	if !ok {
		return time.Time{}, errBeneath
	}
	err = o.do(ctx, func(ctx context.Context) (err error) {
		at, err = marker.Mark(ctx, name)
		return err
	})
	return at, err
}

// RaiseMark implements core.Marker.
func (o *outside) RaiseMark(ctx context.Context, name string, at time.Time) error {
	marker, ok := o.store.(core.Marker)
	if !ok {
		return errBeneath
	}
	return o.do(ctx, func(ctx context.Context) error { return marker.RaiseMark(ctx, name, at) })
}

// Watch implements core.Watcher: it cannot, since a bubble's clock would stand still as long as it
// goes on. So what is watched is watched on open ground, and in bubbles a Manager looks by itself.
func (o *outside) Watch(context.Context, core.Watching) error { return errBeneath }
