package growth

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/child"
)

// ChildArg is the first argument of a process that must call Child.
const ChildArg = "growth-child"

// A task is what a child is asked for: to make a contestant, or to work for a while.
type task struct {
	Build *build `json:"build,omitempty"`
	Slice *slice `json:"slice,omitempty"`
}

type build struct {
	Contestant string `json:"contestant"`
	Sessions   int    `json:"sessions"`
}

// A slice is a number of operations, shared out among goroutines. Seed draws the sessions.
type slice struct {
	Operation  Operation `json:"operation"`
	Goroutines int       `json:"goroutines"`
	Operations int       `json:"operations"`
	Seed       uint64    `json:"seed"`
}

// done tells what time one operation of a slice took.
type done struct {
	PerOperation float64 `json:"per_operation_ns"`
}

// Child holds one contestant for a parent at the other end of in and out, and works when it is
// told.
func Child(in io.Reader, out io.Writer) error {
	var w worker
	return child.Serve(in, out, func(t task) (done, error) {
		switch {
		case t.Build != nil:
			return done{}, w.build(*t.Build)
		case t.Slice != nil:
			return w.work(*t.Slice)
		}
		return done{}, errors.New("nothing to do")
	})
}

// A worker holds one contestant.
type worker struct {
	subject  subject
	sessions int
}

func (w *worker) build(b build) error {
	s, err := newSubject(b.Contestant, b.Sessions)
	if err != nil {
		return fmt.Errorf("build %s: %w", b.Contestant, err)
	}
	w.subject, w.sessions = s, b.Sessions
	return nil
}

// work does the operations of a slice. Which sessions they meet is drawn, and their keys are made,
// before the clock starts; each operation meets another session, anywhere among all.
func (w *worker) work(s slice) (done, error) {
	if w.subject == nil {
		return done{}, errors.New("nothing was built")
	}
	random := rand.New(rand.NewPCG(s.Seed, uint64(s.Goroutines)))
	each := max(s.Operations/s.Goroutines, 1)
	keys := make([]string, each*s.Goroutines)
	for i := range keys {
		keys[i] = w.subject.key(random.IntN(w.sessions))
	}
	errs := make([]error, s.Goroutines)
	start := make(chan struct{})
	var group sync.WaitGroup
	for g := range s.Goroutines {
		h, mine := w.subject.hand(), keys[g*each:(g+1)*each]
		group.Go(func() {
			<-start
			errs[g] = workOff(h, s.Operation, mine)
		})
	}
	began := time.Now()
	close(start)
	group.Wait()
	took := time.Since(began)
	return done{PerOperation: float64(took) / float64(len(keys))}, errors.Join(errs...)
}

func workOff(h hand, operation Operation, keys []string) error {
	for _, key := range keys {
		if err := h.do(operation, key); err != nil {
			return err
		}
	}
	return nil
}
