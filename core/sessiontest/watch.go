package sessiontest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// hearing is how long a Watcher may take to tell of something. Whoever needs longer never does.
const hearing = 20 * time.Second

// watchChecks are about core.Watcher.
func watchChecks() []StoreCheck {
	return []StoreCheck{{
		Name:     "watch-ready",
		Sentence: "Ready is called once in each Watch, and Watch returns when the context is over.",
		Needs:    Watches,
		Run:      checkWatchReady,
	}, {
		Name: "watch-delete",
		Sentence: "Watch tells of every Delete that takes effect from its call of Ready on: Ended " +
			"says that a record was deleted.",
		Needs: Watches,
		Run:   checkWatchDelete,
	}, {
		Name:     "watch-delete-absent",
		Sentence: "Ended says that a record was deleted, or that a Delete found none.",
		Needs:    Watches,
		Run:      checkWatchDeleteAbsent,
	}, {
		Name:     "watch-renew",
		Sentence: "Watch tells of every Renew: Renewed says that Renew has replaced a record.",
		Needs:    Watches,
		Run:      checkWatchRenew,
	}, {
		Name:     "watch-several",
		Sentence: "Several may watch one store at once, and one may watch it several times.",
		Needs:    Watches,
		Run:      checkWatchSeveral,
	}, {
		Name: "watch-flood",
		Sentence: "Watch tells of every Delete and Renew, however many there are at once, or " +
			"returns an error.",
		Needs: Watches,
		Run:   checkWatchFlood,
	}}
}

// An ear is a core.Watching that remembers what it was told.
type ear struct {
	test   context.Context // whoever waits gives up when it is over
	cancel func()
	over   chan error // what Watch returned

	mu      sync.Mutex
	changed chan struct{} // closed when it is told something
	ready   int
	ended   map[core.ID]bool
	renewed map[core.ID]bool
}

// listen watches a store until the ear is closed, and returns when it is told to be Ready.
func listen(ctx context.Context, w core.Watcher) (*ear, error) {
	e := newEar(ctx, ctx, w)
	if err := e.hears("Ready", func() bool { return e.ready > 0 }); err != nil {
		return nil, errors.Join(err, e.close())
	}
	return e, nil
}

// newEar watches a store in a context.
func newEar(test, ctx context.Context, w core.Watcher) *ear {
	ctx, cancel := context.WithCancel(ctx)
	e := &ear{
		test: test, cancel: cancel, over: make(chan error, 1), changed: make(chan struct{}),
		ended: map[core.ID]bool{}, renewed: map[core.ID]bool{},
	}
	go func() { e.over <- w.Watch(ctx, e) }()
	return e
}

// Ready implements core.Watching.
func (e *ear) Ready() { e.hear(func() { e.ready++ }) }

// Ended implements core.Watching.
func (e *ear) Ended(id core.ID) { e.hear(func() { e.ended[id] = true }) }

// Renewed implements core.Watching.
func (e *ear) Renewed(id core.ID) { e.hear(func() { e.renewed[id] = true }) }

func (e *ear) hear(what func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	what()
	close(e.changed)
	e.changed = make(chan struct{})
}

// ask asks something of what was heard, and what to wait for if that is not enough.
func (e *ear) ask(heard func() bool) (bool, <-chan struct{}) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return heard(), e.changed
}

// hears waits until something was heard.
func (e *ear) hears(what string, heard func() bool) error {
	late := time.NewTimer(hearing)
	defer late.Stop()
	for {
		enough, changed := e.ask(heard)
		if enough {
			return nil
		}
		select {
		case <-changed:
		case err := <-e.over:
			e.over <- err
			if enough, _ := e.ask(heard); enough {
				return nil
			}
			return fmt.Errorf("the Watch is over without having told of %s: %w", what, silence(err))
		case <-late.C:
			return fmt.Errorf("the Watch has not told of %s in %v", what, hearing)
		case <-e.test.Done():
			return fmt.Errorf("the Watch has not told of %s: %w", what, e.test.Err())
		}
	}
}

// silence is an error that has a text in any case.
func silence(err error) error {
	if err == nil {
		return errors.New("no error")
	}
	return err
}

