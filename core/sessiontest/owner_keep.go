package sessiontest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// ownerKeepChecks are about owners, entries and Epochs that come back equal, for as long as they
// must.
func ownerKeepChecks() []StoreCheck {
	return []StoreCheck{{
		Name: "owner-odd",
		Sentence: "An owner is valid UTF-8 without NUL of 1 to 255 bytes, whatever characters " +
			"it is made of. Two that differ in one byte are two.",
		Needs: Indexes,
		Run:   withIndex(checkOwnerOdd),
	}, {
		Name: "owner-ids",
		Sentence: "An entry is added in place of one with the same ID: two IDs that differ in " +
			"one character, or in its case, are two.",
		Needs: Indexes,
		Run:   withIndex(checkOwnerIDs),
	}, {
		Name:     "owner-bits",
		Sentence: "An Epoch and a Revision are 64 bits each, all of which are kept and compared.",
		Needs:    Indexes,
		Run:      withIndex(checkOwnerBits),
	}, {
		Name: "owner-times",
		Sentence: "Until is UTC, in whole milliseconds, and comes back equal; a zero Until comes " +
			"back zero.",
		Needs: Indexes,
		Run:   withIndex(checkOwnerTimes),
	}, {
		Name:     "owner-stays",
		Sentence: "A list is the caller's: no later write changes it, nor does it change the store.",
		Needs:    Indexes,
		Run:      withIndex(checkOwnerStays),
	}, {
		Name: "owner-expired-lately",
		Sentence: "A store may forget an entry after its Until, and an Epoch after its until. One " +
			"that goes by a clock of its own does so some time after.",
		Needs: Indexes,
		Run:   withIndex(checkOwnerExpiredLately),
	}, {
		Name: "owner-expired-long-ago",
		Sentence: "Until is when the entry may be forgotten; zero means never. What is not over " +
			"stays, whatever else of its owner is.",
		Needs: Indexes,
		Run:   withIndex(checkOwnerExpiredLongAgo),
	}, {
		Name: "owner-sweep",
		Sentence: "DeleteExpired is told the time: it may forget what is over by that, and " +
			"nothing else, whatever else of its owner is.",
		Needs: Indexes,
		Run:   checkOwnerSweep,
	}, {
		Name:     "owner-many",
		Sentence: "An owner may have any number of entries.",
		Needs:    Indexes,
		Run:      withIndex(checkOwnerMany),
	}, {
		Name: "context-owner",
		Sentence: "A call whose context is over may be carried out or fail, but does not answer " +
			"what is not true: an outage must not look like an owner without sessions.",
		Needs: Indexes,
		Run:   withDeadContexts(checkContextOwner),
	}}
}

