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
		if deleted > 0 || later < sweepBatch {
			return deleted, nil
		}
	}
}
