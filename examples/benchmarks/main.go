// Command benchmarks measures sessions against other libraries and against hand-written floors, and
// writes results.json, the page docs/benchmarks.md and its charts. See README.md.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/growth"
	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/loopback"
	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/shared"
	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/store"
)

func main() {
	slog.SetDefault(slog.New(slog.DiscardHandler)) // a peer logs each forged cookie
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// children are what this program is when it starts itself.
func children() map[string]func(io.Reader, io.Writer) error {
	return map[string]func(io.Reader, io.Writer) error{
		loopback.ChildArg: loopback.Child,
		store.ChildArg:    store.Child,
		growth.ChildArg:   growth.Child,
	}
}

func run() error {
	if len(os.Args) > 1 {
		if child, ok := children()[os.Args[1]]; ok {
			return child(os.Stdin, os.Stdout)
		}
	}
	s, err := parse(os.Args[1:])
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	return s.measure(ctx)
}

// settings are what the command line says.
type settings struct {
	only       string
	out        string
	results    string
	readme     string
	scenarios  string
	frameworks string
	engines    string
	rounds     int
	sessions   float64
	slice      time.Duration
	command    string // as it was given
	commit     string // that is measured; "": unknown
}

func parse(args []string) (settings, error) {
	var s settings
	f := flag.NewFlagSet("benchmarks", flag.ContinueOnError)
	f.StringVar(&s.only, "only", "",
		"`parts` to measure, of "+strings.Join(partNames(), ",")+"; \"none\" renders what was "+
			"measured before; all if empty")
	f.IntVar(&s.rounds, "rounds", 0,
		"`rounds` of all parts but store; 0: enough for a stable median")
	f.DurationVar(&s.slice, "slice", 0, "time of a contestant in a round of these; 0: what is right")
	f.StringVar(&s.scenarios, "scenarios", "",
		"a look at request scenarios by `name`, of "+strings.Join(scenarioNames(), ",")+
			": nothing is written")
	f.StringVar(&s.frameworks, "frameworks", "",
		"a look at frameworks by `name`, of "+strings.Join(frameworkNames(), ",")+
			": nothing is written")
	f.StringVar(&s.engines, "engines", "",
		"a look at shared stores by `name`, of "+strings.Join(shared.Engines(), ",")+
			": nothing is written")
	f.Float64Var(&s.sessions, "sessions", 0,
		"sessions in each store, and the most of them in growth, a power of ten from 1e3 to 1e7; "+
			"0: 1e6")
	f.StringVar(&s.results, "results", "results.json",
		"`file` of results; a part replaces its own only")
	f.StringVar(&s.out, "out", "../../docs", "`directory` of the page and its charts")
	f.StringVar(&s.readme, "readme", "../../README.md",
		"`file` whose marked lines are rendered")
	if err := f.Parse(args); err != nil {
		return settings{}, err
	}
	if f.NArg() != 0 {
		return settings{}, fmt.Errorf("benchmarks: what is %q?", f.Args())
	}
	if s.only == "" {
		s.only = strings.Join(partNames(), ",")
		switch {
		case s.engines != "":
			s.only = "shared"
		case s.look():
			s.only = "requests"
		}
	}
	s.command = strings.Join(append([]string{"go run ."}, args...), " ")
	return s, s.valid()
}

// look reports whether only some figures of a part are wanted, which must not replace all of them.
func (s settings) look() bool { return s.scenarios != "" || s.frameworks != "" || s.engines != "" }

// list splits a list with commas; an empty one has no entries.
func list(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, ",")
}
