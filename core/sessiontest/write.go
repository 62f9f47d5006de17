package sessiontest

import (
	"context"
	"fmt"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// writeChecks are about which record is there after which call, and what the calls answer.
func writeChecks() []StoreCheck {
	return []StoreCheck{{
		Name:     "create-load",
		Sentence: "Create adds a record. Load returns the record under an ID.",
		Run:      checkCreateLoad,
	}, {
		Name: "create-exists",
		Sentence: "Create answers ErrExists if there is a record under the ID, and changes " +
			"nothing.",
		Run: checkCreateExists,
	}, {
		Name:     "load-absent",
		Sentence: "Load answers ErrNotFound if there is no record under the ID.",
		Run:      checkLoadAbsent,
	}, {
		Name:     "update-replaces",
		Sentence: "Update replaces a record whose Revision is was.",
		Run:      checkUpdateReplaces,
	}, {
		Name: "update-same",
		Sentence: "Update replaces a record whose Revision is was: also by the very same " +
			"record, which is how the Manager confirms a write. It is no conflict that " +
			"nothing changes.",
		Run: checkUpdateSame,
	}, {
		Name: "update-conflict",
		Sentence: "Update answers ErrConflict if there is a record of another Revision, and " +
			"changes nothing then.",
		Run: checkUpdateConflict,
	}, {
		Name: "update-zero",
		Sentence: "Update replaces a record whose Revision is was: zero is a Revision as any " +
			"other.",
		Run: checkUpdateZero,
	}, {
		Name:     "update-absent",
		Sentence: "Update never creates, and answers ErrNotFound if there is no record.",
		Run:      checkUpdateAbsent,
	}, {
		Name:     "delete",
		Sentence: "Delete removes a record.",
		Run:      checkDelete,
	}, {
		Name:     "delete-absent",
		Sentence: "Delete removes a record. It is no error if there is none.",
		Run:      checkDeleteAbsent,
	}, {
		Name: "delete-final",
		Sentence: "A store must not keep a record alive that Delete has removed. Update " +
			"answers ErrNotFound if there is none: Update never creates.",
		Run: checkDeleteFinal,
	}, {
		Name: "create-after-delete",
		Sentence: "Create adds a record, and answers ErrExists only if there is one under the " +
			"ID.",
		Run: checkCreateAfterDelete,
	}}
}

func checkCreateLoad(ctx context.Context, store core.Store) error {
	rec, err := created(ctx, store)
	if err != nil {
		return err
	}
	return first(
		func() error { return holds(ctx, store, rec) },
		func() error { return holds(ctx, store, rec) }, // loading it has changed nothing
	)
}

func checkCreateExists(ctx context.Context, store core.Store) error {
	rec, err := created(ctx, store)
	if err != nil {
		return err
	}
	for n := range 3 { // another Revision, the same, and another
		err := store.Create(ctx, version(rec.ID, n))
		if err := answers("Create under an ID that is taken", err, core.ErrExists); err != nil {
			return err
		}
		if err := holds(ctx, store, rec); err != nil {
			return fmt.Errorf("after ErrExists: %w", err)
		}
	}
	return nil
}

func checkLoadAbsent(ctx context.Context, store core.Store) error {
	return first(
		func() error { return lacks(ctx, store, newID()) }, // of an empty store
		func() error { _, err := created(ctx, store); return err },
		func() error { return lacks(ctx, store, newID()) },
	)
}

func checkUpdateReplaces(ctx context.Context, store core.Store) error {
	rec, err := created(ctx, store)
	if err != nil {
		return err
	}
	was := rec.Revision
	for _, n := range []int{2, 39, 3} { // the Data longer, and shorter again
		next := version(rec.ID, n)
		if err := store.Update(ctx, next, was); err != nil {
			return fmt.Errorf("Update of Revision %d: %w", was, err)
		}
		if err := holds(ctx, store, next); err != nil {
			return err
		}
		was = next.Revision
	}
	return nil
}

func checkUpdateSame(ctx context.Context, store core.Store) error {
	rec, err := created(ctx, store)
	if err != nil {
		return err
	}
	for range 2 {
		err := store.Update(ctx, rec, rec.Revision)
		if err := answers("Update with what is there already", err, nil); err != nil {
			return err
		}
	}
	return holds(ctx, store, rec)
}

func checkUpdateConflict(ctx context.Context, store core.Store) error {
	id := newID()
	rec := version(id, 5)
	old := version(id, 4)
	err := first(
		func() error { return store.Create(ctx, old) },
		func() error { return store.Update(ctx, rec, old.Revision) },
	)
	if err != nil {
		return err
	}
	for _, try := range []struct{ next, was core.Revision }{
		{6, 4}, // what it was before
		{6, 7}, // what it never was
		{5, 4}, // a write that is there already, once more
		{5, 6}, // the new one is the one that is there, but that is not the question
	} {
		next := version(id, int(try.next))
		call := fmt.Sprintf("Update from Revision %d to %d where %d is", try.was, try.next, 5)
		err := store.Update(ctx, next, try.was)
		if err := answers(call, err, core.ErrConflict); err != nil {
			return err
		}
		if err := holds(ctx, store, rec); err != nil {
			return fmt.Errorf("after ErrConflict: %w", err)
		}
	}
	return nil
}

func checkUpdateZero(ctx context.Context, store core.Store) error {
	id := newID()
	zero, one, two := version(id, 0), version(id, 1), version(id, 2)
	return first(
		func() error { return store.Create(ctx, zero) },
		func() error { return holds(ctx, store, zero) },
		func() error {
			return answers("Update of Revision 0", store.Update(ctx, one, 0), nil)
		},
		func() error {
			err := store.Update(ctx, two, 0)
			return answers("Update of Revision 0 where 1 is", err, core.ErrConflict)
		},
		func() error { return holds(ctx, store, one) },
	)
}

func checkUpdateAbsent(ctx context.Context, store core.Store) error {
	if _, err := created(ctx, store); err != nil {
		return err
	}
	for was := range core.Revision(2) {
		id := newID()
		err := store.Update(ctx, version(id, 1), was)
		if err := answers("Update of what is not there", err, core.ErrNotFound); err != nil {
			return err
		}
		if err := lacks(ctx, store, id); err != nil {
			return fmt.Errorf("after Update of what is not there: %w", err)
		}
	}
	return nil
}

func checkDelete(ctx context.Context, store core.Store) error {
	rec, err := created(ctx, store)
	if err != nil {
		return err
	}
	other, err := created(ctx, store)
	if err != nil {
		return err
	}
	return first(
		func() error { return answers("Delete", store.Delete(ctx, rec.ID), nil) },
		func() error { return lacks(ctx, store, rec.ID) },
		func() error { return holds(ctx, store, other) },
	)
}

func checkDeleteAbsent(ctx context.Context, store core.Store) error {
	rec, err := created(ctx, store)
	if err != nil {
		return err
	}
	return first(
		func() error { return answers("Delete of nothing", store.Delete(ctx, newID()), nil) },
		func() error { return store.Delete(ctx, rec.ID) },
		func() error { return answers("the second Delete", store.Delete(ctx, rec.ID), nil) },
	)
}

func checkDeleteFinal(ctx context.Context, store core.Store) error {
	rec, err := created(ctx, store)
	if err != nil {
		return err
	}
	if err := store.Delete(ctx, rec.ID); err != nil {
		return err
	}
	next := version(rec.ID, 2)
	return first(
		func() error {
			err := store.Update(ctx, next, rec.Revision)
			return answers("Update after Delete", err, core.ErrNotFound)
		},
		func() error { return lacks(ctx, store, rec.ID) },
	)
}

func checkCreateAfterDelete(ctx context.Context, store core.Store) error {
	rec, err := created(ctx, store)
	if err != nil {
		return err
	}
	again := version(rec.ID, 2)
	return first(
		func() error { return store.Delete(ctx, rec.ID) },
		func() error { return answers("Create after Delete", store.Create(ctx, again), nil) },
		func() error { return holds(ctx, store, again) },
		func() error {
			err := store.Update(ctx, version(rec.ID, 3), rec.Revision)
			return answers("Update of the Revision before the Delete", err, core.ErrConflict)
		},
		func() error { return holds(ctx, store, again) },
	)
}
