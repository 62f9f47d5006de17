package store

import (
	"context"
	"fmt"
	"time"
)

// An ending is when a part of the sessions ends.
type ending struct {
	sweep time.Time // the store's own sweep begins, as far as that is known
	by    time.Time // all have been removed, if the store removes any
}

// timed reports whether sessions leave at a moment that the store chooses.
func (t *trial) timed() bool { return t.maker.Traits.Removal == RemovedByTimer }

// lead is how long a reader reads before a sweep begins.
func (t *trial) lead() time.Duration { return t.config.Window / 3 }

// lag is how late a store may notice an end, but less than the pause of its timer.
func (t *trial) lag() time.Duration {
	if !t.timed() {
		return 0
	}
	return min(t.config.Settle, t.maker.Traits.Every/2)
}

// spare is what the machine may be slower than expected.
const spare = time.Second

// endAll gives sessions a near end, with so much calm before it. In a store with one age for all
// the end is what it is.
func (t *trial) endAll(from, to int, calm time.Duration) (ending, error) {
	every := t.maker.Traits.Every
	if t.maker.Traits.Ends == EndsAlike {
		written := t.filled[0]
		if from > 0 {
			written = t.filled[1]
		}
		old := written.Add(t.config.Life)
		// The first to be removed is that which was written first; the window begins with its end.
		return ending{
			sweep: old.Add(t.lead() - t.pace), by: old.Add(every + t.config.Settle),
		}, nil
	}
	// Touching is no slower than putting in, so that the last is touched before the first ends.
	near := time.Now().Add(2*t.pace + spare + calm)
	sweep := near
	if t.timed() {
		// The end is so long before a tick that this one removes all, and the one before none.
		sweep = tick(t.made, every, near.Add(t.lag()))
		near = sweep.Add(-t.lag())
	}
	for n := from; n < to; n++ {
		if err := t.contestant.Touch(t.maker.Key(n), near); err != nil {
			return ending{}, fmt.Errorf("touch session %d: %w", n, err)
		}
	}
	if late := time.Since(near); late > 0 {
		return ending{}, fmt.Errorf("the machine is too slow: touching took %v too long", late)
	}
	return ending{sweep: sweep, by: sweep.Add(t.config.Settle)}, nil
}

// tick is the first tick of a timer that is not before a moment.
func tick(since time.Time, every time.Duration, moment time.Time) time.Time {
	ticks := (moment.Sub(since) + every - 1) / every
	return since.Add(ticks * every)
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
