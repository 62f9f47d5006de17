package sessiontest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// keyChecks are about records under different IDs.
func keyChecks() []StoreCheck {
	return []StoreCheck{{
		Name: "id-exact",
		Sentence: "The ID is the key: 32 characters of A-Z, a-z, 0-9, '-' and '_'. Two that " +
			"differ in one of them, or in its case, are two.",
		Run: checkIDExact,
	}, {
		Name:     "id-many",
		Sentence: "Load returns the record under an ID, and Delete removes it and no other.",
		Run:      checkIDMany,
	}}
}

// swapCase turns small letters into capital ones and the other way round.
func swapCase(id core.ID) core.ID {
	return core.ID(strings.Map(func(r rune) rune {
		if unicode.IsUpper(r) {
			return unicode.ToLower(r)
		}
		return unicode.ToUpper(r)
	}, string(id)))
}

func checkIDExact(ctx context.Context, store core.Store) error {
	random := newID()[:30] // under a prefix of its own, should the store not be empty
	head, tail := random[1:], random[:29]
	family := []core.ID{
		random + "Ab", swapCase(random + "Ab"), random + "aB",
		random + "A_", random + "A-", random + "__", random + "--", random + "_A",
		"-_" + random, "--" + random, "__" + random,
		"A" + head + "00", "a" + head + "00", "0" + tail + "00",
	}
	for i, id := range family {
		if err := lacks(ctx, store, id); err != nil {
			return fmt.Errorf("%s is not stored, only others like it: %w", id, err)
		}
		if err := store.Create(ctx, version(id, i+1)); err != nil {
			return fmt.Errorf("Create of %s, where others like it are: %w", id, err)
		}
	}
	for i, id := range family {
		if err := holds(ctx, store, version(id, i+1)); err != nil {
			return err
		}
		if err := store.Delete(ctx, id); err != nil {
			return err
		}
		if err := lacks(ctx, store, id); err != nil {
			return fmt.Errorf("after Delete of %s: %w", id, err)
		}
	}
	return nil
}

func checkIDMany(ctx context.Context, store core.Store) error {
	const records, workers = 2000, 8
	ids := make([]core.ID, records)
	for i := range ids {
		ids[i] = newID()
	}
	each := func(f func(n int, id core.ID) error) error {
		return errors.Join(together(workers, func(worker int) error {
			for n := worker; n < records; n += workers {
				if err := f(n, ids[n]); err != nil {
					return fmt.Errorf("record %d: %w", n, err)
				}
			}
			return nil
		})...)
	}
	return first(
		func() error {
			return each(func(n int, id core.ID) error { return store.Create(ctx, version(id, n)) })
		},
		func() error {
			return each(func(n int, id core.ID) error { return holds(ctx, store, version(id, n)) })
		},
		func() error {
			return each(func(n int, id core.ID) error {
				if n%2 == 0 {
					return store.Delete(ctx, id)
				}
				return nil
			})
		},
		func() error {
			return each(func(n int, id core.ID) error {
				if n%2 == 0 {
					return lacks(ctx, store, id)
				}
				return holds(ctx, store, version(id, n))
			})
		},
	)
}
