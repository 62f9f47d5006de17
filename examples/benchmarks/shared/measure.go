package shared

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/shared/server"
)

// A Config says how much is measured. The zero Config is right for a run whose figures are kept.
type Config struct {
	Rounds   int           // of all contestants of an engine; 0: 25
	Slice    time.Duration // of one operation of a contestant in a round; 0: 50 ms
	Together int           // goroutines, where it is not one; 0: 50
	Sessions int           // in each store, for its speed; 0: 5000; a multiple of Together
	Sized    int           // sessions in each store, for their size; 0: 50,000; negative: none
	Touches  int           // of which it is counted how many are HOT; 0: 20,000
	Engines  []string      // by name; none: all
}

func (c Config) withDefaults() Config {
	if c.Rounds == 0 {
		c.Rounds = 25
	}
	if c.Slice == 0 {
		c.Slice = 50 * time.Millisecond
	}
	if c.Together == 0 {
		c.Together = 50
	}
	if c.Sessions == 0 {
		c.Sessions = 5000
	}
	if c.Sized == 0 {
		c.Sized = 50_000
	}
	if c.Touches == 0 {
		c.Touches = 20_000
	}
	return c
}

// Measure starts the engines that are on this machine, one after the other, and lets the
// contestants on each take turns.
func Measure(ctx context.Context, cfg Config, progress func(string)) (Result, error) {
	cfg = cfg.withDefaults()
	r := Result{
		Rounds: cfg.Rounds, Slice: cfg.Slice, Sessions: cfg.Sessions, Pool: poolSize,
		SizedAt: cfg.Sized,
	}
	for _, m := range engineMakers() {
		if len(cfg.Engines) != 0 && !slices.Contains(cfg.Engines, m.name) {
			continue
		}
		progress("shared: " + m.name)
		err := r.measure(ctx, m, cfg)
		if errors.Is(err, server.ErrMissing) {
			progress("shared: there is no " + m.name + " on this machine")
			r.Missing = append(r.Missing, m.name)
			continue
		}
		if err != nil {
			return Result{}, fmt.Errorf("%s: %w", m.name, err)
		}
	}
	return r, r.size(ctx, cfg, progress)
}

// measure measures the speed of the contestants on one engine.
func (r *Result) measure(ctx context.Context, m engineMaker, cfg Config) (err error) {
	e, err := m.start(ctx, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	if err := m.prove(ctx, e); err != nil {
		return err
	}
	t := table{server: e.server(), length: cfg.Slice, together: cfg.Together}
	defer func() { err = errors.Join(err, t.close()) }()
	if err := t.sit(ctx, m, e, cfg.Sessions); err != nil {
		return err
	}
	for round := range cfg.Rounds + 1 {
		if err := t.round(ctx, round > 0); err != nil {
			return err
		}
	}
	result := Engine{Name: m.name, Version: e.version(), Contestants: m.described()}
	result.Entries, result.Ratios = t.sum()
	if m.name == Postgres {
		if result.Hot, err = m.hot(ctx, e, cfg); err != nil {
			return err
		}
	}
	r.Engines = append(r.Engines, result)
	return nil
}

func (m engineMaker) prove(ctx context.Context, e engine) error {
	for i, maker := range m.makers {
		at, err := e.place(ctx, fmt.Sprintf("proof%d", i))
		if err != nil {
			return err
		}
		if err := Prove(ctx, maker, at); err != nil {
			return err
		}
	}
	return nil
}

func (m engineMaker) described() []Described {
	var all []Described
	for _, maker := range m.makers {
		all = append(all, Described{Name: maker.Name, What: maker.What, Guarded: maker.Guarded})
	}
	return all
}
