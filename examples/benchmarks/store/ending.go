package store

import (
	"context"
	"fmt"
	"time"
)

// An ending is when a part of the sessions ends.
type ending struct {
	from time.Time // the first may be removed
	by   time.Time // all have been, if the store removes any
}

// endAll gives sessions a near end. In a store with one age for all the end is what it is.
func (t *trial) endAll(from, to int) (ending, error) {
	if t.maker.Traits.Ends == EndsAlike {
		written := t.filled[0]
		if from > 0 {
			written = t.filled[1]
		}
		old := written.Add(t.config.Life)
		return ending{from: old.Add(-t.pace), by: old.Add(t.maker.Traits.Every + t.config.Settle)}, nil
	}
	// Touching is no slower than putting in, so that the last is touched before the first ends.
	near := time.Now().Add(2*t.pace + t.config.Settle)
	for n := from; n < to; n++ {
		if err := t.contestant.Touch(t.maker.Key(n), near); err != nil {
			return ending{}, fmt.Errorf("touch session %d: %w", n, err)
		}
	}
	if late := time.Since(near); late > 0 {
		return ending{}, fmt.Errorf("the machine is too slow: touching took %v too long", late)
	}
	return ending{
		from: near.Add(-t.config.Settle), by: near.Add(t.maker.Traits.Every + t.config.Settle),
	}, nil
}

// remove lets what has ended be removed, or waits until the store has done it.
func (t *trial) remove(ctx context.Context, end ending) error {
	if t.sweeper != nil {
		return t.sweeper.Sweep(ctx, end.by)
	}
	sleepUntil(end.by)
	return ctx.Err()
}

func sleepUntil(when time.Time) { time.Sleep(time.Until(when)) }
