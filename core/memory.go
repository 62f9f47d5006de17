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
// A full store first drops what has expired by the clock of this machine. It then does what
// OwnerlessPolicy says: it answers Create with ErrStoreFull, of which the Manager makes a 503, or
// ends sessions without an owner to make room. It never ends one that has an owner. An Update that
// makes a record take more memory than there is left is treated likewise: if it is refused the old
// record stays. One that does not, a Touch, a Delete and a RaiseEpoch are never refused. The
// limits are kept exactly, however many requests come at once.
type MemoryOptions struct {
	// MaxSessions is how many records the store may hold. Zero means any number. Less than zero
	// means none, so that a slip in working it out shows at once and does not lift the limit.
	MaxSessions int

	// MaxBytes is how much memory the records, and what is kept for owners, may take, as
	// MemoryStore.Bytes counts it. Zero means any amount; less than zero none.
	MaxBytes int64

	// OwnerlessShare is how much of MaxSessions, and of MaxBytes, sessions without an owner may
	// take, in percent and rounded up, so that a flood of visitors leaves room for who signs in.
	// Zero means 90; 100 and more, that nothing is kept free; less than zero, that there may be no
	// session without an owner at all.
	//
	// A sign-in takes its session out of this share, and so needs room in the whole store only. A
	// record whose owner is taken away, as where a sign-in is taken back, is not refused for the
	// share, and so may exceed it.
	OwnerlessShare int

	// OwnerlessPolicy says what happens where there is no room for a session without an owner, or
	// for one that has an owner while there are others without. RefuseNew, and any value that is
	// none: ErrStoreFull. EndUnusedLongest: of the sessions without an owner, the one that has not
	// been used for the longest time is ended, or as many as are needed. Where very many were used
	// since one was last ended, it is one of those that were unused the longest: only so many are
	// looked at. None is ended where that could not make room enough.
	OwnerlessPolicy LimitPolicy
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
	idle   [memoryShards]atomic.Int64 // likewise
	evicts bool

	owners    [memoryOwnerShards]ownerShard
	ownersDue [memoryOwnerShards]atomic.Int64
	watch     memoryWatch
	marks     memoryMarks
}

var (
	_ Store   = (*MemoryStore)(nil)
	_ Sweeper = (*MemoryStore)(nil)
	_ Toucher = (*MemoryStore)(nil)

	_ OwnerIndex = (*MemoryStore)(nil)
	_ Watcher    = (*MemoryStore)(nil)
	_ Marker     = (*MemoryStore)(nil)
)

// NewMemoryStore makes an empty store. It starts no goroutine.
func NewMemoryStore(options MemoryOptions) *MemoryStore {
	m := &MemoryStore{seed: maphash.MakeSeed()}
	m.room.setLimits(options)
	m.evicts = m.room.limited && options.OwnerlessPolicy == EndUnusedLongest
	for i := range m.shards {
		sh := &m.shards[i]
		m.prepare(sh, &m.due[i])
		if m.evicts {
			sh.idle = &m.idle[i]
			sh.idle.Store(never)
		}
	}
	for i := range m.owners {
		rows := &m.owners[i].rows
		m.prepare(rows, &m.ownersDue[i])
		rows.indexes = true
	}
	return m
}

func (m *MemoryStore) prepare(sh *memoryShard, due *atomic.Int64) {
	sh.seed, sh.room, sh.watch, sh.due = m.seed, &m.room, &m.watch, due
	sh.due.Store(never)
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

// Create implements Store. It answers ErrStoreFull if there is no room, and none is made.
func (m *MemoryStore) Create(_ context.Context, rec Record) error {
	i, hash := m.locate(rec.ID)
	err := m.shards[i].create(hash, &rec)
	if err == ErrStoreFull || err == errHopeless {
		err = m.makingRoom(i, "", func() error { return m.shards[i].create(hash, &rec) })
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

// Update implements Store. It answers ErrStoreFull if the record grows and there is no room, and
// none is made.
func (m *MemoryStore) Update(_ context.Context, rec Record, was Revision) error {
	i, hash := m.locate(rec.ID)
	err := m.shards[i].update(hash, &rec, was)
	if err == ErrStoreFull || err == errHopeless {
		err = m.makingRoom(i, rec.ID, func() error { return m.shards[i].update(hash, &rec, was) })
	}
	if err == nil {
		m.watch.renewed(rec.ID)
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
	m.watch.ended(id)
	return nil
}

// DeleteExpired implements Sweeper. It removes all there is in one call, in many short steps
// between which others read and write, and the context may end it. It also forgets what was kept
// for owners until five minutes before, which it does not count.
func (m *MemoryStore) DeleteExpired(ctx context.Context, now time.Time) (int, error) {
	deleted := 0
	for i := range m.shards {
		sh := &m.shards[i]
		n, err := sweepAll(ctx, sh.due, now.UnixMilli(), sh.sweepStep)
		deleted += n
		if err != nil {
			return deleted, err
		}
	}
	return deleted, m.sweepOwners(ctx, now)
}

// Durability returns Volatile.
func (m *MemoryStore) Durability() Durability { return Volatile }

// Len counts the records, expired ones that were not yet swept among them.
func (m *MemoryStore) Len() int { return int(m.room.sessions.Load()) }

// Bytes is how much memory the records take, which MemoryOptions.MaxBytes limits: for each its
// fields, ID, Owner and Data, rounded up, and its share of what finds it. What is kept for owners
// is counted, too: some 60 bytes for each, and 48 to 76 for each of its sessions. The process needs
// more: the garbage collector alone lets the heap grow to twice of what is in use (GOGC).
func (m *MemoryStore) Bytes() int64 { return m.room.bytes.Load() }
