package redisstore_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/internal/faults"
	"github.com/sessionserverstore/sessionserverstore/core/internal/servers"
	"github.com/sessionserverstore/sessionserverstore/core/redisstore"
)

// The clock of one node is an hour fast, that of the other an hour slow, and the server's is right.
// (What a store takes from the clock of its own process is not shifted: see faults.Shift.)
func TestFaultsClocksThatAreOffByAnHour(t *testing.T) {
	fault(t, func(t *testing.T, engine servers.Engine, seed uint64) {
		server := engine.Start(t)
		for name, idle := range map[string]time.Duration{
			"longer idle timeout": 24 * time.Hour, "shorter idle timeout": 90 * time.Minute,
		} {
			store := faultStore(t, server.URL(), name, redisstore.Options{})
			cfg := core.Config{IdleTimeout: idle, Lifetime: 48 * time.Hour}
			run := faults.Start(t, seed,
				faults.NewNode(t, "fast", faults.Shift(store, time.Hour), cfg),
				faults.NewNode(t, "slow", faults.Shift(store, -time.Hour), cfg)).Name(name)
			run.Create(20)
			run.Work(faults.Load{From: 10, Steps: 60})
			run.ReadAll()
			v := run.Verdict()
			assert.Empty(t, v.Ends, "%v", v)
			assert.Empty(t, v.Renewals, "%v", v)
			if idle > 2*time.Hour {
				assert.Empty(t, v.Changes, "%v", v)
				assert.Empty(t, v.Views, "%v", v)
				continue
			}
			assert.NotEmpty(t, v.Changes, "the fault proves nothing: sessions of the slow node "+
				"should be over for the fast one")
		}
	})
}
