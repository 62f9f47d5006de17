package postgresstore_test

import (
	"testing"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/internal/servers"
	"github.com/sessionserverstore/sessionserverstore/core/internal/storesuite"
	"github.com/sessionserverstore/sessionserverstore/core/postgresstore"
)

// An end comes to the streams of another node. With -v it says how fast.
func TestAnEndComesToAnotherNode(t *testing.T) {
	url, table := servers.SharedPostgres(t).Database(t), newTable()
	storesuite.Delays(t, storesuite.Subject{Open: func(t testing.TB) core.Store {
		return open(t, url+"&pool_max_conns=8", postgresstore.Options{Table: table})
	}})
}
