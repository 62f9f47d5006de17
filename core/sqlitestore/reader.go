package sqlitestore

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"runtime"
	"sync"
	"time"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// A reader is a connection that only reads.
type reader struct {
	*conn
	load, epoch, listOwned, mark *statement

	dest [5]driver.Value
}

func (f *file) openReader() (*reader, error) {
	c, err := f.openReading()
	if err != nil {
		return nil, err
	}
	r := &reader{conn: c}
	for _, p := range []struct {
		to    **statement
		query string
	}{
		{&r.load, f.sql.load}, {&r.epoch, f.sql.epoch}, {&r.listOwned, f.sql.listOwned},
		{&r.mark, f.sql.mark},
	} {
		if *p.to, err = c.prepare(p.query); err != nil {
			return nil, errors.Join(err, c.close())
		}
	}
	return r, nil
}

// openReading makes a connection that cannot write.
func (f *file) openReading() (*conn, error) {
	c, err := connect(f.dsn)
	if err != nil {
		return nil, err
	}
	err = f.same()
	if err == nil {
		err = c.exec("PRAGMA query_only = 1")
	}
	if err == nil {
		return c, nil
	}
	return nil, errors.Join(err, c.close())
}

// find reads one record.
func (r *reader) find(id core.ID) (core.Record, error) {
	err := r.load.first(r.dest[:], string(id))
	if err == io.EOF {
		return core.Record{}, core.ErrNotFound
	}
	if err != nil {
		return core.Record{}, err
	}
	// The table is STRICT: no other types can come.
	revision, _ := r.dest[0].(int64)
	owner, _ := r.dest[1].(string)
	used, _ := r.dest[2].(int64)
	data, _ := r.dest[4].([]byte)
	rec := core.Record{
		ID: id, Revision: core.Revision(revision), Owner: owner,
		Used: time.UnixMilli(used).UTC(), Data: string(data),
	}
	rec.Expires = timeOf(r.dest[3])
	clear(r.dest[:])
	return rec, nil
}

// timeOf is the zero time for NULL, which is never.
func timeOf(v driver.Value) time.Time {
	ms, ok := v.(int64)
	if !ok {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// readers are the reading connections: as many as are needed at once, up to a limit, and kept.
type readers struct {
	slots chan struct{} // holds one for each connection in use

	mu   sync.Mutex
	idle []*reader // the last one used is the first to be used again: its cache is warm
}

func newReaders() *readers {
	n := min(max(4, 2*runtime.GOMAXPROCS(0)), 32)
	return &readers{slots: make(chan struct{}, n)}
}

// read runs f with a connection, again as long as another program holds the file's lock.
func (s *Store) read(ctx context.Context, f func(*reader) error) error {
	select {
	case s.readers.slots <- struct{}{}:
	default:
		select {
		case s.readers.slots <- struct{}{}:
		case <-s.closing:
			return errClosed
		case <-ctx.Done():
			return over(ctx)
		}
	}
	defer func() { <-s.readers.slots }()
	return s.explain(s.patiently(ctx, func() error { return s.readers.use(&s.file, f) }))
}

// use runs f with a connection. One that gave an error is not used again.
func (p *readers) use(file *file, f func(*reader) error) error {
	p.mu.Lock()
	var r *reader
	if last := len(p.idle) - 1; last >= 0 {
		r, p.idle = p.idle[last], p.idle[:last]
	}
	p.mu.Unlock()
	if r == nil {
		var err error
		if r, err = file.openReader(); err != nil {
			return err
		}
	}
	err := f(r)
	if err != nil && err != core.ErrNotFound {
		_ = r.close()
		return err
	}
	p.mu.Lock()
	p.idle = append(p.idle, r)
	p.mu.Unlock()
	return err
}

// close waits for those who still read. Nobody gets a slot afterwards.
func (p *readers) close() error {
	for range cap(p.slots) {
		p.slots <- struct{}{}
	}
	var list []error
	for _, r := range p.idle {
		list = append(list, r.close())
	}
	p.idle = nil
	return errors.Join(list...)
}
