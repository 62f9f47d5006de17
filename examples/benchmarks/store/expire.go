package store

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"
)

// expire ends the first half of the sessions under a reader's eyes, as often as the store lets it,
// then all of them unseen.
func (t *trial) expire(ctx context.Context) error {
	half := t.config.Sessions / 2
	e := &Expiry{Ended: half, Window: t.config.Window}
	t.result.Expiry = e
	for i := range t.rounds() {
		if err := t.refill(i, half); err != nil {
			return err
		}
		round, err := t.round(ctx, half)
		if err != nil {
			return err
		}
		e.Rounds = append(e.Rounds, round)
		e.LostLive += t.lost(half, t.config.Sessions)
	}
	var machine, get []Latency
	for _, r := range e.Rounds {
		machine, get = append(machine, r.Machine), append(get, r.Get)
	}
	t.result.Machine, e.Get = medianOf(machine), medianOf(get)
	end, err := t.endAll(half, t.config.Sessions, 0)
	if err != nil {
		return err
	}
	return t.remove(ctx, end)
}

func (t *trial) rounds() int {
	if t.maker.Traits.Ends == EndsAlike {
		return 1
	}
	return t.config.Rounds
}

// refill puts in again what ended in the round before, if it has left
// the memory.
func (t *trial) refill(round, half int) error {
	if round == 0 || t.maker.Traits.Removal == RemovedNever {
		return nil
	}
	return t.put(0, half, time.Now().Add(far))
}

// round ends the first half and reads the other, for a window around the moment of the sweep.
func (t *trial) round(ctx context.Context, half int) (round Round, err error) {
	var end ending // of what has ended for good: long ago
	if len(t.result.Expiry.Rounds) == 0 || t.maker.Traits.Removal != RemovedNever {
		if end, err = t.endAll(0, half, t.config.Window+t.lead()); err != nil {
			return Round{}, err
		}
	}
	round.Machine = t.watch(nil)
	runtime.GC()
	if t.sweeper == nil && !end.sweep.IsZero() {
		begin := end.sweep.Add(-t.lead())
		if late := time.Since(begin); late > 0 {
			return Round{}, fmt.Errorf("the machine is too slow: the reader is %v late", late)
		}
		sleepUntil(begin)
	}
	r := startReader(t.histogram, t.keys, leastReads, t.contestant.Get)
	over := r.began.Add(t.config.Window)
	if t.sweeper != nil {
		time.Sleep(t.lead())
		began := time.Now()
		err = t.sweeper.Sweep(ctx, end.by)
		round.Sweep = time.Since(began)
	}
	sleepUntil(over)
	var missed int
	round.Get, round.Read, missed = r.finish()
	t.result.Expiry.Missed += missed
	if t.sweeper == nil {
		sleepUntil(end.by)
	}
	return round, errors.Join(err, ctx.Err())
}

// watch reads for one window while nothing ends; a nil get reads nothing.
func (t *trial) watch(get func(string) bool) Latency {
	runtime.GC()
	r := startReader(t.histogram, t.keys, leastReads, get)
	time.Sleep(t.config.Window)
	l, _, _ := r.finish()
	return l
}
