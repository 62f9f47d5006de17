package sessiontest

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// A StoreCheck holds a store to one sentence of the contract of core.Store, core.Sweeper,
// core.Toucher or core.Renewer.
type StoreCheck struct {
	// Name is short, and no other check's.
	Name string
	// Sentence is what the contract says.
	Sentence string
	// Needs is Sweeps, Touches or Renews where the check is about what a store may lack, else "".
	Needs Ability
	// Run returns what contradicts the sentence. Where the store lacks what the check needs, its
	// error wraps errors.ErrUnsupported. The store must be empty, and nobody else may use it.
	Run func(ctx context.Context, store core.Store) error
}

// TestStore holds a store to its whole contract, each StoreCheck in a subtest of that name.
// newStore is called for each with that subtest, and returns an empty store that nobody else
// uses; what it opens it closes with t.Cleanup. The checks of what a core.Sweeper, a core.Toucher
// and a core.Renewer do are skipped, and say so, where the store is none.
//
// No check waits for time to pass, and in all but two records expire in the next century: a store
// that removes them by a clock of its own is not disturbed. The two use the true time, since such a
// store must leave a record alone until some time after its Expires: the clocks of two machines may
// differ by a minute.
//
// Run it with -race. It makes some 10,000 calls, at most eight at once, and as many Loads besides
// as there is time for while one check writes 200 times.
func TestStore(t *testing.T, newStore func(t testing.TB) core.Store) {
	t.Helper()
	for _, check := range StoreChecks() {
		t.Run(check.Name, func(t *testing.T) {
			err := check.Run(t.Context(), newStore(t))
			switch {
			case err == nil:
			case check.Needs != "" && errors.Is(err, errors.ErrUnsupported):
				t.Skipf("not tested: %v", err)
			default:
				t.Errorf("%v\n\nThe contract says: %s", err, check.Sentence)
			}
		})
	}
}

// StoreChecks lists what TestStore checks, for those who run the checks in their own way.
func StoreChecks() []StoreCheck {
	return slices.Concat(
		writeChecks(), keepChecks(), keyChecks(), expiryChecks(), contextChecks(), raceChecks(),
		touchChecks(), sweepChecks(), renewChecks(),
	)
}
