package shared

import (
	"context"
	"errors"
	"fmt"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/shared/server"
)

// size measures what a session takes in each store, when nothing has happened to it yet.
func (r *Result) size(ctx context.Context, cfg Config, progress func(string)) error {
	if cfg.Sized < 0 {
		return nil
	}
	r.Frame = make(map[int]int)
	for _, values := range []int{2, 20} {
		frames, err := newFrames(values)
		if err != nil {
			return err
		}
		r.Frame[values] = frames.size()
		bytes, err := memoryBytes(ctx, frames, cfg.Sized)
		if err != nil {
			return err
		}
		r.Sizes = append(r.Sizes, Size{Engine: Memory, Name: Ours, Values: values, Bytes: bytes})
	}
	for _, m := range engineMakers() {
		if _, measured := r.Engine(m.name); !measured {
			continue
		}
		progress("shared: sizes in " + m.name)
		if err := r.sizeIn(ctx, m, cfg); err != nil && !errors.Is(err, server.ErrMissing) {
			return fmt.Errorf("%s: %w", m.name, err)
		}
	}
	return nil
}

func memoryBytes(ctx context.Context, f *frames, sessions int) (float64, error) {
	s := core.NewMemoryStore(core.MemoryOptions{})
	for n := range sessions {
		if err := s.Create(ctx, f.record(n, 0, 1)); err != nil {
			return 0, err
		}
	}
	return float64(s.Bytes()) / float64(sessions), nil
}

func (r *Result) sizeIn(ctx context.Context, m engineMaker, cfg Config) (err error) {
	e, err := m.start(ctx, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	for i, maker := range m.makers {
		if maker.Operations != nil {
			continue
		}
		for _, values := range []int{2, 20} {
			at, err := e.place(ctx, fmt.Sprintf("size%d_%d", i, values))
			if err != nil {
				return err
			}
			bytes, err := sizeOf(ctx, e, maker, at, values, cfg)
			if err != nil {
				return fmt.Errorf("%s: %w", maker.Name, err)
			}
			r.Sizes = append(r.Sizes,
				Size{Engine: m.name, Name: maker.Name, Values: values, Bytes: bytes})
		}
	}
	return nil
}

// sizeOf is what a session takes when so many of them are there.
func sizeOf(
	ctx context.Context, e engine, m Maker, at Place, values int, cfg Config,
) (float64, error) {
	before, err := e.bytes(ctx, at)
	if err != nil {
		return 0, err
	}
	frames, err := newFrames(values)
	if err != nil {
		return 0, err
	}
	c, err := m.New(ctx, at)
	if err != nil {
		return 0, err
	}
	f := field{Contestant: c, frames: frames}
	if err := errors.Join(f.fill(ctx, cfg.Sized, cfg.Together), c.Close()); err != nil {
		return 0, err
	}
	after, err := e.bytes(ctx, at)
	return float64(after-before) / float64(cfg.Sized), err
}
