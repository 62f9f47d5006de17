package faults_test

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/sessionserverstore/sessionserverstore/core"
)

var errNoAnswer = errors.New("no answer")

// A badStore is right as long as nothing is switched on.
type badStore struct {
	mu        sync.Mutex
	records   map[core.ID]core.Record
	was       map[core.ID]core.Record // what crash goes back to
	owners    map[string]account
	wereOwned map[string]account
	anyEpoch  bool          // an AddOwned adds in any
	careless  bool          // an Update replaces whatever is there
	slow      time.Duration // a Load takes so long
	flaky     *rand.Rand    // a third of the writes lose their answer, or themselves
	few       bool          // no Delete is confirmed
	away      bool
	confirmed int // Deletes
}

func newBadStore() *badStore {
	return &badStore{records: map[core.ID]core.Record{}, owners: map[string]account{}}
}

// set switches something on or off.
func (s *badStore) set(change func(s *badStore)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s)
}

// snapshot keeps what is there; crash goes back to it.
func (s *badStore) snapshot() {
	s.set(func(s *badStore) { s.was, s.wereOwned = maps.Clone(s.records), maps.Clone(s.owners) })
}

func (s *badStore) crash() {
	s.set(func(s *badStore) { s.records, s.owners = maps.Clone(s.was), maps.Clone(s.wereOwned) })
}

// write does one write, badly if so told.
func (s *badStore) write(do func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away {
		return errNoAnswer
	}
	if s.flaky == nil || s.flaky.IntN(3) > 0 {
		return do()
	}
	if s.flaky.IntN(2) == 0 {
		_ = do()
	}
	return errNoAnswer
}

func (s *badStore) Create(_ context.Context, rec core.Record) error {
	return s.write(func() error {
		if _, there := s.records[rec.ID]; there {
			return core.ErrExists
		}
		s.records[rec.ID] = rec
		return nil
	})
}

func (s *badStore) Load(_ context.Context, id core.ID) (core.Record, error) {
	s.mu.Lock()
	slow := s.slow
	rec, there := s.records[id]
	away := s.away
	s.mu.Unlock()
	if slow > 0 {
		<-time.After(slow)
	}
	if away {
		return core.Record{}, errNoAnswer
	}
	if !there {
		return core.Record{}, core.ErrNotFound
	}
	return rec, nil
}

func (s *badStore) Update(_ context.Context, rec core.Record, was core.Revision) error {
	return s.write(func() error {
		old, there := s.records[rec.ID]
		switch {
		case !there:
			return core.ErrNotFound
		case old.Revision != was && !s.careless:
			return core.ErrConflict
		}
		s.records[rec.ID] = rec
		return nil
	})
}

func (s *badStore) Delete(ctx context.Context, id core.ID) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return s.write(func() error {
		delete(s.records, id)
		if s.few {
			return core.ErrNotDurable
		}
		s.confirmed++
		return nil
	})
}
