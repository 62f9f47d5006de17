package postgresstore

import (
	"context"
	"time"
)

// DeleteExpired implements core.Sweeper. It looks only at records that were to have expired by now
// when that was last noted, in batches of 500, each a transaction of a few milliseconds that waits
// for nobody: any number of nodes may sweep at once, and share the work.
func (s *Store) DeleteExpired(ctx context.Context, now time.Time) (int, error) {
	for {
		var deleted, later int
		err := unlessRolledBack(func() error {
			return s.db.QueryRow(ctx, s.sweep, now.UnixMilli()).Scan(&deleted, &later, nil)
		})
		if err != nil {
			return 0, s.failure(ctx, err)
		}
		switch {
		case deleted > 0:
			return deleted, nil // the Manager calls again
		case later < sweepBatch:
			return 0, s.forget(ctx, now.Add(-slack))
		}
	}
}

// slack is how much longer than it must what belongs to an owner is kept: clocks differ.
const slack = 10 * time.Minute

// forget removes what need not be known of owners any more.
func (s *Store) forget(ctx context.Context, now time.Time) error {
	var have bool
	err := s.db.QueryRow(ctx, s.haveOwners).Scan(&have)
	if err != nil {
		return s.failureAt(ctx, s.owners, err)
	}
	if !have {
		return nil // nobody has called Migrate since it makes this table
	}
	for n := ownersBatch; n == ownersBatch; {
		err := unlessRolledBack(func() error {
			return s.db.QueryRow(ctx, s.sweepOwners, now.UnixMilli()).Scan(&n, nil)
		})
		if err != nil {
			return s.failureAt(ctx, s.owners, err)
		}
	}
	return nil
}
