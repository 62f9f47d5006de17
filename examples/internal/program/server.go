package program

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Servers is the program that starts real servers for tests, for Build.
const Servers = "core/internal/servers/run"

// missing is the exit status of Servers if there is no such server.
const missing = 3

// installation is how long a server may take to start if it must be installed before, and other
// tests install theirs at the same time.
const installation = 9 * time.Minute

// StartStore starts what a kind of store needs, and returns its name for the flag -store. The kinds
// are "sqlite", which is a new file, and the servers "redis", "valkey" and "postgres". dir is where
// Build has put Servers. All of it is gone when the test has ended. A test whose server is not
// installed is skipped; with SESSIONSERVERSTORE_INSTALL=1 the server is installed, and what is
// missing even then is a failure.
func StartStore(t testing.TB, dir, kind string) string {
	t.Helper()
	if kind == "sqlite" {
		return "sqlite:" + filepath.Join(t.TempDir(), "sessions.db")
	}
	p := launch(t, filepath.Join(dir, filepath.Base(Servers)), kind)
	if p.read(1, installation) {
		t.Cleanup(p.Stop)
		return p.Lines[0]
	}
	_ = p.command.Process.Kill() // It has ended already, unless it hangs.
	p.awaitEnd()
	log := strings.TrimSpace(p.log.String())
	if p.command.ProcessState.ExitCode() == missing {
		t.Skip(log)
	}
	require.FailNow(t, "the server does not start", log)
	return ""
}
