package servers_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core/internal/servers"
)

// TestChild is a test that is killed while its servers run. It tells where they are. Outside of
// such a process it does nothing.
func TestChild(t *testing.T) {
	if os.Getenv("SERVERS_TEST_CHILD") == "" {
		return
	}
	redis, postgres := servers.Engines(t)[0].Start(t), servers.NewPostgres(t)
	fmt.Println("child", redis.Addr(), redis.Dir(), postgres.Addr(), postgres.Dir())
	select {}
}

func TestServersEndWithTheProcess(t *testing.T) {
	t.Parallel()
	servers.Engines(t)[0].Shared(t) // or skip
	servers.SharedPostgres(t)

	child := exec.Command(os.Args[0], "-test.run=^TestChild$")
	child.Env = append(os.Environ(), "SERVERS_TEST_CHILD=1")
	out, err := child.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	ended := false
	defer func() {
		if !ended {
			_ = child.Process.Kill()
		}
	}()
	var told []string
	for lines := bufio.NewScanner(out); len(told) == 0 && lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), "child "); ok {
			told = strings.Fields(rest)
		}
	}
	require.Len(t, told, 4, "the child has started its servers")
	require.True(t, reachable(told[0]))
	require.True(t, reachable(told[2]))

	require.NoError(t, child.Process.Kill())
	_ = child.Wait() // it was killed
	ended = true
	eventually(t, func() bool { return !reachable(told[0]) && !reachable(told[2]) },
		"the servers have outlived their test")
	for _, dir := range []string{told[1], told[3]} {
		eventually(t, func() bool {
			_, err := os.Stat(dir)
			return os.IsNotExist(err)
		}, "%s is left", dir)
	}
}
