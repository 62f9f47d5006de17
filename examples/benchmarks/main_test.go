package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// The servers of the loopback are this very binary.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		if _, ok := children()[os.Args[1]]; ok {
			main()
			return
		}
	}
	os.Exit(m.Run())
}

func parsed(t *testing.T, args ...string) settings {
	s, err := parse(args)
	require.NoError(t, err)
	return s
}

func TestWithoutArgumentsEverythingIsMeasured(t *testing.T) {
	s := parsed(t)
	require.Equal(t, "requests,loopback,store,growth", s.only)
	require.Equal(t, "go run .", s.command)
	require.False(t, s.look())
}

func TestAPartThatDoesNotExistIsRefusedBeforeAnyIsMeasured(t *testing.T) {
	_, err := parse([]string{"-only", "requests,requets"})
	require.ErrorIs(t, err, errUnknownPart)
}

func TestALookWritesNothing(t *testing.T) {
	dir := t.TempDir()
	s := parsed(t, "-scenarios", "read", "-frameworks", "chi", "-rounds", "1", "-slice", "100us",
		"-results", filepath.Join(dir, "results.json"), "-out", dir)
	require.Equal(t, "requests", s.only)
	require.NoError(t, s.measure(t.Context()))
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, files)
}

func TestAPartReplacesItsOwnFiguresOnly(t *testing.T) {
	dir := t.TempDir()
	at := func(args ...string) settings {
		return parsed(t, append(args, "-rounds", "1", "-slice", "100us", "-out", dir,
			"-results", filepath.Join(dir, "results.json"), "-readme", filepath.Join(dir, "none"))...)
	}
	require.NoError(t, at("-only", "requests").measure(t.Context()))
	require.NoError(t, at("-only", "loopback").measure(t.Context()))
	for _, name := range []string{
		"results.json", "benchmarks.md", "benchmarks-requests.svg", "benchmarks-loopback.svg",
	} {
		require.FileExists(t, filepath.Join(dir, name))
	}
	require.NoFileExists(t, filepath.Join(dir, "benchmarks-store.svg"))
}
