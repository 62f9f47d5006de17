package report

import (
	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/plot"
	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/shared"
)

// sharedFigure is how many loads and changes the stores do at once.
func sharedFigure(r shared.Result) plot.Figure {
	f := plot.Figure{
		Title:   "Operations per second of 50 goroutines, on one machine with the server",
		Caption: spreadCaption + " SQLite's axis is logarithmic.",
		Columns: 2,
	}
	for _, e := range r.Engines {
		f.Panels = append(f.Panels, sharedPanel(e))
	}
	return f
}

func sharedPanel(e shared.Engine) plot.Panel {
	p := plot.Bars{
		Title: engine(e), Unit: "thousand operations/s", Log: e.Name == shared.SQLite,
	}
	for _, operation := range []shared.Operation{shared.Load, shared.Change} {
		g := plot.Group{Label: string(operation)}
		for _, entry := range e.Entries {
			if entry.Operation == operation && entry.Goroutines == together {
				g.Bars = append(g.Bars,
					bar(entry.Name, sharedKind(entry.Name), entry.PerSecond.Scale(1e-3)))
			}
		}
		p.Groups = append(p.Groups, g)
	}
	return p
}

func sharedKind(name string) plot.Kind {
	switch name {
	case shared.Ours:
		return plot.Ours
	case shared.SCS:
		return plot.Peer
	default:
		return plot.Floor
	}
}
