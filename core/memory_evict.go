package core

import (
	"errors"
	"sync/atomic"
	"time"
)

// errHopeless is ErrStoreFull where ending sessions without an owner would not help.
var errHopeless = errors.New("session store is full of what must stay")

func errorOf(v verdict) error {
	switch v {
	case full:
		return ErrStoreFull
	case hopeless:
		return errHopeless
	}
	return nil
}

// makingRoom tries a write until it is done, or there is no room that could be made. spare is the
// ID of the record that the write is about, if it is there already, which must not be ended for it.
func (m *MemoryStore) makingRoom(first int, spare ID, write func() error) error {
	for {
		err := write()
		switch {
		case err != ErrStoreFull && err != errHopeless:
			return err
		case m.dropExpired(first):
		case err == errHopeless || !m.evicts || !m.endUnused(spare):
			return ErrStoreFull
		}
	}
}

// dropExpired drops a few records that have expired, or else what is kept of owners for no use any
// more, and reports whether there was any. Where there is none, that costs a look at each shard's
// due, and no more: a shard is searched only if a time has come at which something in it was once
// to expire.
func (m *MemoryStore) dropExpired(first int) bool {
	now := time.Now().UnixMilli()
	for i := range m.shards {
		sh := &m.shards[(first+i)%memoryShards]
		if sh.due.Load() <= now && dropSome(sh.due, now, sh.sweepStep) {
			return true
		}
	}
	now -= ownerSlack.Milliseconds()
	for i := range m.owners {
		sh := &m.owners[i]
		if sh.rows.due.Load() <= now && dropSome(sh.rows.due, now, sh.sweepStep) {
			return true
		}
	}
	return false
}

func dropSome(
	due *atomic.Int64, now int64, step func(*sweepCursor, int64) (dropped int, more bool),
) bool {
	more, cursor := true, newSweepCursor()
	for more && due.Load() <= now {
		var dropped int
		if dropped, more = step(&cursor, now); dropped > 0 {
			return true
		}
	}
	return false
}

// To end a session, one looks at no more than about evictSlots others, or for chunks of which few
// slots are in use at no more than evictSlots/leastLook chunks.
const (
	evictSlots = 512
	leastLook  = 8
)

// A victim is a session that has no owner, as it was when it was looked at.
type victim struct {
	id    ID
	shard int
	used  int64
}

// endUnused ends the session without an owner that has not been used for the longest time, and
// reports whether there was one, or might be another.
//
// Each chunk knows a time before which none of its sessions was used last, and each shard the first
// of those. That time is right until the session that it is of is used, ends or gets an owner;
// then it is too early, and is found out anew when it is the first of all. So the session that is
// found is the one that has been unused the longest, unless too many chunks have to be looked at
// for that. Then it is the first one of those looked at, some hundreds of sessions out of all.
func (m *MemoryStore) endUnused(spare ID) bool {
	best := victim{used: never}
	for looked := 0; looked < evictSlots || best.used == never; {
		shard, bound := m.idlest()
		if bound >= best.used {
			break
		}
		v, n := m.shards[shard].idlest(spare)
		if v.used < best.used {
			best, best.shard = v, shard
		}
		looked += max(n, leastLook)
	}
	if spare != "" {
		i, hash := m.locate(spare)
		m.shards[i].unspare(hash, spare)
	}
	if best.used == never {
		return false
	}
	_, hash := m.locate(best.id)
	if m.shards[best.shard].evict(hash, best) {
		m.watch.ended(best.id)
	}
	return true
}

// idlest is the shard where there may be the session that has been unused the longest.
func (m *MemoryStore) idlest() (shard int, bound int64) {
	bound = never
	for i := range m.idle {
		if at := m.idle[i].Load(); at < bound {
			shard, bound = i, at
		}
	}
	return shard, bound
}

// idlest looks through the chunk in which there may be the session that has been unused the
// longest, and returns the one of that chunk. spare is left out, until unspare.
func (sh *memoryShard) idlest(spare ID) (v victim, looked int) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	class, number, bound := slotClass(0), 0, int64(never)
	for c := range sh.vectors {
		for i := range sh.vectors[c].chunks {
			if at := sh.vectors[c].chunks[i].idle; at < bound {
				class, number, bound = slotClass(c), i, at
			}
		}
	}
	v.used = never
	if bound < never {
		var p place
		if p, v.used, looked = sh.lookIdle(class, number, spare); v.used < never {
			v.id = sh.idAt(p)
		}
	}
	sh.updateIdle()
	return v, looked
}

// lookIdle finds out which session of a chunk has been unused the longest, and at how many it has
// looked.
func (sh *memoryShard) lookIdle(
	c slotClass, number int, spare ID,
) (at place, used int64, looked int) {
	v := &sh.vectors[c]
	begin := number * chunkSlots
	end := min(v.n, begin+chunkSlots)
	used, looked = never, max(end-begin, 0)
	sh.seen += looked
	for i := begin; i < end; i++ {
		p := placeOf(c, i)
		if u := v.slot(c, i).used(); u < used && sh.ownerless(p) && !sh.isAt(p, spare) {
			at, used = p, u
		}
	}
	v.chunks[number].idle = used
	return at, used, looked
}

func (sh *memoryShard) updateIdle() {
	first := int64(never)
	for c := range sh.vectors {
		for i := range sh.vectors[c].chunks {
			first = min(first, sh.vectors[c].chunks[i].idle)
		}
	}
	sh.idle.Store(first)
}

// unspare lets a session be found again that was left out.
func (sh *memoryShard) unspare(hash uint32, id ID) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if _, p, ok := sh.find(hash, id); ok {
		sh.expect(p)
	}
}

// evict ends a session that is still as it was.
func (sh *memoryShard) evict(hash uint32, v victim) bool {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	position, p, ok := sh.find(hash, v.id)
	if !ok || !sh.ownerless(p) || sh.slot(p).used() != v.used {
		return false
	}
	sh.remove(position, p)
	if number := p.number() / chunkSlots; number < len(sh.vectors[p.class()].chunks) {
		sh.lookIdle(p.class(), number, "")
		sh.updateIdle()
	}
	return true
}
