package redisstore_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core/internal/faults"
	"github.com/sessionserverstore/sessionserverstore/core/internal/servers"
)

// A server without an append-only file starts again as it was at its last snapshot.
func TestFaultsKillAndRestartFromAnOldSnapshot(t *testing.T) {
	fault(t, func(t *testing.T, engine servers.Engine, seed uint64) {
		server := engine.Start(t)
		all := bouts{
			{name: "snapshots alone", options: nothingConfirmed, loses: true},
			{name: "with a journal", options: journalAlone, config: untouched(), heals: true},
		}
		all.begin(t, seed, server.URL())
		all.awaitSurvey(t, server)
		server.MustDo("SAVE")
		all.harm()
		server.Kill()
		server.Restart()
		all.judge(t, server.URL())
	})
}

// One with it loses nothing that it has answered.
func TestFaultsKillAndRestartWithAnAppendOnlyFile(t *testing.T) {
	fault(t, func(t *testing.T, engine servers.Engine, seed uint64) {
		server := engine.Start(t, "appendonly yes", "appendfsync always")
		b := &bout{name: "append-only"}
		run := faults.Start(t, seed, b.nodes(t, server.URL())...).Name(b.name)
		run.Create(40)
		stop := run.Go(faults.Load{})
		for range 3 {
			awaitOperations(t, run, 150)
			server.Kill()
			server.Restart()
		}
		awaitOperations(t, run, 20)
		stop()
		run.Await()
		run.ReadAll()
		noneLost(t, run)
		require.Positive(t, run.History().Count(faults.OK, faults.Destroy, faults.Revoke))
	})
}
