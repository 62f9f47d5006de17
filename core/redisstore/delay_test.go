package redisstore_test

import (
	"testing"

	"github.com/sessionserverstore/sessionserverstore/core/internal/servers"
	"github.com/sessionserverstore/sessionserverstore/core/internal/storesuite"
	"github.com/sessionserverstore/sessionserverstore/core/redisstore"
)

// An end comes to the streams of another node, in a cluster as well. With -v it says how fast.
func TestAnEndComesToAnotherNode(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine servers.Engine) {
		storesuite.Delays(t, subject(engine.Start(t).URL(), redisstore.Options{}))
	})
	t.Run("a cluster", func(t *testing.T) {
		url := "redis://" + servers.Engines(t)[0].Cluster(t).Addrs()[0]
		storesuite.Delays(t, subject(url, redisstore.Options{ConfirmTimeout: patient}))
	})
}
