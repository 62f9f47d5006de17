package shared

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// errLost means that a session was not there, or not as it was left.
var errLost = errors.New("shared: a session is lost")

// A field is a contestant with sessions in it.
type field struct {
	Contestant
	frames   *frames
	sessions []session
	spare    []int // sessions beyond these that were begun, to be ended
	next     int   // the number of the next session
}

// A session is what its client would know of it, and the Manager that has loaded it.
type session struct {
	id       core.ID
	revision core.Revision
	changes  int
}

// fill begins so many sessions, by so many goroutines.
func (f *field) fill(ctx context.Context, sessions, goroutines int) error {
	f.sessions, f.next = make([]session, sessions), sessions
	return share(goroutines, func(g int) error {
		for n := g; n < sessions; n += goroutines {
			rec := f.frames.record(n, 0, core.Revision(rand.Uint64()))
			if err := f.Create(ctx, rec); err != nil {
				return fmt.Errorf("create: %w", err)
			}
			f.sessions[n] = session{id: rec.ID, revision: rec.Revision}
		}
		return nil
	})
}

// share runs work on so many goroutines and waits for all of them.
func share(goroutines int, work func(g int) error) error {
	errs := make([]error, goroutines)
	var group sync.WaitGroup
	for g := range goroutines {
		group.Go(func() { errs[g] = work(g) })
	}
	group.Wait()
	return errors.Join(errs...)
}

// limit is what core gives a store's call by default, give or take.
const limit = 5 * time.Second

// do does one operation and looks at what came of it. It has a context as a request has, which may
// end.
func (f *field) do(ctx context.Context, operation Operation, n int) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	switch operation {
	case Load:
		data, ok, err := f.Load(ctx, f.sessions[n].id)
		if err == nil && (!ok || !f.frames.holds(data, n)) {
			return errLost
		}
		return err
	case Change:
		return f.write(ctx, n, 1, f.Change)
	case Touch:
		return f.write(ctx, n, 0, f.Touch)
	case Create:
		return f.Create(ctx, f.frames.record(n, 0, 1))
	default:
		return f.Delete(ctx, f.frames.id(n))
	}
}

// write changes or touches session n.
func (f *field) write(
	ctx context.Context, n, changes int,
	how func(context.Context, core.Record, core.Revision) error,
) error {
	s := &f.sessions[n]
	rec := f.frames.record(n, s.changes+changes, core.Revision(rand.Uint64()))
	if err := how(ctx, rec, s.revision); err != nil {
		return err
	}
	s.revision, s.changes = rec.Revision, s.changes+changes
	return nil
}
