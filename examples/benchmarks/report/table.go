package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/sample"
)

// A table is Markdown's.
type table struct {
	head  []string
	texts int // columns of text, the first ones; the others are aligned to the right
	rows  [][]string
}

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

// String is the table without a line end behind it.
func (t *table) String() string {
	rule := strings.Repeat("|---", t.texts) + strings.Repeat("|--:", len(t.head)-t.texts) + "|"
	lines := []string{line(t.head), rule}
	for _, row := range t.rows {
		for len(row) < len(t.head) {
			row = append(row, "")
		}
		lines = append(lines, line(row))
	}
	return strings.Join(lines, "\n")
}

func line(cells []string) string { return "| " + strings.Join(cells, " | ") + " |" }

// figure writes a value with three digits that matter, and no more than three behind the point.
func figure(v float64) string {
	abs := math.Abs(v)
	switch {
	case v == math.Trunc(v) && abs < 1e6:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case abs < 0.0005:
		return "0.000" // without a sign
	case abs >= 99.95:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case abs >= 9.995:
		return strconv.FormatFloat(v, 'f', 1, 64)
	case abs >= 0.0995:
		return strconv.FormatFloat(v, 'f', 2, 64)
	default:
		return strconv.FormatFloat(v, 'f', 3, 64)
	}
}

// median writes a spread's middle, and its quartiles if they differ.
func median(s sample.Spread) string {
	if s.Low == s.High {
		return figure(s.Median)
	}
	return figure(s.Median) + " (" + figure(s.Low) + "–" + figure(s.High) + ")"
}

// verdict writes what was measured, and by how much it misses its bound if it does; of is what is
// to be said of the limit.
func (b Bound) verdict(of string) string {
	if b.Met() {
		return "✓ " + median(b.Value) + of
	}
	return fmt.Sprintf("**✗ %s**%s, by %.0f %%", median(b.Value), of, math.Ceil(b.Miss()))
}

// limit writes the limit of a bound where the demand's words do not.
func (d Demand) limit(b Bound) string {
	if !d.Differ {
		return ""
	}
	return " of " + figure(b.Limit)
}

// demandTable is for demands on each framework.
func demandTable(demands []Demand) string {
	t := table{texts: 1, head: append([]string{"our limits"}, frameworks()...)}
	for _, d := range demands {
		row := []string{d.What}
		for _, framework := range frameworks() {
			row = append(row, d.at(framework))
		}
		t.add(row...)
	}
	return t.String()
}

// at is the verdict in one framework; empty if that was not measured.
func (d Demand) at(framework string) string {
	for _, b := range d.Bounds {
		if b.Where == framework {
			return b.verdict(d.limit(b))
		}
	}
	return ""
}
