package shared

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/sample"
)

// Write prints the result as plain tables: medians, with the quartiles of ratios in brackets.
func (r Result) Write(w io.Writer) error {
	for _, e := range r.Engines {
		if err := e.write(w); err != nil {
			return err
		}
	}
	for _, s := range r.Sizes {
		fmt.Fprintf(w, "%s, %s, %d values: %.0f bytes per session\n",
			s.Engine, s.Name, s.Values, s.Bytes)
	}
	return nil
}

func (e Engine) write(w io.Writer) error {
	fmt.Fprintf(w, "\n%s %s\n", e.Name, e.Version)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "\tgoroutines\tcontestant\tper s\tp50 µs\tp99 µs\tserver µs"+
		"\tours is times, in time\tin rate")
	for _, entry := range e.Entries {
		var time, rate string
		if ratio, ok := e.Ratio(entry.Name, entry.Operation, entry.Goroutines); ok {
			time, rate = brackets(ratio.Time), brackets(ratio.Rate)
		}
		fmt.Fprintf(table, "%s\t%d\t%s\t%.0f\t%.1f\t%.1f\t%.1f\t%s\t%s\n", entry.Operation,
			entry.Goroutines, entry.Name, entry.PerSecond.Median, entry.P50.Median/1000,
			entry.P99.Median/1000, entry.ServerCPU.Median/1000, time, rate)
	}
	for _, h := range e.Hot {
		fmt.Fprintf(table, "HOT touches\t\t%s\t%.1f %%\n", h.Name, h.Percent)
	}
	return table.Flush()
}

func brackets(s sample.Spread) string {
	return fmt.Sprintf("%.3g [%.3g, %.3g]", s.Median, s.Low, s.High)
}
