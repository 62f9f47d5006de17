package core

import (
	"encoding/binary"
	"hash/maphash"
	"slices"
	"strings"
	"sync/atomic"
	"time"
	"unsafe"
)

// An ownerRow is what is kept for one owner, taken apart. It is stored as a Record: under the owner
// as ID, the Epoch as Revision, with kept as Used, as Expires the time at which there is something
// to forget first, and with the entries as Data, one after the other:
//
//	ID        32 bytes
//	revision   8 bytes
//	until      8 bytes, milliseconds since the epoch
//
// Entries that are too many for that, or have IDs of another length, are in a memoryShard, likewise
// as records.
type ownerRow struct {
	epoch   Epoch
	kept    int64 // until when the epoch is, if it is not zero
	entries []OwnerEntry
	many    *memoryShard // instead of entries
}

const (
	packedEntry = IDLength + 16
	mostPacked  = 8 // entries in a row
)

// manyOverhead is what a shard for many entries takes by itself, with its place in a map.
const manyOverhead = int64(unsafe.Sizeof(memoryShard{})) + 64

// spread gives the entries a shard of their own, if there is room.
func (r *ownerRow) spread(rows *memoryShard) bool {
	many := &memoryShard{
		seed: rows.seed, room: rows.room, watch: rows.watch, indexes: true, due: new(atomic.Int64),
	}
	many.due.Store(never)
	if many.room.move(charge{}, charge{ofIndex, manyOverhead}) != fits {
		return false
	}
	spread := ownerRow{many: many}
	for _, entry := range r.entries {
		if spread.add(entry) != nil {
			spread.drop()
			return false
		}
	}
	r.entries, r.many = nil, many
	return true
}

func (r *ownerRow) empty() bool {
	return r.epoch == 0 && len(r.entries) == 0 && r.many == nil
}

// packable reports whether the entries fit a row.
func (r *ownerRow) packable() bool {
	return len(r.entries) <= mostPacked && !slices.ContainsFunc(r.entries, func(e OwnerEntry) bool {
		return len(e.ID) != IDLength
	})
}

func (r *ownerRow) record(owner string) Record {
	rec := Record{ID: ID(owner), Revision: Revision(r.epoch), Expires: time.UnixMilli(r.due())}
	if r.epoch != 0 {
		rec.Used = time.UnixMilli(r.kept)
	}
	rec.Data = packOwned(r.entries)
	return rec
}

// due is when there is something to forget.
func (r *ownerRow) due() int64 {
	first := int64(never)
	if r.epoch != 0 {
		first = r.kept
	}
	if r.many != nil {
		return min(first, r.many.due.Load())
	}
	for i := range r.entries {
		first = min(first, dueOf(r.entries[i].Until.UnixMilli()))
	}
	return first
}

// others counts the entries of other IDs.
func (r *ownerRow) others(id ID) int {
	if r.many != nil {
		if _, _, ok := r.many.find(r.hash(id), id); ok {
			return r.many.index.n - 1
		}
		return r.many.index.n
	}
	if r.position(id) >= 0 {
		return len(r.entries) - 1
	}
	return len(r.entries)
}

func (r *ownerRow) position(id ID) int {
	return slices.IndexFunc(r.entries, func(e OwnerEntry) bool { return e.ID == id })
}

// hash is of an ID in many.
func (r *ownerRow) hash(id ID) uint32 { return uint32(maphash.String(r.many.seed, string(id))) }

// add adds an entry, in place of one with the same ID.
func (r *ownerRow) add(entry OwnerEntry) error {
	if r.many != nil {
		rec := Record{ID: entry.ID, Revision: entry.Revision, Expires: entry.Until}
		hash := r.hash(entry.ID)
		if position, p, ok := r.many.find(hash, entry.ID); ok {
			return r.many.replace(position, p, hash, &rec)
		}
		return r.many.add(hash, &rec)
	}
	if i := r.position(entry.ID); i >= 0 {
		r.entries[i] = entry
	} else {
		r.entries = append(r.entries, entry)
	}
	return nil
}

// remove removes an entry if its Revision is the one given.
func (r *ownerRow) remove(entry *OwnerEntry) {
	if r.many != nil {
		position, p, ok := r.many.find(r.hash(entry.ID), entry.ID)
		if ok && r.many.slot(p).revision() == entry.Revision {
			r.many.remove(position, p)
		}
		return
	}
	if i := r.position(entry.ID); i >= 0 && r.entries[i].Revision == entry.Revision {
		r.entries = slices.Delete(r.entries, i, i+1)
	}
}

// forget drops what is over.
func (r *ownerRow) forget(over int64) {
	if r.epoch != 0 && r.kept <= over {
		r.epoch, r.kept = 0, 0
	}
	if r.many == nil {
		r.entries = slices.DeleteFunc(r.entries, func(e OwnerEntry) bool {
			return dueOf(e.Until.UnixMilli()) <= over
		})
		return
	}
	cursor, more := newSweepCursor(), true
	for more {
		_, more = r.many.sweepNext(&cursor, over, func(p place) {
			r.many.remove(r.many.index.at(entryOf(r.many.hashAt(p), p)), p)
		})
	}
}

// drop gives up the shard of many entries.
func (r *ownerRow) drop() {
	for _, entry := range r.list() {
		r.remove(&entry)
	}
	r.many.room.remove(charge{ofIndex, manyOverhead})
}

// list returns the entries, which are the caller's own.
func (r *ownerRow) list() []OwnerEntry {
	if r.many == nil {
		return r.entries
	}
	list := make([]OwnerEntry, 0, r.many.index.n)
	for c := range r.many.vectors {
		for i := range r.many.vectors[c].n {
			p := placeOf(slotClass(c), i)
			var rec Record
			r.many.slot(p).head(&rec)
			list = append(list, OwnerEntry{
				ID: r.many.idAt(p), Revision: rec.Revision, Until: rec.Expires,
			})
		}
	}
	return list
}

func packOwned(entries []OwnerEntry) string {
	if len(entries) == 0 {
		return ""
	}
	var b strings.Builder
	b.Grow(len(entries) * packedEntry)
	for i := range entries {
		e := &entries[i]
		var numbers [16]byte
		binary.LittleEndian.PutUint64(numbers[:], uint64(e.Revision))
		binary.LittleEndian.PutUint64(numbers[8:], uint64(e.Until.UnixMilli()))
		b.WriteString(string(e.ID))
		b.Write(numbers[:])
	}
	return b.String()
}

func unpackOwned(packed string) []OwnerEntry {
	if packed == "" {
		return nil
	}
	entries := make([]OwnerEntry, 0, len(packed)/packedEntry+1)
	for ; packed != ""; packed = packed[packedEntry:] {
		entries = append(entries, OwnerEntry{
			ID:       ID(packed[:IDLength]),
			Revision: Revision(readUint64(packed[IDLength:])),
			Until:    time.UnixMilli(int64(readUint64(packed[IDLength+8:]))).UTC(),
		})
	}
	return entries
}

func readUint64(text string) uint64 { return binary.LittleEndian.Uint64([]byte(text[:8])) }
