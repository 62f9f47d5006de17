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

// A server keeps records in a map, does each call in a goroutine of its own, and drops by the real
// clock what expired an hour ago. Like the stores that people use it has timers and goroutines of
// which a testing/synctest bubble knows nothing.
type server struct {
	fault fault
	index *index

	mu      sync.Mutex
	records map[core.ID]core.Record
}

func newServer(f fault) *server {
	return &server{fault: f, index: newIndex(f), records: map[core.ID]core.Record{}}
}

// open opens a handle on the server, as a node does.
func (s *server) open(testing.TB) core.Store {
	h := &handle{server: s}
	if s.fault == caches {
		h.cache = map[core.ID]core.Record{}
	}
	return h
}

// find returns a record that is there. The caller holds the lock.
func (s *server) find(id core.ID) (core.Record, bool) {
	rec, ok := s.records[id]
	if ok && !rec.Expires.IsZero() && time.Since(rec.Expires) > time.Hour {
		delete(s.records, id)
		return core.Record{}, false
	}
	return rec, ok
}

// put replaces a record, if it is there and its Revision is was.
func (s *server) put(
	rec core.Record, was core.Revision, f fault, next func(core.Record) core.Record,
) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	is, ok := s.find(rec.ID)
	switch {
	case !ok && f == upserts:
		is = rec
	case !ok:
		return core.ErrNotFound
	case is.Revision == was, f == comparesNothing:
	case f == swallowsConflicts:
		return nil
	default:
		return core.ErrConflict
	}
	if f == comparesTooEarly {
		slip(&s.mu)
	}
	s.records[rec.ID] = next(is)
	return nil
}

// slip lets others in, where they must not come in.
func slip(mu *sync.Mutex) {
	mu.Unlock()
	for range 20 {
		runtime.Gosched()
	}
	mu.Lock()
}

func (s *server) remove(id core.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.records, id)
}

// A handle is a node's way to a server.
type handle struct {
	server *server

	mu    sync.Mutex
	cache map[core.ID]core.Record // of a handle that is wrong
}

// ask does a call at the server and waits for it as long as the context lasts.
func (h *handle) ask(ctx context.Context, f func(s *server) error) error {
	answer := make(chan error, 1)
	go func() {
		runtime.Gosched()
		answer <- f(h.server)
	}()
	timer := time.NewTimer(time.Minute)
	defer timer.Stop()
	select {
	case err := <-answer:
		return err
	case <-timer.C:
		return errors.New("the server does not answer")
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (h *handle) Load(ctx context.Context, id core.ID) (rec core.Record, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if rec, ok := h.cache[id]; ok {
		return rec, nil
	}
	err = h.ask(ctx, func(s *server) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		found, ok := s.find(id)
		if !ok {
			return core.ErrNotFound
		}
		rec = found
		return nil
	})
	if err == nil && h.cache != nil {
		h.cache[id] = rec
	}
	return rec, err
}

// forget forgets what a handle that is wrong has kept of a record.
func (h *handle) forget(id core.ID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.cache, id)
}

func (h *handle) Create(ctx context.Context, rec core.Record) error {
	return h.ask(ctx, func(s *server) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		if _, ok := s.find(rec.ID); ok {
			return core.ErrExists
		}
		s.records[rec.ID] = rec
		return nil
	})
}

func (h *handle) Update(ctx context.Context, rec core.Record, was core.Revision) error {
	defer h.forget(rec.ID)
	return h.ask(ctx, func(s *server) error {
		return s.put(rec, was, s.fault, func(core.Record) core.Record { return rec })
	})
}

func (h *handle) Renew(ctx context.Context, rec core.Record, was core.Revision) error {
	defer h.forget(rec.ID)
	return h.ask(ctx, func(s *server) error {
		err := s.put(rec, was, s.fault.of("renewal"), func(core.Record) core.Record { return rec })
		if err == nil {
			s.index.tell(told{id: rec.ID, renewed: true})
		}
		return err
	})
}

func (h *handle) Touch(ctx context.Context, rec core.Record, was core.Revision) error {
	defer h.forget(rec.ID)
	return h.ask(ctx, func(s *server) error {
		return s.put(rec, was, s.fault.of("touch"), func(is core.Record) core.Record {
			if s.fault == touchesData {
				return rec
			}
			is.Revision, is.Used, is.Expires = rec.Revision, rec.Used, rec.Expires
			return is
		})
	})
}

func (h *handle) Delete(ctx context.Context, id core.ID) error {
	defer h.forget(id)
	return h.ask(ctx, func(s *server) error {
		if s.fault == deletesLate {
			time.AfterFunc(time.Second, func() { s.remove(id) })
			return nil
		}
		s.remove(id)
		s.index.tell(told{id: id})
		return nil
	})
}

// bare is a store that can do what it must, and nothing else.
type bare struct{ core.Store }
