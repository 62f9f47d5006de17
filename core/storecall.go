package core

import (
	"context"
	"errors"
	"strings"
	"time"
)

// A StoreCall is one call of a Manager to its Store, as Config.ObserveStore sees it. It holds no
// token, no value, and of the session only its public name.
type StoreCall struct {
	// Op is "create", "load", "update", "renew", "touch", "delete" or "sweep"; of an OwnerIndex
	// "owner epoch", "add owned", "list owned", "remove owned" or "raise epoch"; of a Marker "mark" or
	// "raise mark"; of a Watcher "watch", which lasts as long as the store was watched.
	Op       string
	ID       ID        // "" where no session was asked for
	Start    time.Time // when the call began
	Duration time.Duration
	// Err is what the store answered. ErrNotFound, ErrExists and ErrConflict are answers like any
	// other; ErrNotDurable, ErrStoreFull and every other error are trouble.
	Err error
}

// An observedStore tells of each call to the store below it, whose abilities it has.
type observedStore struct {
	store   Store
	toucher Toucher // nil if the store is none, as are the others
	sweeper Sweeper
	renewer Renewer
	owners  OwnerIndex
	watcher Watcher
	marker  Marker
	observe func(context.Context, StoreCall)
}

var (
	_ Store   = (*observedStore)(nil)
	_ Sweeper = (*observedStore)(nil)
	_ Toucher = (*observedStore)(nil)
	_ Renewer = (*observedStore)(nil)

	_ OwnerIndex = (*observedStore)(nil)
	_ Watcher    = (*observedStore)(nil)
	_ Marker     = (*observedStore)(nil)
)

func newObservedStore(store Store, observe func(context.Context, StoreCall)) *observedStore {
	o := &observedStore{store: store, observe: observe}
	o.toucher, _ = store.(Toucher)
	o.sweeper, _ = store.(Sweeper)
	o.renewer, _ = store.(Renewer)
	o.owners, _ = store.(OwnerIndex)
	o.watcher, _ = store.(Watcher)
	o.marker, _ = store.(Marker)
	return o
}

// told makes a call known.
func (o *observedStore) told(ctx context.Context, op string, id ID, start time.Time, err error) {
	o.observe(ctx, StoreCall{
		Op: op, ID: ID(strings.Clone(string(id))), Start: start, Duration: time.Since(start),
		Err: err,
	})
}

// Create implements Store.
func (o *observedStore) Create(ctx context.Context, rec Record) error {
	start := time.Now()
	err := o.store.Create(ctx, rec)
	o.told(ctx, "create", rec.ID, start, err)
	return err
}

// Load implements Store.
func (o *observedStore) Load(ctx context.Context, id ID) (Record, error) {
	start := time.Now()
	rec, err := o.store.Load(ctx, id)
	o.told(ctx, "load", id, start, err)
	return rec, err
}

// Update implements Store.
func (o *observedStore) Update(ctx context.Context, rec Record, was Revision) error {
	start := time.Now()
	err := o.store.Update(ctx, rec, was)
	o.told(ctx, "update", rec.ID, start, err)
	return err
}

// Delete implements Store.
func (o *observedStore) Delete(ctx context.Context, id ID) error {
	start := time.Now()
	err := o.store.Delete(ctx, id)
	o.told(ctx, "delete", id, start, err)
	return err
}

// Renew implements Renewer.
func (o *observedStore) Renew(ctx context.Context, rec Record, was Revision) error {
	if o.renewer == nil {
		return errors.ErrUnsupported
	}
	start := time.Now()
	err := o.renewer.Renew(ctx, rec, was)
	o.told(ctx, "renew", rec.ID, start, err)
	return err
}

// Touch implements Toucher.
func (o *observedStore) Touch(ctx context.Context, rec Record, was Revision) error {
	if o.toucher == nil {
		return errors.ErrUnsupported
	}
	start := time.Now()
	err := o.toucher.Touch(ctx, rec, was)
	o.told(ctx, "touch", rec.ID, start, err)
	return err
}

// DeleteExpired implements Sweeper.
func (o *observedStore) DeleteExpired(ctx context.Context, now time.Time) (int, error) {
	if o.sweeper == nil {
		return 0, errors.ErrUnsupported
	}
	start := time.Now()
	n, err := o.sweeper.DeleteExpired(ctx, now)
	o.told(ctx, "sweep", "", start, err)
	return n, err
}
