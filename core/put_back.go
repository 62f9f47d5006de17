package core

import (
	"context"
	"errors"
)

// putBackTries bounds how often others may be met on the way back.
const putBackTries = 5

// putBack makes a record what it was before a sign-in that was not admitted, which had made it next.
// What others have changed meanwhile stays. What cannot be written now is written later.
func (m *Manager) putBack(ctx context.Context, was, next *stored) {
	if was.owner != next.owner {
		m.unlist(ctx, &next.snapshot) // the addition may have taken effect
	}
	restored, newest := *was, next.revision
	restored.revision = newRevision()
	var err error
	for range putBackTries {
		err = m.renew(ctx, restored.record(), newest) // which tells those who watch
		if err == nil || errors.Is(err, ErrNotDurable) {
			m.streams.Renewed(was.id) // some may have begun with what was refused
		}
		if err == nil || errors.Is(err, ErrNotFound) {
			return
		}
		if errors.Is(err, ErrNotDurable) {
			break
		}
		var now snapshot
		lost := m.fetch(ctx, was.id, &now)
		if errors.Is(lost, ErrNotFound) {
			return
		}
		if lost != nil {
			break
		}
		is := now.unpack()
		switch {
		case is.revision == restored.revision, !is.verifier.equal(&next.verifier):
			return // it is done, or somebody has gone on from there
		case is.revision != newest:
			newest = is.revision
			restored = undo(was, next, &is)
		}
	}
	m.confirm(ctx, unconfirmedWrite(restored.record(), newest, ofRenewal))
	err = &StoreError{Op: "update", ID: was.id, Err: err}
	m.emit(ctx, Event{Kind: StoreFailure, ID: was.id, Reason: "put back", Err: err})
}

// undo takes what led from was to next out of is, which came after next.
func undo(was, next, is *stored) stored {
	undone := *is
	undone.owner, undone.head = was.owner, was.head
	for _, tag := range []byte{labelField, levelField} {
		if now := is.head.extension.get(tag); now != next.head.extension.get(tag) {
			undone.head.extension = undone.head.extension.with(tag, now)
		}
	}
	if is.head.flags != next.head.flags {
		undone.head.flags = is.head.flags
	}
	var p patch
	before, between, now := was.values(), next.values(), is.values()
	for _, e := range between.entries() {
		if value, ok := now.get(e.name); !ok || value != e.value {
			continue // changed since
		}
		value, ok := before.get(e.name)
		if !ok || value != e.value {
			p = append(p, patchEntry{entry: entry{e.name, value}, deleted: !ok})
		}
	}
	for _, e := range before.entries() {
		_, stayed := between.get(e.name)
		if _, again := now.get(e.name); !stayed && !again {
			p = append(p, patchEntry{entry: e})
		}
	}
	undone.encode(now, p)
	return undone
}
