package growth

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/child"
	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/sample"
)

// A table is where contestants take turns.
type table struct {
	config Config
	seats  []*seat
	random *rand.Rand
}

// A seat is one contestant in its process.
type seat struct {
	contestant string
	process    *child.Process
}

// measureTogether seats contestants, each with so many sessions, for as long as f runs.
func measureTogether(
	ctx context.Context, cfg Config, contestants []string, sessions int, f func(*table) error,
) (err error) {
	t := &table{config: cfg, random: rand.New(rand.NewPCG(uint64(sessions), 1))}
	defer func() { err = errors.Join(err, t.close()) }()
	for _, name := range contestants {
		p, err := child.Start(ctx, ChildArg)
		if err != nil {
			return err
		}
		t.seats = append(t.seats, &seat{contestant: name, process: p})
	}
	if err := t.build(sessions); err != nil {
		return err
	}
	return f(t)
}

// build lets all contestants fill themselves at once.
func (t *table) build(sessions int) error {
	errs := make([]error, len(t.seats))
	var group sync.WaitGroup
	for i, s := range t.seats {
		group.Go(func() {
			b := task{Build: &build{Contestant: s.contestant, Sessions: sessions}}
			errs[i] = s.process.Call(b, &done{})
		})
	}
	group.Wait()
	return errors.Join(errs...)
}

func (t *table) close() error {
	var errs []error
	for _, s := range t.seats {
		errs = append(errs, s.process.Close())
	}
	return errors.Join(errs...)
}

// A turn is what a contestant does in every round.
type turn struct {
	*seat
	operation  Operation
	goroutines int
	operations int // calibrated so that a slice takes as long for all
	rounds     []float64
}

// measure gives every contestant its turns for each number of goroutines, and adds a point for
// each, at x of that number.
func (t *table) measure(goroutines []int, x func(int) int, to *axis) error {
	for _, n := range goroutines {
		turns, err := t.turns(n)
		if err != nil {
			return err
		}
		for range t.config.Rounds {
			for _, i := range t.random.Perm(len(turns)) {
				if err := turns[i].take(t.random.Uint64()); err != nil {
					return err
				}
			}
		}
		for _, turn := range turns {
			point := Point{X: x(n), Spread: sample.Of(turn.rounds)}
			to.add(turn.contestant, turn.operation, point)
		}
	}
	return nil
}

const (
	firstOperations = 2_000
	mostOperations  = 1 << 18 // whose keys still fit into memory easily
)

// turns finds out how many operations make a slice.
func (t *table) turns(goroutines int) ([]*turn, error) {
	var turns []*turn
	for _, s := range t.seats {
		for _, operation := range []Operation{Read, Write} {
			turn := &turn{
				seat: s, operation: operation, goroutines: goroutines, operations: firstOperations,
			}
			for range 2 { // the first time is slow: caches are cold, goroutines new
				if err := turn.take(t.random.Uint64()); err != nil {
					return nil, err
				}
				turn.operations = operationsIn(t.config.Slice, turn.rounds[len(turn.rounds)-1])
			}
			turn.rounds = nil
			turns = append(turns, turn)
		}
	}
	return turns, nil
}

func operationsIn(slice time.Duration, each float64) int {
	return min(max(int(float64(slice)/each), firstOperations), mostOperations)
}

func (t *turn) take(seed uint64) error {
	var d done
	s := slice{
		Operation: t.operation, Goroutines: t.goroutines, Operations: t.operations, Seed: seed,
	}
	if err := t.process.Call(task{Slice: &s}, &d); err != nil {
		return fmt.Errorf("%s, %s: %w", t.contestant, t.operation, err)
	}
	t.rounds = append(t.rounds, d.PerOperation)
	return nil
}
