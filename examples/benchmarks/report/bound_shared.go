package report

import (
	"fmt"
	"math"

	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/sample"
	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/shared"
)

// together is how many goroutines the demands on throughput are about.
const together = 50

// sharedDemands are what is demanded of the stores that outlive the process.
func sharedDemands(r shared.Result) []Demand {
	redis := []string{shared.Redis, shared.Valkey}
	postgres := []string{shared.Postgres}
	all := []Demand{
		slowest(r, "time of a load, 1 goroutine: at most 1.15 × a plain GET", 1.15,
			shared.Load, redis),
		slowest(r, "time of a change, 1 goroutine: at most 1.3 × SETEX", 1.3,
			shared.Change, redis),
		fastest(r, "loads/s, 50 goroutines: at least 1.2 × scs' goredisstore", 1.2,
			shared.Load, together, redis),
	}
	for _, operation := range []shared.Operation{shared.Load, shared.Change} {
		for _, goroutines := range []int{1, together} {
			what := fmt.Sprintf("%ss/s, %s: at least 0.9 × scs' pgxstore",
				operation, goroutinesOf(goroutines))
			all = append(all, fastest(r, what, 0.9, operation, goroutines, postgres))
		}
	}
	return append(all, hotDemand(r), durableDemand(r))
}

func goroutinesOf(n int) string {
	if n == 1 {
		return "1 goroutine"
	}
	return fmt.Sprintf("%d goroutines", n)
}

// slowest demands that one operation of ours takes at most so many times what it takes by hand.
func slowest(
	r shared.Result, what string, limit float64, operation shared.Operation, engines []string,
) Demand {
	d := Demand{What: what}
	for _, name := range engines {
		e, _ := r.Engine(name)
		if found, ok := e.Ratio(shared.ByHand, operation, 1); ok {
			d.Bounds = append(d.Bounds, Bound{Where: engine(e), Limit: limit, Value: found.Time})
		}
	}
	return d
}

// fastest demands that ours does at least so many times what scs does in the same time.
func fastest(
	r shared.Result, what string, limit float64, operation shared.Operation, goroutines int,
	engines []string,
) Demand {
	d := Demand{What: what}
	for _, name := range engines {
		e, _ := r.Engine(name)
		if found, ok := e.Ratio(shared.SCS, operation, goroutines); ok {
			d.Bounds = append(d.Bounds,
				Bound{Where: engine(e), Limit: limit, Least: true, Value: found.Rate})
		}
	}
	return d
}

// engine names an engine with its version.
func engine(e shared.Engine) string { return e.Name + " " + e.Version }

// hotDemand is about touches, most of which shall leave PostgreSQL's indexes alone.
func hotDemand(r shared.Result) Demand {
	d := Demand{What: "touches that write to no index (HOT), %: at least 85"}
	e, _ := r.Engine(shared.Postgres)
	for _, h := range e.Hot {
		if h.Name == shared.Ours {
			value := sample.Spread{Low: h.Percent, Median: h.Percent, High: h.Percent}
			d.Bounds = append(d.Bounds,
				Bound{Where: engine(e), Limit: 85, Least: true, Value: value})
		}
	}
	return d
}

// durableDemand is met by either of two speeds, so the limit is the lower one.
func durableDemand(r shared.Result) Demand {
	d := Demand{
		What: "durable changes/s, 50 goroutines: at least 8,000, or 10 × one transaction each",
	}
	e, _ := r.Engine(shared.SQLite)
	ours, ok := e.Entry(shared.Ours, shared.Change, together)
	if !ok {
		return d
	}
	limit := 8000.0
	if each, ok := e.Entry(shared.Pool, shared.Change, together); ok {
		limit = math.Min(limit, 10*each.PerSecond.Median)
	}
	d.Bounds = []Bound{{Where: engine(e), Limit: limit, Least: true, Value: ours.PerSecond}}
	return d
}
