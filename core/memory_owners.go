package core

import (
	"context"
	"hash/maphash"
	"strings"
	"time"
)

const memoryOwnerShards = 64

// ownerSlack is how much longer than asked for is kept what is kept for owners, as long as a store
// that several machines use would.
const ownerSlack = 5 * time.Minute

// An ownerShard holds what is kept for a part of the owners.
//
// Each has a row, which is kept as a record of a memoryShard is, and so costs a little more than
// its bytes. It holds the Epoch and the entries; where they are many, those are in a memoryShard of
// their own, so that none of them has to be looked for.
type ownerShard struct {
	rows memoryShard
	many map[string]*memoryShard // by owner; under the lock of rows
}

// locateOwner returns an owner's shard, and the part of the hash that says where in it.
func (m *MemoryStore) locateOwner(owner string) (sh *ownerShard, hash uint32) {
	sum := maphash.String(m.seed, owner)
	return &m.owners[sum>>32%memoryOwnerShards], uint32(sum)
}

// OwnerEpoch implements OwnerIndex.
func (m *MemoryStore) OwnerEpoch(_ context.Context, owner string) (Epoch, error) {
	sh, hash := m.locateOwner(owner)
	sh.rows.mu.RLock()
	defer sh.rows.mu.RUnlock()
	_, p, ok := sh.rows.find(hash, ID(owner))
	if !ok {
		return 0, nil
	}
	return Epoch(sh.rows.slot(p).revision()), nil
}

// AddOwned implements OwnerIndex. It answers ErrStoreFull if there is no room: an owner of one
// session takes some hundred bytes, which MemoryOptions.MaxBytes limits and Bytes counts together
// with the records.
func (m *MemoryStore) AddOwned(
	_ context.Context, owner string, entry OwnerEntry, epoch Epoch, limit int,
) (n int, err error) {
	sh, hash := m.locateOwner(owner)
	err = m.makingRoom(0, "", func() error {
		n, err = sh.add(hash, owner, entry, epoch, limit)
		return err
	})
	return n, err
}

// ListOwned implements OwnerIndex.
func (m *MemoryStore) ListOwned(_ context.Context, owner string) ([]OwnerEntry, error) {
	sh, hash := m.locateOwner(owner)
	sh.rows.mu.RLock()
	defer sh.rows.mu.RUnlock()
	row := sh.read(hash, owner)
	return row.list(), nil
}

// RemoveOwned implements OwnerIndex.
func (m *MemoryStore) RemoveOwned(
	_ context.Context, owner string, entries ...OwnerEntry,
) error {
	sh, hash := m.locateOwner(owner)
	sh.rows.mu.Lock()
	defer sh.rows.mu.Unlock()
	row := sh.read(hash, owner)
	for i := range entries {
		row.remove(&entries[i])
	}
	sh.shrink(hash, owner, &row)
	return nil
}

// RaiseEpoch implements OwnerIndex. It is never refused: where there is no room for the Epoch of an
// owner who has no entry, the store takes a little more than MemoryOptions.MaxBytes.
func (m *MemoryStore) RaiseEpoch(
	_ context.Context, owner string, epoch Epoch, until time.Time,
) (before Epoch, entries []OwnerEntry, err error) {
	sh, hash := m.locateOwner(owner)
	raise := func() error {
		before, entries, err = sh.raise(hash, owner, epoch, until, false)
		return err
	}
	if m.makingRoom(0, "", raise) != nil {
		before, entries, _ = sh.raise(hash, owner, epoch, until, true)
	}
	return before, entries, nil
}

// sweepOwners forgets what is of no use any more.
func (m *MemoryStore) sweepOwners(ctx context.Context, now time.Time) error {
	over := now.Add(-ownerSlack).UnixMilli()
	for i := range m.owners {
		sh := &m.owners[i]
		if _, err := sweepAll(ctx, sh.rows.due, over, sh.sweepStep); err != nil {
			return err
		}
	}
	return nil
}

