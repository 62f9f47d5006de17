package sqlitestore

import (
	"context"
	"database/sql/driver"
	"io"
	"slices"
	"time"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// An owned is what a write of the index of owners takes and returns.
type owned struct {
	owner   string
	entries []core.OwnerEntry // to add, which is one, or to remove
	epoch   core.Epoch
	limit   int
	until   time.Time

	// What came of it.
	count  int
	before core.Epoch
	list   []core.OwnerEntry
}

// pages is roughly how many pages it writes, beside two. It is none of nil.
func (o *owned) pages() int {
	if o == nil {
		return 0
	}
	return len(o.entries) / 4
}

// OwnerEpoch implements core.OwnerIndex. It does not wait for those who write.
func (s *Store) OwnerEpoch(ctx context.Context, owner string) (epoch core.Epoch, err error) {
	if err := s.prepare(ctx); err != nil {
		return 0, err
	}
	err = s.read(ctx, func(r *reader) (err error) {
		epoch, err = r.epoch.epochOf(owner)
		return err
	})
	return epoch, err
}

// AddOwned implements core.OwnerIndex. When it returns nil the entry is on the disk. It answers
// core.ErrStoreFull if the disk is full.
func (s *Store) AddOwned(
	ctx context.Context, owner string, entry core.OwnerEntry, epoch core.Epoch, limit int,
) (int, error) {
	o := newOperation(ctx, addOwned, core.Record{}, 0)
	o.owned = &owned{
		owner: owner, entries: []core.OwnerEntry{entry}, epoch: epoch, limit: limit,
	}
	if err := s.write(o); err != nil {
		return 0, err // what came of it the writer may still be about to write
	}
	return o.owned.count, nil
}

// ListOwned implements core.OwnerIndex. It does not wait for those who write.
func (s *Store) ListOwned(
	ctx context.Context, owner string,
) (list []core.OwnerEntry, err error) {
	if err := s.prepare(ctx); err != nil {
		return nil, err
	}
	err = s.read(ctx, func(r *reader) (err error) {
		list, err = r.listOwned.entriesOf(owner)
		return err
	})
	return list, err
}

// RemoveOwned implements core.OwnerIndex. It removes all or, with an error, none.
func (s *Store) RemoveOwned(
	ctx context.Context, owner string, entries ...core.OwnerEntry,
) error {
	if len(entries) == 0 {
		return s.prepare(ctx)
	}
	o := newOperation(ctx, removeOwned, core.Record{}, 0)
	o.owned = &owned{owner: owner, entries: slices.Clone(entries)}
	return s.write(o)
}

// RaiseEpoch implements core.OwnerIndex. When it returns nil the Epoch is on the disk.
func (s *Store) RaiseEpoch(
	ctx context.Context, owner string, epoch core.Epoch, until time.Time,
) (before core.Epoch, entries []core.OwnerEntry, err error) {
	o := newOperation(ctx, raiseEpoch, core.Record{}, 0)
	o.owned = &owned{owner: owner, epoch: epoch, until: until}
	if err := s.write(o); err != nil {
		return 0, nil, err
	}
	return o.owned.before, o.owned.list, nil
}

// add adds an entry if the Epoch and the limit allow it.
func (c *writing) add(o *operation) error {
	a := o.owned
	epoch, err := c.epoch.epochOf(a.owner)
	if err != nil {
		return err
	}
	if epoch != a.epoch {
		o.found = core.ErrConflict
		return nil
	}
	entry := &a.entries[0]
	var others [1]driver.Value
	if err := c.countOwned.first(others[:], a.owner, string(entry.ID)); err != nil {
		return err
	}
	n, _ := others[0].(int64)
	if a.limit != 0 && n >= int64(a.limit) {
		o.found = core.ErrOwnerLimit
		return nil
	}
	a.count = int(n) + 1
	_, err = c.addOwned.run(a.owner, string(entry.ID), int64(entry.Revision),
		valueOf(entry.Until))
	return err
}

func (c *writing) removeEach(o *owned) error {
	for i := range o.entries {
		e := &o.entries[i]
		if _, err := c.removeOwned.run(o.owner, string(e.ID), int64(e.Revision)); err != nil {
			return err
		}
	}
	return nil
}

// raise gives the owner another Epoch. It is the same transaction that lists the entries.
func (c *writing) raise(o *owned) (err error) {
	if o.before, err = c.epoch.epochOf(o.owner); err != nil {
		return err
	}
	if o.list, err = c.listOwned.entriesOf(o.owner); err != nil {
		return err
	}
	_, err = c.raiseEpoch.run(o.owner, int64(o.epoch), valueOf(o.until))
	return err
}

// epochOf is for the statement that reads an Epoch, of any connection.
func (s *statement) epochOf(owner string) (core.Epoch, error) {
	var dest [1]driver.Value
	err := s.first(dest[:], owner)
	if err == io.EOF {
		return 0, nil
	}
	epoch, _ := dest[0].(int64)
	return core.Epoch(epoch), err
}

// entriesOf is for the statement that lists an owner's entries, of any connection.
func (s *statement) entriesOf(owner string) ([]core.OwnerEntry, error) {
	var list []core.OwnerEntry
	var dest [3]driver.Value
	err := s.each(dest[:], func() error {
		id, _ := dest[0].(string)
		revision, _ := dest[1].(int64)
		list = append(list, core.OwnerEntry{
			ID: core.ID(id), Revision: core.Revision(revision), Until: timeOf(dest[2]),
		})
		return nil
	}, owner)
	return list, err
}
