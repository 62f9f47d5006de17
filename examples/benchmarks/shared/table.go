package shared

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"time"

	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/shared/server"
)

// A cell is an operation that is measured with a number of goroutines.
type cell struct {
	operation  Operation
	goroutines int
}

// cells are in the order in which they are summed up; Delete is measured behind each Create.
func (t *table) cells() []cell {
	many := t.together
	return []cell{
		{Load, 1}, {Load, many}, {Change, 1}, {Change, many}, {Touch, 1}, {Touch, many},
		{Create, many}, {Delete, many},
	}
}

// A seat is a contestant at the table, with its slices by cell.
type seat struct {
	*field
	maker  Maker
	slices map[cell][]slice
	cpu    map[cell][]float64 // nanoseconds of the server's in an operation
}

// A table is the contestants of one engine, which take turns.
type table struct {
	server   *server.Server
	length   time.Duration
	together int
	seats    []*seat
}

// sit begins the sessions of all contestants.
func (t *table) sit(ctx context.Context, m engineMaker, e engine, sessions int) error {
	frames, err := newFrames(2)
	if err != nil {
		return err
	}
	for i, maker := range m.makers {
		at, err := e.place(ctx, fmt.Sprintf("speed%d", i))
		if err != nil {
			return err
		}
		c, err := maker.New(ctx, at)
		if err != nil {
			return fmt.Errorf("%s: %w", maker.Name, err)
		}
		s := &seat{
			field: &field{Contestant: c, frames: frames}, maker: maker,
			slices: make(map[cell][]slice), cpu: make(map[cell][]float64),
		}
		t.seats = append(t.seats, s)
		goroutines := t.together
		if maker.Operations != nil {
			goroutines = 1 // it is slow, and slower with more
		}
		if err := s.fill(ctx, sessions, goroutines); err != nil {
			return fmt.Errorf("%s: %w", maker.Name, err)
		}
	}
	return nil
}

func (t *table) close() error {
	var errs []error
	for _, s := range t.seats {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}

// round lets each contestant do each operation for a slice, in an order that chance makes. What
// counts is kept; the first round only warms up.
func (t *table) round(ctx context.Context, counts bool) error {
	for _, c := range shuffled(t.cells()) {
		if c.operation == Delete {
			continue
		}
		for _, s := range shuffled(t.seats) {
			if !s.does(c.operation) {
				continue
			}
			if err := t.turn(ctx, s, c, counts); err != nil {
				return err
			}
			if c.operation != Create {
				continue
			}
			if err := t.turn(ctx, s, cell{Delete, c.goroutines}, counts); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *seat) does(operation Operation) bool {
	return s.maker.Operations == nil || slices.Contains(s.maker.Operations, operation)
}

func shuffled[T any](list []T) []T {
	list = slices.Clone(list)
	rand.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list
}

func (t *table) turn(ctx context.Context, s *seat, c cell, counts bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	runtime.GC() // of what the one before has left
	before := t.cpu()
	done, err := s.work(ctx, c.operation, c.goroutines, t.length)
	if err != nil {
		return fmt.Errorf("%s: %w", s.maker.Name, err)
	}
	if took := t.cpu() - before; counts && done.operations > 0 {
		s.slices[c] = append(s.slices[c], done)
		s.cpu[c] = append(s.cpu[c], float64(took)/float64(done.operations))
	}
	return nil
}

func (t *table) cpu() time.Duration {
	if t.server == nil {
		return 0
	}
	return t.server.CPU()
}
