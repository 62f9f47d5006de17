package request

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/sample"
)

func played(name string, cpu ...float64) *entry {
	e := &entry{contestant: Contestant{Framework: NetHTTP, Name: name}}
	for _, ns := range cpu {
		e.costs = append(e.costs, cost{cpu: ns, allocs: ns / 100})
	}
	return e
}

// The machine is slower in each round; what is compared stays within one.
func TestOnlyTheSameRoundIsCompared(t *testing.T) {
	result := sum(Scenario{Name: "read"}, []*entry{
		played(Bare, 1000, 2000, 4000),
		played(Guarded, 1500, 3000, 6000),
		played(Ours, 2000, 4000, 8000),
	})
	guarded, _ := result.Entry(NetHTTP, Guarded)
	require.Equal(t, sample.Spread{Low: 750, Median: 1000, High: 1500}, guarded.Added)
	require.Equal(t, 10, guarded.Allocs)
	ratio, ok := result.Ratio(NetHTTP, Guarded)
	require.True(t, ok)
	require.Equal(t, sample.Spread{Low: 2, Median: 2, High: 2}, ratio.Spread)
}

func TestWhatAddsNextToNothingIsNotDividedBy(t *testing.T) {
	result := sum(Scenario{Name: "untouched"}, []*entry{
		played(Bare, 1000, 1000), played(Floor, 1050, 1060), played(Ours, 1200, 1200),
	})
	_, ok := result.Ratio(NetHTTP, Floor)
	require.False(t, ok)
}

func TestARoundWithNothingToDivideByCountsAsOneOfTheWorst(t *testing.T) {
	result := sum(Scenario{Name: "read"}, []*entry{
		played(Bare, 1000, 1000, 1000, 1000, 1000),
		played(Floor, 900, 1000, 1500, 1500, 1500),
		played(Ours, 2000, 2000, 2000, 2000, 2000),
	})
	ratio, ok := result.Ratio(NetHTTP, Floor)
	require.True(t, ok)
	require.Equal(t, sample.Spread{Low: 2, Median: 2, High: 1000}, ratio.Spread)
}
