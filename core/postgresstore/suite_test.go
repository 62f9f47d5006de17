package postgresstore_test

import (
	"testing"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/internal/servers"
	"github.com/sessionserverstore/sessionserverstore/core/internal/storesuite"
	"github.com/sessionserverstore/sessionserverstore/core/postgresstore"
)

var suiteFlags = storesuite.NewFlags()

// Managers on this store keep all of core's promises, on one node and on two.
func TestSuite(t *testing.T) {
	database := servers.SharedPostgres(t).Database(t)
	storesuite.Run(t, storesuite.Subject{
		Flags: suiteFlags, Share: 5,
		Open: func(t testing.TB) core.Store {
			return open(t, database, postgresstore.Options{})
		},
	})
}
