package loopback

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/request"
	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/sample"
)

// The machine is slower in each round; what is compared stays within one.
func TestOnlyTheSameRoundIsCompared(t *testing.T) {
	of := func(name string, perSecond ...float64) *entry {
		return &entry{contestant: contestant{request.Chi, name}, perSecond: perSecond}
	}
	all := sum([]*entry{of(request.Bare, 100, 50, 10), of(request.Ours, 90, 45, 9)})
	require.Equal(t, sample.Spread{Low: 1, Median: 1, High: 1}, all[0].ToBare)
	require.Equal(t, sample.Spread{Low: 0.9, Median: 0.9, High: 0.9}, all[1].ToBare)
	require.Equal(t, 45.0, all[1].PerSecond.Median)
}
