package redisstore_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/internal/faults"
	"github.com/sessionserverstore/sessionserverstore/core/internal/servers"
)

// fillMemory writes until the server refuses the smallest values, or has got so many bytes.
func fillMemory(t *testing.T, server *servers.Redis, most int) {
	t.Helper()
	written := 0
	for size := 64 << 10; size >= 16; {
		_, err := server.Do("SET", fmt.Sprint("other:", written), strings.Repeat("x", size))
		var refused servers.ReplyError
		if errors.As(err, &refused) {
			size /= 2
			continue
		}
		require.NoError(t, err)
		if written += size; written > most {
			return
		}
	}
}

// The server's memory is full: with noeviction it says so, and nothing is lost; with any other
// policy it throws sessions away.
func TestFaultsMemoryThatIsFull(t *testing.T) {
	fault(t, func(t *testing.T, engine servers.Engine, seed uint64) {
		for _, policy := range []string{"noeviction", "allkeys-lru"} {
			server := engine.Start(t, "maxmemory 6mb", "maxmemory-policy "+policy)
			b := &bout{name: policy, config: untouched()}
			b.config.LoadTimeout, b.config.CommitTimeout = unhurried, unhurried
			run := faults.Start(t, seed, b.nodes(t, server.URL())...).Name(policy)
			run.Create(60)
			fillMemory(t, server, 20<<20)
			if policy != "noeviction" {
				run.ReadAll()
				assert.NotEmpty(t, run.Verdict().Changes, "the fault proves nothing")
				continue
			}
			for run.Each(faults.Save, 20, 60) == 40 {
				fillMemory(t, server, 20<<20) // the server has found a little memory
			}
			assert.Equal(t, 20, run.End(0, 20), "an end needs no memory")
			for _, o := range run.History() {
				if o.Outcome != faults.OK {
					assert.ErrorIs(t, o.Err, core.ErrStoreFull)
				}
			}
			run.ReadAll()
			noneLost(t, run)
		}
	})
}

// fillDisk makes the file full to which the server appends next, and returns what makes room again,
// while the server does not run. The rewrite begins a new file, which is a way to /dev/full.
func fillDisk(t *testing.T, server *servers.Redis) (makeRoom func()) {
	t.Helper()
	next := filepath.Join(server.Dir(), "appendonlydir", "appendonly.aof.2.incr.aof")
	require.NoError(t, os.Symlink("/dev/full", next))
	server.MustDo("BGREWRITEAOF")
	require.Eventually(t, func() bool {
		return server.Info("aof_rewrite_in_progress") == "0" && server.Info("aof_base_size") != "" &&
			server.Info("aof_rewrite_scheduled") == "0" &&
			server.Info("aof_last_bgrewrite_status") == "ok"
	}, faultPatience, faultPoll)
	return func() {
		require.NoError(t, os.Remove(next))
		require.NoError(t, os.WriteFile(next, nil, 0o600))
	}
}

// The disk of a server with an append-only file is full, and the server is killed. One that syncs
// each write before it answers (always) ends by itself rather than answer; one that does so every
// second has answered what it could not write.
func TestFaultsDiskThatIsFull(t *testing.T) {
	fault(t, func(t *testing.T, engine servers.Engine, seed uint64) {
		for _, policy := range []string{"always", "everysec"} {
			server := engine.Start(t, "appendonly yes", "appendfsync "+policy)
			// Without touches, so that the first write that the disk has no room for is an end.
			b := &bout{name: policy, config: untouched(), options: nothingConfirmed}
			b.config.LoadTimeout, b.config.CommitTimeout = unhurried, unhurried
			if policy == "always" { // nobody answers
				b.config = impatient()
				b.config.TouchInterval = untouched().TouchInterval
			}
			run := faults.Start(t, seed, b.nodes(t, server.URL())...).Name(policy)
			run.Create(40)
			makeRoom := fillDisk(t, server)
			ended := run.End(0, 20)
			run.Each(faults.Save, 20, 40)
			server.Kill()
			makeRoom()
			server.Restart()
			run.Await()
			run.ReadAll()
			if policy == "always" {
				assert.Zero(t, ended)
				noneLost(t, run)
				continue
			}
			assert.Positive(t, ended)
			assert.NotEmpty(t, run.Verdict().Ends, "the fault proves nothing")
		}
	})
}
