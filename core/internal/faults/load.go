package faults

import (
	"cmp"
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// A Load is clients that use sessions at random, as the run's seed says. The zero Load is right for
// most faults.
type Load struct {
	Workers int           // at once; zero means 4
	Steps   int           // of each worker; zero means until it is stopped
	Pause   time.Duration // of each worker between two steps; zero means a millisecond
	// Mix is what is done: each step takes one at random, so that a kind that is there twice is
	// done twice as often. nil means DefaultMix.
	Mix []Kind
	// Nodes are where it works. nil means those of the run, also when they are replaced.
	Nodes []Node
	// From and To bound the sessions that are used. To zero means the newest, those included that
	// the load begins itself: most of the older ones have ended.
	From, To int
	// Hangups makes clients go away during a third of the steps, within this time. Zero means never.
	Hangups time.Duration
}

// newest is how many sessions a load without bounds uses.
const newest = 50

// DefaultMix is what a Load does if nothing else is said.
func DefaultMix() []Kind {
	return []Kind{
		Create, Create, Save, Save, Save, Save, Read, Read, Read, Read, Renew, Destroy, Revoke,
	}
}

// OwnersMix is a mix of sign-ins, and of ends of all sessions of an owner.
func OwnersMix() []Kind {
	return []Kind{
		Create, SignIn, SignIn, SignIn, Ask, Read, Read, Save, Renew, RevokeOwner,
	}
}

// Keep is a mix that ends no session, for invariants W and V.
func Keep() []Kind { return []Kind{Save, Save, Save, Read, Read, Renew} }

// Go lets a load work until stop is called, which waits for the last step of each worker. A load of
// a number of steps ends by itself. There is a bound to the operations of a run; beyond it a load
// does nothing.
func (r *Run) Go(l Load) (stop func()) {
	l.Workers = cmp.Or(l.Workers, 4)
	l.Pause = cmp.Or(l.Pause, time.Millisecond)
	if l.Mix == nil {
		l.Mix = DefaultMix()
	}
	r.mu.Lock()
	r.loads++
	load := r.loads
	r.mu.Unlock()
	ctx, cancel := context.WithCancel(r.ctx)
	var workers sync.WaitGroup
	for i := range l.Workers {
		workers.Go(func() {
			rng := rand.New(rand.NewPCG(r.seed, uint64(load)<<32|uint64(i)))
			for step := 0; l.Steps == 0 || step < l.Steps; step++ {
				if !r.random(rng, l) || !pause(ctx, l.Pause) {
					return
				}
			}
		})
	}
	if l.Steps > 0 {
		return func() { workers.Wait(); cancel() }
	}
	return func() { cancel(); workers.Wait() }
}

// Work runs a load of a number of steps to its end.
func (r *Run) Work(l Load) {
	l.Steps = cmp.Or(l.Steps, 50)
	r.Go(l)()
}

// pause reports false if the context was cancelled before it was over.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// random does one step of a load. It reports false if there can be no further one.
func (r *Run) random(rng *rand.Rand, l Load) bool {
	kind := l.Mix[rng.IntN(len(l.Mix))]
	nodes, which, old := l.Nodes, rng.Uint64(), rng.IntN(5) == 0
	if nodes == nil {
		nodes = r.Nodes()
	}
	n := nodes[rng.IntN(1<<16)%len(nodes)]
	ctx := r.ctx
	if l.Hangups > 0 && rng.IntN(3) == 0 {
		hung, hangUp := context.WithCancel(ctx)
		defer hangUp()
		timer := time.AfterFunc(time.Duration(rng.Int64N(int64(l.Hangups))), hangUp)
		defer timer.Stop()
		ctx = hung
	}
	from, to := l.From, l.To
	if to == 0 {
		to = r.Sessions()
		from = max(from, to-newest)
	}
	if r.recorder.Len() >= maxOperations {
		return false
	}
	if kind == Create || to <= from {
		r.step(ctx, Create, n, nil, ByID)
		return true
	}
	c, token := r.client(from+int(which%uint64(to-from))), ByID
	if _, tokens := c.known(); kind == Read && old && tokens > 0 {
		token = int(which>>32) % tokens // perhaps one that was replaced
	}
	if _, tokens := c.known(); tokens > 0 {
		r.step(ctx, kind, n, c, token)
	}
	return true
}
