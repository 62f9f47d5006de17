package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/growth"
	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/loopback"
	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/report"
	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/request"
	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/shared"
	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/store"
)

// A part measures one section of the results and puts it into them.
type part func(ctx context.Context, s settings, results *report.Results) error

// partNames are the parts in the order in which they are run.
func partNames() []string { return []string{"requests", "loopback", "store", "growth", "shared"} }

func parts() map[string]part {
	return map[string]part{
		"requests": measureRequests,
		"loopback": measureLoopback,
		"store":    measureStore,
		"growth":   measureGrowth,
		"shared":   measureShared,
	}
}

// measure runs the parts that are wanted. What was measured is saved after each, so that a later
// one that fails costs nothing; a look is for the terminal only.
func (s settings) measure(ctx context.Context) error {
	results, err := report.Load(s.results)
	if err != nil {
		return err
	}
	s.commit = report.Commit()
	wanted := list(s.only)
	for _, name := range partNames() {
		if !slices.Contains(wanted, name) {
			continue
		}
		if err := parts()[name](ctx, s, &results); err != nil {
			return err
		}
		if s.look() {
			continue
		}
		if err := results.Save(s.results); err != nil {
			return err
		}
	}
	if s.look() {
		return nil
	}
	return results.Write(s.out, s.readme)
}

// progress tells what is being done.
func progress(step string) {
	fmt.Fprintln(os.Stderr, time.Now().Format(time.TimeOnly), step)
}

// section is what was measured just now, with where and how.
func section[T any](s settings, data T) *report.Section[T] {
	return &report.Section[T]{Run: report.Describe(s.command, s.commit, time.Now()), Data: data}
}

func measureRequests(ctx context.Context, s settings, results *report.Results) error {
	result, err := request.Measure(ctx, request.Config{
		Rounds: s.rounds, Slice: s.slice,
		Scenarios: list(s.scenarios), Frameworks: list(s.frameworks),
	}, progress)
	if err != nil {
		return err
	}
	results.Requests = section(s, result)
	return result.Write(os.Stdout)
}

func measureLoopback(ctx context.Context, s settings, results *report.Results) error {
	result, err := loopback.Measure(ctx, loopback.Config{
		Rounds: s.rounds, Slice: s.slice, Frameworks: list(s.frameworks),
	}, progress)
	if err != nil {
		return err
	}
	results.Loopback = section(s, result)
	return result.Write(os.Stdout)
}

func measureStore(ctx context.Context, s settings, results *report.Results) error {
	result, err := store.Measure(ctx, store.Config{Sessions: int(s.sessions)}, progress)
	if err != nil {
		return err
	}
	results.Store = section(s, result)
	return nil
}

func measureGrowth(ctx context.Context, s settings, results *report.Results) error {
	cfg := growth.Config{Rounds: s.rounds, Slice: s.slice}
	for n := 1000; n <= int(s.sessions); n *= 10 {
		cfg.Sessions = append(cfg.Sessions, n)
	}
	if len(cfg.Sessions) != 0 {
		cfg.At = min(100_000, cfg.Sessions[len(cfg.Sessions)-1])
	}
	result, err := growth.Measure(ctx, cfg, progress)
	if err != nil {
		return err
	}
	results.Growth = section(s, result)
	return nil
}

func measureShared(ctx context.Context, s settings, results *report.Results) error {
	cfg := shared.Config{Rounds: s.rounds, Slice: s.slice, Engines: list(s.engines)}
	result, err := shared.Measure(ctx, cfg, progress)
	if err != nil {
		return err
	}
	results.Shared = section(s, result)
	return result.Write(os.Stdout)
}
