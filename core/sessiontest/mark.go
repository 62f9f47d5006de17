package sessiontest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// markChecks are about core.Marker.
func markChecks() []StoreCheck {
	return []StoreCheck{{
		Name: "mark",
		Sentence: "Mark returns the moment under a name, the zero time if there is none. " +
			"RaiseMark sets it, in whole milliseconds and UTC.",
		Needs: Marks,
		Run:   withMarker(checkMark),
	}, {
		Name: "mark-raise",
		Sentence: "RaiseMark sets the moment under a name, unless a later one is there already: " +
			"it never goes back.",
		Needs: Marks,
		Run:   withMarker(checkMarkRaise),
	}, {
		Name: "mark-names",
		Sentence: "A name is 1 to 64 characters of A-Z, a-z, 0-9, '-' and '_'. Two that differ " +
			"in one of them, or in its case, are two.",
		Needs: Marks,
		Run:   withMarker(checkMarkNames),
	}, {
		Name:     "mark-stays",
		Sentence: "A moment is kept for as long as the store keeps anything.",
		Needs:    Marks,
		Run:      checkMarkStays,
	}, {
		Name: "race-mark",
		Sentence: "RaiseMark never goes back: of several at once the latest moment stays, and " +
			"nobody sees an earlier one after having raised it.",
		Needs: Marks,
		Run:   inRounds(withMarker(checkRaceMark)),
	}, {
		Name: "context-mark",
		Sentence: "A call whose context is over may be carried out or fail, but Mark returns the " +
			"zero time only if there is none.",
		Needs: Marks,
		Run:   withDeadContexts(checkContextMark),
	}}
}

// withMarker runs a check that needs nothing of a store but its marks.
func withMarker(
	check func(context.Context, core.Marker) error,
) func(context.Context, core.Store) error {
	return func(ctx context.Context, store core.Store) error {
		m, err := marker(ctx, store)
		if err != nil {
			return err
		}
		return check(ctx, m)
	}
}

// marked returns an error unless the moment under a name is the one wanted.
func marked(ctx context.Context, m core.Marker, name string, want time.Time) error {
	got, err := m.Mark(ctx, name)
	if err != nil {
		return fmt.Errorf("a Mark that must be there: %w", err)
	}
	if !got.Equal(want) {
		return fmt.Errorf("a Mark is %v, not %v", got, want)
	}
	if got.Location() != time.UTC {
		return fmt.Errorf("a moment comes back in the zone %q, not in UTC", got.Location())
	}
	return nil
}

// raised raises a mark.
func raised(ctx context.Context, m core.Marker, name string, at time.Time) error {
	if err := m.RaiseMark(ctx, name, at); confirmed(err) != nil {
		return fmt.Errorf("RaiseMark: %w", err)
	}
	return nil
}

func checkMark(ctx context.Context, m core.Marker) error {
	for i, at := range []time.Time{
		time.UnixMilli(1).UTC(),
		time.Date(2001, 9, 9, 1, 46, 39, 999e6, time.UTC), // the digits of its number change
		time.Date(2001, 9, 9, 1, 46, 40, 1e6, time.UTC),
		fromNow(0), future().Add(123 * time.Millisecond), future().Add(124 * time.Millisecond),
		time.Date(2318, 12, 31, 23, 59, 59, 998e6, time.UTC),
	} {
		own := fmt.Sprint("mark-", i)
		err := first(
			func() error { return marked(ctx, m, own, time.Time{}) },
			func() error { return raised(ctx, m, own, at) },
			func() error { return marked(ctx, m, own, at) },
			func() error { return raised(ctx, m, "shared", at) },
			func() error { return marked(ctx, m, "shared", at) },
		)
		if err != nil {
			return err
		}
	}
	return nil
}

func checkMarkRaise(ctx context.Context, m core.Marker) error {
	at := future()
	for _, later := range []time.Duration{
		0, 0, -time.Millisecond, -100 * 365 * 24 * time.Hour, time.Millisecond, 0, time.Hour,
	} {
		if err := raised(ctx, m, "mark", future().Add(later)); err != nil {
			return err
		}
		if later > at.Sub(future()) {
			at = future().Add(later)
		}
		if err := marked(ctx, m, "mark", at); err != nil {
			return fmt.Errorf("after RaiseMark to %v: %w", future().Add(later), err)
		}
	}
	return nil
}

func checkMarkNames(ctx context.Context, m core.Marker) error {
	long := strings.Repeat("x", 63)
	names := []string{
		"a", "A", "aa", "aA", "a-", "a_", "-a", "_a", "-", "_", "--", "__", "0", "00", "a-a", "a_a",
		long, long + "x", long + "y", long + "X", "not-before", "not_before",
	}
	at := func(i int) time.Time { return future().Add(time.Duration(-i) * time.Second) }
	for i, name := range names {
		if err := marked(ctx, m, name, time.Time{}); err != nil {
			return fmt.Errorf("%q was not raised, only others like it: %w", name, err)
		}
		if err := raised(ctx, m, name, at(i)); err != nil {
			return err
		}
	}
	for i, name := range names {
		if err := marked(ctx, m, name, at(i)); err != nil {
			return fmt.Errorf("under the name %q: %w", name, err)
		}
	}
	return nil
}

// checkMarkStays raises marks of long ago, and removes whatever can be removed.
func checkMarkStays(ctx context.Context, store core.Store) error {
	m, err := marker(ctx, store)
	if err != nil {
		return err
	}
	past, next := time.UnixMilli(1).UTC(), future()
	rec, err := created(ctx, store)
	if err != nil {
		return err
	}
	return first(
		func() error { return raised(ctx, m, "past", past) },
		func() error { return raised(ctx, m, "next", next) },
		func() error { return store.Delete(ctx, rec.ID) },
		func() error {
			s, err := sweeper(store)
			if err != nil {
				return nil // so there is nothing that could
			}
			_, err = sweep(ctx, s, future().AddDate(400, 0, 0), 100)
			if errors.Is(err, errors.ErrUnsupported) {
				return nil
			}
			return err
		},
		func() error { return marked(ctx, m, "past", past) },
		func() error { return marked(ctx, m, "next", next) },
	)
}

// checkRaceMark lets some raise a mark, each to a moment of its own, and look at it then.
func checkRaceMark(ctx context.Context, m core.Marker) error {
	name := string(newID())
	at := func(i int) time.Time { return future().Add(time.Duration(i) * time.Millisecond) }
	errs := together(racers, func(i int) error {
		if err := raised(ctx, m, name, at(i)); err != nil {
			return err
		}
		got, err := m.Mark(ctx, name)
		if err == nil && got.Before(at(i)) {
			err = fmt.Errorf("after RaiseMark to %v the Mark is %v", at(i), got)
		}
		return err
	})
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return marked(ctx, m, name, at(racers-1))
}

func checkContextMark(ctx, dead context.Context, store core.Store) error {
	m, err := marker(ctx, store)
	if err != nil {
		return err
	}
	was, next := future(), future().Add(time.Hour)
	name := string(newID())
	if err := raised(ctx, m, name, was); err != nil {
		return err
	}
	if got, err := m.Mark(dead, name); err == nil && !got.Equal(was) {
		return fmt.Errorf("with a dead context a Mark is %v, not %v", got, was)
	}
	if err := m.RaiseMark(dead, name, next); err == nil {
		return marked(ctx, m, name, next)
	}
	if marked(ctx, m, name, next) == nil {
		return nil
	}
	return marked(ctx, m, name, was)
}
