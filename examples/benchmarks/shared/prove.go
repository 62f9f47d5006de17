package shared

import (
	"context"
	"errors"
	"fmt"

	"github.com/sessionserverstore/sessionserverstore/core"
)

const proofSessions = 40

// Prove shows that a contestant, in an empty store, does the work: it finds no session that was
// never begun, keeps each of them apart from the others, keeps a change, loses nothing by a touch,
// and ends one session and no other. One that is said to be guarded must refuse what comes too
// late; of the others it is shown that they do not, so that the footnote about them is true. The
// error says what it does not.
func Prove(ctx context.Context, m Maker, at Place) error {
	c, err := m.New(ctx, at)
	if err != nil {
		return fmt.Errorf("%s: %w", m.Name, err)
	}
	f, err := newFrames(2)
	if err != nil {
		return errors.Join(err, c.Close())
	}
	p := proof{Contestant: c, frames: f, guarded: m.Guarded}
	if err := errors.Join(p.run(ctx), c.Close()); err != nil {
		return fmt.Errorf("%s: %w", m.Name, err)
	}
	return nil
}

// A proof holds a contestant to it. A session's revision is 1 and the number of its changes.
type proof struct {
	Contestant
	frames  *frames
	guarded bool
}

func (p proof) run(ctx context.Context) error {
	for _, step := range []func(context.Context) error{
		p.keeps, p.changes, p.refusesTheLate, p.touches, p.ends,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (p proof) of(n, changes int) core.Record {
	return p.frames.record(n, changes, core.Revision(1+changes))
}

// keeps begins sessions, each of which is not there before.
func (p proof) keeps(ctx context.Context) error {
	for n := range proofSessions {
		if err := p.absent(ctx, n); err != nil {
			return err
		}
		if err := p.Create(ctx, p.of(n, 0)); err != nil {
			return fmt.Errorf("create: %w", err)
		}
	}
	if err := p.absent(ctx, proofSessions); err != nil {
		return err
	}
	return p.present(ctx, 0, 0)
}

// changes replaces all sessions; the last change is what is read.
func (p proof) changes(ctx context.Context) error {
	for n := range proofSessions {
		if err := p.Change(ctx, p.of(n, 1), 1); err != nil {
			return fmt.Errorf("change: %w", err)
		}
	}
	return p.present(ctx, 0, 1)
}

// refusesTheLate comes with a change, and with a touch, to what the session was before.
func (p proof) refusesTheLate(ctx context.Context) error {
	for n := range proofSessions {
		late := p.of(n, 2)
		if err := p.refused(p.Change(ctx, late, 1), "a change that comes too late"); err != nil {
			return err
		}
	}
	if p.guarded {
		return p.present(ctx, 0, 1)
	}
	return p.present(ctx, 0, 2)
}

// refused demands of a guarded contestant that it refuses, and of the others that they do not.
func (p proof) refused(err error, what string) error {
	switch {
	case p.guarded && !errors.Is(err, errRefused):
		return fmt.Errorf("%s is not refused: %w", what, err)
	case !p.guarded && err != nil:
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

func (p proof) touches(ctx context.Context) error {
	changes := 2
	if p.guarded {
		changes = 1
	}
	for n := range proofSessions {
		rec := p.of(n, changes)
		rec.Revision = 100
		if err := p.Touch(ctx, rec, core.Revision(1+changes)); err != nil {
			return fmt.Errorf("touch: %w", err)
		}
	}
	return p.present(ctx, 0, changes)
}

// ends the first session, for good if the contestant is guarded.
func (p proof) ends(ctx context.Context) error {
	if err := p.Delete(ctx, p.of(0, 0).ID); err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	if err := p.absent(ctx, 0); err != nil {
		return err
	}
	err := p.refused(p.Change(ctx, p.of(0, 3), 100), "a change after the end")
	if err != nil {
		return err
	}
	if p.guarded {
		if err := p.absent(ctx, 0); err != nil {
			return err
		}
	}
	_, _, err = p.Load(ctx, p.of(1, 0).ID)
	return err
}

// present demands that all sessions from one on are there, with so many changes.
func (p proof) present(ctx context.Context, from, changes int) error {
	for n := from; n < proofSessions; n++ {
		data, ok, err := p.Load(ctx, p.of(n, 0).ID)
		if err != nil {
			return fmt.Errorf("load: %w", err)
		}
		if want := p.frames.data(n, changes); !ok || data != want {
			return fmt.Errorf("session %d is %q (%t), not %q", n, data, ok, want)
		}
	}
	return nil
}

func (p proof) absent(ctx context.Context, n int) error {
	_, ok, err := p.Load(ctx, p.of(n, 0).ID)
	if err != nil {
		return fmt.Errorf("load what is not there: %w", err)
	}
	if ok {
		return fmt.Errorf("session %d is there, which is not", n)
	}
	return nil
}