func checkOwnerOdd(ctx context.Context, i index) error {
	long := strings.Repeat("o", 254)
	owners := []string{
		"a", "A", "aa", "a ", " a", "a:", ":a", "a:b", "a:b:c", ":", "{a}", "a{b}c", "{}", "}{",
		"*", "a*", "?", "[a]", "%", "a%", "_", "a_", "\n", "a\n", "a\nb", "\r", "\t", "'", "''",
		`"`, "'; --", `\`, `\n`, `\\`, "\x01", "\x7f", "\u0085", "\ufeff", "\ufeffa", "null", "0",
		"00", "0.0", "user:1", "user:10", "user:100", "user:1\n0", "owner", "epoch", "é", "e\u0301",
		"s", "S", "ſ", "ss", "ß", "K", "\u212a", "山", "山田", "🗝", "\u202e", "\u00a0",
		"o", long, long + "o", long + "p", strings.Repeat("山", 85), strings.Repeat("山", 84) + "田",
	}
	id := newID() // the same for all: it is not the key
	for n, owner := range owners {
		err := first(
			func() error { return i.epoch(ctx, owner, 0) },
			func() error { return i.lists(ctx, owner) },
			func() error { return i.adds(ctx, owner, entry(id, n), 1) },
			func() error { return i.raises(ctx, owner, core.Epoch(n+1), 0, entry(id, n)) },
		)
		if err != nil {
			return fmt.Errorf("with the owner %q, where others like it are: %w", owner, err)
		}
	}
	for n, owner := range owners {
		err := first(
			func() error { return i.epoch(ctx, owner, core.Epoch(n+1)) },
			func() error { return i.lists(ctx, owner, entry(id, n)) },
			func() error { return i.removes(ctx, owner, entry(id, n)) },
			func() error { return i.lists(ctx, owner) },
		)
		if err != nil {
			return fmt.Errorf("of the owner %q: %w", owner, err)
		}
	}
	return nil
}

func checkOwnerIDs(ctx context.Context, i index) error {
	owner, random := newOwner(), newID()[:30]
	var family []core.OwnerEntry
	for n, id := range []core.ID{
		random + "Ab", swapCase(random + "Ab"), random + "aB", random + "A_", random + "A-",
		random + "__", random + "--", "-_" + random, "__" + random, "--" + random,
	} {
		e := entry(id, n)
		family = append(family, e)
		if err := i.adds(ctx, owner, e, len(family)); err != nil {
			return fmt.Errorf("where IDs like it are: %w", err)
		}
	}
	if err := i.lists(ctx, owner, family...); err != nil {
		return err
	}
	for n, e := range family {
		e.Revision = family[(n+1)%len(family)].Revision // another one's
		if err := i.removes(ctx, owner, e); err != nil {
			return err
		}
	}
	if err := i.lists(ctx, owner, family...); err != nil {
		return fmt.Errorf("after RemoveOwned of IDs with each other's Revisions: %w", err)
	}
	for n, e := range family {
		if err := i.removes(ctx, owner, e); err != nil {
			return err
		}
		if err := i.lists(ctx, owner, family[n+1:]...); err != nil {
			return fmt.Errorf("after RemoveOwned of %s: %w", e.ID, err)
		}
	}
	return nil
}

func checkOwnerBits(ctx context.Context, i index) error {
	// Pairs that are the same to who keeps 32 or 53 bits, a float64, or an int64.
	for _, pair := range [][2]uint64{
		{1, 1 + 1<<32},
		{1, 1 + 1<<53},
		{1 << 53, 1<<53 + 1},
		{1<<63 - 1, 1 << 63},
		{1, 1 + 1<<63},
		{1<<64 - 1, 1<<64 - 2},
		{1<<64 - 1, 1<<63 - 1},
	} {
		for n, is := range pair {
			err := first(
				func() error { return wholeEpoch(ctx, i, core.Epoch(is), core.Epoch(pair[1-n])) },
				func() error {
					return wholeStamp(ctx, i, core.Revision(is), core.Revision(pair[1-n]))
				},
			)
			if err != nil {
				return err
			}
		}
	}
	return first( // no Epoch is raised to zero, but any Revision is as good as another
		func() error { return wholeStamp(ctx, i, 0, 1<<63) },
		func() error { return wholeStamp(ctx, i, 1<<63, 0) },
	)
}

// wholeEpoch raises an owner's Epoch to is, and adds one of Epoch other, which must not take place,
// and one that must.
func wholeEpoch(ctx context.Context, i index, is, other core.Epoch) error {
	owner, e := newOwner(), newEntry()
	return first(
		func() error { return i.raises(ctx, owner, is, 0) },
		func() error { return i.epoch(ctx, owner, is) },
		func() error {
			_, err := i.AddOwned(ctx, owner, e, other, 0)
			call := fmt.Sprintf("AddOwned of Epoch %d where %d is", other, is)
			return answers(call, err, core.ErrConflict)
		},
		func() error { return i.lists(ctx, owner) },
		func() error { return i.adds(ctx, owner, e, 1) },
		func() error { return i.raises(ctx, owner, other, is, e) },
	)
}

// wholeStamp adds an entry of Revision is, and removes one of Revision other, which must not take
// place, and one that must.
func wholeStamp(ctx context.Context, i index, is, other core.Revision) error {
	owner, e := newOwner(), newEntry()
	e.Revision = is
	stale := e
	stale.Revision = other
	return first(
		func() error { return i.adds(ctx, owner, e, 1) },
		func() error { return i.lists(ctx, owner, e) },
		func() error { return i.removes(ctx, owner, stale) },
		func() error { return i.lists(ctx, owner, e) },
		func() error { return i.raises(ctx, owner, 1, 0, e) },
		func() error { return i.removes(ctx, owner, e) },
		func() error { return i.lists(ctx, owner) },
	)
}

func checkOwnerTimes(ctx context.Context, i index) error {
	owner := newOwner()
	var list []core.OwnerEntry
	for _, until := range []time.Time{
		{}, future(), future().Add(time.Millisecond), future().Add(999 * time.Millisecond),
		time.Date(2318, 12, 31, 23, 59, 59, 998e6, time.UTC), // a Lifetime of 292 years
		fromNow(time.Hour), fromNow(time.Hour + time.Millisecond),
	} {
		e := newEntry()
		e.Until = until
		list = append(list, e)
		if err := i.adds(ctx, owner, e, len(list)); err != nil {
			return err
		}
	}
	list[0], list[1] = swapUntil(list[0], list[1])
	for n := range 2 { // in place of each other
		if err := i.adds(ctx, owner, list[n], len(list)); err != nil {
			return err
		}
	}
	if err := i.lists(ctx, owner, list...); err != nil {
		return err
	}
	if err := i.raises(ctx, owner, 1, 0, list...); err != nil {
		return err
	}
	got, err := i.ListOwned(ctx, owner)
	for _, e := range got {
		if zone := e.Until.Location(); zone != time.UTC {
			return fmt.Errorf("an entry's Until comes back in the zone %q, not in UTC", zone)
		}
	}
	return err
}

func swapUntil(a, b core.OwnerEntry) (core.OwnerEntry, core.OwnerEntry) {
	a.Until, b.Until = b.Until, a.Until
	return a, b
}

func checkOwnerStays(ctx context.Context, i index) error {
	owner := newOwner()
	a, b := newEntry(), newEntry()
	err := first(
		func() error { return i.adds(ctx, owner, a, 1) },
		func() error { return i.adds(ctx, owner, b, 2) },
	)
	if err != nil {
		return err
	}
	listed, err := i.ListOwned(ctx, owner)
	if err != nil {
		return err
	}
	_, raised, err := i.RaiseEpoch(ctx, owner, 7, future())
	if confirmed(err) != nil {
		return err
	}
	given := []core.OwnerEntry{entry(newID(), 1), a}
	err = first(
		func() error { return i.removes(ctx, owner, given...) },
		func() error { return i.adds(ctx, owner, entry(b.ID, 2), 1) },
	)
	if err != nil {
		return err
	}
	if err := errors.Join(unlike(listed, []core.OwnerEntry{a, b}),
		unlike(raised, []core.OwnerEntry{a, b})); err != nil {
		return fmt.Errorf("a list after later writes: %w", err)
	}
	if given[1] != a {
		return errors.New("RemoveOwned changes the list that it is given")
	}
	clear(listed)
	clear(raised)
	return i.lists(ctx, owner, entry(b.ID, 2))
}

func checkOwnerMany(ctx context.Context, i index) error {
	owner := newOwner()
	list := make([]core.OwnerEntry, fewer(2000))
	for n := range list {
		list[n] = entry(newID(), n)
	}
	half := len(list) / 2
	return first(
		func() error {
			return spread(len(list), func(n int) error {
				_, err := i.AddOwned(ctx, owner, list[n], 0, 0)
				return confirmed(err)
			})
		},
		func() error { return i.lists(ctx, owner, list...) },
		func() error { return i.raises(ctx, owner, 7, 0, list...) },
		func() error {
			_, err := i.AddOwned(ctx, owner, newEntry(), 7, len(list))
			return answers("AddOwned without a place", err, core.ErrOwnerLimit)
		},
		func() error { return i.addsWithin(ctx, owner, list[0], len(list), len(list)) },
		func() error { return i.removes(ctx, owner, list[:half]...) },
		func() error { return i.lists(ctx, owner, list[half:]...) },
		func() error { return i.removes(ctx, owner, list...) },
		func() error { return i.lists(ctx, owner) },
		func() error { return i.epoch(ctx, owner, 7) },
	)
}
