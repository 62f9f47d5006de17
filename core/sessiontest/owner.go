package sessiontest

import (
	"context"
	"fmt"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// ownerChecks are about core.OwnerIndex: which entries are there after which call, and what the
// calls answer.
func ownerChecks() []StoreCheck {
	return []StoreCheck{{
		Name: "owner-epoch",
		Sentence: "OwnerEpoch returns what RaiseEpoch gave the owner last, zero if it never did. " +
			"RaiseEpoch may be called again with the same Epoch.",
		Needs: Indexes,
		Run:   withIndex(checkOwnerEpoch),
	}, {
		Name: "owner-add",
		Sentence: "AddOwned adds an entry, in place of one with the same ID, and returns how " +
			"many entries there are. ListOwned returns all entries.",
		Needs: Indexes,
		Run:   withIndex(checkOwnerAdd),
	}, {
		Name: "owner-add-epoch",
		Sentence: "AddOwned answers ErrConflict unless the owner's Epoch is epoch; then it " +
			"changes nothing.",
		Needs: Indexes,
		Run:   withIndex(checkOwnerAddEpoch),
	}, {
		Name: "owner-add-limit",
		Sentence: "AddOwned answers ErrOwnerLimit if there are limit entries of other IDs or " +
			"more, unless limit is zero; then it changes nothing.",
		Needs: Indexes,
		Run:   withIndex(checkOwnerAddLimit),
	}, {
		Name: "owner-add-order",
		Sentence: "AddOwned judges the Epoch before the limit: it answers ErrConflict where " +
			"both are against it.",
		Needs: Indexes,
		Run:   withIndex(checkOwnerAddOrder),
	}, {
		Name: "owner-remove",
		Sentence: "RemoveOwned removes those entries whose Revision is still the one given. " +
			"Others stay: they were added anew meanwhile.",
		Needs: Indexes,
		Run:   withIndex(checkOwnerRemove),
	}, {
		Name: "owner-raise",
		Sentence: "RaiseEpoch gives the owner another Epoch, and returns the one before and all " +
			"entries. The entries stay.",
		Needs: Indexes,
		Run:   withIndex(checkOwnerRaise),
	}, {
		Name: "owner-records",
		Sentence: "The index is kept by itself: Create, Update and Delete do not change it, and " +
			"it does not change records.",
		Needs: Indexes,
		Run:   checkOwnerRecords,
	}}
}

// withIndex runs a check that needs nothing of a store but its index.
func withIndex(
	check func(context.Context, index) error,
) func(context.Context, core.Store) error {
	return func(ctx context.Context, store core.Store) error {
		i, err := indexer(ctx, store)
		if err != nil {
			return err
		}
		return check(ctx, i)
	}
}

func checkOwnerEpoch(ctx context.Context, i index) error {
	one, two := newOwner(), newOwner()
	return first(
		func() error { return i.epoch(ctx, one, 0) },
		func() error { return i.raises(ctx, one, 7, 0) },
		func() error { return i.epoch(ctx, one, 7) },
		func() error { return i.epoch(ctx, one, 7) }, // reading it has changed nothing
		func() error { return i.epoch(ctx, two, 0) },
		func() error { return i.raises(ctx, one, 3, 7) }, // it need not be greater
		func() error { return i.raises(ctx, one, 3, 3) },
		func() error { return i.raises(ctx, two, 5, 0) },
		func() error { return i.epoch(ctx, one, 3) },
		func() error { return i.epoch(ctx, two, 5) },
	)
}

func checkOwnerAdd(ctx context.Context, i index) error {
	one, two := newOwner(), newOwner()
	a, b, c := newEntry(), newEntry(), newEntry()
	again, back := entry(a.ID, 2), entry(b.ID, 0)
	return first(
		func() error { return i.lists(ctx, one) },
		func() error { return i.adds(ctx, one, a, 1) },
		func() error { return i.lists(ctx, one, a) },
		func() error { return i.adds(ctx, one, b, 2) },
		func() error { return i.adds(ctx, two, c, 1) },
		func() error { return i.lists(ctx, one, a, b) },
		func() error { return i.adds(ctx, one, again, 2) },
		func() error { return i.adds(ctx, one, back, 2) },
		func() error { return i.lists(ctx, one, again, back) },
		func() error { return i.adds(ctx, one, again, 2) }, // once more, as after a lost answer
		func() error { return i.adds(ctx, one, c, 3) },     // it is not taken from the other owner
		func() error { return i.lists(ctx, one, again, back, c) },
		func() error { return i.lists(ctx, two, c) },
	)
}

func checkOwnerAddEpoch(ctx context.Context, i index) error {
	owner, a := newOwner(), newEntry()
	refuses := func(e core.OwnerEntry, is core.Epoch, epochs ...core.Epoch) error {
		for _, epoch := range epochs {
			call := fmt.Sprintf("AddOwned of Epoch %d where %d is", epoch, is)
			_, err := i.AddOwned(ctx, owner, e, epoch, 0)
			if err := answers(call, err, core.ErrConflict); err != nil {
				return err
			}
		}
		return nil
	}
	return first(
		func() error { return refuses(a, 0, 1, 7) },
		func() error { return i.lists(ctx, owner) },
		func() error { return i.adds(ctx, owner, a, 1) },
		func() error { return i.raises(ctx, owner, 7, 0, a) },
		func() error { return refuses(newEntry(), 7, 0, 6, 8) },
		func() error { return refuses(entry(a.ID, 2), 7, 0, 6, 8) },
		func() error { return i.lists(ctx, owner, a) },
		func() error { return i.raises(ctx, owner, 3, 7, a) },
		func() error { return refuses(newEntry(), 3, 0, 7) },
		func() error { return i.lists(ctx, owner, a) },
		func() error { return i.epoch(ctx, owner, 3) },
	)
}

func checkOwnerAddLimit(ctx context.Context, i index) error {
	owner := newOwner()
	a, b, c, d := newEntry(), newEntry(), newEntry(), newEntry()
	again := entry(a.ID, 2)
	add := func(e core.OwnerEntry, limit, count int) func() error {
		return func() error { return i.addsWithin(ctx, owner, e, limit, count) }
	}
	refuses := func(e core.OwnerEntry, limits ...int) func() error {
		return func() error {
			for _, limit := range limits {
				call := fmt.Sprintf("AddOwned with limit %d", limit)
				_, err := i.AddOwned(ctx, owner, e, 0, limit)
				if err := answers(call, err, core.ErrOwnerLimit); err != nil {
					return err
				}
			}
			return nil
		}
	}
	lists := func(want ...core.OwnerEntry) func() error {
		return func() error { return i.lists(ctx, owner, want...) }
	}
	return first(
		func() error { return i.adds(ctx, newOwner(), newEntry(), 1) }, // it counts for itself
		add(a, 1, 1), refuses(b, 1), lists(a),
		add(b, 3, 2), add(c, 3, 3), refuses(d, 3, 2, 1), lists(a, b, c),
		add(again, 3, 3), lists(again, b, c), // one in its own place
		refuses(a, 2, 1), lists(again, b, c), // although it has a place
		add(d, 0, 4), refuses(newEntry(), 4), add(d, 4, 4), lists(again, b, c, d),
		func() error { return i.removes(ctx, owner, b, c) },
		refuses(b, 2), add(b, 3, 3), lists(again, b, d),
	)
}

func checkOwnerAddOrder(ctx context.Context, i index) error {
	owner, a := newOwner(), newEntry()
	return first(
		func() error { return i.adds(ctx, owner, a, 1) },
		func() error { return i.raises(ctx, owner, 7, 0, a) },
		func() error {
			_, err := i.AddOwned(ctx, owner, newEntry(), 6, 1)
			return answers("AddOwned of another Epoch and without a place", err, core.ErrConflict)
		},
		func() error { return i.lists(ctx, owner, a) },
	)
}

func checkOwnerRemove(ctx context.Context, i index) error {
	owner := newOwner()
	a, b, c := newEntry(), newEntry(), newEntry()
	again := entry(b.ID, 2)
	forever := a // what is kept of a time is not what tells one entry from another
	forever.Until = again.Until
	lists := func(want ...core.OwnerEntry) func() error {
		return func() error { return i.lists(ctx, owner, want...) }
	}
	removes := func(list ...core.OwnerEntry) func() error {
		return func() error { return i.removes(ctx, owner, list...) }
	}
	return first(
		removes(), removes(a), // of nobody
		func() error { return i.adds(ctx, owner, a, 1) },
		func() error { return i.adds(ctx, owner, b, 2) },
		func() error { return i.adds(ctx, owner, c, 3) },
		func() error { return i.adds(ctx, owner, again, 3) },
		func() error { return i.removes(ctx, newOwner(), a, c) },
		removes(), lists(a, again, c),
		removes(b), lists(a, again, c), // it was added anew
		removes(newEntry(), b, forever), lists(again, c),
		removes(a), lists(again, c),
		removes(c, again), lists(),
		func() error { return i.adds(ctx, owner, a, 1) }, lists(a),
	)
}

func checkOwnerRaise(ctx context.Context, i index) error {
	owner := newOwner()
	a, b, c := newEntry(), newEntry(), newEntry()
	return first(
		func() error { return i.adds(ctx, owner, a, 1) },
		func() error { return i.adds(ctx, owner, b, 2) },
		func() error { return i.adds(ctx, newOwner(), newEntry(), 1) },
		func() error { return i.raises(ctx, owner, 7, 0, a, b) },
		func() error { return i.lists(ctx, owner, a, b) },
		func() error { return i.raises(ctx, owner, 7, 7, a, b) }, // as after a lost answer
		func() error {
			_, err := i.AddOwned(ctx, owner, c, 7, 0)
			return answers("AddOwned of the Epoch that RaiseEpoch gave", confirmed(err), nil)
		},
		func() error { return i.removes(ctx, owner, a) },
		func() error { return i.raises(ctx, owner, 8, 7, b, c) },
		func() error { return i.lists(ctx, owner, b, c) },
	)
}

func checkOwnerRecords(ctx context.Context, store core.Store) error {
	i, err := indexer(ctx, store)
	if err != nil {
		return err
	}
	owner := newOwner()
	rec := version(newID(), 1)
	rec.Owner = owner
	next, again := version(rec.ID, 2), rec
	own, alone := entry(rec.ID, 1), newEntry()
	same := func() error { return i.lists(ctx, owner, own, alone) }
	return first(
		func() error { return store.Create(ctx, rec) },
		func() error { return i.lists(ctx, owner) },
		func() error { return i.adds(ctx, owner, own, 1) },
		func() error { return i.adds(ctx, owner, alone, 2) },
		func() error { return lacks(ctx, store, alone.ID) },
		func() error { return store.Update(ctx, next, rec.Revision) }, same,
		func() error { return i.lists(ctx, next.Owner) },
		func() error { return store.Delete(ctx, rec.ID) }, same,
		func() error { return store.Create(ctx, again) }, same,
		func() error { return i.raises(ctx, owner, 7, 0, own, alone) },
		func() error { return i.removes(ctx, owner, own) },
		func() error { return holds(ctx, store, again) },
		func() error { return store.Delete(ctx, alone.ID) },
		func() error { return i.lists(ctx, owner, alone) },
		func() error { return i.epoch(ctx, owner, 7) },
	)
}
