package redisstore_test

import (
	"testing"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/internal/servers"
	"github.com/sessionserverstore/sessionserverstore/core/internal/storesuite"
	"github.com/sessionserverstore/sessionserverstore/core/redisstore"
)

var suiteFlags = storesuite.NewFlags()

// Managers on this store keep all of core's promises, on one node and on two.
func TestSuite(t *testing.T) {
	share := 1
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		server := engine.Start(t)
		storesuite.Run(t, storesuite.Subject{
			Flags: suiteFlags, Share: share,
			Open: func(t testing.TB) core.Store {
				return open(t, server.URL(), redisstore.Options{})
			},
		})
		share = 10 // the next engine gets the same commands
	})
}
