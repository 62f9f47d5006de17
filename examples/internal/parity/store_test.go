package parity

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// A store is a MemoryStore that counts, remembers and fails as it is told.
type store struct {
	*core.MemoryStore
	loads  atomic.Int64 // calls of Load
	writes atomic.Int64 // calls of all others
	late   atomic.Int64 // calls whose context was over already

	mu     sync.Mutex
	before func(c call) error // an error is the answer, and nothing is done
	after  func(c call) error // an error is the answer, though all was done
	ids    []core.ID          // what it was called with, kept as a store's map would
}

// A call is one use of the store.
type call struct {
	ctx context.Context
	op  string // "create", "load", "update", "touch", "delete"
	id  core.ID
}

var errDown = errors.New("the store is down")

func newStore() *store { return &store{MemoryStore: core.NewMemoryStore(core.MemoryOptions{})} }

// interrupt runs f before every call; nil is no longer.
func (s *store) interrupt(f func(c call) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before = f
}

// loseReply runs f after every call; nil is no longer.
func (s *store) loseReply(f func(c call) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.after = f
}

// failing refuses the named operations, all if none is named.
func failing(ops ...string) func(call) error {
	return func(c call) error {
		if len(ops) == 0 {
			return errDown
		}
		for _, op := range ops {
			if op == c.op {
				return errDown
			}
		}
		return nil
	}
}

// failingWrites refuses everything but loads.
func failingWrites() func(call) error { return failing("create", "update", "touch", "delete") }

func (s *store) around(c call, do func() error) error {
	if c.ctx.Err() != nil {
		s.late.Add(1)
	}
	if c.op == "load" {
		s.loads.Add(1)
	} else {
		s.writes.Add(1)
	}
	s.mu.Lock()
	s.ids = append(s.ids, c.id)
	before, after := s.before, s.after
	s.mu.Unlock()
	if before != nil {
		if err := before(c); err != nil {
			return err
		}
	}
	err := do()
	if after != nil && err == nil {
		return after(c)
	}
	return err
}

func (s *store) Create(ctx context.Context, rec core.Record) error {
	return s.around(call{ctx, "create", rec.ID}, func() error {
		return s.MemoryStore.Create(ctx, rec)
	})
}

func (s *store) Load(ctx context.Context, id core.ID) (rec core.Record, err error) {
	err = s.around(call{ctx, "load", id}, func() error {
		rec, err = s.MemoryStore.Load(ctx, id)
		return err
	})
	return rec, err
}

func (s *store) Update(ctx context.Context, rec core.Record, was core.Revision) error {
	return s.around(call{ctx, "update", rec.ID}, func() error {
		return s.MemoryStore.Update(ctx, rec, was)
	})
}

func (s *store) Touch(ctx context.Context, rec core.Record, was core.Revision) error {
	return s.around(call{ctx, "touch", rec.ID}, func() error {
		return s.MemoryStore.Touch(ctx, rec, was)
	})
}

func (s *store) Delete(ctx context.Context, id core.ID) error {
	return s.around(call{ctx, "delete", id}, func() error {
		return s.MemoryStore.Delete(ctx, id)
	})
}

// age makes a record's last use look older, behind everybody's back.
func (s *store) age(t testing.TB, id core.ID, by time.Duration) {
	t.Helper()
	rec, err := s.MemoryStore.Load(t.Context(), id)
	require.NoError(t, err)
	was := rec.Revision
	rec.Used, rec.Revision = rec.Used.Add(-by), was+1
	require.NoError(t, s.MemoryStore.Update(t.Context(), rec, was))
}

// given lists the IDs that the store was called with, as they read now.
func (s *store) given() []core.ID {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]core.ID(nil), s.ids...)
}
