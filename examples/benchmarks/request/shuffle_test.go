package request_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/request"
)

func TestAShuffleKeepsAFrameworkTogether(t *testing.T) {
	framework := func(c request.Contestant) string { return c.Framework }
	all := request.Contestants()
	firsts := make(map[string]bool)
	for range 100 {
		shuffled := request.Shuffle(all, framework)
		require.Len(t, shuffled, len(all))
		seen, names := make(map[string]bool), make(map[string]bool)
		for i, c := range shuffled {
			names[c.String()] = true
			if i > 0 && shuffled[i-1].Framework == c.Framework {
				continue
			}
			require.False(t, seen[c.Framework], "twice: %s", c.Framework)
			seen[c.Framework] = true
		}
		require.Len(t, names, len(all))
		firsts[shuffled[0].String()] = true
	}
	require.Greater(t, len(firsts), 6, "another order in each round")
}
