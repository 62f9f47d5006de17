package core

import (
	"context"
	"fmt"
	"hash/maphash"
	"io"
	"sync/atomic"
	"time"
)

// MemoryOptions are the settings of a MemoryStore. The zero value sets no limit.
//
// A full store first drops what has expired by the clock of this machine, and then answers Create
// with ErrStoreFull; the Manager makes a 503 of that. It never drops a living session to make room.
// An Update that makes a record take more memory than there is left is refused likewise, and the
// old record stays; one that does not, a Touch and a Delete are never refused. The limits are kept
// exactly, however many requests come at once.
type MemoryOptions struct {
	// MaxSessions is how many records the store may hold. Zero means any number. Less than zero
	// means none, so that a slip in working it out shows at once and does not lift the limit.
	MaxSessions int

	// MaxBytes is how much memory the records may take, as MemoryStore.Bytes counts it. Zero means
	// any amount; less than zero none.
	MaxBytes int64
}

const memoryShards = 256

// A MemoryStore keeps records in the memory of this process: they end with it, and no other process
// sees them. It is safe for concurrent use, and made for millions of sessions: the records up to
// some 480 bytes of ID, Owner and Data lie closely packed in memory that the garbage collector need
// not look at, and what has expired is given back. A Manager sweeps it, also while no request comes
// in. Make one with NewMemoryStore.
//
// It copies what it keeps of a Record, but for the Data of a larger one, which it holds on to and
// returns as it is. Times are cut to whole milliseconds.
type MemoryStore struct {
	seed   maphash.Seed
	shards [memoryShards]memoryShard
	room   memoryRoom
	due    [memoryShards]atomic.Int64 // of each shard, side by side for who looks at all of them
}

var (
	_ Store   = (*MemoryStore)(nil)
	_ Sweeper = (*MemoryStore)(nil)
	_ Toucher = (*MemoryStore)(nil)
)

// NewMemoryStore makes an empty store. It starts no goroutine.
func NewMemoryStore(options MemoryOptions) *MemoryStore {
	m := &MemoryStore{seed: maphash.MakeSeed()}
	m.room.maxSessions = limit(int64(options.MaxSessions))
	m.room.maxBytes = limit(options.MaxBytes)
	for i := range m.shards {
		sh := &m.shards[i]
		sh.seed, sh.room, sh.due = m.seed, &m.room, &m.due[i]
		sh.due.Store(never)
	}
	return m
}

// Format writes a fixed text, whatever the verb: what a store holds is not for a log.
func (m *MemoryStore) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "[session memory store]")
}

// locate returns the number of the shard that an ID belongs to, and the part of the ID's hash that
// says where in it.
func (m *MemoryStore) locate(id ID) (shard int, hash uint32) {
	sum := maphash.String(m.seed, string(id))
	return int(sum >> 32 % memoryShards), uint32(sum)
}

// Create implements Store. It answers ErrStoreFull if there is no room.
func (m *MemoryStore) Create(_ context.Context, rec Record) error {
	i, hash := m.locate(rec.ID)
	err := m.shards[i].create(hash, &rec)
	for err == ErrStoreFull && m.makeRoom(i) {
		err = m.shards[i].create(hash, &rec)
	}
	return err
}

// Load implements Store. The record's texts are the caller's own, the ID among them.
func (m *MemoryStore) Load(_ context.Context, id ID) (rec Record, err error) {
	i, hash := m.locate(id)
	if !m.shards[i].load(hash, id, &rec) {
		err = ErrNotFound
	}
	return rec, err
}

// Update implements Store. It answers ErrStoreFull if the record grows and there is no room.
func (m *MemoryStore) Update(_ context.Context, rec Record, was Revision) error {
	i, hash := m.locate(rec.ID)
	err := m.shards[i].update(hash, &rec, was)
	for err == ErrStoreFull && m.makeRoom(i) {
		err = m.shards[i].update(hash, &rec, was)
	}
	return err
}

// Touch implements Toucher.
func (m *MemoryStore) Touch(_ context.Context, rec Record, was Revision) error {
	i, hash := m.locate(rec.ID)
	return m.shards[i].touch(hash, &rec, was)
}

// Delete implements Store.
func (m *MemoryStore) Delete(_ context.Context, id ID) error {
	i, hash := m.locate(id)
	m.shards[i].delete(hash, id)
	return nil
}

// DeleteExpired implements Sweeper. It removes all there is in one call, in many short steps
// between which others read and write, and the context may end it.
func (m *MemoryStore) DeleteExpired(ctx context.Context, now time.Time) (int, error) {
	deleted := 0
	for i := range m.shards {
		n, err := m.shards[i].sweep(ctx, now.UnixMilli())
		deleted += n
		if err != nil {
			return deleted, err
		}
	}
	return deleted, nil
}

// makeRoom drops a few records that have expired, and reports whether there were any. Where there
// are none, that costs a look at each shard's due, and no more: a shard is searched only if a time
// has come at which one of its records was once to expire.
func (m *MemoryStore) makeRoom(first int) bool {
	now := time.Now().UnixMilli()
	for i := range m.shards {
		sh := &m.shards[(first+i)%memoryShards]
		more, cursor := true, newSweepCursor()
		for more && sh.due.Load() <= now {
			var dropped int
			if dropped, more = sh.sweepStep(&cursor, now); dropped > 0 {
				return true
			}
		}
	}
	return false
}

// Durability returns Volatile.
func (m *MemoryStore) Durability() Durability { return Volatile }

// Len counts the records, expired ones that were not yet swept among them.
func (m *MemoryStore) Len() int { return int(m.room.sessions.Load()) }

// Bytes is how much memory the records take, which MemoryOptions.MaxBytes limits: for each its
// fields, ID, Owner and Data, rounded up, and its share of what finds it. The process needs more:
// the garbage collector alone lets the heap grow to twice of what is in use (GOGC).
func (m *MemoryStore) Bytes() int64 { return m.room.bytes.Load() }
