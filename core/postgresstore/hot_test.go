package postgresstore_test

import (
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/internal/servers"
	"github.com/sessionserverstore/sessionserverstore/core/postgresstore"
)

// So many of a hundred touches, and of updates, leave the indexes alone at least.
const hotShare = 85

func TestTouchesAndChangesLeaveTheIndexesAlone(t *testing.T) {
	url := servers.SharedPostgres(t).Database(t)
	conn := connect(t, url)
	const sessions, rounds, workers = 2000, 4, 4
	records := make([]core.Record, sessions)
	var allBefore, hotBefore int64
	// share does something to each record, several times, and returns how much of it was HOT.
	share := func(rounds int, do func(store *postgresstore.Store, i int) error) int64 {
		store, err := postgresstore.Open(url, postgresstore.Options{})
		require.NoError(t, err)
		require.NoError(t, store.Migrate(t.Context()))
		var group sync.WaitGroup
		for range rounds {
			order := rand.Perm(sessions)
			for w := range workers {
				group.Go(func() {
					for i := w; i < sessions; i += workers {
						if !assert.NoError(t, do(store, order[i])) {
							return
						}
					}
				})
			}
			group.Wait()
		}
		require.NoError(t, store.Close()) // connections that end report what they did
		var all, hot int64
		require.Eventually(t, func() bool {
			err := conn.QueryRow(t.Context(), `SELECT n_tup_ins + n_tup_upd, n_tup_hot_upd
				FROM pg_stat_user_tables WHERE relname = 'sessions'`).Scan(&all, &hot)
			return err == nil && all-allBefore == int64(rounds*sessions)
		}, patience, 10*time.Millisecond)
		percent := 100 * (hot - hotBefore) / (all - allBefore)
		allBefore, hotBefore = all, hot
		return percent
	}
	share(1, func(store *postgresstore.Store, i int) error {
		records[i] = newRecord(250)
		return store.Create(t.Context(), records[i])
	})
	rewrite := func(write func(*postgresstore.Store) write) int64 {
		return share(rounds, func(store *postgresstore.Store, i int) error {
			was := records[i]
			records[i] = next(was)
			records[i].Data = was.Data
			return write(store)(t.Context(), records[i], was.Revision)
		})
	}
	touches := rewrite(func(s *postgresstore.Store) write { return s.Touch })
	changes := rewrite(func(s *postgresstore.Store) write { return s.Update })
	t.Logf("HOT: %d %% of touches, %d %% of changes", touches, changes)
	assert.GreaterOrEqual(t, touches, int64(hotShare))
	assert.GreaterOrEqual(t, changes, int64(hotShare))
}
