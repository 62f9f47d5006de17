package browser

import (
	"bufio"
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// moduleRoot is where the module begins, seen from this package.
const moduleRoot = "../../.."

// buildPrograms builds example programs as a user would, and returns the directory they are in. If
// the test runs with the race detector so do they.
func buildPrograms(t *testing.T, names ...string) string {
	t.Helper()
	readSources(t)
	dir := t.TempDir()
	args := []string{"build", "-o", dir + string(filepath.Separator)}
	if underRaceDetector() {
		args = append(args, "-race")
	}
	for _, name := range names {
		args = append(args, "./examples/"+name)
	}
	build := exec.CommandContext(t.Context(), "go", args...)
	build.Dir = moduleRoot
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s:\n%s", build, out)
	return dir
}

// readSources reads the directories that the programs come from. The go command builds them in
// another process, which go test knows nothing of: without this it would take an old answer from
// its cache after a file has changed.
func readSources(t *testing.T) {
	t.Helper()
	rooms := []string{"core", "ginsession", "echosession", "fibersession", "chisession", "examples"}
	for _, room := range rooms {
		err := filepath.WalkDir(filepath.Join(moduleRoot, room),
			func(_ string, _ fs.DirEntry, err error) error { return err })
		require.NoError(t, err)
	}
}

func underRaceDetector() bool {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return false
	}
	for _, setting := range info.Settings {
		if setting.Key == "-race" {
			return setting.Value == "true"
		}
	}
	return false
}

// startProgram starts a program, and returns the first n lines that it prints. When the test ends
// it is told to stop, as by Ctrl-C, and must do so in good order.
func startProgram(t *testing.T, path string, n int, args ...string) []string {
	t.Helper()
	program := exec.Command(path, args...)
	endWithTest(program)
	var log bytes.Buffer
	program.Stderr = &log
	stdout, err := program.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, program.Start())

	lines := make(chan string)
	go func() {
		defer close(lines)
		for scanner := bufio.NewScanner(stdout); scanner.Scan(); {
			lines <- scanner.Text()
		}
	}()
	t.Cleanup(func() { stopProgram(t, program, lines, &log) })

	var first []string
	for range n {
		select {
		case line, ok := <-lines:
			require.True(t, ok, "the program ends before it prints where it listens")
			first = append(first, line)
		case <-time.After(patience):
			require.FailNow(t, "the program does not print where it listens")
		}
	}
	return first
}

func stopProgram(t *testing.T, program *exec.Cmd, lines <-chan string, log *bytes.Buffer) {
	require.NoError(t, program.Process.Signal(os.Interrupt), "the program is to run until now")
	last := time.AfterFunc(patience, func() { _ = program.Process.Kill() })
	defer last.Stop()
	for line := range lines {
		assert.Fail(t, "the program prints more than where it listens", line)
	}
	assert.NoError(t, program.Wait(), "a program that is told to stop exits with code 0")
	token := regexp.MustCompile(`[A-Za-z0-9_-]{128}`)
	assert.False(t, token.Match(log.Bytes()), "the log holds something like a token")
	if t.Failed() {
		t.Logf("%s logged:\n%s", filepath.Base(program.Path), strings.TrimSpace(log.String()))
	}
}
