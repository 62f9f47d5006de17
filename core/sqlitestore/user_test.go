//go:build linux

package sqlitestore_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core/sqlitestore"
)

// TestAFileThatMayNotBeWritten runs as a user who is not root.
func TestAFileThatMayNotBeWritten(t *testing.T) {
	dir := os.Getenv(inside)
	if dir == "" {
		again(t, &syscall.SysProcAttr{})
		return
	}
	if os.Geteuid() == 0 {
		require.NoError(t, errors.Join(syscall.Setgid(65534), syscall.Setuid(65534)))
	}
	path := filepath.Join(dir, "sessions.db")
	store, err := sqlitestore.Open(path, sqlitestore.Options{})
	require.NoError(t, err)
	require.NoError(t, store.Create(t.Context(), record(1)))
	require.NoError(t, store.Close())

	t.Run("to be written", func(t *testing.T) {
		require.NoError(t, os.Chmod(path, 0o400))
		refused(t, open(t, path), path+" cannot be written")
	})
	t.Run("to be read", func(t *testing.T) {
		require.NoError(t, os.Chmod(path, 0))
		refused(t, open(t, path), path+" cannot be opened")
	})
	all, err := filepath.Glob(path + "*") // SQLite gives the -wal and -shm files the file's mode
	require.NoError(t, err)
	for _, name := range all {
		require.NoError(t, os.Chmod(name, 0o600))
	}
	_, err = open(t, path).Load(t.Context(), record(1).ID)
	require.NoError(t, err)
	t.Run("in a directory that may not", func(t *testing.T) {
		refused(t, open(t, "/sys/sessions.db"), "may not be made")
	})
}
