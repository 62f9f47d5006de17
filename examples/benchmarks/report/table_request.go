package report

import (
	"fmt"

	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/loopback"
	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/request"
)

// A key finds a contestant.
type key struct{ framework, name string }

// contestants are those of a result but the bare frameworks, in their order.
func contestants(r request.Result) []key {
	var keys []key
	if len(r.Scenarios) == 0 {
		return nil
	}
	for _, e := range r.Scenarios[0].Entries {
		if e.Name != request.Bare {
			keys = append(keys, key{e.Framework, e.Name})
		}
	}
	return keys
}

// entryTable has a row for each contestant and a column for each scenario.
func entryTable(r request.Result, cell func(request.Entry) string) string {
	t := table{texts: 2, head: []string{"", "contestant"}}
	for _, s := range r.Scenarios {
		t.head = append(t.head, s.Title)
	}
	for _, k := range contestants(r) {
		row := []string{k.framework, label(k.name) + footnote(r, k)}
		for _, s := range r.Scenarios {
			e, _ := s.Entry(k.framework, k.name)
			row = append(row, cell(e))
		}
		t.add(row...)
	}
	return t.String()
}

// label lets ours stand out.
func label(name string) string {
	if name == request.Ours {
		return "**" + name + "**"
	}
	return name
}

// addedTable is the added time of a processor, in microseconds.
func addedTable(r request.Result) string {
	return entryTable(r, func(e request.Entry) string {
		return median(e.Added.Scale(1e-3))
	})
}

// allocTable is the added allocations and their bytes.
func allocTable(r request.Result) string {
	return entryTable(r, func(e request.Entry) string {
		return fmt.Sprintf("%d, %d B", e.Allocs, e.Bytes)
	})
}

// noted are the contestants that do something otherwise than the others.
func noted(r request.Result) []request.Entry {
	if len(r.Scenarios) == 0 {
		return nil
	}
	var all []request.Entry
	for _, e := range r.Scenarios[0].Entries {
		if e.Note != "" {
			all = append(all, e)
		}
	}
	return all
}

// footnote is the number of a contestant's note; "" if it has none.
func footnote(r request.Result, k key) string {
	for i, e := range noted(r) {
		if e.Framework == k.framework && e.Name == k.name {
			return superscript(i)
		}
	}
	return ""
}

// notes are the footnotes, with their numbers.
func notes(r request.Result) []string {
	var all []string
	for i, e := range noted(r) {
		all = append(all, superscript(i)+" "+e.Framework+", "+e.Name+": "+e.Note+".")
	}
	return all
}

func superscript(i int) string { return fmt.Sprintf("<sup>%d</sup>", i+1) }

// peers are other libraries, in the framework where they are measured.
func peers() []key {
	return []key{
		{request.Chi, request.SCS}, {request.Gin, request.GinContrib},
		{request.Echo, request.EchoContrib}, {request.Fiber2, request.FiberSession},
	}
}

// peerTable is ours as a part of a peer's cost, each in its own framework.
func peerTable(r request.Result) string {
	t := table{texts: 1, head: []string{"ours by"}}
	for _, p := range peers() {
		t.head = append(t.head, p.framework+", "+p.name)
	}
	for _, s := range r.Scenarios {
		row := []string{s.Title}
		for _, p := range peers() {
			found, ok := s.Ratio(p.framework, p.name)
			if !ok {
				row = append(row, "–")
				continue
			}
			row = append(row, median(found.Spread))
		}
		t.add(row...)
	}
	return t.String()
}

// loopbackTable is the requests that servers answer.
func loopbackTable(r loopback.Result) string {
	t := table{texts: 2, head: []string{
		"", "contestant", "requests/s", "of the bare server's",
	}}
	for _, e := range r.Entries {
		t.add(e.Framework, label(e.Name), fmt.Sprintf("%.0f", e.PerSecond.Median), median(e.ToBare))
	}
	return t.String()
}
