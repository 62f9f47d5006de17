package storesuite

import (
	"context"
	"errors"
	"sync"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// errRaceStore is what the Manager sees where an answer is lost, and where a call is refused: it
// cannot tell one from the other.
var errRaceStore = errors.New("connection reset by peer")

// A raceCall is one call of a Manager to its store.
type raceCall struct {
	ctx  context.Context
	verb string // load, create, update, touch, confirm or delete
	id   core.ID
	rec  core.Record   // of a write that brings one
	was  core.Revision // of an update or a touch
}

// A raceStore is a store on whose calls a test can lay its hand: on decides when, and whether, a
// call is done, and what is answered. It is no Sweeper, so that what is dead stays to be seen.
type raceStore struct {
	kept core.Store                                 // what is beneath, past the hand
	on   func(call raceCall, do func() error) error // nil lets every call through

	// onOwner is on for the calls about owners: epoch, add, list, remove and raise.
	onOwner func(call ownerCall, do func() error) error
	// deaf says that nobody can watch.
	deaf bool

	mu      sync.Mutex
	written map[core.ID]bool   // the IDs of all that was ever to be written
	seen    map[core.ID]string // the Data that was last loaded, where a store can only update
}

func newRaceStore(kept core.Store) *raceStore {
	s := &raceStore{kept: kept, written: map[core.ID]bool{}}
	if _, touches := kept.(core.Toucher); !touches {
		s.seen = map[core.ID]string{}
	}
	return s
}

// call lets the hand on a call.
func (s *raceStore) call(call raceCall, do func() error) error {
	if call.verb != "load" {
		s.mu.Lock()
		s.written[call.id] = true
		s.mu.Unlock()
	}
	if s.on == nil {
		return do()
	}
	return s.on(call, do)
}

// see and verb find out what an update is for. One that writes once more what is there confirms it,
// by Renew as by Update. One that brings the Data that was loaded is the touch of a store that can
// only update. Any other is an update, by Renew as by Update.
func (s *raceStore) verb(rec core.Record, was core.Revision) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if rec.Revision == was {
		return "confirm"
	}
	if data, ok := s.seen[rec.ID]; ok && data == rec.Data {
		return "touch"
	}
	return "update"
}

func (s *raceStore) see(rec core.Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen != nil {
		s.seen[rec.ID] = rec.Data
	}
}

// handle is a node's handle on the store, with what the node's own store can do.
func (s *raceStore) handle(kept core.Store) core.Store {
	return able(&raceHandle{hand: s, kept: kept}, kept)
}

// A raceHandle is a node's handle on a raceStore.
type raceHandle struct {
	hand *raceStore
	kept core.Store
}

// Load implements core.Store.
func (h *raceHandle) Load(ctx context.Context, id core.ID) (core.Record, error) {
	var rec core.Record
	err := h.hand.call(raceCall{ctx: ctx, verb: "load", id: id}, func() (err error) {
		rec, err = h.kept.Load(ctx, id)
		return err
	})
	if err != nil {
		return core.Record{}, err
	}
	h.hand.see(rec)
	return rec, nil
}

// Create implements core.Store.
func (h *raceHandle) Create(ctx context.Context, rec core.Record) error {
	call := raceCall{ctx: ctx, verb: "create", id: rec.ID, rec: rec}
	return h.hand.call(call, func() error { return h.kept.Create(ctx, rec) })
}

// Update implements core.Store.
func (h *raceHandle) Update(ctx context.Context, rec core.Record, was core.Revision) error {
	call := raceCall{ctx: ctx, verb: h.hand.verb(rec, was), id: rec.ID, rec: rec, was: was}
	return h.hand.call(call, func() error { return h.kept.Update(ctx, rec, was) })
}

// Renew implements core.Renewer.
func (h *raceHandle) Renew(ctx context.Context, rec core.Record, was core.Revision) error {
	renewer := h.kept.(core.Renewer)
	call := raceCall{ctx: ctx, verb: h.hand.verb(rec, was), id: rec.ID, rec: rec, was: was}
	return h.hand.call(call, func() error { return renewer.Renew(ctx, rec, was) })
}

// Touch implements core.Toucher.
func (h *raceHandle) Touch(ctx context.Context, rec core.Record, was core.Revision) error {
	toucher := h.kept.(core.Toucher)
	call := raceCall{ctx: ctx, verb: "touch", id: rec.ID, rec: rec, was: was}
	return h.hand.call(call, func() error { return toucher.Touch(ctx, rec, was) })
}

// Delete implements core.Store.
func (h *raceHandle) Delete(ctx context.Context, id core.ID) error {
	call := raceCall{ctx: ctx, verb: "delete", id: id}
	return h.hand.call(call, func() error { return h.kept.Delete(ctx, id) })
}
