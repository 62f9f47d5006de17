package sessiontest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// contextChecks are about calls whose context is over before they begin.
func contextChecks() []StoreCheck {
	return []StoreCheck{{
		Name: "context-load",
		Sentence: "A call whose context is over may be carried out or fail, but Load answers " +
			"ErrNotFound only if there is none: else an outage would look like a signed-out " +
			"visitor.",
		Run: withDeadContexts(checkContextLoad),
	}, {
		Name: "context-write",
		Sentence: "After an error other than those named a write may or may not have taken " +
			"effect; without one it has. It takes effect at one instant: it is done, or " +
			"nothing is.",
		Run: withDeadContexts(checkContextWrite),
	}}
}

// withDeadContexts runs a check with a cancelled context and with one whose deadline has passed.
func withDeadContexts(
	check func(ctx, dead context.Context, store core.Store) error,
) func(context.Context, core.Store) error {
	return func(ctx context.Context, store core.Store) error {
		cancelled, cancel := context.WithCancel(ctx)
		cancel()
		late, cancel := context.WithDeadline(ctx, time.Unix(1, 0))
		defer cancel()
		return errors.Join(check(ctx, cancelled, store), check(ctx, late, store))
	}
}

func checkContextLoad(ctx, dead context.Context, store core.Store) error {
	rec, err := created(ctx, store)
	if err != nil {
		return err
	}
	got, err := store.Load(dead, rec.ID)
	if err != nil {
		return noVerdict("Load", err)
	}
	return differ(got, rec)
}

// noVerdict returns an error if a call answered with a verdict that is not true.
func noVerdict(call string, err error) error {
	for _, verdict := range verdicts() {
		if errors.Is(err, verdict) {
			return fmt.Errorf("%s with a dead context answers %q, which is not true", call, err)
		}
	}
	return nil
}

func checkContextWrite(ctx, dead context.Context, store core.Store) error {
	return errors.Join(
		contextCreate(ctx, dead, store),
		contextUpdate(ctx, dead, store),
		contextConflict(ctx, dead, store),
		contextDelete(ctx, dead, store),
	)
}

func contextCreate(ctx, dead context.Context, store core.Store) error {
	rec := version(newID(), 1)
	switch err := store.Create(dead, rec); err {
	case nil:
		return holds(ctx, store, rec)
	default:
		return errors.Join(noVerdict("Create", err), holdsOrLacks(ctx, store, rec))
	}
}

func contextUpdate(ctx, dead context.Context, store core.Store) error {
	rec, err := created(ctx, store)
	if err != nil {
		return err
	}
	next := version(rec.ID, 2)
	err = store.Update(dead, next, rec.Revision)
	if err == nil {
		return holds(ctx, store, next)
	}
	if _, gone := store.Load(ctx, rec.ID); gone != nil {
		return fmt.Errorf("after an Update whose context was over: %w", gone)
	}
	return errors.Join(noVerdict("Update", err), holdsOrLacks(ctx, store, rec, next))
}

// contextConflict is an Update that may not take place in any case.
func contextConflict(ctx, dead context.Context, store core.Store) error {
	rec, err := created(ctx, store)
	if err != nil {
		return err
	}
	if store.Update(dead, version(rec.ID, 3), 2) == nil {
		return errors.New("Update of another Revision, its context being over, answers no error")
	}
	return holds(ctx, store, rec)
}

func contextDelete(ctx, dead context.Context, store core.Store) error {
	rec, err := created(ctx, store)
	if err != nil {
		return err
	}
	if err := store.Delete(dead, rec.ID); err != nil {
		return errors.Join(noVerdict("Delete", err), holdsOrLacks(ctx, store, rec))
	}
	return lacks(ctx, store, rec.ID)
}
