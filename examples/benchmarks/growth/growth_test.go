package growth_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/growth"
)

// The test binary is its own child, as the program is.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == growth.ChildArg {
		if err := growth.Child(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func TestEveryContestantHasAPointForEveryStep(t *testing.T) {
	cfg := growth.Config{
		Goroutines: []int{1, 3}, At: 500, Sessions: []int{100, 700, 1000}, Rounds: 3,
		Slice: time.Millisecond, Alone: 1000,
	}
	var told []string
	result, err := growth.Measure(t.Context(), cfg, func(s string) { told = append(told, s) })
	require.NoError(t, err)
	assert.Len(t, told, 4)
	assert.Equal(t, 500, result.At)
	assert.Equal(t, 3, result.Rounds)
	check(t, result.ByGoroutines, []int{1, 3})
	check(t, result.BySessions, []int{100, 700, 1000})
}

func check(t *testing.T, list []growth.Series, steps []int) {
	require.Len(t, list, 2*len(growth.Contestants()))
	seen := map[string]bool{}
	for _, s := range list {
		seen[s.Contestant+string(s.Operation)] = true
		require.Len(t, s.Points, len(steps), s.Contestant)
		for i, p := range s.Points {
			assert.Equal(t, steps[i], p.X, s.Contestant)
			assert.Positive(t, p.Low, s.Contestant)
			assert.LessOrEqual(t, p.Low, p.Median, s.Contestant)
			assert.LessOrEqual(t, p.Median, p.High, s.Contestant)
		}
	}
	assert.Len(t, seen, len(list), "each contestant reads and writes")
}

// What a parent and a child say to each other, with the errors that must not become figures.
func TestAChildDoesNotWorkWithNothing(t *testing.T) {
	for _, c := range []struct{ request, fault string }{
		{`{"slice":{"operation":"read","goroutines":1,"operations":1}}`, "nothing was built"},
		{`{}`, "nothing to do"},
		{`{"build":{"contestant":"nobody","sessions":1}}`, "no store is called"},
	} {
		var out strings.Builder
		require.NoError(t, growth.Child(strings.NewReader(c.request), &out))
		require.Contains(t, out.String(), c.fault)
	}
}
