package sessiontest

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// A StoreCheck holds a store to one sentence of the contract of core.Store, or of what a store may
// be besides: core.Sweeper, core.Toucher, core.Renewer, core.OwnerIndex, core.Watcher, core.Marker.
type StoreCheck struct {
	// Name is short, and no other check's.
	Name string
	// Sentence is what the contract says.
	Sentence string
	// Needs is the Ability that the check is about where a store may lack it, else "".
	Needs Ability
	// Run returns what contradicts the sentence. Where the store lacks what the check needs, its
	// error wraps errors.ErrUnsupported. The store must be empty, and nobody else may use it.
	Run func(ctx context.Context, store core.Store) error
}

// TestStore holds a store to its whole contract, each StoreCheck in a subtest of that name.
// newStore is called for each with that subtest, and returns an empty store that nobody else
// uses; what it opens it closes with t.Cleanup. The checks of an Ability are skipped, and say so,
// where the store lacks it.
//
// No check waits for time to pass, and in all but four records and owners expire in the next
// century: a store that removes them by a clock of its own is not disturbed. The four use the true
// time, since such a store must leave a record alone until some time after its Expires: the clocks
// of two machines may differ by a minute. What a core.Watcher never tells of is given up after 20
// seconds, or when the test's deadline comes.
//
// Run it with -race. It makes some 30,000 calls, at most 24 at once, and as many Loads besides as
// there is time for while one check writes 200 times. With -short the checks of owners make a tenth
// of theirs.
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
		touchChecks(), sweepChecks(), renewChecks(), ownerChecks(), ownerKeepChecks(),
		ownerRaceChecks(), watchChecks(), markChecks(),
	)
}
