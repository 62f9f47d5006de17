package rules

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestStrangeNames(t *testing.T) {
	require.Empty(t, strangeNames([]string{"go.mod", "core", "docs", ".git", ".ci", ".idea"}))
	require.Equal(t, []string{
		"pkg has no place at the top level",
		"notes.txt has no place at the top level",
	}, strangeNames([]string{"core", "pkg", "notes.txt"}))
}

func TestMachinePaths(t *testing.T) {
	// Put together here, so that this file does not break the rule itself.
	root, work, home, mac := "/"+"root/", "/"+"work/", "/"+"home/ada/", "/"+"Users/ada/"
	for _, c := range []struct {
		name string
		text string
		want []string
	}{
		{"nothing", "core/token.go and /etc/hosts\n", nil},
		{"at the beginning", root + "x", []string{"a.md:1: " + root}},
		{"in a later line", "one\ntwo " + work + "x\n", []string{"a.md:2: " + work}},
		{"twice in a line", "`" + home + "` (" + mac + ")",
			[]string{"a.md:1: " + home, "a.md:1: " + mac}},
		{"as an URL", "file://" + root, []string{"a.md:1: " + root}},
		{"below another directory", "https://example.com" + work + " $HOME" + work + " ~" + work, nil},
		{"in a binary file", "\x00 " + root, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, c.want, machinePaths("a.md", []byte(c.text)))
		})
	}
}

func TestReadTree(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{
		"README.md", "core/a.go", ".ci/run", ".git/config", ".idea/x", ".env",
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(name), 0o600))
	}
	files, err := readTree(dir)
	require.NoError(t, err)
	require.Equal(t, map[string][]byte{
		"README.md": []byte("README.md"),
		"core/a.go": []byte("core/a.go"),
		".ci/run":   []byte(".ci/run"),
	}, files)

	_, err = readTree(filepath.Join(dir, "nowhere"))
	require.Error(t, err)
}
