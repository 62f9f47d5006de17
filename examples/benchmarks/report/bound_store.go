package report

import (
	"time"

	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/loopback"
	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/request"
	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/sample"
	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/store"
)

// ourStore is the memory store's name among the stores.
const ourStore = "ours"

// loopbackDemand is what is demanded of a server as a whole.
func loopbackDemand(r loopback.Result) Demand {
	d := Demand{What: "requests/s over connections, read 2 values: at least 0.92 × bare"}
	for _, framework := range frameworks() {
		if e, ok := r.Entry(framework, request.Ours); ok {
			d.Bounds = append(d.Bounds,
				Bound{Where: framework, Limit: 0.92, Least: true, Value: e.ToBare})
		}
	}
	return d
}

// demandedAt is how many sessions the demands on the memory store are about.
const demandedAt = 1_000_000

// storeDemands are what is demanded of the memory store at a million sessions; none if there were
// more or fewer. What was measured once has no spread.
func storeDemands(results []store.Result) []Demand {
	for _, r := range results {
		if r.Store != ourStore || r.Sessions != demandedAt {
			continue
		}
		demands := []Demand{
			once("heap, bytes per session: at most 200", 200, r.BytesPerSession),
			once("one forced collection, ms: at most 10", 10, in(r.Collection, time.Millisecond)),
		}
		if r.Expiry != nil {
			demands = append(demands,
				once("worst Get while half expire, ms: at most 2", 2,
					in(r.Expiry.Get.Worst, time.Millisecond)),
				once("p99.9 of Get while half expire, µs: at most 50", 50,
					in(r.Expiry.Get.P999, time.Microsecond)))
		}
		return append(demands,
			once("heap left after all expired, %: at most 10", 10, r.LeftPercent))
	}
	return nil
}

func once(what string, limit, value float64) Demand {
	spread := sample.Spread{Low: value, Median: value, High: value}
	return Demand{What: what, Bounds: []Bound{{Limit: limit, Value: spread}}}
}

// in is a duration in another unit than nanoseconds.
func in(d, unit time.Duration) float64 { return float64(d) / float64(unit) }
