package shared

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// statisticsPatience is how long PostgreSQL may take to count what clients did that have left.
const statisticsPatience = 20 * time.Second

// hot counts how many of a contestant's touches PostgreSQL makes within a page, without writing to
// an index, in a table of its own where each session is touched again and again.
func (m engineMaker) hot(ctx context.Context, e engine, cfg Config) ([]HotTouches, error) {
	var all []HotTouches
	for i, maker := range m.makers {
		at, err := e.place(ctx, fmt.Sprintf("hot%d", i))
		if err != nil {
			return nil, err
		}
		percent, err := hotShare(ctx, maker, at, cfg)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", maker.Name, err)
		}
		all = append(all, HotTouches{Name: maker.Name, Touches: cfg.Touches, Percent: percent})
	}
	return all, nil
}

func hotShare(ctx context.Context, m Maker, at Place, cfg Config) (float64, error) {
	frames, err := newFrames(2)
	if err != nil {
		return 0, err
	}
	c, err := m.New(ctx, at)
	if err != nil {
		return 0, err
	}
	f := field{Contestant: c, frames: frames}
	err = f.fill(ctx, cfg.Sessions, cfg.Together)
	if err == nil {
		err = share(cfg.Together, func(g int) error {
			for i := g; i < cfg.Touches; i += cfg.Together {
				if err := f.do(ctx, Touch, i%cfg.Sessions); err != nil {
					return err
				}
			}
			return nil
		})
	}
	// A process of the server counts when it ends, at the latest.
	if err := errors.Join(err, c.Close()); err != nil {
		return 0, err
	}
	deadline := time.Now().Add(statisticsPatience)
	for ; ; time.Sleep(50 * time.Millisecond) {
		var updates, hot int64
		err := row(ctx, at, `SELECT coalesce(sum(n_tup_upd), 0)::bigint,
			coalesce(sum(n_tup_hot_upd), 0)::bigint FROM pg_stat_user_tables`, &updates, &hot)
		if err != nil || updates >= int64(cfg.Touches) {
			return 100 * float64(hot) / float64(updates), err
		}
		if time.Now().After(deadline) {
			return 0, fmt.Errorf("PostgreSQL has counted %d of %d touches", updates, cfg.Touches)
		}
	}
}
