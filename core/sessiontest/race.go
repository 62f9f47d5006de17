package sessiontest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"

	"github.com/sessionserverstore/sessionserverstore/core"
)

const (
	rounds = 30 // how often a race is run
	racers = 8  // how many calls meet in it
)

// raceChecks are about calls at the same time.
func raceChecks() []StoreCheck {
	return []StoreCheck{{
		Name: "race-create",
		Sentence: "Each method takes effect at one instant: of several Creates under one ID " +
			"one adds its record, and the others answer ErrExists.",
		Run: inRounds(checkRaceCreate),
	}, {
		Name: "race-update",
		Sentence: "Each method takes effect at one instant: of several Updates of one " +
			"Revision one replaces the record, and the others answer ErrConflict.",
		Run: inRounds(checkRaceUpdate),
	}, {
		Name: "race-delete",
		Sentence: "A store must not keep a record alive that Delete has removed, whatever " +
			"runs at the same time.",
		Run: inRounds(checkRaceDelete),
	}, {
		Name:     "race-load",
		Sentence: "Each method takes effect at one instant: no other call sees half of it.",
		Run:      checkRaceLoad,
	}}
}

// together calls f n times at once, and returns what each call returned.
func together(n int, f func(i int) error) []error {
	errs := make([]error, n)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for _, i := range rand.Perm(n) { // else the scheduler would let the same one win each time
		wg.Go(func() {
			<-start
			errs[i] = f(i)
		})
	}
	close(start)
	wg.Wait()
	return errs
}

func inRounds(
	check func(context.Context, core.Store) error,
) func(context.Context, core.Store) error {
	return func(ctx context.Context, store core.Store) error {
		for range rounds {
			if err := check(ctx, store); err != nil {
				return err
			}
		}
		return nil
	}
}

// winner returns which of several calls answered no error, if it is exactly one, and the others
// answered loses.
func winner(call string, errs []error, loses error) (int, error) {
	winner, winners := -1, 0
	for i, err := range errs {
		if err == nil {
			winner, winners = i, winners+1
		} else if err := answers(call+" that came too late", err, loses); err != nil {
			return -1, err
		}
	}
	if winners != 1 {
		return -1, fmt.Errorf("of %d times %s at once %d answer no error, not 1",
			len(errs), call, winners)
	}
	return winner, nil
}

func checkRaceCreate(ctx context.Context, store core.Store) error {
	id := newID()
	errs := together(racers, func(i int) error { return store.Create(ctx, version(id, i)) })
	won, err := winner("Create", errs, core.ErrExists)
	if err != nil {
		return err
	}
	return holds(ctx, store, version(id, won))
}

func checkRaceUpdate(ctx context.Context, store core.Store) error {
	rec, err := created(ctx, store)
	if err != nil {
		return err
	}
	errs := together(racers, func(i int) error {
		return store.Update(ctx, version(rec.ID, 2+i), rec.Revision)
	})
	won, err := winner("Update", errs, core.ErrConflict)
	if err != nil {
		return err
	}
	return holds(ctx, store, version(rec.ID, 2+won))
}

// checkRaceDelete lets one Delete meet requests that write again and again, as the Manager does,
// the last time after the Delete has returned.
func checkRaceDelete(ctx context.Context, store core.Store) error {
	rec, err := created(ctx, store)
	if err != nil {
		return err
	}
	const writes = 6
	deleted := make(chan struct{})
	errs := together(racers, func(i int) error {
		if i == racers/2 {
			defer close(deleted)
			return store.Delete(ctx, rec.ID)
		}
		was := rec.Revision
		for n := range writes {
			if n == writes-1 {
				<-deleted
			}
			next := version(rec.ID, 2+i+racers*n)
			switch err := store.Update(ctx, next, was); {
			case err == nil:
				was = next.Revision
			case errors.Is(err, core.ErrConflict):
				newest, _ := store.Load(ctx, rec.ID)
				was = newest.Revision
			case errors.Is(err, core.ErrNotFound):
				return nil
			default:
				return fmt.Errorf("Update at the time of a Delete: %w", err)
			}
		}
		return nil
	})
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if err := lacks(ctx, store, rec.ID); err != nil {
		return fmt.Errorf("after Delete, and Updates at the same time: %w", err)
	}
	return nil
}

// checkRaceLoad lets readers look at a record all the time while two writers change it.
func checkRaceLoad(ctx context.Context, store core.Store) error {
	const writers, readers, writes = 2, 3, 100
	rec, err := created(ctx, store)
	if err != nil {
		return err
	}
	var writing atomic.Int32
	writing.Store(writers)
	look := func() (core.Record, error) {
		got, err := store.Load(ctx, rec.ID)
		if err != nil {
			return got, err
		}
		if err := differ(got, version(rec.ID, int(got.Revision))); err != nil {
			return got, fmt.Errorf("only half a record is of Revision %d: %w", got.Revision, err)
		}
		return got, nil
	}
	return errors.Join(together(writers+readers, func(i int) error {
		if i >= writers {
			for writing.Load() > 0 {
				if _, err := look(); err != nil {
					return err
				}
			}
			return nil
		}
		defer writing.Add(-1)
		for range writes {
			got, err := look()
			if err != nil {
				return err
			}
			err = store.Update(ctx, version(rec.ID, int(got.Revision)+1), got.Revision)
			if err != nil && !errors.Is(err, core.ErrConflict) {
				return fmt.Errorf("Update: %w", err)
			}
		}
		return nil
	})...)
}
