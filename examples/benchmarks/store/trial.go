package store

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"time"
)

const (
	collections = 5
	// readKeys is how many live sessions the reader goes through: more than fit the caches near a
	// processor.
	readKeys = 1 << 16
	// far is an end that no trial reaches.
	far = 24 * time.Hour
)

// A trial is the measurement of one contestant, in a process where nothing else lives. Sessions of
// the first half end first; the reader reads those of the second.
type trial struct {
	maker      Maker
	config     Config
	contestant Contestant
	sweeper    Sweeper // nil if it sweeps by itself, or never
	keys       []string
	histogram  *histogram
	result     Result
	// made is when the contestant was made, from where its timer ticks.
	made time.Time
	// filled is when each half was in. Stores that have one age for all count from there.
	filled [2]time.Time
	pace   time.Duration // that putting in half of the sessions took
}

// try measures a contestant.
func try(ctx context.Context, m Maker, cfg Config) (Result, error) {
	t := &trial{maker: m, config: cfg, histogram: new(histogram)}
	t.result = Result{Store: m.Name, Module: m.Module, Traits: m.Traits, Sessions: cfg.Sessions}
	if err := t.run(ctx); err != nil {
		return t.result, fmt.Errorf("%s: %w", m.Name, err)
	}
	return t.result, nil
}

func (t *trial) run(ctx context.Context) error {
	t.keys = t.liveKeys()
	before := heap()
	settings := Settings{Sessions: t.config.Sessions, Life: t.config.Life}
	var err error
	if t.contestant, err = t.maker.New(settings); err != nil {
		return err
	}
	t.made = time.Now()
	t.sweeper, _ = t.contestant.(Sweeper)
	if err := t.fill(); err != nil {
		return err
	}
	full := heap() - before
	t.result.BytesPerSession = float64(full) / float64(t.config.Sessions)
	t.collect()
	t.result.LostFull = t.lost(0, t.config.Sessions)
	t.result.LeftPercent = 100
	if t.maker.Traits.Ends == EndsNever {
		t.result.Machine, t.result.Quiet = t.watch(nil), t.watch(t.contestant.Get)
	} else {
		if err := t.expire(ctx); err != nil {
			return err
		}
		t.result.LeftPercent = 100 * float64(max(heap(), before)-before) / float64(full)
	}
	runtime.KeepAlive(t.keys)
	runtime.KeepAlive(t.histogram)
	return t.contestant.Close()
}

// liveKeys are keys of the second half, made before anything is measured.
func (t *trial) liveKeys() []string {
	half := t.config.Sessions / 2
	keys := make([]string, min(readKeys, half))
	for i := range keys {
		keys[i] = t.maker.Key(half + int(mix(uint64(i))%uint64(half)))
	}
	return keys
}

func (t *trial) fill() error {
	half, expires := t.config.Sessions/2, time.Now().Add(far)
	for i := range t.filled {
		if i == 1 && t.maker.Traits.Ends == EndsAlike {
			time.Sleep(t.config.Gap)
		}
		began := time.Now()
		if err := t.put(i*half, (i+1)*half, expires); err != nil {
			return err
		}
		t.filled[i] = time.Now()
		t.pace = t.filled[i].Sub(began)
	}
	return nil
}

func (t *trial) put(from, to int, expires time.Time) error {
	for n := from; n < to; n++ {
		if err := t.contestant.Put(n, expires); err != nil {
			return fmt.Errorf("put session %d: %w", n, err)
		}
	}
	return nil
}

func (t *trial) collect() {
	for range collections {
		began := time.Now()
		runtime.GC()
		t.result.Collections = append(t.result.Collections, time.Since(began))
	}
	t.result.Collection = slices.Sorted(slices.Values(t.result.Collections))[collections/2]
}

func (t *trial) lost(from, to int) int {
	lost := 0
	for n := from; n < to; n++ {
		if !t.contestant.Get(t.maker.Key(n)) {
			lost++
		}
	}
	return lost
}

// heap is what is reachable, as exactly as the collector knows.
func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
