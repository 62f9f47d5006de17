package sessiontest_test

import (
	"context"
	"runtime"
	"sync"
	"time"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// An altered store is a MemoryStore some of whose methods are replaced.
type altered struct {
	*core.MemoryStore
	create func(context.Context, core.Record) error
	load   func(context.Context, core.ID) (core.Record, error)
	update func(context.Context, core.Record, core.Revision) error
	delete func(context.Context, core.ID) error
	touch  func(context.Context, core.Record, core.Revision) error
	renew  func(context.Context, core.Record, core.Revision) error
	sweep  func(context.Context, time.Time) (int, error)

	key     func(core.ID) core.ID         // what is stored under which ID
	record  func(core.Record) core.Record // what is stored of what is given
	verdict func(error) error             // what is answered, at the end

	mu  sync.Mutex
	ids []core.ID // all that ever were created
}

// newAltered makes a store that is right as yet.
func newAltered() *altered {
	s := &altered{MemoryStore: newMemoryStore()}
	s.create, s.load, s.update = s.MemoryStore.Create, s.MemoryStore.Load, s.MemoryStore.Update
	s.delete, s.touch = s.MemoryStore.Delete, s.MemoryStore.Touch
	s.renew, s.sweep = s.MemoryStore.Update, s.MemoryStore.DeleteExpired
	s.key = func(id core.ID) core.ID { return id }
	s.record = func(rec core.Record) core.Record { return rec }
	s.verdict = func(err error) error { return err }
	return s
}

func (s *altered) Create(ctx context.Context, rec core.Record) error {
	rec.ID = s.key(rec.ID)
	s.mu.Lock()
	s.ids = append(s.ids, rec.ID)
	s.mu.Unlock()
	return s.verdict(s.create(ctx, s.record(rec)))
}

func (s *altered) Load(ctx context.Context, id core.ID) (core.Record, error) {
	rec, err := s.load(ctx, s.key(id))
	if err == nil {
		rec.ID = id
	}
	return rec, s.verdict(err)
}

func (s *altered) Update(ctx context.Context, rec core.Record, was core.Revision) error {
	rec.ID = s.key(rec.ID)
	return s.verdict(s.update(ctx, s.record(rec), was))
}

func (s *altered) Delete(ctx context.Context, id core.ID) error {
	return s.delete(ctx, s.key(id))
}

func (s *altered) Touch(ctx context.Context, rec core.Record, was core.Revision) error {
	rec.ID = s.key(rec.ID)
	return s.verdict(s.touch(ctx, rec, was))
}

func (s *altered) Renew(ctx context.Context, rec core.Record, was core.Revision) error {
	rec.ID = s.key(rec.ID)
	return s.verdict(s.renew(ctx, s.record(rec), was))
}

func (s *altered) DeleteExpired(ctx context.Context, now time.Time) (int, error) {
	return s.sweep(ctx, now)
}

// find lists the IDs of records.
func (s *altered) find(ctx context.Context, wanted func(core.Record) bool) []core.ID {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []core.ID
	for _, id := range s.ids {
		if rec, err := s.MemoryStore.Load(ctx, id); err == nil && wanted(rec) {
			found = append(found, id)
		}
	}
	return found
}

// due is what a sweep removes.
func due(now time.Time) func(core.Record) bool {
	return func(rec core.Record) bool { return !rec.Expires.IsZero() && !rec.Expires.After(now) }
}

// others lets other goroutines come in between.
func others() {
	for range 20 {
		runtime.Gosched()
	}
}
