package plot

import (
	"math"
	"strconv"
)

// A scale maps values to pixels.
type scale struct {
	low, high float64 // values
	from, to  float64 // pixels
	log       bool
}

func (s scale) at(v float64) float64 {
	if s.log {
		v = max(v, s.low)
		return s.from + (s.to-s.from)*math.Log(v/s.low)/math.Log(s.high/s.low)
	}
	return s.from + (s.to-s.from)*(v-s.low)/(s.high-s.low)
}

// step returns a distance of 1, 2 or 5 times a power of ten that cuts span into at most parts.
func step(span float64, parts int) float64 {
	rough := span / float64(parts)
	power := math.Pow(10, math.Floor(math.Log10(rough)))
	for _, factor := range []float64{1, 2, 5} {
		if factor*power >= rough*(1-1e-9) {
			return factor * power
		}
	}
	return 10 * power
}

// ticks are round values from 0 to high.
func ticks(high float64, parts int) []float64 {
	if high <= 0 {
		return []float64{0}
	}
	apart := step(high, parts)
	var all []float64
	for i := 0; float64(i)*apart <= high*(1+1e-9); i++ {
		all = append(all, float64(i)*apart)
	}
	return all
}

// decades are the powers of ten from low to high, and what encloses them.
func decades(low, high float64) (first, last float64, all []float64) {
	from, to := math.Floor(math.Log10(low)+1e-9), math.Ceil(math.Log10(high)-1e-9)
	if from == to {
		to++
	}
	for e := from; e <= to; e++ {
		all = append(all, math.Pow(10, e))
	}
	return all[0], all[len(all)-1], all
}

// short writes a value with the digits that matter.
func short(v float64) string {
	switch abs := math.Abs(v); {
	case abs >= 1e6:
		return strconv.FormatFloat(v/1e6, 'g', 3, 64) + "M"
	case abs >= 1e4:
		return strconv.FormatFloat(v/1e3, 'g', 3, 64) + "k"
	case abs >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case abs >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	case abs >= 1:
		return strconv.FormatFloat(v, 'f', 2, 64)
	default:
		return strconv.FormatFloat(v, 'g', 2, 64)
	}
}

// tick writes a round value.
func tick(v float64) string {
	switch {
	case v >= 1e6:
		return strconv.FormatFloat(v/1e6, 'g', -1, 64) + "M"
	case v >= 1e4:
		return strconv.FormatFloat(v/1e3, 'g', -1, 64) + "k"
	default:
		return strconv.FormatFloat(v, 'g', 6, 64)
	}
}
