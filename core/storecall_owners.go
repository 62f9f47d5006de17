package core

import (
	"context"
	"errors"
	"time"
)

// OwnerEpoch implements OwnerIndex.
func (o *observedStore) OwnerEpoch(ctx context.Context, owner string) (Epoch, error) {
	if o.owners == nil {
		return 0, errors.ErrUnsupported
	}
	start := time.Now()
	epoch, err := o.owners.OwnerEpoch(ctx, owner)
	o.told(ctx, "owner epoch", "", start, err)
	return epoch, err
}

// AddOwned implements OwnerIndex.
func (o *observedStore) AddOwned(
	ctx context.Context, owner string, entry OwnerEntry, epoch Epoch, limit int,
) (int, error) {
	if o.owners == nil {
		return 0, errors.ErrUnsupported
	}
	start := time.Now()
	n, err := o.owners.AddOwned(ctx, owner, entry, epoch, limit)
	o.told(ctx, "add owned", entry.ID, start, err)
	return n, err
}

// ListOwned implements OwnerIndex.
func (o *observedStore) ListOwned(ctx context.Context, owner string) ([]OwnerEntry, error) {
	if o.owners == nil {
		return nil, errors.ErrUnsupported
	}
	start := time.Now()
	entries, err := o.owners.ListOwned(ctx, owner)
	o.told(ctx, "list owned", "", start, err)
	return entries, err
}

// RemoveOwned implements OwnerIndex.
func (o *observedStore) RemoveOwned(
	ctx context.Context, owner string, entries ...OwnerEntry,
) error {
	if o.owners == nil {
		return errors.ErrUnsupported
	}
	start := time.Now()
	err := o.owners.RemoveOwned(ctx, owner, entries...)
	o.told(ctx, "remove owned", "", start, err)
	return err
}

// RaiseEpoch implements OwnerIndex.
func (o *observedStore) RaiseEpoch(
	ctx context.Context, owner string, epoch Epoch, until time.Time,
) (Epoch, []OwnerEntry, error) {
	if o.owners == nil {
		return 0, nil, errors.ErrUnsupported
	}
	start := time.Now()
	before, entries, err := o.owners.RaiseEpoch(ctx, owner, epoch, until)
	o.told(ctx, "raise epoch", "", start, err)
	return before, entries, err
}

// Watch implements Watcher.
func (o *observedStore) Watch(ctx context.Context, w Watching) error {
	if o.watcher == nil {
		return errors.ErrUnsupported
	}
	start := time.Now()
	err := o.watcher.Watch(ctx, w)
	o.told(ctx, "watch", "", start, err)
	return err
}

// Mark implements Marker.
func (o *observedStore) Mark(ctx context.Context, name string) (time.Time, error) {
	if o.marker == nil {
		return time.Time{}, errors.ErrUnsupported
	}
	start := time.Now()
	at, err := o.marker.Mark(ctx, name)
	o.told(ctx, "mark", "", start, err)
	return at, err
}

// RaiseMark implements Marker.
func (o *observedStore) RaiseMark(ctx context.Context, name string, at time.Time) error {
	if o.marker == nil {
		return errors.ErrUnsupported
	}
	start := time.Now()
	err := o.marker.RaiseMark(ctx, name, at)
	o.told(ctx, "raise mark", "", start, err)
	return err
}
