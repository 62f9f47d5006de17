package report

import (
	"time"

	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/loopback"
	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/plot"
	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/request"
	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/sample"
	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/store"
)

const spreadCaption = "Bars are medians, the marks on them quartiles over the rounds of one run."

// kindOf is how a contestant is coloured.
func kindOf(name string) plot.Kind {
	switch name {
	case request.Ours:
		return plot.Ours
	case request.Guarded, request.Floor, request.Bare:
		return plot.Floor
	default:
		return plot.Peer
	}
}

func bar(label string, kind plot.Kind, s sample.Spread) plot.Bar {
	return plot.Bar{Label: label, Kind: kind, Value: s.Median, Low: s.Low, High: s.High,
		Text: figure(s.Median)}
}

// requestFigure is the added time in each scenario with a session.
func requestFigure(r request.Result) plot.Figure {
	f := plot.Figure{
		Title:   "Time of a processor that a session adds to a request",
		Caption: spreadCaption + " The axes are logarithmic, so that floors and peers fit on one.",
		Columns: 2,
	}
	for _, s := range r.Scenarios {
		if s.Name != "untouched" {
			f.Panels = append(f.Panels, requestPanel(s))
		}
	}
	return f
}

func requestPanel(s request.ScenarioResult) plot.Panel {
	p := plot.Bars{Title: s.Title, Unit: "µs of CPU on top of the bare framework's", Log: true}
	for _, e := range s.Entries {
		if e.Name == request.Bare || e.Framework == request.NetHTTP {
			continue // net/http is as chi, which has a peer
		}
		if len(p.Groups) == 0 || p.Groups[len(p.Groups)-1].Label != e.Framework {
			p.Groups = append(p.Groups, plot.Group{Label: e.Framework})
		}
		group := &p.Groups[len(p.Groups)-1]
		group.Bars = append(group.Bars, bar(e.Name, kindOf(e.Name), e.Added.Scale(1e-3)))
	}
	return p
}

// loopbackFigure is the part of the bare server's requests that is left.
func loopbackFigure(r loopback.Result) plot.Figure {
	p := plot.Bars{Title: "Requests/s that read a session, of the bare server's", Most: 1,
		Unit: "1 is the framework without sessions"}
	for _, e := range r.Entries {
		if e.Name == request.Bare {
			continue
		}
		if len(p.Groups) == 0 || p.Groups[len(p.Groups)-1].Label != e.Framework {
			p.Groups = append(p.Groups, plot.Group{Label: e.Framework})
		}
		group := &p.Groups[len(p.Groups)-1]
		group.Bars = append(group.Bars, bar(e.Name, kindOf(e.Name), e.ToBare))
	}
	return plot.Figure{Title: p.Title, Caption: spreadCaption, Panels: []plot.Panel{p}}
}

// sessionsOf is how many sessions each store held, for readers.
func sessionsOf(results []store.Result) string {
	if len(results) == 0 {
		return "no"
	}
	return grouped(results[0].Sessions)
}

// storeFigure is what that many sessions cost.
func storeFigure(results []store.Result) plot.Figure {
	return plot.Figure{
		Title:   "Memory stores at " + sessionsOf(results) + " sessions",
		Columns: 2,
		Panels: []plot.Panel{
			storePanel(results, "Heap", "bytes per session", func(r store.Result) float64 {
				return r.BytesPerSession
			}),
			storePanel(results, "One forced collection", "ms", func(r store.Result) float64 {
				return in(r.Collection, time.Millisecond)
			}),
			storePanel(results, "Worst Get while half of them expire", "ms",
				func(r store.Result) float64 {
					if r.Expiry == nil {
						return -1
					}
					return in(r.Expiry.Get.Worst, time.Millisecond)
				}),
			storePanel(results, "Heap left after all expired, none read again", "% of the full heap",
				func(r store.Result) float64 { return r.LeftPercent }),
		},
	}
}

// storePanel has a bar for each store; a negative value is one that cannot be measured.
func storePanel(
	results []store.Result, title, unit string, value func(store.Result) float64,
) plot.Panel {
	var g plot.Group
	for _, r := range results {
		kind := plot.Peer
		switch r.Store {
		case ourStore:
			kind = plot.Ours
		case "map", "sharded map", "arena":
			kind = plot.Floor
		}
		v := value(r)
		b := plot.Bar{Label: r.Store, Kind: kind, Value: v, Low: v, High: v, Text: figure(v)}
		if v < 0 {
			b.Value, b.Low, b.High, b.Text = 0, 0, 0, "never expires"
		}
		g.Bars = append(g.Bars, b)
	}
	return plot.Bars{Title: title, Unit: unit, Groups: []plot.Group{g}}
}
