package core

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
)

// A memoryWatch tells those who watch a MemoryStore. Where nobody does, that costs one look.
type memoryWatch struct {
	mu   sync.Mutex // for who comes and goes
	list atomic.Pointer[[]*watch]
}

// A watch is one call of Watch: two of them may be of the same Watching.
type watch struct{ Watching }

// enter makes a Watching one of those that are told.
func (w *memoryWatch) enter(one Watching) *watch {
	w.mu.Lock()
	defer w.mu.Unlock()
	entered, list := &watch{one}, []*watch(nil)
	if old := w.list.Load(); old != nil {
		list = slices.Clone(*old)
	}
	list = append(list, entered)
	w.list.Store(&list)
	return entered
}

func (w *memoryWatch) leave(one *watch) {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := slices.DeleteFunc(slices.Clone(*w.list.Load()), func(other *watch) bool {
		return other == one
	})
	if len(list) == 0 {
		w.list.Store(nil)
		return
	}
	w.list.Store(&list) // at once: those who stay are told all the time
}

// watched reports whether there is anybody to tell.
func (w *memoryWatch) watched() bool { return w.list.Load() != nil }

func (w *memoryWatch) ended(ids ...ID) {
	if list := w.list.Load(); list != nil {
		for _, id := range ids {
			for _, one := range *list {
				one.Ended(id)
			}
		}
	}
}

func (w *memoryWatch) renewed(id ID) {
	if list := w.list.Load(); list != nil {
		for _, one := range *list {
			one.Renewed(id)
		}
	}
}

// tell notes the ID of a record that is about to be removed, if somebody watches. Those who do are
// told when the shard is not locked any more.
func (sh *memoryShard) tell(told []ID, p place) []ID {
	if !sh.watch.watched() {
		return told
	}
	return append(told, sh.idAt(p))
}

// wait returns when nobody who came before has the shard locked any more.
func (sh *memoryShard) wait() {
	sh.mu.Lock()
	defer sh.mu.Unlock()
}

// Watch implements Watcher. It tells of what goes on in this process, where every write to the
// store is made, so it misses nothing and fails never: it returns the context's error. A renewal is
// an Update like any other here, so it tells of each Update, as Renewed. It also tells, as Ended,
// of records that were swept, and of those that were ended to make room for others. Nothing in the
// store is locked while it tells.
func (m *MemoryStore) Watch(ctx context.Context, w Watching) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	one := m.watch.enter(w)
	defer m.watch.leave(one)
	for i := range m.shards { // who has seen that nobody watches is done, then
		m.shards[i].wait()
	}
	w.Ready()
	<-ctx.Done()
	return ctx.Err()
}
