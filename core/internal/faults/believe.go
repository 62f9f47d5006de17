package faults

import (
	"context"
	"errors"
	"time"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// A BelievingStore is wrong: it takes no answer for yes. Where another store says that the outcome
// of a write is unknown, or not confirmed, it reports success. It is the positive control of faults
// in which nothing is lost but answers.
type BelievingStore struct{ inner core.Store }

// Believe makes a BelievingStore of a store.
func Believe(store core.Store) *BelievingStore { return &BelievingStore{store} }

func believed(err error) error {
	verdicts := []error{
		core.ErrExists, core.ErrNotFound, core.ErrConflict, core.ErrStoreFull, errors.ErrUnsupported,
		core.ErrOwnerLimit,
	}
	for _, verdict := range verdicts {
		if errors.Is(err, verdict) {
			return err
		}
	}
	return nil
}

// Create implements core.Store.
func (s *BelievingStore) Create(ctx context.Context, rec core.Record) error {
	return believed(s.inner.Create(ctx, rec))
}

// Load implements core.Store. It is right: there is nothing to believe without a record.
func (s *BelievingStore) Load(ctx context.Context, id core.ID) (core.Record, error) {
	return s.inner.Load(ctx, id)
}

// Update implements core.Store.
func (s *BelievingStore) Update(ctx context.Context, rec core.Record, was core.Revision) error {
	return believed(s.inner.Update(ctx, rec, was))
}

// Delete implements core.Store.
func (s *BelievingStore) Delete(ctx context.Context, id core.ID) error {
	return believed(s.inner.Delete(ctx, id))
}

// Renew implements core.Renewer.
func (s *BelievingStore) Renew(ctx context.Context, rec core.Record, was core.Revision) error {
	return believed(renew(ctx, s.inner, rec, was))
}

// Touch implements core.Toucher.
func (s *BelievingStore) Touch(ctx context.Context, rec core.Record, was core.Revision) error {
	return believed(touch(ctx, s.inner, rec, was))
}

// renew, touch: a store need not be able to.
func renew(ctx context.Context, s core.Store, rec core.Record, was core.Revision) error {
	if able, ok := s.(core.Renewer); ok {
		return able.Renew(ctx, rec, was)
	}
	return errors.ErrUnsupported
}

func touch(ctx context.Context, s core.Store, rec core.Record, was core.Revision) error {
	if able, ok := s.(core.Toucher); ok {
		return able.Touch(ctx, rec, was)
	}
	return errors.ErrUnsupported
}

// OwnerEpoch implements core.OwnerIndex.
func (s *BelievingStore) OwnerEpoch(ctx context.Context, owner string) (core.Epoch, error) {
	return forward{s.inner}.OwnerEpoch(ctx, owner)
}

// AddOwned implements core.OwnerIndex.
func (s *BelievingStore) AddOwned(
	ctx context.Context, owner string, entry core.OwnerEntry, epoch core.Epoch, limit int,
) (int, error) {
	n, err := forward{s.inner}.AddOwned(ctx, owner, entry, epoch, limit)
	return n, believed(err)
}

// ListOwned implements core.OwnerIndex.
func (s *BelievingStore) ListOwned(ctx context.Context, owner string) ([]core.OwnerEntry, error) {
	return forward{s.inner}.ListOwned(ctx, owner)
}

// RemoveOwned implements core.OwnerIndex.
func (s *BelievingStore) RemoveOwned(
	ctx context.Context, owner string, entries ...core.OwnerEntry,
) error {
	return believed(forward{s.inner}.RemoveOwned(ctx, owner, entries...))
}

// RaiseEpoch implements core.OwnerIndex.
func (s *BelievingStore) RaiseEpoch(
	ctx context.Context, owner string, epoch core.Epoch, until time.Time,
) (core.Epoch, []core.OwnerEntry, error) {
	before, list, err := forward{s.inner}.RaiseEpoch(ctx, owner, epoch, until)
	return before, list, believed(err)
}
