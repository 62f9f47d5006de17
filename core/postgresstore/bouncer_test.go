package postgresstore_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/internal/servers"
	"github.com/sessionserverstore/sessionserverstore/core/postgresstore"
	"github.com/sessionserverstore/sessionserverstore/core/sessiontest"
)

func TestPgBouncerInTransactionMode(t *testing.T) {
	t.Parallel()
	server := servers.NewPostgres(t)
	url := servers.PgBouncer(t, server) + "&pool_max_conns=20"

	t.Run("cache_describe", func(t *testing.T) {
		sessiontest.TestStore(t, func(t testing.TB) core.Store {
			return open(t, url+inMode("cache_describe"),
				postgresstore.Options{Table: newTable(), Listen: server.URL()})
		})
	})
	for _, mode := range modes[1:] {
		t.Run("every operation/"+mode, func(t *testing.T) {
			store := open(t, url+inMode(mode), postgresstore.Options{})
			useAll(t, store)
			useOwners(t, store, "user:"+mode)
		})
	}

	t.Run("nobody hears anything through it, and that is noticed", func(t *testing.T) {
		store := open(t, url+inMode("cache_describe"), postgresstore.Options{})
		w := watch(t, store)
		require.ErrorContains(t, w.over(t), "Options.Listen")
		require.NotContains(t, w.err.Error(), servers.PostgresPassword)
		select {
		case <-w.ready:
			require.Fail(t, "it must not be ready")
		default:
		}
	})

	t.Run("another way to listen", func(t *testing.T) {
		store := open(t, url+inMode("cache_describe"),
			postgresstore.Options{Listen: server.URL()})
		w, id := watchReady(t, patient(store)), newID()
		require.NoError(t, store.Delete(t.Context(), id))
		w.awaitEnd(t, id)
	})

	// A setting that stayed behind on a connection of the server would be the next client's.
	t.Run("nothing is left behind", func(t *testing.T) {
		store := openOnly(t, url+inMode("exec"), postgresstore.Options{})
		conn := connect(t, strings.ReplaceAll(url, "&pool_max_conns=20", inMode("exec")))
		for range 20 {
			rec := created(t, store)
			require.NoError(t, store.Touch(t.Context(), next(rec), rec.Revision))
			require.Equal(t, "on", ask[string](t, conn, "SHOW synchronous_commit"))
		}
	})

	t.Run("prepared statements are not there, and the error says what to do", func(t *testing.T) {
		store := openOnly(t, url, postgresstore.Options{})
		var hints sync.Map
		var group sync.WaitGroup
		for range 20 {
			group.Go(func() {
				for range 20 {
					if err := store.Create(t.Context(), newRecord(1)); err != nil {
						hints.Store(err.Error(), true)
					}
				}
			})
		}
		group.Wait()
		found := 0
		hints.Range(func(text, _ any) bool {
			found++
			assert.Contains(t, text, "default_query_exec_mode=cache_describe")
			return true
		})
		assert.NotZero(t, found, "twenty clients on eight connections that they take in turn")
	})
}