func (sh *ownerShard) add(
	hash uint32, owner string, entry OwnerEntry, epoch Epoch, limit int,
) (int, error) {
	sh.rows.mu.Lock()
	defer sh.rows.mu.Unlock()
	row := sh.read(hash, owner)
	if row.epoch != epoch {
		return 0, ErrConflict
	}
	others := row.others(entry.ID)
	if limit > 0 && others >= limit {
		return 0, ErrOwnerLimit
	}
	spread := row.many == nil && (others >= mostPacked || len(entry.ID) != IDLength)
	if spread && !row.spread(&sh.rows) {
		return 0, ErrStoreFull
	}
	err := row.add(entry)
	if err == nil {
		err = sh.write(hash, owner, &row, false)
	}
	switch {
	case err != nil && spread:
		row.drop()
	case spread:
		if sh.many == nil {
			sh.many = map[string]*memoryShard{}
		}
		sh.many[strings.Clone(owner)] = row.many
	}
	return others + 1, err
}

func (sh *ownerShard) raise(
	hash uint32, owner string, epoch Epoch, until time.Time, force bool,
) (before Epoch, entries []OwnerEntry, err error) {
	sh.rows.mu.Lock()
	defer sh.rows.mu.Unlock()
	row := sh.read(hash, owner)
	before, entries = row.epoch, row.list()
	kept := dueOf(until.UnixMilli())
	if before != 0 { // what was begun before an earlier call must not be forgotten sooner
		kept = max(kept, row.kept)
	}
	row.epoch, row.kept = epoch, kept
	return before, entries, sh.write(hash, owner, &row, force)
}

// read takes an owner's row apart. It is the zero row if there is none.
func (sh *ownerShard) read(hash uint32, owner string) ownerRow {
	_, p, ok := sh.rows.find(hash, ID(owner))
	if !ok {
		return ownerRow{}
	}
	s := sh.rows.slot(p)
	row := ownerRow{epoch: Epoch(s.revision()), kept: s.used(), many: sh.many[owner]}
	if row.many == nil {
		_, _, packed := sh.rows.text(p)
		row.entries = unpackOwned(packed)
	}
	return row
}

// write stores a row, or removes it if there is nothing in it. What does not grow is not refused,
// and nothing is that must be.
func (sh *ownerShard) write(hash uint32, owner string, row *ownerRow, force bool) error {
	position, p, ok := sh.rows.find(hash, ID(owner))
	if row.empty() {
		if ok {
			sh.rows.remove(position, p)
		}
		return nil
	}
	rec := row.record(owner)
	switch {
	case ok:
		return sh.rows.replace(position, p, hash, &rec)
	case force:
		sh.rows.room.force(charge{}, sh.rows.chargeOf(&rec))
		sh.rows.insert(hash, &rec)
		return nil
	}
	return sh.rows.add(hash, &rec)
}

// shrink writes a row from which entries were removed.
func (sh *ownerShard) shrink(hash uint32, owner string, row *ownerRow) {
	if row.many == nil || row.many.index.n > mostPacked/2 {
		_ = sh.write(hash, owner, row, false) // it does not grow
		return
	}
	packed := ownerRow{epoch: row.epoch, kept: row.kept, entries: row.list()}
	if !packed.packable() || sh.write(hash, owner, &packed, false) != nil {
		_ = sh.write(hash, owner, row, false) // it stays as it is
		return
	}
	row.drop()
	delete(sh.many, owner)
}

// sweepStep forgets what is over in one chunk of rows.
func (sh *ownerShard) sweepStep(cursor *sweepCursor, over int64) (dropped int, more bool) {
	sh.rows.mu.Lock()
	defer sh.rows.mu.Unlock()
	return sh.rows.sweepNext(cursor, over, func(p place) {
		owner, hash := string(sh.rows.idAt(p)), sh.rows.hashAt(p)
		row := sh.read(hash, owner)
		row.forget(over)
		sh.shrink(hash, owner, &row)
	})
}
