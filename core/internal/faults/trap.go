package faults

import (
	"context"
	"sync"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// A TrapStore calls a function just before a write is sent, so that a fault happens at the worst
// moment: after a request has loaded its session, and before what it wants reaches the server.
// Touches do not spring it.
type TrapStore struct {
	forward

	mu     sync.Mutex
	spring func()
}

// Trap makes a TrapStore of a store. It does nothing until it is armed.
func Trap(store core.Store) *TrapStore { return &TrapStore{forward: forward{store}} }

// Arm has the next write, and no further one, call spring first. Writes that come meanwhile wait
// until it has returned.
func (s *TrapStore) Arm(spring func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.spring = spring
}

// Armed reports whether no write has come since Arm.
func (s *TrapStore) Armed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.spring != nil
}

func (s *TrapStore) step() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if spring := s.spring; spring != nil {
		s.spring = nil
		spring()
	}
}

// Create implements core.Store.
func (s *TrapStore) Create(ctx context.Context, rec core.Record) error {
	s.step()
	return s.inner.Create(ctx, rec)
}

// Load implements core.Store.
func (s *TrapStore) Load(ctx context.Context, id core.ID) (core.Record, error) {
	return s.inner.Load(ctx, id)
}

// Update implements core.Store.
func (s *TrapStore) Update(ctx context.Context, rec core.Record, was core.Revision) error {
	s.step()
	return s.inner.Update(ctx, rec, was)
}

// Delete implements core.Store.
func (s *TrapStore) Delete(ctx context.Context, id core.ID) error {
	s.step()
	return s.inner.Delete(ctx, id)
}

// Renew implements core.Renewer.
func (s *TrapStore) Renew(ctx context.Context, rec core.Record, was core.Revision) error {
	s.step()
	return renew(ctx, s.inner, rec, was)
}

// Touch implements core.Toucher.
func (s *TrapStore) Touch(ctx context.Context, rec core.Record, was core.Revision) error {
	return touch(ctx, s.inner, rec, was)
}
