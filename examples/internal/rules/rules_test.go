package rules

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// moduleRoot is where the module begins, seen from this package.
const moduleRoot = "../../.."

func TestImportRules(t *testing.T) {
	// The go command reads the tree in another process. Reading it here, too, keeps go test from
	// taking an old answer from its cache after a file has changed.
	moduleFiles(t)

	g, err := readGraph(moduleRoot)
	require.NoError(t, err)
	for _, rule := range importRules() {
		t.Run(rule.sentence, func(t *testing.T) {
			requireNone(t, rule.check(g))
		})
	}
}

func TestSourceRules(t *testing.T) {
	files := moduleFiles(t)
	names := slices.Sorted(maps.Keys(files))
	for _, rule := range sourceRules() {
		t.Run(rule.sentence, func(t *testing.T) {
			var found []string
			for _, name := range names {
				if !isLibrary(name) {
					continue
				}
				in, err := checkSource(rule, name, string(files[name]))
				assert.NoError(t, err)
				found = append(found, in...)
			}
			requireNone(t, found)
		})
	}
}

func TestTree(t *testing.T) {
	t.Run("the top level holds only its rooms", func(t *testing.T) {
		entries, err := os.ReadDir(moduleRoot)
		require.NoError(t, err)
		var names []string
		for _, entry := range entries {
			names = append(names, entry.Name())
		}
		requireNone(t, strangeNames(names))
	})

	t.Run("no file names a directory of one machine", func(t *testing.T) {
		files := moduleFiles(t)
		var found []string
		for _, name := range slices.Sorted(maps.Keys(files)) {
			found = append(found, machinePaths(name, files[name])...)
		}
		requireNone(t, found)
	})
}

// moduleFiles returns the files of this module, by their names from its root.
func moduleFiles(t *testing.T) map[string][]byte {
	t.Helper()
	files, err := readTree(moduleRoot)
	require.NoError(t, err)
	require.Contains(t, files, "go.mod", "this is not the module's root")
	return files
}

// requireNone fails with every violation on a line of its own.
func requireNone(t *testing.T, violations []string) {
	t.Helper()
	require.Empty(t, violations, "\n%s", strings.Join(violations, "\n"))
}
