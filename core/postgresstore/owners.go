package postgresstore

import (
	"context"
	"errors"
	"math"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// OwnerEpoch implements core.OwnerIndex.
func (s *Store) OwnerEpoch(ctx context.Context, owner string) (core.Epoch, error) {
	var epoch int64
	_, err := s.lookUp(ctx, s.owners, s.epoch, owner, &epoch)
	return core.Epoch(epoch), err
}

// AddOwned implements core.OwnerIndex. It is one round trip, two if it is refused, and as durable
// as Delete.
func (s *Store) AddOwned(
	ctx context.Context, owner string, entry core.OwnerEntry, epoch core.Epoch, limit int,
) (int, error) {
	for range attempts {
		a, err := s.writeAndWait(ctx, s.add, owner, string(entry.ID), encode(entry),
			forgotten(entry.Until), int64(epoch), int64(limit))
		if err != nil {
			return 0, s.failureAt(ctx, s.owners, err)
		}
		if a.done {
			return s.added(ctx, a)
		}
		if err := s.notAdded(ctx, owner, entry.ID, epoch, limit); err != nil {
			return 0, err
		}
		// There was no room, and now there is.
	}
	return 0, errUnstable
}

// added returns how many entries an owner has, also if that is not confirmed.
func (s *Store) added(ctx context.Context, a answer) (int, error) {
	n, err := strconv.Atoi(a.more[0])
	if err != nil {
		return 0, s.failureAt(ctx, s.owners, err)
	}
	return n, s.confirmed(ctx, a)
}

// notAdded tells why an entry was not added. It is nil if there is no reason any more.
func (s *Store) notAdded(
	ctx context.Context, owner string, id core.ID, epoch core.Epoch, limit int,
) error {
	var current, full bool
	err := unlessRolledBack(func() error {
		return s.db.QueryRow(ctx, s.statements.notAdded, owner, string(id), int64(epoch),
			int64(limit)).Scan(&current, &full)
	})
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		if epoch == 0 {
			return nil
		}
		return core.ErrConflict
	case err != nil:
		return s.failureAt(ctx, s.owners, err)
	case !current:
		return core.ErrConflict
	case full && limit != 0:
		return core.ErrOwnerLimit
	}
	return nil
}

// ListOwned implements core.OwnerIndex.
func (s *Store) ListOwned(ctx context.Context, owner string) ([]core.OwnerEntry, error) {
	var entries string
	found, err := s.lookUp(ctx, s.owners, s.list, owner, &entries)
	if err != nil || !found {
		return nil, err
	}
	return decode(entries)
}

// RemoveOwned implements core.OwnerIndex. It does not wait for the disk: a crash may bring back
// entries of the last second.
func (s *Store) RemoveOwned(ctx context.Context, owner string, entries ...core.OwnerEntry) error {
	if len(entries) == 0 {
		return nil
	}
	if _, err := s.write(ctx, s.remove, owner, stamps(entries)); err != nil {
		return s.failureAt(ctx, s.owners, err)
	}
	return nil
}

// RaiseEpoch implements core.OwnerIndex. It is as durable as Delete.
func (s *Store) RaiseEpoch(
	ctx context.Context, owner string, epoch core.Epoch, until time.Time,
) (core.Epoch, []core.OwnerEntry, error) {
	kept := int64(math.MaxInt64) // for ever
	if !until.IsZero() {
		kept = until.UnixMilli()
	}
	a, err := s.writeAndWait(ctx, s.raise, owner, int64(epoch), kept)
	if err != nil {
		return 0, nil, s.failureAt(ctx, s.owners, err)
	}
	before, err := strconv.ParseInt(a.more[0], 10, 64)
	if err != nil {
		return 0, nil, s.failureAt(ctx, s.owners, err)
	}
	entries, err := decode(a.more[1])
	if err != nil {
		return 0, nil, err
	}
	return core.Epoch(before), entries, s.confirmed(ctx, a)
}

// lookUp reads the one column of the row under a key, and reports whether there is one.
func (s *Store) lookUp(ctx context.Context, table, sql, key string, column any) (bool, error) {
	err := unlessRolledBack(func() error { return s.db.QueryRow(ctx, sql, key).Scan(column) })
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return false, nil
	case err != nil:
		return false, s.failureAt(ctx, table, err)
	}
	return true, nil
}
