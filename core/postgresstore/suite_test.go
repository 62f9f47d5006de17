package postgresstore_test

import (
	"testing"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/internal/servers"
	"github.com/sessionserverstore/sessionserverstore/core/internal/storesuite"
	"github.com/sessionserverstore/sessionserverstore/core/postgresstore"
)

var flags = storesuite.NewFlags()

// A whole Manager, one and two of them on one table, keeps the promises of core.
func TestSuite(t *testing.T) {
	url := servers.SharedPostgres(t).Database(t)
	tables := map[testing.TB]string{}
	handle := func(t testing.TB) core.Store {
		if tables[t] == "" { // the handles of one test share a table
			tables[t] = newTable()
		}
		return open(t, url+"&pool_max_conns=8", postgresstore.Options{Table: tables[t]})
	}
	storesuite.Run(t, storesuite.Subject{Flags: flags, Share: 30, Open: handle})
}
