package core

import (
	"hash/maphash"
	"strings"
	"sync"
	"sync/atomic"
)

// A memoryShard holds the records of one part of the IDs, so that who writes stops only those who
// read there.
type memoryShard struct {
	mu      sync.RWMutex
	index   memoryIndex
	vectors []vector // by class, as far as there was a need

	seed    maphash.Seed
	room    *memoryRoom
	watch   *memoryWatch
	indexes bool          // what it holds is kept for owners, and counts as no session
	due     *atomic.Int64 // not after the time at which the first record expires; set under mu
	idle    *atomic.Int64 // not after the first Used of records without an owner; nil: nobody asks
	seen    int           // slots looked at in search of what may go; tests count on it
	_       [64]byte      // the locks of two shards are never in one line of the processor's cache
}

// find returns the position of a record's index entry, and where the record is; not ok if there is
// none.
func (sh *memoryShard) find(hash uint32, id ID) (position int, at place, ok bool) {
	position = sh.index.first(hash)
	for position >= 0 {
		at = sh.index.entries[position].place()
		if sh.isAt(at, id) {
			return position, at, true
		}
		position = sh.index.next(position, hash) // another ID of the same hash
	}
	return -1, 0, false
}

func (sh *memoryShard) isAt(p place, id ID) bool {
	c, i := p.class(), p.number()
	v := &sh.vectors[c]
	if c == largeClass {
		t := v.text(i)
		return t.key[:t.id] == string(id)
	}
	return string(v.slot(c, i).id()) == string(id)
}

// idAt returns the ID of the record at p, which is the caller's own.
func (sh *memoryShard) idAt(p place) ID {
	if p.class() == largeClass {
		t := sh.vectors[largeClass].text(p.number())
		return ID(strings.Clone(t.key[:t.id]))
	}
	return ID(sh.slot(p).id())
}

func (sh *memoryShard) slot(p place) slot {
	return sh.vectors[p.class()].slot(p.class(), p.number())
}

// ownerless reports whether the record at p belongs to nobody.
func (sh *memoryShard) ownerless(p place) bool {
	if p.class() == largeClass {
		t := sh.vectors[largeClass].text(p.number())
		return t.id == len(t.key)
	}
	_, owner, _ := sh.slot(p).lengths()
	return owner == 0
}

// charge is what the record at p takes.
func (sh *memoryShard) charge(p place) charge {
	size := 0
	if p.class() == largeClass {
		size = sh.vectors[largeClass].text(p.number()).size()
	}
	return charge{sh.kind(sh.ownerless(p)), costOf(p.class(), size)}
}

// chargeOf is what a record would take.
func (sh *memoryShard) chargeOf(rec *Record) charge {
	return charge{sh.kind(rec.Owner == ""), costOf(classOf(rec), textSize(rec))}
}

func (sh *memoryShard) kind(ownerless bool) chargeKind {
	switch {
	case sh.indexes:
		return ofIndex
	case ownerless:
		return ofNobody
	}
	return ofOwner
}

func (sh *memoryShard) create(hash uint32, rec *Record) error {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	return sh.add(hash, rec)
}

// add stores a record that is not there.
func (sh *memoryShard) add(hash uint32, rec *Record) error {
	if _, _, ok := sh.find(hash, rec.ID); ok {
		return ErrExists
	}
	if err := errorOf(sh.room.move(charge{}, sh.chargeOf(rec))); err != nil {
		return err
	}
	sh.insert(hash, rec)
	return nil
}

// insert stores a record for which room was taken.
func (sh *memoryShard) insert(hash uint32, rec *Record) {
	sh.index.insert(entryOf(hash, sh.put(classOf(rec), rec)))
}

// put stores a record behind the others of its class, and returns where.
func (sh *memoryShard) put(c slotClass, rec *Record) place {
	if missing := int(c) + 1 - len(sh.vectors); missing > 0 {
		sh.vectors = append(sh.vectors, make([]vector, missing)...)
	}
	v := &sh.vectors[c]
	p := placeOf(c, v.push(c))
	if c == largeClass {
		*v.text(p.number()) = newLargeText(rec)
	} else {
		sh.slot(p).setText(rec)
	}
	sh.setHead(p, rec)
	return p
}

