package sessiontest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// ownerRaceChecks are about calls of a core.OwnerIndex at the same time.
func ownerRaceChecks() []StoreCheck {
	return []StoreCheck{{
		Name: "race-owner-epoch",
		Sentence: "RaiseEpoch gives the owner another Epoch and returns all entries, in one step: " +
			"no AddOwned comes in between.",
		Needs: Indexes,
		Run:   withIndex(checkRaceOwnerEpoch),
	}, {
		Name: "race-owner-limit",
		Sentence: "Each method takes effect at one instant: of several AddOwned at once as many " +
			"succeed as there are places, and the others answer ErrOwnerLimit.",
		Needs: Indexes,
		Run:   inIndexRounds(checkRaceOwnerLimit),
	}, {
		Name: "race-owner-remove",
		Sentence: "RemoveOwned removes those entries whose Revision is still the one given, " +
			"whatever runs at the same time: what was added anew stays.",
		Needs: Indexes,
		Run:   inIndexRounds(checkRaceOwnerRemove),
	}, {
		Name: "race-owner-list",
		Sentence: "Each method takes effect at one instant: no ListOwned sees half an entry, nor " +
			"misses one that is replaced.",
		Needs: Indexes,
		Run:   withIndex(checkRaceOwnerList),
	}}
}

// fewer is a number, or with -short a tenth of it.
func fewer(n int) int {
	if testing.Testing() && testing.Short() {
		return n / 10
	}
	return n
}

func inIndexRounds(
	check func(context.Context, index) error,
) func(context.Context, core.Store) error {
	return withIndex(func(ctx context.Context, i index) error {
		for range rounds {
			if err := check(ctx, i); err != nil {
				return err
			}
		}
		return nil
	})
}

// spread calls f for each number up to n, in eight goroutines.
func spread(n int, f func(n int) error) error {
	const workers = 8
	return errors.Join(together(workers, func(worker int) error {
		for n := range n {
			if n%workers != worker {
				continue
			}
			if err := f(n); err != nil {
				return err
			}
		}
		return nil
	})...)
}

func checkRaceOwnerEpoch(ctx context.Context, i index) error {
	return spread(fewer(1000), func(int) error { return i.raceEpoch(ctx) })
}

// raceEpoch lets two sign-ins meet the end of all of an owner's sessions.
func (i index) raceEpoch(ctx context.Context) error {
	owner := newOwner()
	epoch, err := i.OwnerEpoch(ctx, owner)
	if err != nil {
		return fmt.Errorf("OwnerEpoch: %w", err)
	}
	entries := []core.OwnerEntry{newEntry(), newEntry()}
	var acknowledged [2]bool
	var raised []core.OwnerEntry
	errs := together(3, func(n int) error {
		if n == 2 {
			_, list, err := i.RaiseEpoch(ctx, owner, epoch+1, future())
			raised = list
			return confirmed(err)
		}
		_, err := i.AddOwned(ctx, owner, entries[n], epoch, 0)
		if errors.Is(err, core.ErrConflict) {
			return nil
		}
		acknowledged[n] = confirmed(err) == nil
		return confirmed(err)
	})
	if err := errors.Join(errs...); err != nil {
		return err
	}
	for n, e := range entries {
		same := func(is core.OwnerEntry) bool { return is.ID == e.ID }
		listed := slices.ContainsFunc(raised, same)
		if acknowledged[n] != listed {
			return fmt.Errorf("AddOwned of the Epoch before says that it took effect: %t; that the "+
				"entry is in the list of RaiseEpoch is %t", acknowledged[n], listed)
		}
	}
	if err := i.lists(ctx, owner, raised...); err != nil {
		return fmt.Errorf("after what RaiseEpoch returned: %w", err)
	}
	return i.epoch(ctx, owner, epoch+1)
}

func checkRaceOwnerLimit(ctx context.Context, i index) error {
	const limit = 3
	owner, old := newOwner(), newEntry()
	if err := i.adds(ctx, owner, old, 1); err != nil {
		return err
	}
	var want []core.OwnerEntry
	list := make([]core.OwnerEntry, racers)
	counts := make([]int, racers)
	errs := together(racers, func(n int) (err error) {
		list[n] = newEntry()
		if n == 0 {
			list[n] = entry(old.ID, 2) // it has its place
		}
		counts[n], err = i.AddOwned(ctx, owner, list[n], 0, limit)
		return confirmed(err)
	})
	for n, err := range errs {
		if err == nil {
			want = append(want, list[n])
			if n != 0 && (counts[n] < 2 || counts[n] > limit) {
				return fmt.Errorf("AddOwned says that there are %d entries, not 2 or 3", counts[n])
			}
		} else if err := answers("AddOwned without a place", err, core.ErrOwnerLimit); err != nil {
			return err
		}
	}
	if errs[0] != nil || len(want) != limit {
		return fmt.Errorf("of %d times AddOwned at once, with %d places, %d answer no error; that "+
			"of the entry that was there answers %q",
			racers-1, limit-1, len(want), text(errs[0]))
	}
	return i.lists(ctx, owner, want...)
}

// checkRaceOwnerRemove lets several find one entry, each at another time, while it is added anew.
func checkRaceOwnerRemove(ctx context.Context, i index) error {
	owner, other := newOwner(), newEntry()
	old := newEntry()
	anew := entry(old.ID, 2)
	err := first(
		func() error { return i.adds(ctx, owner, other, 1) },
		func() error { return i.adds(ctx, owner, old, 2) },
	)
	if err != nil {
		return err
	}
	errs := together(racers, func(n int) error {
		if n == 0 {
			_, err := i.AddOwned(ctx, owner, anew, 0, 0)
			return confirmed(err)
		}
		return i.removes(ctx, owner, old)
	})
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if err := i.lists(ctx, owner, other, anew); err != nil {
		return fmt.Errorf("after RemoveOwned, and AddOwned at the same time: %w", err)
	}
	return nil
}

// checkRaceOwnerList lets readers look at an owner's two entries while both are replaced, until
// there was enough of both.
func checkRaceOwnerList(ctx context.Context, i index) error {
	const writers, readers, writes, looks = 2, 3, 50, 50
	owner, ids := newOwner(), []core.ID{newID(), newID()}
	for n, id := range ids {
		if err := i.adds(ctx, owner, entry(id, 0), n+1); err != nil {
			return err
		}
	}
	look := func() error {
		got, err := i.ListOwned(ctx, owner)
		if err != nil {
			return err
		}
		var want []core.OwnerEntry
		for _, id := range ids {
			n := slices.IndexFunc(got, func(e core.OwnerEntry) bool { return e.ID == id })
			if n < 0 {
				return errors.New("ListOwned misses an entry that is replaced")
			}
			want = append(want, entry(id, int(got[n].Revision)))
		}
		return unlike(got, want)
	}
	var writing, looking atomic.Int32
	writing.Store(writers)
	looking.Store(readers)
	return errors.Join(together(writers+readers, func(n int) error {
		if n >= writers {
			enough := sync.OnceFunc(func() { looking.Add(-1) })
			defer enough()
			for looked := 0; writing.Load() > 0; looked++ {
				if looked == looks {
					enough()
				}
				if err := look(); err != nil {
					return err
				}
			}
			return nil
		}
		defer writing.Add(-1)
		for count := 0; count < writes || looking.Load() > 0; count++ {
			if err := i.adds(ctx, owner, entry(ids[n], count+1), 2); err != nil {
				return err
			}
		}
		return nil
	})...)
}
