package sessiontest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// An index is a core.OwnerIndex as the checks use it. That a call took effect is what they ask for;
// whether there is a copy to confirm it is not theirs to say.
type index struct{ core.OwnerIndex }

// confirmed is a call's error as it would be if there were copies enough.
func confirmed(err error) error {
	if errors.Is(err, core.ErrNotDurable) {
		return nil
	}
	return err
}

// newOwner is one that never was.
func newOwner() string { return "user:" + string(newID()) }

// entry is the n-th entry of a session. Each field but ID tells n.
func entry(id core.ID, n int) core.OwnerEntry {
	return core.OwnerEntry{
		ID:       id,
		Revision: core.Revision(n),
		Until:    future().Add(time.Duration(n) * time.Second),
	}
}

// newEntry is the first entry of a session that never was.
func newEntry() core.OwnerEntry { return entry(newID(), 1) }

// epoch returns an error unless the owner's Epoch is the one wanted.
func (i index) epoch(ctx context.Context, owner string, want core.Epoch) error {
	got, err := i.OwnerEpoch(ctx, owner)
	if err != nil {
		return fmt.Errorf("OwnerEpoch: %w", err)
	}
	if got != want {
		return fmt.Errorf("OwnerEpoch returns %d, not %d", got, want)
	}
	return nil
}

// adds adds an entry in the Epoch that there is, and returns an error unless there are count then.
func (i index) adds(ctx context.Context, owner string, e core.OwnerEntry, count int) error {
	return i.addsWithin(ctx, owner, e, 0, count)
}

func (i index) addsWithin(
	ctx context.Context, owner string, e core.OwnerEntry, limit, count int,
) error {
	epoch, err := i.OwnerEpoch(ctx, owner)
	if err != nil {
		return fmt.Errorf("OwnerEpoch: %w", err)
	}
	got, err := i.AddOwned(ctx, owner, e, epoch, limit)
	call := fmt.Sprintf("AddOwned of the Epoch that is, %d, with limit %d", epoch, limit)
	if err := answers(call, confirmed(err), nil); err != nil {
		return err
	}
	if got != count {
		return fmt.Errorf("AddOwned says that there are %d entries, not %d", got, count)
	}
	return nil
}

// lists returns an error unless the owner's entries are those wanted, in any order.
func (i index) lists(ctx context.Context, owner string, want ...core.OwnerEntry) error {
	got, err := i.ListOwned(ctx, owner)
	if err != nil {
		return fmt.Errorf("ListOwned: %w", err)
	}
	if err := unlike(got, want); err != nil {
		return fmt.Errorf("ListOwned: %w", err)
	}
	return nil
}

// removes removes entries.
func (i index) removes(ctx context.Context, owner string, list ...core.OwnerEntry) error {
	if err := i.RemoveOwned(ctx, owner, list...); confirmed(err) != nil {
		return fmt.Errorf("RemoveOwned: %w", err)
	}
	return nil
}

// raises raises the owner's Epoch, and returns an error unless the one before and the entries are
// those wanted.
func (i index) raises(
	ctx context.Context, owner string, to, before core.Epoch, want ...core.OwnerEntry,
) error {
	was, got, err := i.RaiseEpoch(ctx, owner, to, future())
	if confirmed(err) != nil {
		return fmt.Errorf("RaiseEpoch: %w", err)
	}
	if was != before {
		return fmt.Errorf("RaiseEpoch says that the Epoch was %d, not %d", was, before)
	}
	if err := unlike(got, want); err != nil {
		return fmt.Errorf("RaiseEpoch: %w", err)
	}
	return nil
}

// unlike tells the first difference between two lists of entries, whatever their order.
func unlike(got, want []core.OwnerEntry) error {
	if len(got) != len(want) {
		return fmt.Errorf("there are %d entries, not %d", len(got), len(want))
	}
	byID := func(a, b core.OwnerEntry) int { return strings.Compare(string(a.ID), string(b.ID)) }
	got = slices.SortedFunc(slices.Values(got), byID) // both are copies
	want = slices.SortedFunc(slices.Values(want), byID)
	for n := range want {
		got, want := got[n], want[n]
		switch {
		case got.ID != want.ID:
			return fmt.Errorf("there is an entry of %q, and one of %q is missing or another one",
				got.ID, want.ID)
		case got.Revision != want.Revision:
			return fmt.Errorf("an entry's Revision is %d, not %d", got.Revision, want.Revision)
		case !got.Until.Equal(want.Until):
			return fmt.Errorf("an entry's Until is %v, not %v", got.Until, want.Until)
		}
	}
	return nil
}
