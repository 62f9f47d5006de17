package sqlitestore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// A Store keeps records in one SQLite file. It is safe for concurrent use, and several Stores, in
// one process or in several on the same machine, may use one file. Make one with Open, and Close it
// when the program ends.
type Store struct {
	file    file
	readers *readers
	writer  writer
	watches watches

	ready   atomic.Bool
	setting chan struct{} // holds one while the file is set up
	closing chan struct{} // closed by Close
	once    sync.Once
	closed  error // what the first Close said
}

var (
	_ core.Store      = (*Store)(nil)
	_ core.Sweeper    = (*Store)(nil)
	_ core.Toucher    = (*Store)(nil)
	_ core.Renewer    = (*Store)(nil)
	_ core.OwnerIndex = (*Store)(nil)
	_ core.Watcher    = (*Store)(nil)
	_ core.Marker     = (*Store)(nil)
)

// Open makes a Store on the file at path, which is a plain name, taken from the program's current
// directory if it is relative. It touches no disk: the file, readable by this user alone, and its
// table are made at the first use, in a directory that must exist; if that fails, it is an error of
// that call only, and the next one tries again. The errors of Open are *core.ConfigErrors, joined.
func Open(path string, options Options) (*Store, error) {
	path, options, err := settle(path, options)
	if err != nil {
		return nil, err
	}
	s := &Store{
		file:    newFile(path, options.Table),
		readers: newReaders(),
		setting: make(chan struct{}, 1),
		closing: make(chan struct{}),
	}
	s.writer.store, s.writer.checkpointAfter = s, checkpointAfter
	return s, nil
}

// Format writes a fixed text, whatever the verb: what a store holds is not for a log.
func (s *Store) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[session sqlite store]") }

// Durability returns core.Durable: what was acknowledged is on the disk, except that the touches
// since the last other write may be lost when the machine loses power.
func (s *Store) Durability() core.Durability { return core.Durable }

// Create implements core.Store. It answers core.ErrStoreFull if the disk is full.
func (s *Store) Create(ctx context.Context, rec core.Record) error {
	return s.write(newOperation(ctx, create, rec, 0))
}

// Load implements core.Store. It does not wait for those who write.
func (s *Store) Load(ctx context.Context, id core.ID) (rec core.Record, err error) {
	if err := s.prepare(ctx); err != nil {
		return core.Record{}, err
	}
	err = s.read(ctx, func(r *reader) (err error) {
		rec, err = r.find(id)
		return err
	})
	return rec, err
}

// Update implements core.Store. It answers core.ErrStoreFull if the disk is full; the old record
// stays then.
func (s *Store) Update(ctx context.Context, rec core.Record, was core.Revision) error {
	return s.write(newOperation(ctx, update, rec, was))
}

// Touch implements core.Toucher.
func (s *Store) Touch(ctx context.Context, rec core.Record, was core.Revision) error {
	rec.Owner, rec.Data = "", "" // to be ignored, so not to be held on to
	return s.write(newOperation(ctx, touch, rec, was))
}

// Renew implements core.Renewer: it is an Update of which those are told who watch.
func (s *Store) Renew(ctx context.Context, rec core.Record, was core.Revision) error {
	return s.write(newOperation(ctx, renew, rec, was))
}

// Delete implements core.Store. When it returns nil the end is on the disk.
func (s *Store) Delete(ctx context.Context, id core.ID) error {
	return s.write(newOperation(ctx, remove, core.Record{ID: id}, 0))
}

// DeleteExpired implements core.Sweeper. It removes all there is in one call, in short steps
// between which others write, and the context may end it. It also removes the entries and epochs of
// owners that were to be kept until five minutes before now, and does not count them.
func (s *Store) DeleteExpired(ctx context.Context, now time.Time) (int, error) {
	deleted := 0
	for {
		o := newSweep(ctx, now)
		if err := s.write(o); err != nil {
			return deleted, err
		}
		deleted += int(o.swept)
		if o.swept+o.moved+o.tidied == 0 {
			return deleted, nil
		}
	}
}

// Ping reports whether the file can be opened and its table read.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.prepare(ctx); err != nil {
		return err
	}
	return s.read(ctx, func(r *reader) error {
		_, err := r.number(s.file.sql.ping)
		return err
	})
}

// Close carries out the writes that were begun or wait, brings everything into the file and closes
// it. Every call after it is an error, except for Close.
func (s *Store) Close() error {
	s.once.Do(func() {
		close(s.closing)
		s.setting <- struct{}{} // nobody sets up the file any more
		s.watches.close()
		s.closed = errors.Join(s.readers.close(), s.explain(s.writer.close()))
	})
	return s.closed
}

func (s *Store) write(o *operation) error {
	if err := s.prepare(o.ctx); err != nil {
		return err
	}
	return s.writer.do(o)
}

// prepare makes sure that the file is there, and that there is still time.
func (s *Store) prepare(ctx context.Context) error {
	select {
	case <-s.closing:
		return errClosed
	default:
	}
	if ctx.Err() != nil {
		return over(ctx)
	}
	if s.ready.Load() {
		return nil
	}
	select {
	case s.setting <- struct{}{}:
	case <-s.closing:
		return errClosed
	case <-ctx.Done():
		return over(ctx)
	}
	defer func() { <-s.setting }()
	if s.ready.Load() {
		return nil
	}
	err := s.patiently(ctx, s.file.setUp)
	s.ready.Store(err == nil)
	return s.explain(err)
}

// How long to wait before a lock is tried again. Another process under load lets go of it for some
// hundredths of a millisecond between two transactions: who rarely asks will rarely find it free.
const (
	firstWait   = 100 * time.Microsecond
	longestWait = time.Millisecond
)

// patiently runs f again as long as another connection is in the way, until the context or the
// Store ends.
func (s *Store) patiently(ctx context.Context, f func() error) error {
	for wait := firstWait; ; wait = min(2*wait, longestWait) {
		err := f()
		if !isBusy(err) && !errors.Is(err, errLogInUse) {
			return err
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
			continue
		case <-s.closing:
			err = errClosed
		case <-ctx.Done():
			err = fmt.Errorf("%w (%w)", over(ctx), s.explain(err))
		}
		timer.Stop()
		return err
	}
}
