package sessiontest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// expiryChecks are about what a store makes of Expires by itself: nothing, or its own housekeeping,
// late enough.
func expiryChecks() []StoreCheck {
	return []StoreCheck{{
		Name: "expired-lately",
		Sentence: "Load returns the record under an ID, whatever its times say. A store that " +
			"removes records by a clock of its own does so some time after Expires.",
		Run: checkExpiredLately,
	}, {
		Name: "expired-long-ago",
		Sentence: "A record that is past its Expires may be removed, and may still be loaded: " +
			"it is there as it was written, or not at all.",
		Run: checkExpiredLongAgo,
	}}
}

// fromNow is a time as records have it.
func fromNow(d time.Duration) time.Time { return time.Now().UTC().Truncate(time.Second).Add(d) }

func checkExpiredLately(ctx context.Context, store core.Store) error {
	for _, left := range []time.Duration{time.Minute, 0, -time.Second} {
		rec := version("", 2)
		rec.Used, rec.Expires = fromNow(left-time.Hour), fromNow(left)
		if err := kept(ctx, store, rec); err != nil {
			return fmt.Errorf("with an Expires that is %v from now: %w", left, err)
		}
	}
	return nil
}

func checkExpiredLongAgo(ctx context.Context, store core.Store) error {
	rec, err := created(ctx, store)
	if err != nil {
		return err
	}
	next := version(rec.ID, 2)
	next.Used, next.Expires = fromNow(-50*time.Hour), fromNow(-49*time.Hour)
	if err := store.Update(ctx, next, rec.Revision); err != nil {
		return fmt.Errorf("Update that sets Expires to two days ago: %w", err)
	}
	if err := holdsOrLacks(ctx, store, next); err != nil {
		return err
	}
	if err := store.Delete(ctx, rec.ID); err != nil {
		return fmt.Errorf("Delete of a record that expired two days ago: %w", err)
	}
	return lacks(ctx, store, rec.ID)
}

// holdsOrLacks accepts one of a few records, or none.
func holdsOrLacks(ctx context.Context, store core.Store, either ...core.Record) error {
	got, err := store.Load(ctx, either[0].ID)
	if errors.Is(err, core.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	var list []error
	for _, want := range either {
		err := differ(got, want)
		if err == nil {
			return nil
		}
		list = append(list, err)
	}
	return errors.Join(list...)
}
