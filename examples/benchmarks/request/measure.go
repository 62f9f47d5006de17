package request

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// A Config says how much is measured. The zero Config is right for a run whose figures are kept.
type Config struct {
	Rounds int // of all contestants, in each scenario; 0: 40
	// Slice is the processor time of one contestant in a round; 0: 40 ms. With Go's smallest heap a
	// slice of that length has several collections, so that it matters little where it cuts the last.
	Slice      time.Duration
	Scenarios  []string // by name; none: all
	Frameworks []string // by name; none: all
}

func (c Config) withDefaults() Config {
	if c.Rounds == 0 {
		c.Rounds = 40
	}
	if c.Slice == 0 {
		c.Slice = 40 * time.Millisecond
	}
	return c
}

// Measure runs the scenarios, one after the other, and calls progress for each with what is being
// done. It returns an error, and no result, if a contestant does not do the work.
func Measure(ctx context.Context, cfg Config, progress func(string)) (Result, error) {
	cfg = cfg.withDefaults()
	contestants := chosenContestants(cfg.Frameworks)
	progress("proving the contestants honest")
	if err := Prove(contestants); err != nil {
		return Result{}, err
	}
	result := Result{Rounds: cfg.Rounds, Slice: cfg.Slice}
	for _, s := range Scenarios() {
		if len(cfg.Scenarios) != 0 && !slices.Contains(cfg.Scenarios, s.Name) {
			continue
		}
		progress(fmt.Sprintf("requests: %s, %d rounds of %d contestants",
			s.Title, cfg.Rounds, len(contestants)))
		entries, err := play(ctx, cfg, s, contestants)
		if err != nil {
			return Result{}, err
		}
		result.Scenarios = append(result.Scenarios, sum(s, entries))
	}
	return result, nil
}

func chosenContestants(frameworks []string) []Contestant {
	if len(frameworks) == 0 {
		return Contestants()
	}
	return slices.DeleteFunc(Contestants(), func(c Contestant) bool {
		return !slices.Contains(frameworks, c.Framework)
	})
}

// play lets the contestants take turns in all rounds of a scenario.
func play(ctx context.Context, cfg Config, s Scenario, contestants []Contestant) (
	all []*entry, err error,
) {
	defer func() {
		for _, e := range all {
			err = errors.Join(err, e.close())
		}
	}()
	for _, c := range contestants {
		e, err := enter(c, s, cfg.Slice)
		if err != nil {
			return all, err
		}
		all = append(all, e)
	}
	for range cfg.Rounds {
		for _, e := range Shuffle(all, (*entry).framework) {
			if err := ctx.Err(); err != nil {
				return all, err
			}
			if err := e.run(); err != nil {
				return all, err
			}
		}
	}
	return all, nil
}
