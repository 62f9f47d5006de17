package shared

import (
	"context"
	"errors"
	"io"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// Ours is the name of this library's stores among the contestants.
const Ours = "ours"

// store is what all stores of this library are.
type store interface {
	core.Store
	core.Toucher
}

// ours is a store of this library.
type ours struct {
	store store
	close []io.Closer
}

func (o ours) Create(ctx context.Context, rec core.Record) error {
	return o.store.Create(ctx, rec)
}

func (o ours) Load(ctx context.Context, id core.ID) (string, bool, error) {
	rec, err := o.store.Load(ctx, id)
	if errors.Is(err, core.ErrNotFound) {
		return "", false, nil
	}
	return rec.Data, err == nil, err
}

func (o ours) Change(ctx context.Context, rec core.Record, was core.Revision) error {
	return refused(o.store.Update(ctx, rec, was))
}

func (o ours) Touch(ctx context.Context, rec core.Record, was core.Revision) error {
	return refused(o.store.Touch(ctx, rec, was))
}

func (o ours) Delete(ctx context.Context, id core.ID) error { return o.store.Delete(ctx, id) }

func (o ours) Close() error {
	var errs []error
	for _, c := range o.close {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

func refused(err error) error {
	if errors.Is(err, core.ErrConflict) || errors.Is(err, core.ErrNotFound) {
		return errRefused
	}
	return err
}
