package sessiontest_test

import (
	"context"
	"runtime"
	"sync"
	"time"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// An altered store is a MemoryStore and a ledger some of whose methods are replaced.
type altered struct {
	*core.MemoryStore
	ledger *ledger
	create func(context.Context, core.Record) error
	load   func(context.Context, core.ID) (core.Record, error)
	update func(context.Context, core.Record, core.Revision) error
	delete func(context.Context, core.ID) error
	touch  func(context.Context, core.Record, core.Revision) error
	renew  func(context.Context, core.Record, core.Revision) error
	sweep  func(context.Context, time.Time) (int, error)
	forget func(time.Time) // what a sweep does besides

	epoch  func(context.Context, string) (core.Epoch, error)
	add    func(context.Context, string, core.OwnerEntry, core.Epoch, int) (int, error)
	list   func(context.Context, string) ([]core.OwnerEntry, error)
	remove func(context.Context, string, ...core.OwnerEntry) error
	raise  func(context.Context, string, core.Epoch, time.Time) (core.Epoch, []core.OwnerEntry, error)

	watch     func(context.Context, core.Watching) error
	told      func(w core.Watching, id core.ID, renewed bool)
	mark      func(context.Context, string) (time.Time, error)
	raiseMark func(context.Context, string, time.Time) error

	key     func(core.ID) core.ID         // what is stored under which ID
	record  func(core.Record) core.Record // what is stored of what is given
	verdict func(error) error             // what is answered, at the end

	mu  sync.Mutex
	ids []core.ID // all that ever were created
}

// newAltered makes a store that is right as yet.
func newAltered() *altered {
	s := &altered{MemoryStore: newMemoryStore(), ledger: newLedger()}
	s.epoch, s.add, s.list = s.ledger.OwnerEpoch, s.ledger.AddOwned, s.ledger.ListOwned
	s.remove, s.raise = s.ledger.RemoveOwned, s.ledger.RaiseEpoch
	s.forget = s.ledger.forget
	s.watch, s.mark, s.raiseMark = s.ledger.Watch, s.ledger.Mark, s.ledger.RaiseMark
	s.told = func(w core.Watching, id core.ID, renewed bool) {
		if renewed {
			w.Renewed(id)
		} else {
			w.Ended(id)
		}
	}
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
	err := s.delete(ctx, s.key(id))
	if err == nil {
		s.ledger.tell(func(w core.Watching) { s.told(w, id, false) })
	}
	return err
}

func (s *altered) Touch(ctx context.Context, rec core.Record, was core.Revision) error {
	rec.ID = s.key(rec.ID)
	return s.verdict(s.touch(ctx, rec, was))
}

func (s *altered) Renew(ctx context.Context, rec core.Record, was core.Revision) error {
	id := rec.ID
	rec.ID = s.key(id)
	err := s.renew(ctx, s.record(rec), was)
	if err == nil {
		s.ledger.tell(func(w core.Watching) { s.told(w, id, true) })
	}
	return s.verdict(err)
}

func (s *altered) DeleteExpired(ctx context.Context, now time.Time) (int, error) {
	s.forget(now)
	return s.sweep(ctx, now)
}

func (s *altered) OwnerEpoch(ctx context.Context, owner string) (core.Epoch, error) {
	return s.epoch(ctx, owner)
}

func (s *altered) AddOwned(
	ctx context.Context, owner string, e core.OwnerEntry, epoch core.Epoch, limit int,
) (int, error) {
	n, err := s.add(ctx, owner, e, epoch, limit)
	return n, s.verdict(err)
}

func (s *altered) ListOwned(ctx context.Context, owner string) ([]core.OwnerEntry, error) {
	return s.list(ctx, owner)
}

func (s *altered) RemoveOwned(ctx context.Context, owner string, list ...core.OwnerEntry) error {
	return s.remove(ctx, owner, list...)
}

func (s *altered) RaiseEpoch(
	ctx context.Context, owner string, epoch core.Epoch, until time.Time,
) (core.Epoch, []core.OwnerEntry, error) {
	return s.raise(ctx, owner, epoch, until)
}

func (s *altered) Watch(ctx context.Context, w core.Watching) error { return s.watch(ctx, w) }

func (s *altered) Mark(ctx context.Context, name string) (time.Time, error) {
	return s.mark(ctx, name)
}

func (s *altered) RaiseMark(ctx context.Context, name string, at time.Time) error {
	return s.raiseMark(ctx, name, at)
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
