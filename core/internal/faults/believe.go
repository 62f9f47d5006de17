package faults

import (
	"context"
	"errors"

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
