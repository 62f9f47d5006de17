package sessiontest

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// errOutage is what a probe answers while it fails.
var errOutage = errors.New("the store is made to fail")

// A probe is a store that counts what is asked of it, and fails when told to.
type probe struct {
	core.Store // what is asked past the probe is not counted, and does not fail

	loads, writes         atomic.Int32
	failLoads, failWrites atomic.Bool
	updated               chan core.ID // gets the ID of each Update, as long as there is room
}

func newProbe() *probe {
	return &probe{
		Store:   core.NewMemoryStore(core.MemoryOptions{}),
		updated: make(chan core.ID, 100),
	}
}

// reset lets the counting begin anew.
func (p *probe) reset() {
	p.loads.Store(0)
	p.writes.Store(0)
}

func (p *probe) write() error {
	p.writes.Add(1)
	if p.failWrites.Load() {
		return errOutage
	}
	return nil
}

// Create implements core.Store.
func (p *probe) Create(ctx context.Context, rec core.Record) error {
	if err := p.write(); err != nil {
		return err
	}
	return p.Store.Create(ctx, rec)
}

// Load implements core.Store.
func (p *probe) Load(ctx context.Context, id core.ID) (core.Record, error) {
	p.loads.Add(1)
	if p.failLoads.Load() {
		return core.Record{}, errOutage
	}
	return p.Store.Load(ctx, id)
}

// Update implements core.Store.
func (p *probe) Update(ctx context.Context, rec core.Record, was core.Revision) error {
	if err := p.write(); err != nil {
		return err
	}
	err := p.Store.Update(ctx, rec, was)
	select {
	case p.updated <- rec.ID:
	default:
	}
	return err
}

// Delete implements core.Store.
func (p *probe) Delete(ctx context.Context, id core.ID) error {
	if err := p.write(); err != nil {
		return err
	}
	return p.Store.Delete(ctx, id)
}
