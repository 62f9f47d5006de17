package servers_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core/internal/servers"
)

const setting = "SESSIONSERVERSTORE_INSTALL"

func TestMissingServer(t *testing.T) {
	start := func(t testing.TB) { servers.Engine{Name: "redis"}.Start(t) }

	t.Run("without the setting it skips the test and counts", func(t *testing.T) {
		t.Setenv(setting, "")
		first, second := judge(t, start), judge(t, start)
		assert.Empty(t, first.failed)
		assert.Contains(t, first.skipped, "NEEDS A SERVER: redis-server")
		number := func(text string) (n int) {
			_, rest, _ := strings.Cut(text, "skipped test no. ")
			_, err := fmt.Sscanf(rest, "%d of this package", &n)
			assert.NoError(t, err, text)
			return n
		}
		assert.Positive(t, number(first.skipped))
		assert.Equal(t, number(first.skipped)+1, number(second.skipped))
		assert.Contains(t, second.skipped, setting+"=1")
	})

	t.Run("with the setting it fails the test", func(t *testing.T) {
		t.Setenv(setting, "1")
		outcome := judge(t, start)
		assert.Empty(t, outcome.skipped)
		assert.Contains(t, outcome.failed, "there is no redis-server")
	})
}

func TestEnginesOfThisMachine(t *testing.T) {
	if os.Getenv(setting) != "1" {
		t.Skipf("what is there is only known with %s=1", setting)
	}
	var names []string
	for _, engine := range servers.Engines(t) {
		require.NotNil(t, engine.Start(t).MustDo("PING"))
		names = append(names, engine.Name)
	}
	require.Regexp(t, `^redis-`, names[0])
	require.Regexp(t, `^valkey-`, names[1])
}

// TestUnpackedValkeyChild is what TestUnpackingValkey runs in processes of its own. Outside of such
// a process it does nothing.
func TestUnpackedValkeyChild(t *testing.T) {
	if os.Getenv("SERVERS_TEST_CACHE") == "" {
		return
	}
	require.Regexp(t, "^valkey-", servers.Engines(t)[1].Name)
	servers.Engines(t)[1].Start(t)
}

// unpack asks for what would make an ordinary run depend on the network although all is there.
var unpack = flag.Bool("unpack", false, "fetch and unpack Valkey's packages anew")

func TestUnpackingValkey(t *testing.T) {
	if !*unpack || os.Getenv(setting) != "1" {
		t.Skipf("it fetches packages, and runs with -unpack and %s=1 only", setting)
	}
	if _, err := exec.LookPath("valkey-server"); err == nil {
		t.Skip("Valkey is installed")
	}
	t.Run("two processes that need it at once both get it", func(t *testing.T) {
		cache := t.TempDir()
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() {
				child := exec.Command(os.Args[0], "-test.run=^TestUnpackedValkeyChild$")
				child.Env = append(os.Environ(), "SERVERS_TEST_CACHE=1", "XDG_CACHE_HOME="+cache)
				out, err := child.CombinedOutput()
				assert.NoError(t, err, "%s", out)
			})
		}
		both.Wait()
		entries, err := os.ReadDir(filepath.Join(cache, "sessionserverstore"))
		require.NoError(t, err)
		require.Len(t, entries, 1, "nothing half-made is left")
		require.Equal(t, "valkey", entries[0].Name())
	})
}
