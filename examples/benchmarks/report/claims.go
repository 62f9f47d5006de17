package report

import (
	"fmt"
	"math"
	"strings"

	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/plot"
	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/request"
)

// demands are all that there are on what was measured.
func (r Results) demands() []Demand {
	var demands []Demand
	if r.Requests != nil {
		demands = append(demands, requestDemands(r.Requests.Data)...)
	}
	if r.Loopback != nil {
		demands = append(demands, loopbackDemand(r.Loopback.Data))
	}
	if r.Store != nil {
		demands = append(demands, storeDemands(r.Store.Data)...)
	}
	if r.Shared != nil {
		demands = append(demands, sharedDemands(r.Shared.Data)...)
	}
	return demands
}

// missed are the demands that are not met somewhere, in words.
func (r Results) missed() []string {
	var all []string
	for _, d := range r.demands() {
		if where := d.missed(); len(where) != 0 {
			all = append(all, d.What+": "+strings.Join(where, ", "))
		}
	}
	return all
}

// Unexplained returns the demands that are not met, and that the page gives no reason for: the
// section "reasons" of its template has to name each of them.
func (r Results) Unexplained() ([]string, error) {
	reasons, err := r.execute("reasons")
	if err != nil {
		return nil, err
	}
	var all []string
	for _, d := range r.demands() {
		if len(d.missed()) != 0 && !strings.Contains(reasons, d.What) {
			all = append(all, d.What)
		}
	}
	return all, nil
}

// unmet reports whether a demand, by its words, is not met somewhere. It is for reasons that are
// given only then.
func unmet(r Results, what string) bool {
	for _, d := range r.demands() {
		if d.What == what {
			return len(d.missed()) != 0
		}
	}
	return false
}

// missed are the bounds that are not met.
func (d Demand) missed() []string {
	var all []string
	for _, b := range d.Bounds {
		if !b.Met() {
			all = append(all, strings.TrimSpace(fmt.Sprintf("%s %s%s (by %.0f %%)",
				b.Where, figure(b.Value.Median), d.limit(b), math.Ceil(b.Miss()))))
		}
	}
	return all
}

// missed is a function for the template.
func missed(r Results) []string { return r.missed() }

// span is the least and the greatest median of what is added in a scenario, in microseconds: by
// ours in our frameworks, or by the peers. It is for sentences.
func span(r request.Result, scenario, who string) (string, error) {
	s, ok := r.Scenario(scenario)
	if !ok {
		return "", fmt.Errorf("report: the scenario %s was not measured", scenario)
	}
	low, high := math.Inf(1), math.Inf(-1)
	for _, e := range s.Entries {
		if e.Name == who || who == "peers" && kindOf(e.Name) == plot.Peer {
			low, high = min(low, e.Added.Median), max(high, e.Added.Median)
		}
	}
	return figure(low/1000) + " to " + figure(high/1000), nil
}
