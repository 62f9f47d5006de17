package growth

import (
	"context"
	"fmt"
	"time"
)

// Config says how large the measurement is. The zero Config is the one to publish.
type Config struct {
	// Goroutines are the points of the first axis; nil: 1, 2, 4, 8, 16.
	Goroutines []int
	// At is how many sessions there are on the first axis; 0: 100,000.
	At int
	// Sessions are the points of the second axis; nil: 10^3 to 10^6. 10^7 may be added where 24 GiB
	// of memory are free.
	Sessions []int
	// Rounds is how many slices each point is measured with; 0: 31.
	Rounds int
	// Slice is about how long a slice takes; 0: 20 ms.
	Slice time.Duration
	// Alone is from how many sessions on contestants are measured one after the other; 0:
	// 2,000,000.
	Alone int
}

func (cfg Config) withDefaults() Config {
	if cfg.Goroutines == nil {
		cfg.Goroutines = []int{1, 2, 4, 8, 16}
	}
	if cfg.At == 0 {
		cfg.At = 100_000
	}
	if cfg.Sessions == nil {
		cfg.Sessions = []int{1_000, 10_000, 100_000, 1_000_000}
	}
	if cfg.Rounds == 0 {
		cfg.Rounds = 31
	}
	if cfg.Slice == 0 {
		cfg.Slice = 20 * time.Millisecond
	}
	if cfg.Alone == 0 {
		cfg.Alone = 2_000_000
	}
	return cfg
}

// Measure measures all Contestants along both axes. It tells progress, which may be nil, what it
// does. It stops at the first error: a curve with a hole shows nothing.
func Measure(ctx context.Context, cfg Config, progress func(string)) (Result, error) {
	cfg = cfg.withDefaults()
	if progress == nil {
		progress = func(string) {}
	}
	result := Result{At: cfg.At, Rounds: cfg.Rounds, Alone: cfg.Alone}
	var goroutines, sessions axis

	progress(fmt.Sprintf("growth: 1 to %d goroutines at %d sessions", last(cfg.Goroutines), cfg.At))
	err := measureTogether(ctx, cfg, Contestants(), cfg.At, func(t *table) error {
		return t.measure(cfg.Goroutines, func(n int) int { return n }, &goroutines)
	})
	if err != nil {
		return Result{}, err
	}
	for _, size := range cfg.Sessions {
		progress(fmt.Sprintf("growth: %d sessions", size))
		for _, group := range groups(size >= cfg.Alone) {
			err := measureTogether(ctx, cfg, group, size, func(t *table) error {
				return t.measure([]int{1}, func(int) int { return size }, &sessions)
			})
			if err != nil {
				return Result{}, err
			}
		}
	}
	result.ByGoroutines, result.BySessions = goroutines.series, sessions.series
	return result, nil
}

func last(list []int) int { return list[len(list)-1] }

// groups are the contestants that are measured in turns.
func groups(alone bool) [][]string {
	if !alone {
		return [][]string{Contestants()}
	}
	var list [][]string
	for _, name := range Contestants() {
		list = append(list, []string{name})
	}
	return list
}

// An axis gathers points into series.
type axis struct{ series []Series }

func (a *axis) add(contestant string, operation Operation, p Point) {
	for i := range a.series {
		if s := &a.series[i]; s.Contestant == contestant && s.Operation == operation {
			s.Points = append(s.Points, p)
			return
		}
	}
	a.series = append(a.series, Series{
		Contestant: contestant, Operation: operation, Points: []Point{p},
	})
}
