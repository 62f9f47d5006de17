package sample_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/sample"
)

func TestASpreadIsTheQuartiles(t *testing.T) {
	values := []float64{5, 1, 4, 2, 3}
	require.Equal(t, sample.Spread{Low: 2, Median: 3, High: 4}, sample.Of(values))
	require.Equal(t, []float64{5, 1, 4, 2, 3}, values, "the caller's order")
}

func TestBetweenTwoMeasurementsASpreadInterpolates(t *testing.T) {
	require.Equal(t, sample.Spread{Low: 1.25, Median: 1.5, High: 1.75}, sample.Of([]float64{1, 2}))
}

func TestASpreadHasFiveDigits(t *testing.T) {
	require.Equal(t, sample.Spread{Low: -123460, Median: -123460, High: -123460},
		sample.Of([]float64{-123456.789}))
	require.Equal(t, 0.012346, sample.Of([]float64{0.0123456789}).Median)
}

func TestASpreadOfNothingIsZero(t *testing.T) {
	require.Zero(t, sample.Of(nil))
}

func TestScaleChangesTheUnit(t *testing.T) {
	require.Equal(t, sample.Spread{Low: 2, Median: 4, High: 6},
		sample.Spread{Low: 1, Median: 2, High: 3}.Scale(2))
}
