package sessiontest_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// The contracts leave some things open. These stores do them in the other way.

// impatient refuses every call whose context is over, as a driver does.
type impatient struct{ *altered }

func newImpatient() core.Store { return impatient{newAltered()} }

func (s impatient) Create(ctx context.Context, rec core.Record) error {
	return unless(ctx, func() error { return s.altered.Create(ctx, rec) })
}

func (s impatient) Load(ctx context.Context, id core.ID) (core.Record, error) {
	if ctx.Err() != nil {
		return core.Record{}, ctx.Err()
	}
	return s.altered.Load(ctx, id)
}

func (s impatient) Update(ctx context.Context, rec core.Record, was core.Revision) error {
	return unless(ctx, func() error { return s.altered.Update(ctx, rec, was) })
}

func (s impatient) Renew(ctx context.Context, rec core.Record, was core.Revision) error {
	return unless(ctx, func() error { return s.altered.Renew(ctx, rec, was) })
}

func (s impatient) Delete(ctx context.Context, id core.ID) error {
	return unless(ctx, func() error { return s.altered.Delete(ctx, id) })
}

func (s impatient) OwnerEpoch(ctx context.Context, owner string) (core.Epoch, error) {
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	return s.altered.OwnerEpoch(ctx, owner)
}

func (s impatient) AddOwned(
	ctx context.Context, owner string, e core.OwnerEntry, epoch core.Epoch, limit int,
) (int, error) {
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	return s.altered.AddOwned(ctx, owner, e, epoch, limit)
}

func (s impatient) ListOwned(ctx context.Context, owner string) ([]core.OwnerEntry, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return s.altered.ListOwned(ctx, owner)
}

func (s impatient) RemoveOwned(ctx context.Context, owner string, list ...core.OwnerEntry) error {
	return unless(ctx, func() error { return s.altered.RemoveOwned(ctx, owner, list...) })
}

func (s impatient) RaiseEpoch(
	ctx context.Context, owner string, epoch core.Epoch, until time.Time,
) (core.Epoch, []core.OwnerEntry, error) {
	if ctx.Err() != nil {
		return 0, nil, ctx.Err()
	}
	return s.altered.RaiseEpoch(ctx, owner, epoch, until)
}

func (s impatient) Mark(ctx context.Context, name string) (time.Time, error) {
	if ctx.Err() != nil {
		return time.Time{}, ctx.Err()
	}
	return s.altered.Mark(ctx, name)
}

func (s impatient) RaiseMark(ctx context.Context, name string, at time.Time) error {
	return unless(ctx, func() error { return s.altered.RaiseMark(ctx, name, at) })
}

func unless(ctx context.Context, f func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return f()
}

// unconfirmed has no copies, and says so.
func unconfirmed() core.Store {
	s := newAltered()
	s.add = func(
		ctx context.Context, owner string, e core.OwnerEntry, epoch core.Epoch, limit int,
	) (int, error) {
		n, err := s.ledger.AddOwned(ctx, owner, e, epoch, limit)
		return n, lonely(err)
	}
	s.raise = func(
		ctx context.Context, owner string, epoch core.Epoch, until time.Time,
	) (core.Epoch, []core.OwnerEntry, error) {
		before, list, err := s.ledger.RaiseEpoch(ctx, owner, epoch, until)
		return before, list, lonely(err)
	}
	s.raiseMark = func(ctx context.Context, name string, at time.Time) error {
		return lonely(s.ledger.RaiseMark(ctx, name, at))
	}
	return s
}

func lonely(err error) error {
	if err == nil {
		return core.ErrNotDurable
	}
	return err
}

// talkative tells everything late, twice, in no order, and beside it of what never was.
func talkative() core.Store {
	s := newAltered()
	told := s.told
	s.watch = func(ctx context.Context, w core.Watching) error {
		var late sync.WaitGroup
		defer late.Wait()
		return s.ledger.Watch(ctx, delaying{w, &late})
	}
	s.told = func(w core.Watching, id core.ID, renewed bool) {
		told(w, core.NewToken().ID(), !renewed)
		told(w, id, renewed)
		told(w, id, renewed)
	}
	return s
}

// delaying tells a moment later.
type delaying struct {
	core.Watching
	late *sync.WaitGroup
}

func (d delaying) Ended(id core.ID) {
	d.late.Go(func() { others(); d.Watching.Ended(id) })
}

func (d delaying) Renewed(id core.ID) {
	d.late.Go(func() { others(); d.Watching.Renewed(id) })
}

// overwhelmed gives up watching when it should tell of more than it can hold.
func overwhelmed() core.Store {
	s := newAltered()
	var count atomic.Int32
	flood := make(chan struct{})
	told := s.told
	s.told = func(w core.Watching, id core.ID, renewed bool) {
		switch n := count.Add(1); {
		case n < 30:
			told(w, id, renewed)
		case n == 30:
			close(flood)
		}
	}
	s.watch = func(ctx context.Context, w core.Watching) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		failed := make(chan error, 1)
		go func() { failed <- s.ledger.Watch(ctx, w) }()
		select {
		case err := <-failed:
			return err
		case <-flood:
			cancel()
			<-failed
			return errors.New("too much to tell")
		}
	}
	return s
}
