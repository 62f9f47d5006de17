package request_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/request"
)

func TestMeasureTellsOfEveryContestantInEveryScenario(t *testing.T) {
	cfg := request.Config{Rounds: 2, Slice: 200 * time.Microsecond}
	var steps []string
	result, err := request.Measure(t.Context(), cfg, func(step string) { steps = append(steps, step) })
	require.NoError(t, err)
	assert.Len(t, steps, 1+len(request.Scenarios()))
	for _, s := range request.Scenarios() {
		scenario, ok := result.Scenario(s.Name)
		require.True(t, ok, s.Name)
		for _, c := range request.Contestants() {
			e, ok := scenario.Entry(c.Framework, c.Name)
			require.True(t, ok, c)
			assert.Positive(t, e.Wall.Median, c)
			if c.Name == request.Bare {
				assert.Zero(t, e.Added, c)
			}
		}
	}
}

func TestMeasureComparesOursWithFloorsAndPeers(t *testing.T) {
	cfg := request.Config{
		Rounds: 3, Slice: time.Millisecond, Scenarios: []string{"read20"},
		Frameworks: []string{request.Chi, request.Gin},
	}
	result, err := request.Measure(t.Context(), cfg, func(string) {})
	require.NoError(t, err)
	scenario, ok := result.Scenario("read20")
	require.True(t, ok)
	for _, to := range [][2]string{
		{request.Gin, request.GinContrib}, {request.Chi, request.SCS},
	} {
		r, ok := scenario.Ratio(to[0], to[1])
		require.True(t, ok, to)
		assert.Positive(t, r.Spread.Median, to)
		assert.LessOrEqual(t, r.Spread.Low, r.Spread.High, to)
	}
}

func TestMeasureEndsWhenItIsNotWantedAnyMore(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := request.Measure(ctx, request.Config{Frameworks: []string{request.NetHTTP}},
		func(string) {})
	require.ErrorIs(t, err, context.Canceled)
}
