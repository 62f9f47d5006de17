package sessiontest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sessionserverstore/sessionserverstore/core"
)

func checkOwnerExpiredLately(ctx context.Context, i index) error {
	for n, left := range []time.Duration{time.Minute, 0, -time.Minute} {
		owner, e, epoch := newOwner(), newEntry(), core.Epoch(n+1)
		e.Until = fromNow(left)
		err := first(
			func() error { return i.adds(ctx, owner, e, 1) },
			func() error { return i.lists(ctx, owner, e) },
			func() error {
				_, _, err := i.RaiseEpoch(ctx, owner, epoch, fromNow(left))
				return confirmed(err)
			},
			func() error { return i.lists(ctx, owner, e) },
			func() error { return i.epoch(ctx, owner, epoch) },
		)
		if err != nil {
			return fmt.Errorf("with an Until that is %v from now: %w", left, err)
		}
		owner = newOwner() // who has nothing but an Epoch
		_, _, err = i.RaiseEpoch(ctx, owner, epoch, fromNow(left))
		if err := errors.Join(confirmed(err), i.epoch(ctx, owner, epoch)); err != nil {
			return fmt.Errorf("with an Epoch to be kept until %v from now: %w", left, err)
		}
	}
	return nil
}

func checkOwnerExpiredLongAgo(ctx context.Context, i index) error {
	past, next, never := newEntry(), newEntry(), newEntry()
	past.Until, never.Until = fromNow(-49*time.Hour), time.Time{}
	for _, list := range [][]core.OwnerEntry{
		{past, next}, {next, past}, {past, never}, {never, past}, {past},
	} {
		owner := newOwner()
		for _, e := range list {
			if _, err := i.AddOwned(ctx, owner, e, 0, 0); confirmed(err) != nil {
				return fmt.Errorf("AddOwned: %w", err)
			}
		}
		left := slices.DeleteFunc(slices.Clone(list), func(e core.OwnerEntry) bool {
			return e == past
		})
		keeps := func() error { return i.keeps(ctx, owner, left, past) }
		err := first(
			keeps,
			func() error { return i.raisesUntil(ctx, owner, 7, future()) },
			keeps,
			func() error { return i.epoch(ctx, owner, 7) },
			func() error { return i.raisesUntil(ctx, owner, 8, past.Until) },
			keeps,
			func() error { return i.raisesUntil(ctx, owner, 9, future()) },
			func() error { return i.epoch(ctx, owner, 9) },
			keeps,
		)
		if err != nil {
			return err
		}
	}
	return nil
}

// raisesUntil raises an owner's Epoch, to be kept until a time.
func (i index) raisesUntil(
	ctx context.Context, owner string, epoch core.Epoch, until time.Time,
) error {
	if _, _, err := i.RaiseEpoch(ctx, owner, epoch, until); confirmed(err) != nil {
		return fmt.Errorf("RaiseEpoch: %w", err)
	}
	return nil
}

// keeps returns an error unless the owner's entries are those that must be there, and perhaps
// others that may.
func (i index) keeps(
	ctx context.Context, owner string, must []core.OwnerEntry, may ...core.OwnerEntry,
) error {
	got, err := i.ListOwned(ctx, owner)
	if err != nil {
		return fmt.Errorf("ListOwned: %w", err)
	}
	for _, e := range may {
		is := func(other core.OwnerEntry) bool { return other.ID == e.ID }
		if n := slices.IndexFunc(got, is); n >= 0 {
			if err := unlike(got[n:n+1], []core.OwnerEntry{e}); err != nil {
				return fmt.Errorf("an entry that may be gone is there, but %w", err)
			}
			got = slices.DeleteFunc(got, is)
		}
	}
	if err := unlike(got, must); err != nil {
		return fmt.Errorf("ListOwned, of what is not over: %w", err)
	}
	return nil
}

func checkOwnerSweep(ctx context.Context, store core.Store) error {
	i, err := indexer(ctx, store)
	if err != nil {
		return err
	}
	s, err := sweeper(store)
	if err != nil {
		return err
	}
	now := future()
	over, next, never := newEntry(), newEntry(), newEntry()
	over.Until, next.Until, never.Until = now.Add(-time.Hour), now.Add(time.Second), time.Time{}
	some, none, old := newOwner(), newOwner(), newOwner()
	return first(
		func() error { return i.adds(ctx, some, over, 1) },
		func() error { return i.adds(ctx, some, next, 2) },
		func() error { return i.adds(ctx, some, never, 3) },
		func() error { return i.raisesUntil(ctx, some, 7, now.Add(time.Second)) },
		func() error { return i.adds(ctx, none, over, 1) },
		func() error { return i.raisesUntil(ctx, none, 8, now.Add(time.Second)) },
		func() error { return i.adds(ctx, old, next, 1) },
		func() error { return i.raisesUntil(ctx, old, 9, over.Until) },
		func() error { _, err := sweep(ctx, s, now, 100); return err },
		func() error { return i.keeps(ctx, some, []core.OwnerEntry{next, never}, over) },
		func() error { return i.epoch(ctx, some, 7) },
		func() error { return i.keeps(ctx, none, nil, over) },
		func() error { return i.epoch(ctx, none, 8) },
		func() error { return i.keeps(ctx, old, []core.OwnerEntry{next}) },
		func() error { _, err := sweep(ctx, s, now.AddDate(400, 0, 0), 100); return err },
		func() error { return i.keeps(ctx, some, []core.OwnerEntry{never}, over, next) },
		func() error { return i.keeps(ctx, old, nil, next) },
	)
}
