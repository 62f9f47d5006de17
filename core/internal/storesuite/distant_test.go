package storesuite_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// A server keeps records in a map, each call in a goroutine of its own, and drops what expired an
// hour ago by the real clock. Like the stores of core's users it has timers and goroutines that a
// testing/synctest bubble does not know.
type server struct {
	mu      sync.Mutex
	records map[core.ID]core.Record
	wrong   wrong
	ghosts  map[core.ID]core.Record // deleted, and brought back by a server that is wrong
}

func newServer(w wrong) *server {
	return &server{
		records: map[core.ID]core.Record{}, ghosts: map[core.ID]core.Record{}, wrong: w,
	}
}

// distant is a handle on a server.
type distant struct{ server *server }

// ask does a call at the server and waits for it with the patience of the context.
func ask[T any](
	ctx context.Context, s *server, f func() (T, error),
) (answer T, err error) {
	type reply struct {
		answer T
		err    error
	}
	replies := make(chan reply, 1)
	go func() {
		runtime.Gosched()
		s.mu.Lock()
		defer s.mu.Unlock()
		answer, err := f()
		replies <- reply{answer, err}
	}()
	timer := time.NewTimer(time.Minute)
	defer timer.Stop()
	select {
	case r := <-replies:
		return r.answer, r.err
	case <-timer.C:
		return answer, errors.New("the server does not answer")
	case <-ctx.Done():
		return answer, ctx.Err()
	}
}

// change is ask for what only fails or not.
func (d distant) change(ctx context.Context, f func(s *server) error) error {
	_, err := ask(ctx, d.server, func() (struct{}, error) { return struct{}{}, f(d.server) })
	return err
}

// find returns a record that is there.
func (s *server) find(id core.ID) (core.Record, bool) {
	rec, ok := s.records[id]
	if ok && !rec.Expires.IsZero() && time.Since(rec.Expires) > time.Hour {
		delete(s.records, id)
		return core.Record{}, false
	}
	return rec, ok
}

func (d distant) Load(ctx context.Context, id core.ID) (core.Record, error) {
	return ask(ctx, d.server, func() (core.Record, error) {
		rec, ok := d.server.find(id)
		if !ok {
			return rec, core.ErrNotFound
		}
		return rec, nil
	})
}

func (d distant) Create(ctx context.Context, rec core.Record) error {
	return d.change(ctx, func(s *server) error {
		if _, ok := s.find(rec.ID); ok {
			return core.ErrExists
		}
		s.records[rec.ID] = rec
		return nil
	})
}

func (d distant) Update(ctx context.Context, rec core.Record, was core.Revision) error {
	return d.replace(ctx, rec, was, func(core.Record) core.Record { return rec })
}

func (d distant) Touch(ctx context.Context, rec core.Record, was core.Revision) error {
	return d.replace(ctx, rec, was, func(is core.Record) core.Record {
		is.Revision, is.Used, is.Expires = rec.Revision, rec.Used, rec.Expires
		return is
	})
}

func (d distant) Renew(ctx context.Context, rec core.Record, was core.Revision) error {
	return d.Update(ctx, rec, was)
}

func (d distant) replace(
	ctx context.Context, rec core.Record, was core.Revision, next func(core.Record) core.Record,
) error {
	return d.change(ctx, func(s *server) error {
		is, ok := s.find(rec.ID)
		switch {
		case !ok && s.wrong == upserts:
			s.records[rec.ID] = rec
			return nil
		case !ok:
			return core.ErrNotFound
		case is.Revision != was && s.wrong != comparesNothing:
			return core.ErrConflict
		}
		s.records[rec.ID] = next(is)
		return nil
	})
}

func (d distant) Delete(ctx context.Context, id core.ID) error {
	return d.change(ctx, func(s *server) error {
		delete(s.records, id)
		return nil
	})
}

// bare is a store that can do what it must and nothing else.
type bare struct{ core.Store }

func open(s *server) func(t testing.TB) core.Store {
	return func(testing.TB) core.Store { return distant{s} }
}
