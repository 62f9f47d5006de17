package core

import (
	"context"
	"errors"
	"sync"
	"time"
)

// A liveWatch is the one that all streams of a Manager share. Its owner's mutex guards it.
type liveWatch struct {
	ready   bool            // the store tells of every end
	lost    bool            // it did, or should have, and does not: that was made known
	ctx     context.Context // of the watch that is under way
	cancel  context.CancelFunc
	rest    *time.Timer // to end it, for want of streams
	running sync.WaitGroup
}

// ensureWatch begins the watch, unless there is one.
func (t *streams) ensureWatch() {
	w := &t.watch
	if w.rest != nil {
		w.rest.Stop()
		w.rest = nil
	}
	if w.cancel != nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	w.ctx, w.cancel = ctx, cancel
	if watcher, ok := t.m.store.(Watcher); ok {
		w.running.Go(func() { t.keepWatching(ctx, watcher) })
	}
	w.running.Go(func() { t.recheck(ctx) })
}

// idle ends the watch after a while without streams.
func (w *liveWatch) idle(t *streams) {
	if w.cancel == nil || w.rest != nil {
		return
	}
	w.rest = time.AfterFunc(watchIdle, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if len(t.byID) == 0 {
			w.stop()
		}
	})
}

func (w *liveWatch) stop() {
	if w.rest != nil {
		w.rest.Stop()
		w.rest = nil
	}
	if w.cancel != nil {
		w.cancel()
		w.ctx, w.cancel = nil, nil
	}
	w.ready = false
}

// keepWatching watches, again and again if need be.
func (t *streams) keepWatching(ctx context.Context, watcher Watcher) {
	pause := firstRewatch
	for {
		began := time.Now()
		err := watcher.Watch(ctx, &watchTurn{streams: t, ctx: ctx})
		if ctx.Err() != nil || errors.Is(err, errors.ErrUnsupported) {
			return
		}
		t.watchLost(ctx, err)
		if time.Since(began) > longestRewatch {
			pause = firstRewatch
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
		pause = min(2*pause, longestRewatch)
	}
}

// A watchTurn passes on what one call of Watch tells, as long as that call is the one that counts.
type watchTurn struct {
	*streams
	ctx context.Context
}

// Ready implements Watching.
func (t *watchTurn) Ready() {
	t.mu.Lock()
	defer t.mu.Unlock()
	w := &t.watch
	if w.ctx != t.ctx {
		return
	}
	if w.lost { // in a goroutine, since who observes may wait for the store
		w.running.Go(func() { t.m.emit(t.ctx, Event{Kind: WatchRestored}) })
	}
	w.ready, w.lost = true, false
	t.enqueueAll()
}

// watchLost makes known that the store does not tell of ends, once, and looks at all sessions.
func (t *streams) watchLost(ctx context.Context, err error) {
	if err == nil {
		err = errors.New("the store has stopped watching")
	}
	t.mu.Lock()
	first := !t.watch.lost && t.watch.ctx == ctx
	if first {
		t.watch.ready, t.watch.lost = false, true
	}
	t.mu.Unlock()
	if first {
		t.m.emit(ctx, Event{Kind: WatchLost, Err: err})
		t.checkAll()
	}
}

// recheck looks at all sessions every few seconds, while the store does not tell of ends.
func (t *streams) recheck(ctx context.Context) {
	ticker := time.NewTicker(recheckInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		t.mu.Lock()
		ready := t.watch.ready
		t.mu.Unlock()
		if !ready {
			t.checkAll()
		}
	}
}
