package report

import (
	"slices"
	"strconv"

	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/growth"
	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/plot"
)

// growthFigure has a panel for each axis and operation.
func growthFigure(r growth.Result) plot.Figure {
	goroutines, sessions := "goroutines, at "+grouped(r.At)+" sessions", "sessions, one goroutine"
	return plot.Figure{
		Title:   "Time of one operation by goroutines and by sessions",
		Caption: "Points are medians, the marks on them quartiles. Both axes are logarithmic.",
		Columns: 2,
		Panels: []plot.Panel{
			growthPanel("Read, by goroutines", goroutines, r.ByGoroutines, growth.Read),
			growthPanel("Write, by goroutines", goroutines, r.ByGoroutines, growth.Write),
			growthPanel("Read, by sessions", sessions, r.BySessions, growth.Read),
			growthPanel("Write, by sessions", sessions, r.BySessions, growth.Write),
		},
	}
}

// growthPanel has a line for each contestant; the whole request, which is no store, comes last.
func growthPanel(title, x string, all []growth.Series, operation growth.Operation) plot.Panel {
	p := plot.Lines{Title: title, X: x, Y: "ns"}
	var last []plot.Series
	for _, s := range all {
		if s.Operation != operation {
			continue
		}
		line := plot.Series{Label: s.Contestant}
		for _, point := range s.Points {
			line.Points = append(line.Points, plot.Point{
				X: float64(point.X), Y: point.Median, Low: point.Low, High: point.High,
			})
		}
		if s.Contestant == growth.WholeRequest {
			last = append(last, line)
			continue
		}
		p.Series = append(p.Series, line)
	}
	p.Series = append(p.Series, last...)
	return p
}

// growthTable has a row for each contestant and operation, and a column for each point.
func growthTable(all []growth.Series) string {
	var columns []int
	for _, s := range all {
		for _, p := range s.Points {
			columns = append(columns, p.X)
		}
	}
	slices.Sort(columns)
	columns = slices.Compact(columns)
	t := table{texts: 2, head: []string{"", "operation"}}
	for _, x := range columns {
		t.head = append(t.head, grouped(x))
	}
	for _, s := range all {
		row := []string{label(s.Contestant), string(s.Operation)}
		for _, x := range columns {
			row = append(row, growthCell(s, x))
		}
		t.add(row...)
	}
	return t.String()
}

// growthCell is the time at one point; empty if that was not measured.
func growthCell(s growth.Series, x int) string {
	for _, p := range s.Points {
		if p.X == x {
			return median(p.Spread)
		}
	}
	return ""
}

// grouped writes a number with commas between thousands.
func grouped(n int) string {
	if n < 1000 {
		return strconv.Itoa(n)
	}
	rest := strconv.Itoa(n % 1000)
	return grouped(n/1000) + "," + "000"[len(rest):] + rest
}
