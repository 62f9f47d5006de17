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
	require.Equal(t, "requests,loopback,store,growth,shared", s.only)
	require.Equal(t, "go run .", s.command)
	require.False(t, s.look())
}

func TestWhatCannotBeMeasuredIsRefusedBeforeAnythingIs(t *testing.T) {
	for _, wrong := range []struct {
		args []string
		err  error
	}{
		{[]string{"-only", "requests,requets"}, errUnknownPart},
		{[]string{"-scenarios", "read,reed"}, errUnknownScenario},
		{[]string{"-frameworks", "fiber"}, errUnknownFramework},
		{[]string{"-engines", "Postgres"}, errUnknownEngine},
		{[]string{"-rounds", "-3"}, errNegative},
		{[]string{"-slice", "-1ms"}, errNegative},
		{[]string{"-sessions", "500"}, errSessions},
		{[]string{"-sessions", "5e6"}, errSessions},
		{[]string{"-sessions", "-1"}, errSessions},
		{[]string{"-only", "store", "-frameworks", "chi"}, errLook},
		{[]string{"-only", "loopback", "-scenarios", "read"}, errLook},
		{[]string{"-only", "requests", "-engines", "Redis"}, errLook},
	} {
		_, err := parse(wrong.args)
		require.ErrorIs(t, err, wrong.err, wrong.args)
	}
	parsed(t, "-only", "none")
	parsed(t, "-only", "growth", "-sessions", "1e7")
	parsed(t, "-only", "requests,loopback", "-frameworks", "net/http,fiber v2")
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
