package request

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/sample"
)

// Write prints the result as plain tables: medians, with the quartiles in brackets.
func (r Result) Write(w io.Writer) error {
	for _, s := range r.Scenarios {
		if err := s.write(w); err != nil {
			return err
		}
	}
	return nil
}

func (s ScenarioResult) write(w io.Writer) error {
	fmt.Fprintf(w, "\n%s: %s\n", s.Name, s.Title)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "\tcontestant\tadded µs CPU\tadded µs wall\tallocs\tbytes\tours is times")
	for _, e := range s.Entries {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%d\t%d\t%s\n", e.Framework, e.Name,
			micros(e.Added), micros(e.AddedWall), e.Allocs, e.Bytes, s.ratioTo(e))
	}
	return table.Flush()
}

func (s ScenarioResult) ratioTo(e Entry) string {
	r, ok := s.Ratio(e.Framework, e.Name)
	if !ok {
		return ""
	}
	return fmt.Sprintf("%.3g [%.3g, %.3g]", r.Spread.Median, r.Spread.Low, r.Spread.High)
}

func micros(s sample.Spread) string {
	s = s.Scale(1e-3)
	return fmt.Sprintf("%.3f [%.3f, %.3f]", s.Median, s.Low, s.High)
}
