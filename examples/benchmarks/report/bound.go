package report

import (
	"fmt"

	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/request"
	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/sample"
)

// A Bound is how much we want something to cost at most, and what it was measured to.
type Bound struct {
	Where string // the framework; for the memory store ""
	Limit float64
	Least bool // the limit is the least, not the most
	Value sample.Spread
}

// Met reports whether the median keeps the bound.
func (b Bound) Met() bool {
	if b.Least {
		return b.Value.Median >= b.Limit
	}
	return b.Value.Median <= b.Limit
}

// Miss is by how much the bound is not met, in percent of it; 0 if it is.
func (b Bound) Miss() float64 {
	if b.Met() {
		return 0
	}
	miss := b.Value.Median/b.Limit - 1
	if b.Least {
		miss = -miss
	}
	return 100 * miss
}

// A Demand is a bound for each framework.
type Demand struct {
	What   string
	Differ bool    // the limits do, by framework, so that What does not name them
	Bounds []Bound // in the order of frameworks; one that was not measured is missing
}

// frameworks are those that we have an adapter for.
func frameworks() []string {
	return []string{request.NetHTTP, request.Chi, request.Gin, request.Echo, request.Fiber2}
}

// requestDemands are what is demanded of a request with a session.
func requestDemands(r request.Result) []Demand {
	return []Demand{
		ratio(r, "read", request.Guarded, 1.5),
		ratio(r, "read20", request.Guarded, 1.5),
		ratio(r, "read", request.SCS, 0.06), // which is there on chi only
		ratio(r, "read20", request.SCS, 0.05),
		ratio(r, "change", request.Floor, 4),
		ratio(r, "create", request.Floor, 1.5),
		untouched(r),
		allocations(r),
	}
}

// ratio demands that ours costs at most so many times what another contestant does in the same
// framework.
func ratio(r request.Result, scenario, to string, limit float64) Demand {
	s, _ := r.Scenario(scenario)
	d := Demand{What: fmt.Sprintf("%s: at most %g × %s", s.Title, limit, to)}
	if to == request.SCS {
		d.What += " (on chi)"
	}
	for _, framework := range frameworks() {
		if found, ok := s.Ratio(framework, to); ok {
			d.Bounds = append(d.Bounds, Bound{Where: framework, Limit: limit, Value: found.Spread})
		}
	}
	return d
}

// untouched demands little of a request that has no session and wants none.
func untouched(r request.Result) Demand {
	s, _ := r.Scenario("untouched")
	d := Demand{What: s.Title + ": µs", Differ: true}
	for _, framework := range frameworks() {
		limit := 0.25
		if framework == request.Fiber2 {
			limit = 0.1
		}
		if e, ok := s.Entry(framework, request.Ours); ok {
			d.Bounds = append(d.Bounds,
				Bound{Where: framework, Limit: limit, Value: e.Added.Scale(1e-3)})
		}
	}
	return d
}

// allocations demands few of them to read a session.
func allocations(r request.Result) Demand {
	s, _ := r.Scenario("read")
	d := Demand{What: s.Title + ": allocations", Differ: true}
	limits := map[string]float64{
		request.NetHTTP: 4, request.Chi: 4, request.Gin: 5, request.Echo: 6, request.Fiber2: 3,
	}
	for _, framework := range frameworks() {
		if e, ok := s.Entry(framework, request.Ours); ok {
			n := float64(e.Allocs)
			d.Bounds = append(d.Bounds, Bound{
				Where: framework,
				Limit: limits[framework],
				Value: sample.Spread{Low: n, Median: n, High: n},
			})
		}
	}
	return d
}
