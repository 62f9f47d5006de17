package sessiontest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// sweepChecks are about core.Sweeper.
func sweepChecks() []StoreCheck {
	return []StoreCheck{{
		Name: "sweep-due",
		Sentence: "DeleteExpired removes records whose Expires is not after the given time, " +
			"which counts, whatever any clock says, and no others.",
		Needs: Sweeps,
		Run:   checkSweepDue,
	}, {
		Name:     "sweep-never",
		Sentence: "DeleteExpired removes records whose Expires is not zero: zero means never.",
		Needs:    Sweeps,
		Run:      checkSweepNever,
	}, {
		Name: "sweep-count",
		Sentence: "DeleteExpired removes as many records as it likes in one call, and returns " +
			"how many. It is called again at once as long as that is more than none.",
		Needs: Sweeps,
		Run:   checkSweepCount,
	}, {
		Name: "race-sweep",
		Sentence: "Each method takes effect at one instant: what an Update has prolonged is " +
			"not due any more, and what DeleteExpired has removed Update does not find.",
		Needs: Sweeps,
		Run:   inRounds(checkRaceSweep),
	}}
}

// sweep calls DeleteExpired until nothing is left to do, and returns how many records it says to
// have removed. More than most calls have come to no end.
func sweep(ctx context.Context, s core.Sweeper, now time.Time, most int) (int, error) {
	sum := 0
	for range most {
		n, err := s.DeleteExpired(ctx, now)
		if err != nil {
			return sum, fmt.Errorf("DeleteExpired: %w", err)
		}
		if n < 0 {
			return sum, fmt.Errorf("DeleteExpired returns %d", n)
		}
		if n == 0 {
			return sum, nil
		}
		sum += n
	}
	return sum, fmt.Errorf("DeleteExpired has not returned 0 after %d calls", most)
}

// createUntil creates a record for each end.
func createUntil(
	ctx context.Context, store core.Store, ends ...time.Time,
) ([]core.Record, error) {
	var list []core.Record
	for i, end := range ends {
		rec := version(newID(), 1+i)
		rec.Expires = end
		if err := store.Create(ctx, rec); err != nil {
			return nil, err
		}
		list = append(list, rec)
	}
	return list, nil
}

func checkSweepDue(ctx context.Context, store core.Store) error {
	s, err := sweeper(store)
	if err != nil {
		return err
	}
	now := future()
	due, err := createUntil(ctx, store,
		now, now.Add(-time.Millisecond), now.Add(-time.Second), now.Add(-time.Hour))
	if err != nil {
		return err
	}
	left, err := createUntil(ctx, store,
		now.Add(time.Millisecond), now.Add(time.Second), now.Add(time.Hour))
	if err != nil {
		return err
	}
	if _, err := sweep(ctx, s, now, 100); err != nil {
		return err
	}
	for _, rec := range due {
		if err := lacks(ctx, store, rec.ID); err != nil {
			return fmt.Errorf("after DeleteExpired(%v), Expires %v: %w", now, rec.Expires, err)
		}
	}
	for _, rec := range left {
		if err := holds(ctx, store, rec); err != nil {
			return fmt.Errorf("after DeleteExpired(%v), Expires %v: %w", now, rec.Expires, err)
		}
	}
	return nil
}

func checkSweepNever(ctx context.Context, store core.Store) error {
	s, err := sweeper(store)
	if err != nil {
		return err
	}
	list, err := createUntil(ctx, store, time.Time{}, time.Time{})
	if err != nil {
		return err
	}
	for _, now := range []time.Time{future(), future().AddDate(400, 0, 0)} {
		if _, err := sweep(ctx, s, now, 100); err != nil {
			return err
		}
		for _, rec := range list {
			if err := holds(ctx, store, rec); err != nil {
				return fmt.Errorf("a record without Expires after DeleteExpired: %w", err)
			}
		}
	}
	return nil
}

func checkSweepCount(ctx context.Context, store core.Store) error {
	const due, left = 300, 50
	s, err := sweeper(store)
	if err != nil {
		return err
	}
	now := future()
	if n, err := sweep(ctx, s, now, 1); err != nil {
		return fmt.Errorf("of an empty store: %w (%d)", err, n)
	}
	ends := make([]time.Time, due+left)
	for i := range ends {
		ends[i] = now.Add(-time.Minute)
		if i >= due {
			ends[i] = now.Add(time.Minute)
		}
	}
	if _, err := createUntil(ctx, store, ends...); err != nil {
		return err
	}
	n, err := sweep(ctx, s, now, due+1)
	if err != nil {
		return err
	}
	if n != due {
		return fmt.Errorf("DeleteExpired says that it removed %d of %d records", n, due)
	}
	return nil
}

// checkRaceSweep prolongs records that are due while a sweep runs.
func checkRaceSweep(ctx context.Context, store core.Store) error {
	s, err := sweeper(store)
	if err != nil {
		return err
	}
	now := future()
	list, err := createUntil(ctx, store, now, now, now, now, now, now, now)
	if err != nil {
		return err
	}
	errs := together(len(list)+1, func(i int) error {
		if i == len(list)/2 {
			_, err := sweep(ctx, s, now, 100)
			return err
		}
		if i > len(list)/2 {
			i--
		}
		next := version(list[i].ID, 20) // its Expires is an hour later
		err := store.Update(ctx, next, list[i].Revision)
		if errors.Is(err, core.ErrNotFound) {
			return lacks(ctx, store, next.ID)
		}
		if err != nil {
			return fmt.Errorf("Update at the time of DeleteExpired: %w", err)
		}
		list[i] = next
		return nil
	})
	if err := errors.Join(errs...); err != nil {
		return err
	}
	for _, rec := range list {
		if rec.Revision != 20 {
			continue // it was swept, as the Update said
		}
		if err := holds(ctx, store, rec); err != nil {
			return fmt.Errorf("prolonged by an Update at the time of DeleteExpired: %w", err)
		}
	}
	return nil
}
