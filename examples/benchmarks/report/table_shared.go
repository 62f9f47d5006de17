package report

import (
	"fmt"
	"math"
	"strings"

	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/shared"
)

// sharedDemandTable has all engines of a demand in one cell, since most are about one.
func sharedDemandTable(r shared.Result) string {
	t := table{texts: 2, head: []string{"our limits", "measured"}}
	for _, d := range sharedDemands(r) {
		var cells []string
		for _, b := range d.Bounds {
			cells = append(cells, b.Where+": "+b.verdict(""))
		}
		if len(cells) != 0 {
			t.add(d.What, strings.Join(cells, "<br>"))
		}
	}
	return t.String()
}

// sharedTable is what the contestants on one engine do, by operation.
func sharedTable(e shared.Engine) string {
	t := table{texts: 2, head: []string{
		"", "", "1 goroutine: µs", "p99", "50 goroutines: operations/s", "µs", "p99",
	}}
	server := hasServer(e)
	if server {
		t.head = append(t.head, "server's CPU, µs")
	}
	var last shared.Operation
	for _, entry := range e.Entries {
		if entry.Goroutines != together {
			continue
		}
		row := []string{string(entry.Operation), label(entry.Name), "", "",
			perSecond(entry.PerSecond.Median), median(entry.P50.Scale(1e-3)),
			figure(entry.P99.Median / 1000)}
		if entry.Operation == last {
			row[0] = ""
		}
		last = entry.Operation
		if alone, ok := e.Entry(entry.Name, entry.Operation, 1); ok {
			row[2] = median(alone.P50.Scale(1e-3))
			row[3] = figure(alone.P99.Median / 1000)
		}
		if server {
			row = append(row, median(entry.ServerCPU.Scale(1e-3)))
		}
		t.add(row...)
	}
	return t.String()
}

func hasServer(e shared.Engine) bool {
	for _, entry := range e.Entries {
		if entry.ServerCPU.Median > 0 {
			return true
		}
	}
	return false
}

// perSecond writes a number of operations with three digits that matter.
func perSecond(v float64) string {
	unit := 1
	for v >= float64(1000*unit) {
		unit *= 10
	}
	return grouped(int(math.Round(v/float64(unit))) * unit)
}

// sharedRatioTable is ours beside each of the others on one engine.
func sharedRatioTable(e shared.Engine) string {
	t := table{texts: 1, head: []string{"ours by"}}
	var names []string
	for _, c := range e.Contestants {
		if c.Name != shared.Ours {
			names = append(names, c.Name)
			t.head = append(t.head, c.Name+": time of one", "operations/s of 50")
		}
	}
	for _, operation := range []shared.Operation{
		shared.Load, shared.Change, shared.Touch, shared.Create, shared.Delete,
	} {
		row, any := []string{string(operation)}, false
		for _, name := range names {
			time, rate := "", ""
			if found, ok := e.Ratio(name, operation, 1); ok {
				time, any = median(found.Time), true
			}
			if found, ok := e.Ratio(name, operation, together); ok {
				rate, any = median(found.Rate), true
			}
			row = append(row, time, rate)
		}
		if any {
			t.add(row...)
		}
	}
	return t.String()
}

// sizeTable is what one session takes.
func sizeTable(r shared.Result) string {
	t := table{texts: 2, head: []string{"bytes per session", ""}}
	values := []int{2, 20}
	for _, n := range values {
		t.head = append(t.head, fmt.Sprintf("%d values, a frame of %d bytes", n, r.Frame[n]))
	}
	for _, s := range r.Sizes {
		if s.Values != values[0] {
			continue
		}
		row := []string{s.Engine, label(s.Name)}
		for _, n := range values {
			bytes, _ := r.Size(s.Engine, s.Name, n)
			row = append(row, fmt.Sprintf("%.0f", bytes))
		}
		t.add(row...)
	}
	return t.String()
}
