package faults

import (
	"slices"
	"sync"
	"time"
)

// A Recorder keeps the History of a run. It is safe for concurrent use.
type Recorder struct {
	mu    sync.Mutex
	began time.Time
	clock int
	list  History
}

// NewRecorder begins a history.
func NewRecorder() *Recorder { return &Recorder{began: time.Now()} }

// Invoke notes that an operation begins. It must be called before anything is sent.
func (r *Recorder) Invoke(o Operation) (number int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.clock++
	o.Invoked, o.At = r.clock, time.Since(r.began)
	r.list = append(r.list, o)
	return len(r.list) - 1
}

// Moment returns a moment of its own.
func (r *Recorder) Moment() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.clock++
	return r.clock
}

// Mark notes what an operation that has begun is going to write, lest it is never completed.
func (r *Recorder) Mark(number int, mark string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list[number].Mark = mark
}

// Complete notes what became of an operation, after the answer is there. An operation that is never
// completed stays unknown.
func (r *Recorder) Complete(number int, o Operation) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.clock++
	begun := r.list[number]
	o.Invoked, o.At, o.Completed = begun.Invoked, begun.At, r.clock
	o.Took = time.Since(r.began) - o.At
	slices.Sort(o.Marks)
	r.list[number] = o
}

// Len returns how many operations were invoked.
func (r *Recorder) Len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.list)
}

// History returns what was done so far.
func (r *Recorder) History() History {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.list)
}
