package request

import (
	"math"

	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/sample"
)

// telling is the added cost in nanoseconds from which on a ratio to it says something: below, it is
// mostly the error of the measurement that is divided by.
const telling = 100

// boundless is what a ratio counts as in a round in which the other one added nothing at all. To
// leave the round out would take away the worst ones.
const boundless = 1000

// A track is what an entry added in each round.
type track struct {
	entry *entry
	added []cost
}

// sum turns what was measured into a result.
func sum(s Scenario, entries []*entry) ScenarioResult {
	result := ScenarioResult{Name: s.Name, Title: s.Title}
	tracks := make([]track, 0, len(entries))
	bare := make(map[string]*entry)
	for _, e := range entries {
		if e.contestant.Name == Bare {
			bare[e.contestant.Framework] = e
		}
	}
	for _, e := range entries {
		t := track{entry: e}
		for round, c := range e.costs {
			t.added = append(t.added, c.minus(bare[e.contestant.Framework].costs[round]))
		}
		tracks = append(tracks, t)
		result.Entries = append(result.Entries, t.sum())
	}
	for _, of := range tracks {
		for _, to := range tracks {
			if !ofInterest(of.entry.contestant, to.entry.contestant) {
				continue
			}
			if r, ok := of.ratio(to); ok {
				result.Ratios = append(result.Ratios, r)
			}
		}
	}
	return result
}

// ofInterest reports whether a ratio is of interest: ours to all others of its framework, and the
// guarded floor to the floor. Times of two frameworks are not compared: what they add depends on
// the framework as well.
func ofInterest(of, to Contestant) bool {
	if of.Framework != to.Framework {
		return false
	}
	switch of.Name {
	case Ours:
		return to.peer() || to.Name == Floor || to.Name == Guarded
	case Guarded:
		return to.Name == Floor
	default:
		return false
	}
}

// peer reports whether the contestant is another library.
func (c Contestant) peer() bool {
	switch c.Name {
	case Bare, Floor, Guarded, Ours:
		return false
	default:
		return true
	}
}

func (t track) sum() Entry {
	all, c := t.entry.costs, t.entry.contestant
	return Entry{
		Framework: c.Framework,
		Name:      c.Name,
		Note:      c.Note,
		Requests:  t.entry.perSlice,
		CPU:       spread(all, func(c cost) float64 { return c.cpu }),
		Wall:      spread(all, func(c cost) float64 { return c.wall }),
		Added:     spread(t.added, func(c cost) float64 { return c.cpu }),
		AddedWall: spread(t.added, func(c cost) float64 { return c.wall }),
		Allocs:    whole(t.added, func(c cost) float64 { return c.allocs }),
		Bytes:     whole(t.added, func(c cost) float64 { return c.bytes }),
	}
}

// ratio compares two contestants round by round; ok is false if it would say nothing.
func (t track) ratio(to track) (r Ratio, ok bool) {
	if spread(to.added, func(c cost) float64 { return c.cpu }).Median < telling {
		return Ratio{}, false
	}
	ratios := make([]float64, len(t.added))
	for round, c := range t.added {
		ratios[round] = boundless
		if below := to.added[round].cpu; below > 0 {
			ratios[round] = min(c.cpu/below, boundless)
		}
	}
	return Ratio{
		Framework: t.entry.contestant.Framework,
		Of:        t.entry.contestant.Name,
		To:        to.entry.contestant.Name,
		Spread:    sample.Of(ratios),
	}, true
}

// whole is the median as a whole number: what is between two is the runtime's own now and then.
func whole(costs []cost, figure func(cost) float64) int {
	return int(math.Round(spread(costs, figure).Median))
}

func spread(costs []cost, figure func(cost) float64) sample.Spread {
	figures := make([]float64, len(costs))
	for i, c := range costs {
		figures[i] = figure(c)
	}
	return sample.Of(figures)
}
