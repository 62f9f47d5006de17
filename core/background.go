package core

import (
	"context"
	"sync"
	"time"
)

// A background runs one function after another, each some time after the last. It holds a timer and
// no goroutine while it waits. The zero background is ready.
type background struct {
	mu      sync.Mutex
	stopped bool
	timer   *time.Timer
	running sync.WaitGroup
	ctx     context.Context
	cancel  context.CancelFunc
}

// after runs f in a goroutine of its own after d, unless the background is stopped.
func (b *background) after(d time.Duration, f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stopped {
		return
	}
	b.timer = time.AfterFunc(d, func() {
		if b.enter() {
			defer b.running.Done()
			f()
		}
	})
}

func (b *background) enter() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.stopped {
		b.running.Add(1)
	}
	return !b.stopped
}

// context is cancelled by stop.
func (b *background) context() context.Context {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ctx == nil {
		b.ctx, b.cancel = context.WithCancel(context.Background())
		if b.stopped {
			b.cancel()
		}
	}
	return b.ctx
}

// stop cancels what runs, waits for it, and lets nothing run any more. It may be called again.
func (b *background) stop() {
	b.mu.Lock()
	b.stopped = true
	if b.timer != nil {
		b.timer.Stop()
	}
	if b.cancel != nil {
		b.cancel()
	}
	b.mu.Unlock()
	b.running.Wait()
}
