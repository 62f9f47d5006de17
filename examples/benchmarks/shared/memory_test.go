package shared_test

import (
	"context"
	"errors"
	"sync"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/shared"
)

// errHonest is what an honest contestant refuses with, as seen from outside.
var errHonest = shared.ErrRefused

// honest is a contestant that needs no server.
type honest struct {
	guarded bool
	mu      sync.Mutex
	records map[core.ID]core.Record
}

func honestMaker(guarded bool, wrap func(shared.Contestant) shared.Contestant) shared.Maker {
	return shared.Maker{
		Name: "honest", Guarded: guarded,
		New: func(context.Context, shared.Place) (shared.Contestant, error) {
			return wrap(&honest{guarded: guarded, records: make(map[core.ID]core.Record)}), nil
		},
	}
}

func unchanged(c shared.Contestant) shared.Contestant { return c }

func (h *honest) Create(_ context.Context, rec core.Record) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.records[rec.ID] = rec
	return nil
}

func (h *honest) Load(_ context.Context, id core.ID) (string, bool, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	rec, ok := h.records[id]
	return rec.Data, ok, nil
}

func (h *honest) Change(_ context.Context, rec core.Record, was core.Revision) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.guarded && h.records[rec.ID].Revision != was {
		return errHonest
	}
	h.records[rec.ID] = rec
	return nil
}

func (h *honest) Touch(ctx context.Context, rec core.Record, was core.Revision) error {
	return h.Change(ctx, rec, was)
}

func (h *honest) Delete(_ context.Context, id core.ID) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.records, id)
	return nil
}

func (h *honest) Close() error { return nil }

// The cheats.

type forgetful struct{ shared.Contestant }

func (forgetful) Create(context.Context, core.Record) error { return nil }

type agreeable struct{ shared.Contestant }

func (a agreeable) Load(ctx context.Context, id core.ID) (string, bool, error) {
	data, _, err := a.Contestant.Load(ctx, id)
	return data, true, err
}

// confused keeps one session for all.
type confused struct{ shared.Contestant }

func (c confused) Create(ctx context.Context, rec core.Record) error {
	first := rec
	first.ID = "same"
	return errors.Join(c.Contestant.Create(ctx, rec), c.Contestant.Create(ctx, first))
}

func (c confused) Load(ctx context.Context, id core.ID) (string, bool, error) {
	_, ok, err := c.Contestant.Load(ctx, id)
	if !ok {
		return "", ok, err
	}
	return c.Contestant.Load(ctx, "same")
}

type lazy struct{ shared.Contestant }

func (lazy) Change(context.Context, core.Record, core.Revision) error { return nil }

// careless loses the values in a touch.
type careless struct{ shared.Contestant }

func (c careless) Touch(ctx context.Context, rec core.Record, was core.Revision) error {
	rec.Data = ""
	return c.Contestant.Touch(ctx, rec, was)
}

type immortal struct{ shared.Contestant }

func (immortal) Delete(context.Context, core.ID) error { return nil }

// late tells of no refusal.
type late struct{ shared.Contestant }

func (l late) Change(ctx context.Context, rec core.Record, was core.Revision) error {
	if err := l.Contestant.Change(ctx, rec, was); err != nil && !errors.Is(err, errHonest) {
		return err
	}
	return nil
}