// close ends the Watch.
func (e *ear) close() error {
	e.cancel()
	late := time.NewTimer(hearing)
	defer late.Stop()
	select {
	case err := <-e.over:
		e.over <- err
	case <-e.test.Done():
		return fmt.Errorf("the Watch goes on after its context was over: %w", e.test.Err())
	case <-late.C:
		return fmt.Errorf("the Watch goes on %v after its context was over", hearing)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.ready > 1 {
		return fmt.Errorf("there are %d calls of Ready in one Watch", e.ready)
	}
	return nil
}

// listening runs f while somebody listens.
func listening(
	ctx context.Context, store core.Store, f func(e *ear) error,
) error {
	w, err := watcher(store)
	if err != nil {
		return err
	}
	e, err := listen(ctx, w)
	if err != nil {
		return err
	}
	return errors.Join(f(e), e.close())
}

// hearsEnd deletes a record, or nothing, and waits until that is heard.
func hearsEnd(ctx context.Context, store core.Store, id core.ID, ears ...*ear) error {
	if err := store.Delete(ctx, id); confirmed(err) != nil {
		return fmt.Errorf("Delete: %w", err)
	}
	for _, e := range ears {
		if err := e.hears("a Delete", func() bool { return e.ended[id] }); err != nil {
			return err
		}
	}
	return nil
}

func checkWatchReady(ctx context.Context, store core.Store) error {
	w, err := watcher(store)
	if err != nil {
		return err
	}
	dead, cancel := context.WithCancel(ctx)
	cancel()
	if err := newEar(ctx, dead, w).close(); err != nil {
		return err
	}
	for range 3 {
		if err := listening(ctx, store, func(*ear) error { return nil }); err != nil {
			return err
		}
	}
	return listening(ctx, store, func(e *ear) error {
		return hearsEnd(ctx, store, newID(), e) // by now it would have said Ready again
	})
}

func checkWatchDelete(ctx context.Context, store core.Store) error {
	return listening(ctx, store, func(e *ear) error {
		for range 20 {
			rec, err := created(ctx, store)
			if err != nil {
				return err
			}
			if err := hearsEnd(ctx, store, rec.ID, e); err != nil {
				return err
			}
		}
		return nil
	})
}

func checkWatchDeleteAbsent(ctx context.Context, store core.Store) error {
	return listening(ctx, store, func(e *ear) error {
		rec, err := created(ctx, store)
		if err != nil {
			return err
		}
		if err := hearsEnd(ctx, store, rec.ID, e); err != nil {
			return err
		}
		e.forget(rec.ID)
		return first(
			func() error { return hearsEnd(ctx, store, newID(), e) },
			func() error { return hearsEnd(ctx, store, rec.ID, e) }, // the second time
		)
	})
}

// forget forgets what was heard of an ID.
func (e *ear) forget(id core.ID) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.ended, id)
	delete(e.renewed, id)
}

func checkWatchRenew(ctx context.Context, store core.Store) error {
	r, err := renewer(ctx, store)
	if err != nil {
		return err
	}
	return listening(ctx, store, func(e *ear) error {
		rec, err := created(ctx, store)
		if err != nil {
			return err
		}
		for n := range 20 {
			e.forget(rec.ID)
			next := version(rec.ID, 2+n)
			if err := r.Renew(ctx, next, rec.Revision); confirmed(err) != nil {
				return fmt.Errorf("a Renew: %w", err)
			}
			err := e.hears("a Renew", func() bool { return e.renewed[rec.ID] })
			if err != nil {
				return err
			}
			rec = next
		}
		return nil
	})
}

func checkWatchSeveral(ctx context.Context, store core.Store) error {
	return listening(ctx, store, func(one *ear) error {
		err := listening(ctx, store, func(two *ear) error {
			return listening(ctx, store, func(three *ear) error {
				return hearsEnd(ctx, store, newID(), one, two, three)
			})
		})
		if err != nil {
			return err
		}
		return first( // who is left is told as before, and so is who comes anew
			func() error { return hearsEnd(ctx, store, newID(), one) },
			func() error {
				return listening(ctx, store, func(two *ear) error {
					return hearsEnd(ctx, store, newID(), one, two)
				})
			},
		)
	})
}

func checkWatchFlood(ctx context.Context, store core.Store) error {
	ids := make([]core.ID, fewer(500))
	return listening(ctx, store, func(e *ear) error {
		err := spread(len(ids), func(n int) error {
			ids[n] = newID()
			return confirmed(store.Delete(ctx, ids[n]))
		})
		if err != nil {
			return err
		}
		err = e.hears("all Deletes", func() bool {
			missing := func(id core.ID) bool { return !e.ended[id] }
			return len(e.ended) >= len(ids) && !slices.ContainsFunc(ids, missing)
		})
		select {
		case gone := <-e.over:
			e.over <- gone
			if gone != nil && ctx.Err() == nil {
				return nil // it says that it does not know everything
			}
		default:
		}
		return err
	})
}
