package request

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A floor that does more than what stands on it would flatter the latter.
func TestAFloorAllocatesNoMoreThanTheGuardedOne(t *testing.T) {
	for _, framework := range []string{NetHTTP, Chi, Gin, Echo, Fiber2} {
		for _, s := range Scenarios() {
			t.Run(framework+", "+s.Name, func(t *testing.T) {
				floor := allocations(t, framework, Floor, s)
				require.LessOrEqual(t, floor, allocations(t, framework, Guarded, s))
			})
		}
	}
}

// allocations are those of one request, the framework's own included.
func allocations(t *testing.T, framework, name string, s Scenario) int {
	for _, c := range Contestants() {
		if c.Framework != framework || c.Name != name {
			continue
		}
		e := &entry{contestant: c, scenario: s}
		require.NoError(t, e.open())
		defer func() { require.NoError(t, e.close()) }()
		return int(testing.AllocsPerRun(500, func() {
			e.exchange.Do()
			e.did(1)
		}))
	}
	require.Fail(t, "no such contestant")
	return 0
}
