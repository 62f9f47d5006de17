package sqlitestore

import (
	"context"
	"runtime"
	"sync"
)

const (
	// greatestBatch is how many operations one transaction takes at most.
	greatestBatch = 256
	// greatestBytes of Data end a batch, too, so that large records do not make a huge one.
	greatestBytes = 8 << 20
)

// A writer carries out the writes of a Store, as many as are waiting in one transaction: what costs
// is to bring a transaction to the disk, and that costs as much for one write as for a hundred.
//
// Its goroutine runs as long as operations wait, and ends then.
type writer struct {
	store *Store

	mu      sync.Mutex
	waiting queue
	closed  bool
	running chan struct{} // closed when the goroutine has ended; nil if none runs

	// The goroutine's own, handed from one to the next.
	conn *writing
	// suspect says that a sync failed. Who syncs again after that may be told that all is well
	// although the disk never got it: nothing is added to the log before it was begun anew.
	suspect bool
	work    int // pages written since the last checkpoint, roughly

	checkpointAfter int // of work
}

// do hands an operation to the writer and waits for the answer, or for the context's end.
func (w *writer) do(o *operation) error {
	if err := w.enqueue(o); err != nil {
		return err
	}
	select {
	case <-o.done:
		return o.verdict
	case <-o.ctx.Done():
	}
	if w.giveUp(o) {
		return over(o.ctx)
	}
	select {
	case <-o.done: // both at once: an answer is better than none
		return o.verdict
	default:
		return unknown(o.ctx)
	}
}

func (w *writer) enqueue(o *operation) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return errClosed
	}
	w.waiting.add(o)
	if w.running == nil {
		w.running = make(chan struct{})
		go w.run(w.running)
	}
	return nil
}

// giveUp takes an operation back, and reports whether that was in time.
func (w *writer) giveUp(o *operation) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if o.queued {
		w.waiting.drop(o)
		return true
	}
	return false
}

func (w *writer) run(ended chan struct{}) {
	defer close(ended)
	for w.more() {
		w.turn()
		// Those just answered often have the next write ready: let them come first, so that it
		// goes into the next batch and not into the one after.
		runtime.Gosched()
	}
}

// more reports whether anything waits, and ends the goroutine's time otherwise.
func (w *writer) more() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.waiting.first == nil {
		w.running = nil
	}
	return w.running != nil
}

// turn carries out one batch.
func (w *writer) turn() {
	light := w.light()
	began, err := w.begin(light)
	if err != nil {
		w.refuse(err)
	}
	if !began {
		return
	}
	batch := w.take(light)
	if len(batch) == 0 { // all given up, or what came needs another kind of transaction
		w.rollback(nil)
		return
	}
	w.carryOut(batch)
	w.checkpoint()
}

// light reports whether nothing but touches waits. Nobody is told that a touch is durable, so a
// transaction of touches only is not synced: it is in the file in the order of writing, and the
// next other one brings it to the disk.
func (w *writer) light() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for o := w.waiting.first; o != nil; o = o.next {
		if o.kind != touch {
			return false
		}
	}
	return true
}

// take begins a batch: from now on its operations cannot be given up. Those whose context is over
// are left out.
func (w *writer) take(light bool) []*operation {
	w.mu.Lock()
	defer w.mu.Unlock()
	var batch []*operation
	bytes := 0
	for o := w.waiting.first; o != nil && len(batch) < greatestBatch && bytes < greatestBytes; {
		next := o.next
		if light && o.kind != touch {
			break
		}
		w.waiting.drop(o)
		if o.ctx.Err() != nil {
			o.answer(over(o.ctx))
		} else {
			batch = append(batch, o)
			bytes += len(o.rec.Data)
		}
		o = next
	}
	return batch
}

// refuse answers everything that waits: there is no way to write.
func (w *writer) refuse(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for o := w.waiting.first; o != nil; o = w.waiting.first {
		w.waiting.drop(o)
		o.answer(err)
	}
}

// begin opens a transaction. It waits for another process's as long as operations wait here, and
// reports whether it has begun.
func (w *writer) begin(light bool) (began bool, err error) {
	err = w.store.patiently(context.Background(), func() error {
		if !w.waits() {
			return nil
		}
		err := w.beginOnce(light)
		began = err == nil
		return err
	})
	return began, w.store.explain(err)
}

func (w *writer) waits() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.waiting.first != nil
}

// close lets what waits be carried out, and closes the connection.
func (w *writer) close() error {
	w.mu.Lock()
	w.closed = true
	running := w.running
	w.mu.Unlock()
	if running != nil {
		<-running
	}
	if w.conn == nil {
		return nil
	}
	return w.conn.close()
}
