package sqlitestore

import (
	"context"
	"sync"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// Watch implements core.Watcher. What this Store ends or renews it tells before the call that did
// it returns, and what others do to the file, in this process or another, within about a tenth of a
// second: for that it looks into the file ten times a second. It is an error if the file is removed
// or replaced, cannot be read for three seconds, or if more than 4096 sessions ended between two
// looks, as they may while the process stands still. When the context is over it returns the
// context's error. Of a Delete that finds no record only those are told who watch this Store: the
// others were told when the record went.
func (s *Store) Watch(ctx context.Context, w core.Watching) error {
	if err := s.prepare(ctx); err != nil {
		return err
	}
	leave, ok := s.watches.enter(w)
	if !ok {
		return errClosed
	}
	defer leave()
	var l *lookout
	err := s.patiently(ctx, func() (err error) {
		l, err = s.file.openLookout()
		return err
	})
	if err != nil {
		return s.explain(err)
	}
	defer l.close()
	w.Ready()
	return s.explain(l.follow(ctx, s.closing, w))
}

// watches are those who watch a Store.
type watches struct {
	mu      sync.Mutex
	list    map[*core.Watching]struct{}
	closed  bool
	running sync.WaitGroup
}

// enter makes w hear what the Store does until leave returns. It reports whether the Store is open.
func (s *watches) enter(w core.Watching) (leave func(), ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, false
	}
	if s.list == nil {
		s.list = make(map[*core.Watching]struct{})
	}
	s.list[&w] = struct{}{}
	s.running.Add(1)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.list, &w)
		s.running.Done()
	}, true
}

// tell makes an end or a renewal known. Who watches does not wait for anything, so this may hold
// the lock: nobody is told any more after leave.
func (s *watches) tell(k kind, id core.ID) {
	if k != remove && k != renew {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for w := range s.list {
		if k == renew {
			(*w).Renewed(id)
		} else {
			(*w).Ended(id)
		}
	}
}

// close waits until nobody watches any more, which the Store's closing brings about.
func (s *watches) close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.running.Wait()
}
