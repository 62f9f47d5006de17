package sessiontest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// touchChecks are about core.Toucher.
func touchChecks() []StoreCheck {
	return []StoreCheck{{
		Name: "touch",
		Sentence: "Touch gives the record the Revision, Used and Expires of rec if its " +
			"Revision is was, and ignores rec's Owner and Data.",
		Needs: Touches,
		Run:   checkTouch,
	}, {
		Name: "touch-conflict",
		Sentence: "Touch answers as Update does: ErrConflict if there is a record of another " +
			"Revision, and changes nothing then.",
		Needs: Touches,
		Run:   checkTouchConflict,
	}, {
		Name: "touch-absent",
		Sentence: "Touch answers as Update does: ErrNotFound if there is none, and never " +
			"creates.",
		Needs: Touches,
		Run:   checkTouchAbsent,
	}, {
		Name: "race-touch",
		Sentence: "Each method takes effect at one instant: of Touches and Updates of one " +
			"Revision one changes the record, and the others answer ErrConflict.",
		Needs: Touches,
		Run:   inRounds(checkRaceTouch),
	}, {
		Name: "race-touch-delete",
		Sentence: "A store must not keep a record alive that Delete has removed, whatever " +
			"runs at the same time. Touch never creates.",
		Needs: Touches,
		Run:   inRounds(checkRaceTouchDelete),
	}}
}

// touched is a record after Touch with another one.
func touched(rec, with core.Record) core.Record {
	rec.Revision, rec.Used, rec.Expires = with.Revision, with.Used, with.Expires
	return rec
}

func checkTouch(ctx context.Context, store core.Store) error {
	t, err := toucher(store)
	if err != nil {
		return err
	}
	rec, err := created(ctx, store)
	if err != nil {
		return err
	}
	full, bare, never, last := version(rec.ID, 2), version(rec.ID, 3), version(rec.ID, 4),
		version(rec.ID, 5)
	bare.Owner, bare.Data = "", ""
	never.Expires = time.Time{}
	for _, with := range []core.Record{full, bare, never, last} {
		if err := t.Touch(ctx, with, rec.Revision); err != nil {
			return fmt.Errorf("a Touch of the Revision that is there: %w", err)
		}
		rec = touched(rec, with)
		if err := holds(ctx, store, rec); err != nil {
			return err
		}
	}
	next := version(rec.ID, 6)
	if err := store.Update(ctx, next, rec.Revision); err != nil {
		return fmt.Errorf("after Touch: Update of the Revision that it wrote: %w", err)
	}
	return holds(ctx, store, next)
}

func checkTouchConflict(ctx context.Context, store core.Store) error {
	t, err := toucher(store)
	if err != nil {
		return err
	}
	id := newID()
	rec := version(id, 5)
	if err := store.Create(ctx, rec); err != nil {
		return err
	}
	for _, was := range []core.Revision{4, 6, 0} {
		err := t.Touch(ctx, version(id, 6), was)
		if errors.Is(err, errors.ErrUnsupported) {
			return err
		}
		call := fmt.Sprintf("Touch of Revision %d where 5 is", was)
		if err := answers(call, err, core.ErrConflict); err != nil {
			return err
		}
		if err := holds(ctx, store, rec); err != nil {
			return fmt.Errorf("after ErrConflict: %w", err)
		}
	}
	return nil
}

func checkTouchAbsent(ctx context.Context, store core.Store) error {
	t, err := toucher(store)
	if err != nil {
		return err
	}
	rec, err := created(ctx, store)
	if err != nil {
		return err
	}
	if err := store.Delete(ctx, rec.ID); err != nil {
		return err
	}
	for _, id := range []core.ID{newID(), rec.ID} {
		for was := range core.Revision(2) {
			err := t.Touch(ctx, version(id, 2), was)
			if errors.Is(err, errors.ErrUnsupported) {
				return err
			}
			if err := answers("Touch of what is not there", err, core.ErrNotFound); err != nil {
				return err
			}
			if err := lacks(ctx, store, id); err != nil {
				return fmt.Errorf("after Touch of what is not there: %w", err)
			}
		}
	}
	return nil
}

func checkRaceTouch(ctx context.Context, store core.Store) error {
	t, err := toucher(store)
	if err != nil {
		return err
	}
	rec, err := created(ctx, store)
	if err != nil {
		return err
	}
	errs := together(racers, func(i int) error {
		if i%2 == 0 {
			return t.Touch(ctx, version(rec.ID, 2+i), rec.Revision)
		}
		return store.Update(ctx, version(rec.ID, 2+i), rec.Revision)
	})
	if errors.Is(errs[0], errors.ErrUnsupported) {
		return errs[0]
	}
	won, err := winner("Touch or Update", errs, core.ErrConflict)
	if err != nil {
		return err
	}
	want := version(rec.ID, 2+won)
	if won%2 == 0 {
		want = touched(rec, want)
	}
	return holds(ctx, store, want)
}

func checkRaceTouchDelete(ctx context.Context, store core.Store) error {
	t, err := toucher(store)
	if err != nil {
		return err
	}
	rec, err := created(ctx, store)
	if err != nil {
		return err
	}
	errs := together(racers, func(i int) error {
		if i == racers/2 {
			return store.Delete(ctx, rec.ID)
		}
		err := t.Touch(ctx, version(rec.ID, 2+i), rec.Revision)
		if errors.Is(err, core.ErrConflict) || errors.Is(err, core.ErrNotFound) {
			return nil
		}
		return err
	})
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if err := lacks(ctx, store, rec.ID); err != nil {
		return fmt.Errorf("after Delete, and Touches at the same time: %w", err)
	}
	return nil
}
