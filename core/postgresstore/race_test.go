package postgresstore_test

import (
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/internal/servers"
	"github.com/sessionserverstore/sessionserverstore/core/postgresstore"
)

// isolations are PostgreSQL's, each as the default of some server.
var isolations = []string{"read committed", "repeatable read", "serializable"}

// A write that has to wait for another one says what is true when that is done: PostgreSQL shows it
// the table as it was before.
func TestAWriteThatWaitedForAnotherKnowsWhatBecameOfTheRecord(t *testing.T) {
	url := servers.SharedPostgres(t).Database(t)
	for _, isolation := range isolations {
		store := open(t, withIsolation(url, isolation), postgresstore.Options{})
		other, observer := connect(t, url), connect(t, url)
		for _, c := range []struct {
			meanwhile string
			want      error
		}{
			{"DELETE FROM sessions WHERE id = $1", core.ErrNotFound},
			{"UPDATE sessions SET revision = 7 WHERE id = $1", core.ErrConflict},
			{"UPDATE sessions SET used = 7 WHERE id = $1", nil},
		} {
			for name, write := range writes(store) {
				t.Run(isolation+"/"+name+"/"+c.meanwhile, func(t *testing.T) {
					rec := created(t, store)
					tx, err := other.Begin(t.Context())
					require.NoError(t, err)
					_, err = tx.Exec(t.Context(), c.meanwhile, string(rec.ID))
					require.NoError(t, err)
					var answer error
					var group sync.WaitGroup
					group.Go(func() { answer = write(t.Context(), next(rec), rec.Revision) })
					awaitBlocked(t, observer)
					require.NoError(t, tx.Commit(t.Context()))
					group.Wait()
					if c.want == nil {
						require.NoError(t, answer)
					} else {
						require.ErrorIs(t, answer, c.want)
					}
				})
			}
		}
	}
}

func withIsolation(url, isolation string) string {
	return url + "&default_transaction_isolation=" + map[string]string{
		"read committed": "read%20committed", "repeatable read": "repeatable%20read",
		"serializable": "serializable",
	}[isolation]
}

// awaitBlocked waits until a statement waits for the lock of another.
func awaitBlocked(t *testing.T, observer *pgx.Conn) {
	t.Helper()
	awaitOne(t, observer, "a statement waits for a lock", `SELECT count(*) > 0 FROM pg_stat_activity
		WHERE wait_event_type = 'Lock' AND datname = current_database()`)
}

// Where the default isolation is stricter, PostgreSQL rolls back what meets another write.
func TestWritesAtTheSameTimeAreRightInEveryIsolation(t *testing.T) {
	url := servers.SharedPostgres(t).Database(t)
	for _, isolation := range isolations {
		t.Run(isolation, func(t *testing.T) {
			store := open(t, withIsolation(url, isolation)+"&pool_max_conns=8",
				postgresstore.Options{Table: newTable()})
			const rounds, racers = 10, 8
			for range rounds {
				rec := created(t, store)
				var won sync.Map
				var group sync.WaitGroup
				for i := range racers {
					group.Go(func() {
						mine := next(rec)
						write := []write{store.Update, store.Renew}[i%2]
						err := write(t.Context(), mine, rec.Revision)
						if err == nil {
							won.Store(i, mine)
							return
						}
						assert.ErrorIs(t, err, core.ErrConflict)
					})
				}
				group.Wait()
				winners := 0
				won.Range(func(_, mine any) bool {
					winners++
					requireHolds(t, store, mine.(core.Record))
					return true
				})
				require.Equal(t, 1, winners)

				for range racers {
					group.Go(func() { assert.NoError(t, store.Delete(t.Context(), rec.ID)) })
				}
				group.Wait()
				requireLacks(t, store, rec.ID)
			}
		})
	}
}
