package sessiontest_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
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
