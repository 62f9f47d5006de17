package loopback

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/child"
	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/request"
	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/sample"
)

// A Config says how much is measured. The zero Config is right for a run whose figures are kept.
type Config struct {
	Rounds      int           // of all contestants; 0: 20
	Slice       time.Duration // of one contestant in a round; 0: 300 ms
	Connections int           // 0: 16
	Frameworks  []string      // by name; none: all
}

func (c Config) withDefaults() Config {
	if c.Rounds == 0 {
		c.Rounds = 20
	}
	if c.Slice == 0 {
		c.Slice = 300 * time.Millisecond
	}
	if c.Connections == 0 {
		c.Connections = 16
	}
	return c
}

// An entry is a contestant that is online.
type entry struct {
	contestant contestant
	process    *child.Process
	client     client
	perSecond  []float64
}

// Measure starts the servers, lets them take turns, and ends them. The program that calls it must
// have a main that knows ChildArg.
func Measure(ctx context.Context, cfg Config, progress func(string)) (result Result, err error) {
	cfg = cfg.withDefaults()
	var entries []*entry
	defer func() {
		for _, e := range entries {
			err = errors.Join(err, e.close())
		}
	}()
	for _, c := range contestants(cfg.Frameworks) {
		e, err := start(ctx, c, cfg)
		if err != nil {
			return Result{}, err
		}
		entries = append(entries, e)
	}
	progress(fmt.Sprintf("loopback: %d rounds of %d servers", cfg.Rounds, len(entries)))
	for range cfg.Rounds {
		for _, e := range request.Shuffle(entries, (*entry).framework) {
			if err := ctx.Err(); err != nil {
				return Result{}, err
			}
			if err := e.run(cfg.Slice); err != nil {
				return Result{}, err
			}
		}
	}
	return Result{
		Rounds: cfg.Rounds, Slice: cfg.Slice, Connections: cfg.Connections, Entries: sum(entries),
	}, nil
}

// contestants are all that may serve several connections.
func contestants(frameworks []string) []contestant {
	var all []contestant
	for _, c := range request.Contestants() {
		wanted := len(frameworks) == 0 || slices.Contains(frameworks, c.Framework)
		if wanted && c.Concurrent() {
			all = append(all, contestant{c.Framework, c.Name})
		}
	}
	return all
}

// start brings a contestant online, connects to it and lets it get warm.
func start(ctx context.Context, c contestant, cfg Config) (*entry, error) {
	process, err := child.Start(ctx, ChildArg)
	if err != nil {
		return nil, err
	}
	e := &entry{contestant: c, process: process}
	var where site
	if err := process.Call(c, &where); err != nil {
		return nil, errors.Join(err, e.close())
	}
	if e.client, err = connect(where, cfg.Connections); err != nil {
		return nil, errors.Join(err, e.close())
	}
	if err := e.run(cfg.Slice / 3); err != nil {
		return nil, errors.Join(err, e.close())
	}
	e.perSecond = nil
	return e, nil
}

func (e *entry) framework() string { return e.contestant.Framework }

func (e *entry) close() error { return errors.Join(e.client.close(), e.process.Close()) }

func (e *entry) run(slice time.Duration) error {
	runtime.GC() // the client's garbage is not the server's
	perSecond, err := e.client.run(slice)
	if err != nil {
		return fmt.Errorf("%s, %s: %w", e.contestant.Framework, e.contestant.Name, err)
	}
	e.perSecond = append(e.perSecond, perSecond)
	return nil
}

func sum(entries []*entry) []Entry {
	bare := make(map[string][]float64)
	for _, e := range entries {
		if e.contestant.Name == request.Bare {
			bare[e.contestant.Framework] = e.perSecond
		}
	}
	all := make([]Entry, 0, len(entries))
	for _, e := range entries {
		ratios := make([]float64, len(e.perSecond))
		for round, n := range e.perSecond {
			ratios[round] = n / bare[e.contestant.Framework][round]
		}
		all = append(all, Entry{
			Framework: e.contestant.Framework,
			Name:      e.contestant.Name,
			PerSecond: sample.Of(e.perSecond),
			ToBare:    sample.Of(ratios),
		})
	}
	return all
}
