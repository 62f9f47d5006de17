package sessiontest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/sessionserverstore/sessionserverstore/core"
)

func checkContextOwner(ctx, dead context.Context, store core.Store) error {
	i, err := indexer(ctx, store)
	if err != nil {
		return err
	}
	owner, a, b := newOwner(), newEntry(), newEntry()
	err = first(
		func() error { return i.adds(ctx, owner, a, 1) },
		func() error { return i.raises(ctx, owner, 7, 0, a) },
	)
	if err != nil {
		return err
	}
	return errors.Join(
		contextReads(dead, i, owner, a),
		contextAdds(ctx, dead, i, owner, a, b),
		contextRemoves(ctx, dead, i, owner, b),
		contextRaises(ctx, dead, i, owner, a),
	)
}

// contextReads reads an owner of Epoch 7 and one entry.
func contextReads(dead context.Context, i index, owner string, e core.OwnerEntry) error {
	if epoch, err := i.OwnerEpoch(dead, owner); err == nil && epoch != 7 {
		return fmt.Errorf("OwnerEpoch with a dead context returns %d, not 7", epoch)
	}
	list, err := i.ListOwned(dead, owner)
	if err == nil {
		return unlike(list, []core.OwnerEntry{e})
	}
	return noVerdict("ListOwned", err)
}

func contextAdds(
	ctx, dead context.Context, i index, owner string, was, e core.OwnerEntry,
) error {
	if _, err := i.AddOwned(dead, owner, e, 6, 0); err == nil {
		return errors.New("AddOwned of another Epoch, its context being over, answers no error")
	}
	if err := i.lists(ctx, owner, was); err != nil {
		return err
	}
	if _, err := i.AddOwned(dead, owner, e, 7, 0); err != nil {
		return errors.Join(noVerdict("AddOwned", err),
			i.keeps(ctx, owner, []core.OwnerEntry{was}, e))
	}
	return i.lists(ctx, owner, was, e)
}

func contextRemoves(ctx, dead context.Context, i index, owner string, e core.OwnerEntry) error {
	if _, err := i.AddOwned(ctx, owner, e, 7, 0); confirmed(err) != nil {
		return err
	}
	if err := i.RemoveOwned(dead, owner, e); err != nil {
		return errors.Join(noVerdict("RemoveOwned", err), i.removes(ctx, owner, e))
	}
	list, err := i.ListOwned(ctx, owner)
	if slices.ContainsFunc(list, func(is core.OwnerEntry) bool { return is.ID == e.ID }) {
		return errors.New("RemoveOwned with a dead context answers no error, but removes nothing")
	}
	return err
}

func contextRaises(ctx, dead context.Context, i index, owner string, e core.OwnerEntry) error {
	before, list, err := i.RaiseEpoch(dead, owner, 8, future())
	if confirmed(err) == nil {
		if before != 7 {
			return fmt.Errorf("RaiseEpoch with a dead context says that the Epoch was %d", before)
		}
		return errors.Join(unlike(list, []core.OwnerEntry{e}), i.epoch(ctx, owner, 8))
	}
	epoch, is := i.OwnerEpoch(ctx, owner)
	if is == nil && epoch != 7 && epoch != 8 {
		is = fmt.Errorf("after a RaiseEpoch whose context was over the Epoch is %d", epoch)
	}
	return errors.Join(noVerdict("RaiseEpoch", err), is)
}
