package sessiontest_test

import (
	"slices"
	"strings"
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
}

func TestEachMistakeOfAStoreIsSeen(t *testing.T) {
	t.Parallel()
	for _, list := range [][]mistake{
		writeMistakes(), keepMistakes(), timeMistakes(), raceMistakes(), abilityMistakes(),
		renewMistakes(),
	} {
		for _, m := range list {
			t.Run(m.name, func(t *testing.T) { m.test(t) })
		}
	}
}

func (m mistake) test(t *testing.T) {
	var without []string
	if !slices.Contains(m.seen, "id-many") {
		without = append(without, "id-many") // it takes as long as all others
	}
	if !strings.HasPrefix(m.name, "Renew") { // whose checks are Update's, and see what those see
		for _, check := range sessiontest.StoreChecks() {
			if check.Needs == sessiontest.Renews {
				without = append(without, check.Name)
			}
		}
	}
	seen := failing(t, func() core.Store {
		s := newAltered()
		m.make(s)
		return s
	}, without...)
	for _, name := range m.may {
		if slices.Contains(seen, name) {
			m.seen = append(m.seen, name)
		}
	}
	require.ElementsMatch(t, m.seen, seen)
}

// A check that no mistake is seen by proves nothing.
func TestEachCheckSeesAMistake(t *testing.T) {
	t.Parallel()
	var seen []string
	for _, m := range slices.Concat(
		writeMistakes(), keepMistakes(), timeMistakes(), raceMistakes(), abilityMistakes(),
		renewMistakes(),
	) {
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
