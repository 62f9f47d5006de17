package core_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// errRaceStore is what the Manager sees where an answer is lost, and where a call is refused: it
// cannot tell one from the other.
var errRaceStore = errors.New("connection reset by peer")

// A raceCall is one call of the Manager to its store.
type raceCall struct {
	ctx  context.Context
	verb string // load, create, update, touch or delete
	id   core.ID
}

// A raceStore is a MemoryStore on whose calls a test can lay its hand: on decides when, and
// whether, a call is done, and what is answered. It is no Sweeper, so that what is dead stays to be
// seen.
type raceStore struct {
	kept *core.MemoryStore
	on   func(call raceCall, do func() error) error // nil lets every call through
}

func newRaceStore() *raceStore {
	return &raceStore{kept: core.NewMemoryStore(core.MemoryOptions{})}
}

func (s *raceStore) call(ctx context.Context, verb string, id core.ID, do func() error) error {
	if s.on == nil {
		return do()
	}
	return s.on(raceCall{ctx: ctx, verb: verb, id: id}, do)
}

func (s *raceStore) Load(ctx context.Context, id core.ID) (core.Record, error) {
	var rec core.Record
	err := s.call(ctx, "load", id, func() (err error) {
		rec, err = s.kept.Load(ctx, id)
		return err
	})
	if err != nil {
		return core.Record{}, err
	}
	return rec, nil
}

func (s *raceStore) Create(ctx context.Context, rec core.Record) error {
	return s.call(ctx, "create", rec.ID, func() error { return s.kept.Create(ctx, rec) })
}

func (s *raceStore) Update(ctx context.Context, rec core.Record, was core.Revision) error {
	return s.call(ctx, "update", rec.ID, func() error { return s.kept.Update(ctx, rec, was) })
}

func (s *raceStore) Touch(ctx context.Context, rec core.Record, was core.Revision) error {
	return s.call(ctx, "touch", rec.ID, func() error { return s.kept.Touch(ctx, rec, was) })
}

func (s *raceStore) Delete(ctx context.Context, id core.ID) error {
	return s.call(ctx, "delete", id, func() error { return s.kept.Delete(ctx, id) })
}

// A raceReply is what becomes of the first calls of one verb, and of the answers to them.
type raceReply string

const (
	raceArrives      raceReply = "arrives"
	raceLost         raceReply = "is lost"       // done, but the answer is lost
	raceLostTwice    raceReply = "is lost twice" // so it goes the second time, too
	raceRefused      raceReply = "is refused"    // not done
	raceRefusedTwice raceReply = "is refused twice"
	raceUnconfirmed  raceReply = "is unconfirmed" // done, but not by as many copies as asked for
)

// at is the reply to the call of that number, counted from 0.
func (r raceReply) at(number int) raceReply {
	switch {
	case number == 0 && r == raceLostTwice, number == 1 && r == raceLostTwice:
		return raceLost
	case number == 0 && r == raceRefusedTwice, number == 1 && r == raceRefusedTwice:
		return raceRefused
	case number == 0:
		return r
	}
	return raceArrives
}

// answer does what the reply to the call of that number wants, and answers so.
func (r raceReply) answer(number int, do func() error) error {
	switch r.at(number) {
	case raceLost:
		_ = do()
		return errRaceStore
	case raceRefused:
		return errRaceStore
	case raceUnconfirmed:
		if err := do(); err != nil {
			return err
		}
		return fmt.Errorf("one copy of three: %w", core.ErrNotDurable)
	}
	return do()
}
