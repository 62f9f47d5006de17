package core

import (
	"context"
	"fmt"
	"hash/maphash"
	"io"
	"strings"
	"sync"
	"time"
)

// MemoryOptions are the settings of a MemoryStore; there are none yet.
type MemoryOptions struct{}

const memoryShards = 64

// A MemoryStore keeps records in the memory of this process: they end with it, and no other process
// sees them. It is safe for concurrent use. A Manager sweeps it, also while no request comes in.
// Make one with NewMemoryStore.
type MemoryStore struct {
	seed   maphash.Seed
	shards [memoryShards]memoryShard
}

// A memoryShard holds the records of one part of the IDs, so that writers seldom wait for others.
type memoryShard struct {
	mu      sync.RWMutex
	records map[ID]Record
	peak    int // the most records since the map was made, which is what its memory follows
}

var (
	_ Store   = (*MemoryStore)(nil)
	_ Sweeper = (*MemoryStore)(nil)
	_ Toucher = (*MemoryStore)(nil)
)

// NewMemoryStore makes an empty store. It starts no goroutine.
func NewMemoryStore(MemoryOptions) *MemoryStore {
	m := &MemoryStore{seed: maphash.MakeSeed()}
	for i := range m.shards {
		m.shards[i].records = make(map[ID]Record)
	}
	return m
}

// Format writes a fixed text, whatever the verb: what a store holds is not for a log.
func (m *MemoryStore) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "[session memory store]")
}

func (m *MemoryStore) shard(id ID) *memoryShard {
	return &m.shards[maphash.String(m.seed, string(id))%memoryShards]
}

// Create implements Store.
func (m *MemoryStore) Create(_ context.Context, rec Record) error {
	sh := m.shard(rec.ID)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if _, ok := sh.records[rec.ID]; ok {
		return ErrExists
	}
	rec.ID = ID(strings.Clone(string(rec.ID))) // the key must not hold on to a longer string
	sh.records[rec.ID] = rec
	sh.peak = max(sh.peak, len(sh.records))
	return nil
}

// Load implements Store.
func (m *MemoryStore) Load(_ context.Context, id ID) (Record, error) {
	sh := m.shard(id)
	sh.mu.RLock()
	rec, ok := sh.records[id]
	sh.mu.RUnlock()
	if !ok {
		return Record{}, ErrNotFound
	}
	return rec, nil
}

// Update implements Store.
func (m *MemoryStore) Update(_ context.Context, rec Record, was Revision) error {
	return m.replace(rec.ID, was, func(old Record) Record {
		rec.ID = old.ID
		return rec
	})
}

// Touch implements Toucher.
func (m *MemoryStore) Touch(_ context.Context, rec Record, was Revision) error {
	return m.replace(rec.ID, was, func(old Record) Record {
		old.Revision, old.Used, old.Expires = rec.Revision, rec.Used, rec.Expires
		return old
	})
}

func (m *MemoryStore) replace(id ID, was Revision, f func(Record) Record) error {
	sh := m.shard(id)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	old, ok := sh.records[id]
	if !ok {
		return ErrNotFound
	}
	if old.Revision != was {
		return ErrConflict
	}
	sh.records[old.ID] = f(old)
	return nil
}

// Delete implements Store.
func (m *MemoryStore) Delete(_ context.Context, id ID) error {
	sh := m.shard(id)
	sh.mu.Lock()
	delete(sh.records, id)
	sh.mu.Unlock()
	return nil
}

// DeleteExpired implements Sweeper, one shard at a time. It removes all there is in one call.
func (m *MemoryStore) DeleteExpired(ctx context.Context, now time.Time) (int, error) {
	deleted := 0
	for i := range m.shards {
		if err := ctx.Err(); err != nil {
			return deleted, err
		}
		deleted += m.shards[i].deleteExpired(now)
	}
	return deleted, nil
}

func (sh *memoryShard) deleteExpired(now time.Time) int {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	before := len(sh.records)
	for id, rec := range sh.records {
		if !rec.Expires.IsZero() && !rec.Expires.After(now) {
			delete(sh.records, id)
		}
	}
	sh.shrink()
	return before - len(sh.records)
}

// shrink gives memory back: a map never does so by itself.
func (sh *memoryShard) shrink() {
	if sh.peak < 64 || len(sh.records) > sh.peak/4 {
		return
	}
	smaller := make(map[ID]Record, len(sh.records))
	for id, rec := range sh.records {
		smaller[id] = rec
	}
	sh.records, sh.peak = smaller, len(smaller)
}

// Len counts the records, expired ones that were not yet swept among them.
func (m *MemoryStore) Len() int {
	n := 0
	for i := range m.shards {
		sh := &m.shards[i]
		sh.mu.RLock()
		n += len(sh.records)
		sh.mu.RUnlock()
	}
	return n
}
