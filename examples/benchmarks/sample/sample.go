// Package sample sums up repeated measurements of one thing.
package sample

import (
	"math"
	"slices"
)

// A Spread is the middle of some measurements and how far they lie apart: half of them are between
// Low and High. The zero Spread is that of no measurements.
type Spread struct {
	Low    float64 `json:"low"` // the first quartile
	Median float64 `json:"median"`
	High   float64 `json:"high"` // the third quartile
}

// Of returns the spread of values, which it leaves as they are. It keeps five digits: no
// measurement here has more to tell.
func Of(values []float64) Spread {
	sorted := slices.Sorted(slices.Values(values))
	return Spread{
		Low:    five(quantile(sorted, 0.25)),
		Median: five(quantile(sorted, 0.5)),
		High:   five(quantile(sorted, 0.75)),
	}
}

// five rounds to five digits.
func five(v float64) float64 {
	if v == 0 {
		return 0
	}
	unit := math.Pow(10, 4-math.Floor(math.Log10(math.Abs(v))))
	return math.Round(v*unit) / unit
}

// Scale returns the spread in another unit: everything times factor, which is positive.
func (s Spread) Scale(factor float64) Spread {
	return Spread{Low: s.Low * factor, Median: s.Median * factor, High: s.High * factor}
}

// quantile is the value below which the part q of sorted lies, between two of them if need be.
func quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	at := q * float64(len(sorted)-1)
	below := int(at)
	if below == len(sorted)-1 {
		return sorted[below]
	}
	return sorted[below] + (at-float64(below))*(sorted[below+1]-sorted[below])
}
