package sessiontest_test

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/sessiontest"
)

// A mistake is one that somebody who writes a store can make, and the checks that must see it.
type mistake struct {
	name string
	make func(s *altered)
	seen []string
	may  []string // checks that see it if the goroutines meet

	// about is the Ability whose checks are run; "" runs those of a Store that sweeps and touches.
	about sessiontest.Ability
}

// mistakes are all.
func mistakes() []mistake {
	return slices.Concat(
		writeMistakes(), keepMistakes(), timeMistakes(), raceMistakes(), abilityMistakes(),
		renewMistakes(), addMistakes(), ownerMistakes(), ownerKeepMistakes(), ownerRaceMistakes(),
		watchMistakes(), markMistakes(),
	)
}

func TestEachMistakeOfAStoreIsSeen(t *testing.T) {
	t.Parallel()
	for _, m := range mistakes() {
		if m.about != sessiontest.Watches {
			t.Run(m.name, func(t *testing.T) { m.test(t, m.failing(t)) })
		}
	}
}

// All at once, since each waits for what never comes; and before all others, which have a right to
// be in time.
func TestEachMistakeOfAWatcherIsSeen(t *testing.T) {
	list := watchMistakes()
	seen := make([][]string, len(list))
	var all sync.WaitGroup
	for i, m := range list {
		all.Go(func() { seen[i] = m.failing(t) })
	}
	all.Wait()
	for i, m := range list {
		t.Run(m.name, func(t *testing.T) { m.test(t, seen[i]) })
	}
}

// store is one that makes the mistake.
func (m mistake) store() core.Store {
	s := newAltered()
	m.make(s)
	return s
}

// failing returns the names of the checks that see the mistake. Where only such with goroutines of
// their own can, they are given some more chances to meet it.
func (m mistake) failing(t *testing.T) (seen []string) {
	onlyRaces := len(m.seen) > 0 && !slices.ContainsFunc(m.seen, func(name string) bool {
		return !strings.HasPrefix(name, "race-")
	})
	for range 10 {
		seen = failing(t, m.store, m.sees, m.seen)
		if !onlyRaces || slices.ContainsFunc(seen, func(name string) bool {
			return slices.Contains(m.seen, name)
		}) {
			break
		}
	}
	return seen
}

// test compares the checks that see the mistake with those that must. One with goroutines of its own
// may be lucky, but not where only such checks can see the mistake, and not all of them.
func (m mistake) test(t *testing.T, seen []string) {
	lucky := func(name string) bool {
		return strings.HasPrefix(name, "race-") && slices.Contains(m.seen, name)
	}
	must, races := slices.DeleteFunc(slices.Clone(m.seen), lucky), false
	sure := slices.DeleteFunc(slices.Clone(seen), func(name string) bool {
		races = races || lucky(name)
		return lucky(name) || slices.Contains(m.may, name)
	})
	require.ElementsMatch(t, must, sure)
	require.True(t, len(must) > 0 || races || len(m.seen) == 0, "%q see it, and none did", m.seen)
}

// sees reports whether a check is one that could see the mistake.
func (m mistake) sees(check sessiontest.StoreCheck) bool {
	switch {
	case slices.Contains([]string{"id-many", "owner-many", "race-owner-epoch"}, check.Name) &&
		!slices.Contains(slices.Concat(m.seen, m.may), check.Name):
		return false // it takes as long as all others
	case m.about != "":
		return check.Needs == m.about
	}
	switch check.Needs {
	case "", sessiontest.Sweeps, sessiontest.Touches:
		return true
	}
	return false
}

// A check that no mistake is seen by proves nothing.
func TestEachCheckSeesAMistake(t *testing.T) {
	t.Parallel()
	var seen []string
	for _, m := range mistakes() {
		seen = append(seen, m.seen...)
	}
	for _, check := range sessiontest.StoreChecks() {
		assert.Contains(t, seen, check.Name)
	}
	seen = nil
	for _, l := range slices.Concat(
		commitSlips(), headerSlips(), requestSlips(), streamSlips(), slowSlips(),
	) {
		seen = append(seen, l.seen...)
	}
	for _, check := range sessiontest.AdapterChecks() {
		assert.Contains(t, seen, check.Name)
	}
}
