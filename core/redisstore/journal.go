package redisstore

import (
	"container/list"
	"slices"
	"sync"
	"time"

	"github.com/sessionserverstore/sessionserverstore/core"
)

const (
	rememberedFor = time.Minute
	// redoneFor is how long what could not be done again is kept for another attempt.
	redoneFor = 10 * time.Minute
	// maxRenewedBytes bounds the records of renewals, maxRenewals those of one session.
	maxRenewedBytes = 16 << 20
	maxRenewals     = 8
)

// A journal remembers what this process did lately that must not be undone: ends and renewals,
// entries of owners, epochs and marks, in the order in which they were done, those of one session
// together.
type journal struct {
	max int

	mu    sync.Mutex
	order list.List // of *deed, the latest last
	byKey map[string]*list.Element
	bytes int
}

// A deed is the end of a session, or its renewals, or another write.
type deed struct {
	key      string // a session's ID, or another text that is none
	at       time.Time
	renewals []renewal
	other    *other // without it, and without renewals, the session ended
	redo     bool   // it may have been undone
}

// A renewal is a record, and the Revisions of which it is the successor: the one that it replaced,
// and those before that, as far as they are known.
type renewal struct {
	rec core.Record
	was []core.Revision
}

func (j *journal) init(limit int) {
	j.max, j.byKey = limit, make(map[string]*list.Element)
}

// ended notes an end. What the session was before it does not matter any more.
func (j *journal) ended(id core.ID) {
	j.mu.Lock()
	defer j.mu.Unlock()
	d := j.latest(string(id))
	j.lighten(d)
	d.renewals = nil
	if e, ok := j.byKey[entryKey(id)]; ok {
		j.drop(e)
	}
	j.fit()
}

// renewed notes a renewal.
func (j *journal) renewed(rec *core.Record, was []core.Revision) {
	j.mu.Lock()
	defer j.mu.Unlock()
	d := j.latest(string(rec.ID))
	if len(d.renewals) == maxRenewals {
		j.bytes -= len(d.renewals[0].rec.Data)
		d.renewals = d.renewals[1:]
	}
	// A slice of its own: the old one may be in somebody's hands, see doubtful.
	d.renewals = append(slices.Clip(d.renewals), renewal{rec: *rec, was: was})
	j.bytes += len(rec.Data)
	j.fit()
}

// latest returns the deed of a session or of another key, a new one if there is none, behind all
// others.
func (j *journal) latest(key string) *deed {
	e, ok := j.byKey[key]
	if !ok {
		e = j.order.PushBack(&deed{key: key})
		j.byKey[key] = e
	}
	j.order.MoveToBack(e)
	d := e.Value.(*deed)
	d.at = time.Now()
	return d
}

// fit drops the oldest until the rest is within the limits.
func (j *journal) fit() {
	for j.order.Len() > j.max || j.bytes > maxRenewedBytes {
		j.drop(j.order.Front())
	}
}

func (j *journal) drop(e *list.Element) {
	d := j.order.Remove(e).(*deed)
	j.lighten(d)
	delete(j.byKey, d.key)
}

func (j *journal) lighten(d *deed) {
	for _, r := range d.renewals {
		j.bytes -= len(r.rec.Data)
	}
}

// forget is for a session that begins under an ID that had one before.
func (j *journal) forget(key string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if e, ok := j.byKey[key]; ok {
		j.drop(e)
	}
}

// before returns the Revisions of which a renewal is the successor, none if it is not known.
func (j *journal) before(id core.ID, renewed core.Revision) []core.Revision {
	j.mu.Lock()
	defer j.mu.Unlock()
	if e, ok := j.byKey[string(id)]; ok {
		for _, r := range e.Value.(*deed).renewals {
			if r.rec.Revision == renewed {
				return r.was
			}
		}
	}
	return nil
}

// age drops what is old enough, and returns how many deeds are left.
func (j *journal) age(now time.Time) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	for e := j.order.Front(); e != nil; {
		d, next := e.Value.(*deed), e.Next()
		age := now.Sub(d.at)
		if age < rememberedFor {
			break
		}
		if !d.redo || age > redoneFor {
			j.drop(e)
		}
		e = next
	}
	return j.order.Len()
}

// doubt marks all deeds as possibly undone.
func (j *journal) doubt() {
	j.mu.Lock()
	defer j.mu.Unlock()
	for e := j.order.Front(); e != nil; e = e.Next() {
		e.Value.(*deed).redo = true
	}
}

// doubtful returns copies of the deeds that may have been undone.
func (j *journal) doubtful() []deed {
	j.mu.Lock()
	defer j.mu.Unlock()
	var all []deed
	for e := j.order.Front(); e != nil; e = e.Next() {
		if d := e.Value.(*deed); d.redo {
			all = append(all, *d)
		}
	}
	return all
}

// redone says that a deed has been done again. It is remembered anew: the next failover may come
// before replicas have it.
func (j *journal) redone(d *deed) {
	j.mu.Lock()
	defer j.mu.Unlock()
	e, ok := j.byKey[d.key]
	if !ok {
		return
	}
	// What came to it meanwhile has not been done again.
	if now := e.Value.(*deed); now.at.Equal(d.at) {
		now.redo, now.at = false, time.Now()
		j.order.MoveToBack(e)
	}
}
