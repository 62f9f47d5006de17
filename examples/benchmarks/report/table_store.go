package report

import (
	"strings"
	"time"

	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/store"
)

// storeDemandTable has one column, as there is one memory store. It is empty if nothing is demanded
// at the number of sessions that there were.
func storeDemandTable(results []store.Result) string {
	demands := storeDemands(results)
	if len(demands) == 0 {
		return ""
	}
	t := table{texts: 1, head: []string{"our limits", "measured"}}
	for _, d := range demands {
		t.add(d.What, d.at(""))
	}
	return t.String()
}

// storeTable is what stores cost at the same number of sessions.
func storeTable(results []store.Result) string {
	t := table{texts: 1, head: []string{
		"", "heap, bytes per session", "one forced collection, ms",
		"worst Get while half expire, ms", "worst of a reader of nothing, ms", "p99.9, µs",
		"heap left after all expired, %", "live sessions lost",
	}}
	for _, r := range results {
		worst, most := "never expires", ""
		if r.Expiry != nil {
			worst = figure(in(r.Expiry.Get.Worst, time.Millisecond))
			most = figure(in(r.Expiry.Get.P999, time.Microsecond))
		}
		t.add(label(r.Store), figure(r.BytesPerSession), figure(in(r.Collection, time.Millisecond)),
			worst, figure(in(r.Machine.Worst, time.Millisecond)), most, figure(r.LeftPercent),
			lost(r))
	}
	return t.String()
}

// lost lets it stand out if a store has not kept what it should have.
func lost(r store.Result) string {
	if r.Lost() == 0 {
		return "0"
	}
	return "**" + grouped(r.Lost()) + "**"
}

// traitTable is what stores can do beside being fast.
func traitTable(results []store.Result) string {
	t := table{texts: 7, head: []string{
		"", "kept as", "ends", "removed", "drops live sessions", "compare and set",
		"two keys of one hash",
	}}
	for _, r := range results {
		drops, collision, swap := r.Traits.DropsLive, r.Traits.Collision, "no"
		if drops == "" {
			drops = "never"
		}
		if collision == "" {
			collision = "both kept"
		}
		if r.Traits.CompareAndSet {
			swap = "yes"
		}
		removed := string(r.Traits.Removal)
		if r.Traits.Every != 0 {
			removed += ", every " + r.Traits.Every.String()
		}
		t.add(label(r.Store), r.Traits.Form, string(r.Traits.Ends), removed, drops, swap, collision)
	}
	return t.String()
}

// storeNotes are what else must be known to read the figures.
func storeNotes(results []store.Result) []string {
	var all []string
	for _, r := range results {
		if r.Traits.Note != "" {
			all = append(all, r.Store+": "+strings.TrimSuffix(r.Traits.Note, ".")+".")
		}
	}
	return all
}
