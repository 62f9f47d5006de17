package redisstore

import (
	"slices"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// An other is what does a deed again that is neither end nor renewal.
type other struct {
	write
	entry *core.OwnerEntry // that is added
	// fresh is for an epoch that is raised: it needs one that nobody has begun with. The sessions
	// of these entries were known then.
	fresh bool
	known []core.OwnerEntry
}

// maxKnown is of how many entries a journal remembers that they were known.
const maxKnown = 16

func entryKey(id core.ID) string { return ownerSpace + string(id) }

// added notes an entry of an owner, and what adds it again.
func (j *journal) added(entry *core.OwnerEntry, again write) {
	j.note(entryKey(entry.ID), other{write: again, entry: entry})
}

// removed forgets an entry that need not be there any more.
func (j *journal) removed(entry *core.OwnerEntry) {
	j.mu.Lock()
	defer j.mu.Unlock()
	e, ok := j.byKey[entryKey(entry.ID)]
	if ok && e.Value.(*deed).other.entry.Revision == entry.Revision {
		j.drop(e)
	}
}

// raised notes a new epoch, the one before it, and the entries that there were.
func (j *journal) raised(w write, before core.Epoch, entries []core.OwnerEntry) {
	if w.args[0] == numberText(uint64(before)) && j.again(w.key, w.args[0]) {
		return
	}
	w.args = append(slices.Clip(w.args), numberText(uint64(before)))
	known := slices.Clone(entries[:min(len(entries), maxKnown)])
	j.note(w.key, other{write: w, fresh: true, known: known})
}

// again notes that an epoch was raised once more, and reports false if it is not known.
func (j *journal) again(key, epoch string) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	e, ok := j.byKey[key]
	if !ok || e.Value.(*deed).other.args[0] != epoch {
		return false
	}
	j.latest(key)
	return true
}

// marked notes a mark.
func (j *journal) marked(w write) { j.note(w.key, other{write: w}) }

func (j *journal) note(key string, o other) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.latest(key).other = &o
	j.fit()
}
