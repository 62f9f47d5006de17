package loopback

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// Write prints the result as a plain table: medians, with the quartiles in brackets.
func (r Result) Write(w io.Writer) error {
	fmt.Fprintf(w, "\nloopback: read 2 values, %d connections\n", r.Connections)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "\tcontestant\trequests/s\tof the bare server's")
	for _, e := range r.Entries {
		fmt.Fprintf(table, "%s\t%s\t%.0f\t%.3f [%.3f, %.3f]\n", e.Framework, e.Name,
			e.PerSecond.Median, e.ToBare.Median, e.ToBare.Low, e.ToBare.High)
	}
	return table.Flush()
}
