// Package program builds and runs the example programs for tests, each as a process of its own: as
// a user would. Only tests import it.
package program

import (
	"io/fs"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/require"
)

// moduleRoot is where the module begins, seen from the packages that import this one.
const moduleRoot = "../../.."

// Build builds programs, which are named by their directories, seen from the module's root. It
// returns the directory they are in then, each under the last part of its name. If the test runs
// with the race detector so do they.
func Build(t testing.TB, names ...string) string {
	t.Helper()
	readSources(t)
	dir := t.TempDir()
	args := []string{"build", "-o", dir + string(filepath.Separator)}
	if underRaceDetector() {
		args = append(args, "-race")
	}
	for _, name := range names {
		args = append(args, "./"+name)
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
func readSources(t testing.TB) {
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
