package sessiontest

import (
	"context"
	"errors"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// renewChecks are about core.Renewer: whatever holds of Update holds of Renew.
func renewChecks() []StoreCheck {
	return []StoreCheck{{
		Name: "renew",
		Sentence: "Renew is Update: it replaces a record whose Revision is was, also by the very " +
			"same record, which is how the Manager confirms a renewal.",
		Needs: Renews,
		Run:   asUpdate(checkUpdateReplaces, checkUpdateSame, checkUpdateZero),
	}, {
		Name: "renew-conflict",
		Sentence: "Renew answers as Update does: ErrConflict if there is a record of another " +
			"Revision, and changes nothing then.",
		Needs: Renews,
		Run:   asUpdate(checkUpdateConflict),
	}, {
		Name: "renew-absent",
		Sentence: "Renew answers as Update does: ErrNotFound if there is no record, also after " +
			"a Delete, and never creates.",
		Needs: Renews,
		Run:   asUpdate(checkUpdateAbsent, checkDeleteFinal),
	}, {
		Name: "race-renew",
		Sentence: "Each method takes effect at one instant: of several Renews of one Revision " +
			"one replaces the record, and the others answer ErrConflict.",
		Needs: Renews,
		Run:   asUpdate(inRounds(checkRaceUpdate)),
	}, {
		Name: "race-renew-delete",
		Sentence: "A store must not keep a record alive that Delete has removed, whatever " +
			"runs at the same time. Renew never creates.",
		Needs: Renews,
		Run:   asUpdate(inRounds(checkRaceDelete)),
	}}
}

// asUpdate runs checks of Update with Renew in its place.
func asUpdate(
	checks ...func(context.Context, core.Store) error,
) func(context.Context, core.Store) error {
	return func(ctx context.Context, store core.Store) error {
		r, err := renewer(ctx, store)
		if err != nil {
			return err
		}
		for _, check := range checks {
			if err := check(ctx, renewing{store, r}); err != nil {
				return err
			}
		}
		return nil
	}
}

// A renewing store is one whose Update is Renew. That a write took effect is what the checks ask
// for; whether there is a copy to confirm it is not theirs to say.
type renewing struct {
	core.Store
	renewer core.Renewer
}

// Update implements core.Store.
func (s renewing) Update(ctx context.Context, rec core.Record, was core.Revision) error {
	err := s.renewer.Renew(ctx, rec, was)
	if errors.Is(err, core.ErrNotDurable) {
		return nil
	}
	return err
}