// setHead writes what a touch changes.
func (sh *memoryShard) setHead(p place, rec *Record) {
	sh.slot(p).setHead(rec)
	sh.expect(p)
}

// expect notes when the record at p expires, and if it belongs to nobody, when it was used.
func (sh *memoryShard) expect(p place) {
	s := sh.slot(p)
	k := &sh.vectors[p.class()].chunks[p.number()/chunkSlots]
	due := s.due()
	k.due = min(k.due, due)
	if due < sh.due.Load() {
		sh.due.Store(due)
	}
	if sh.idle == nil || !sh.ownerless(p) {
		return
	}
	used := s.used()
	k.idle = min(k.idle, used)
	if used < sh.idle.Load() {
		sh.idle.Store(used)
	}
}

// load reads a record into rec, and reports whether there is one.
func (sh *memoryShard) load(hash uint32, id ID, rec *Record) bool {
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	_, p, ok := sh.find(hash, id)
	if !ok {
		return false
	}
	sh.slot(p).head(rec)
	rec.ID, rec.Owner, rec.Data = sh.text(p)
	return true
}

// text reads the texts of the record at p.
func (sh *memoryShard) text(p place) (id ID, owner, data string) {
	if p.class() == largeClass {
		t := sh.vectors[largeClass].text(p.number())
		return ID(t.key[:t.id]), t.key[t.id:], t.data
	}
	return sh.slot(p).text()
}

// current finds the record that a write is about.
func (sh *memoryShard) current(hash uint32, id ID, was Revision) (int, place, error) {
	position, p, ok := sh.find(hash, id)
	if !ok {
		return 0, 0, ErrNotFound
	}
	if sh.slot(p).revision() != was {
		return 0, 0, ErrConflict
	}
	return position, p, nil
}

func (sh *memoryShard) touch(hash uint32, rec *Record, was Revision) error {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	_, p, err := sh.current(hash, rec.ID, was)
	if err == nil {
		sh.setHead(p, rec)
	}
	return err
}

func (sh *memoryShard) update(hash uint32, rec *Record, was Revision) error {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	position, old, err := sh.current(hash, rec.ID, was)
	if err != nil {
		return err
	}
	return sh.replace(position, old, hash, rec)
}

// replace writes a record in place of the one at old.
func (sh *memoryShard) replace(position int, old place, hash uint32, rec *Record) error {
	if err := errorOf(sh.room.move(sh.charge(old), sh.chargeOf(rec))); err != nil {
		return err
	}
	c := classOf(rec)
	if c != old.class() {
		sh.index.entries[position] = entryOf(hash, sh.put(c, rec))
		sh.vacate(old)
		return nil
	}
	if c == largeClass {
		t := sh.vectors[c].text(old.number())
		*t = t.with(rec)
	} else {
		sh.slot(old).setText(rec)
	}
	sh.setHead(old, rec)
	return nil
}

func (sh *memoryShard) delete(hash uint32, id ID) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if position, p, ok := sh.find(hash, id); ok {
		sh.remove(position, p)
	}
}

// remove takes a record out of the index and its vector.
func (sh *memoryShard) remove(position int, p place) {
	sh.room.remove(sh.charge(p))
	sh.index.remove(position)
	sh.vacate(p)
}

// vacate moves the last record of a vector to a place in it that is no longer used.
func (sh *memoryShard) vacate(p place) {
	c, v := p.class(), &sh.vectors[p.class()]
	if last := placeOf(c, v.n-1); last != p {
		position := sh.index.at(entryOf(sh.hashAt(last), last))
		copy(sh.slot(p), sh.slot(last))
		if c == largeClass {
			*v.text(p.number()) = *v.text(last.number())
		}
		sh.expect(p)
		sh.index.entries[position] = entryOf(sh.index.entries[position].hash(), p)
	}
	v.pop(c)
}

// hashAt is the part of the hash that the index holds of the record at p.
func (sh *memoryShard) hashAt(p place) uint32 {
	if p.class() == largeClass {
		t := sh.vectors[largeClass].text(p.number())
		return uint32(maphash.String(sh.seed, t.key[:t.id]))
	}
	return uint32(maphash.Bytes(sh.seed, sh.slot(p).id()))
}
