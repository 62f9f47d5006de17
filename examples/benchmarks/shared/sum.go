package shared

import "github.com/sessionserverstore/sessionserverstore/examples/benchmarks/sample"

// sum sums up what all have done, and compares ours with each of the others.
func (t *table) sum() (entries []Entry, ratios []Ratio) {
	var ours *seat
	for _, s := range t.seats {
		if s.maker.Name == Ours {
			ours = s
		}
	}
	for _, c := range t.cells() {
		for _, s := range t.seats {
			if !s.does(c.operation) {
				continue
			}
			entries = append(entries, s.entry(c))
			if ours != nil && s != ours {
				ratios = append(ratios, ratio(ours, s, c))
			}
		}
	}
	return entries, ratios
}

func (s *seat) entry(c cell) Entry {
	return Entry{
		Name: s.maker.Name, Operation: c.operation, Goroutines: c.goroutines,
		PerSecond: spread(s.slices[c], perSecond), P50: spread(s.slices[c], p50),
		P99:       spread(s.slices[c], func(s slice) float64 { return s.p99 }),
		ServerCPU: sample.Of(s.cpu[c]),
	}
}

func perSecond(s slice) float64 { return s.perSecond }

func p50(s slice) float64 { return s.p50 }

func spread(all []slice, of func(slice) float64) sample.Spread {
	values := make([]float64, len(all))
	for i, s := range all {
		values[i] = of(s)
	}
	return sample.Of(values)
}

// ratio compares within rounds, since the machine is not the same in all of them.
func ratio(ours, other *seat, c cell) Ratio {
	rounds := min(len(ours.slices[c]), len(other.slices[c]))
	times, rates := make([]float64, rounds), make([]float64, rounds)
	for i := range rounds {
		a, b := ours.slices[c][i], other.slices[c][i]
		times[i], rates[i] = a.p50/b.p50, a.perSecond/b.perSecond
	}
	return Ratio{
		To: other.maker.Name, Operation: c.operation, Goroutines: c.goroutines,
		Time: sample.Of(times), Rate: sample.Of(rates),
	}
}
