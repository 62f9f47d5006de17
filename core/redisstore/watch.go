package redisstore

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

const (
	lookEvery   = time.Second
	lookPause   = 100 * time.Millisecond // between two looks, however many errors there are
	lookTimeout = 2 * time.Second
	allEvery    = 10 // looks: at the replicas, too
	redoTimeout = 30 * time.Second
	redoBatch   = 128
	blindPause  = 10 * time.Second // between two repetitions where INFO is not allowed
)

// A watch looks for failovers while there is something in the journal, and has it done again after
// one. Its goroutine is there only then.
type watch struct {
	store *Store
	news  chan struct{} // look at once
	ctx   context.Context
	end   context.CancelFunc

	mu      sync.Mutex
	running bool
	stopped bool
	over    sync.WaitGroup

	prepared  atomic.Bool
	attention atomic.Bool   // something has happened: ask all
	looking   chan struct{} // of one; who sent into it has the survey
	survey    survey
}

func (w *watch) init(s *Store) {
	w.store, w.news, w.looking = s, make(chan struct{}, 1), make(chan struct{}, 1)
	w.ctx, w.end = context.WithCancel(context.Background())
}

// remember notes something in the journal, and has it watched over.
func (s *Store) remember(note func()) {
	if s.journal.max > 0 {
		note()
		s.watch.start()
	}
}

func (w *watch) start() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.running && !w.stopped {
		w.running = true
		w.over.Add(1)
		go w.run()
	}
}

func (w *watch) stop() {
	w.mu.Lock()
	w.stopped = true
	w.mu.Unlock()
	w.end()
	w.over.Wait()
}

// poke has the watch look at once.
func (w *watch) poke() {
	select {
	case w.news <- struct{}{}:
	default:
	}
}

func (w *watch) run() {
	defer w.over.Done()
	for !w.idle() {
		w.look()
		if !w.pause() {
			return
		}
	}
}

// idle ends the watch if there is nothing to watch over.
func (w *watch) idle() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.store.journal.age(time.Now()) > 0 {
		return false
	}
	w.running = false
	return true
}

// pause waits for the next look, and reports false if there is none.
func (w *watch) pause() bool {
	next := time.NewTimer(lookEvery)
	defer next.Stop()
	select {
	case <-w.ctx.Done():
		return false
	case <-next.C:
		return true
	case <-w.news:
	}
	w.attention.Store(true)
	soon := time.NewTimer(lookPause)
	defer soon.Stop()
	select {
	case <-w.ctx.Done():
		return false
	case <-soon.C:
		return true
	}
}
