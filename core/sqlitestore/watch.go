package sqlitestore

import (
	"context"
	"database/sql/driver"
	"errors"
	"sync"
	"time"

	"github.com/sessionserverstore/sessionserverstore/core"
)

const (
	// lookEvery is how often a watch looks for what other processes have ended. A look takes some
	// hundredths of a millisecond.
	lookEvery = 100 * time.Millisecond
	// blindFor is how long the file may be locked until a watch gives up.
	blindFor = 3 * time.Second
)

var errMissed = errors.New("sqlitestore: ends were removed before they were told: watch anew")

// Watch implements core.Watcher. What this Store ends or renews it tells before the call that did
// it returns, and what others do to the file, in this process or another, within about a tenth of a
// second: for that it looks into the file ten times a second. It is an error if the file is removed
// or replaced, cannot be read for three seconds, or if the process stood still for so long that what
// happened meanwhile, which is kept for a minute, is gone. When the context is over it returns the
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

// A lookout is a connection that reads the table of ends as it grows.
type lookout struct {
	*conn
	file *file
	ends *statement
	seen int64 // the number of the last row that was told, or was there before
	dest [3]driver.Value
}

func (f *file) openLookout() (*lookout, error) {
	c, err := f.openReading()
	if err != nil {
		return nil, err
	}
	l := &lookout{conn: c, file: f}
	if l.ends, err = c.prepare(f.sql.endsFrom); err == nil {
		l.seen, err = c.number(f.sql.lastEnd)
	}
	if err != nil {
		return nil, errors.Join(err, c.close())
	}
	return l, nil
}

// follow tells of what comes, until the context or the Store ends or something is wrong.
func (l *lookout) follow(ctx context.Context, closing <-chan struct{}, w core.Watching) error {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	sound := time.Now()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-closing:
			return errClosed
		case <-ticker.C:
		}
		err := l.look(w)
		if err == nil {
			sound = time.Now()
		} else if !isBusy(err) || time.Since(sound) > blindFor {
			return err
		}
	}
}

// look tells of the rows that are new.
func (l *lookout) look(w core.Watching) error {
	if err := l.file.same(); err != nil {
		return err
	}
	none := true
	err := l.ends.each(l.dest[:], func() error {
		none = false
		return l.next(w)
	}, l.seen)
	if err == nil && none && l.seen != 0 {
		return errMissed // there is always the last one, if ever there was one
	}
	return err
}

// next tells of one row, which is the last that was seen, or the one after it.
func (l *lookout) next(w core.Watching) error {
	seq, _ := l.dest[0].(int64)
	if seq == l.seen {
		return nil
	}
	if seq != l.seen+1 {
		return errMissed
	}
	l.seen = seq
	id, _ := l.dest[1].(string)
	if renewed, _ := l.dest[2].(int64); renewed != 0 {
		w.Renewed(core.ID(id))
	} else {
		w.Ended(core.ID(id))
	}
	return nil
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
