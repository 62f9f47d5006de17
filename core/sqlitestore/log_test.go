package sqlitestore_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

func size(t testing.TB, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	require.NoError(t, err)
	return info.Size()
}

// salt is what a log has anew each time it is begun.
func salt(t testing.TB, path string) string {
	t.Helper()
	log, err := os.ReadFile(path + "-wal")
	require.NoError(t, err)
	return string(log[16:24])
}

// TestTheLogStaysShort writes many times what the log may hold while others read.
func TestTheLogStaysShort(t *testing.T) {
	path := memory(t)
	store := open(t, path)
	store.CheckpointAfter(100)
	create(t, store, 20)
	ctx, cancel := context.WithCancel(t.Context())
	readers := make(chan struct{})
	go func() {
		defer close(readers)
		together(2, func(n int) {
			for ctx.Err() == nil {
				if _, err := store.Load(ctx, record(n).ID); err != nil && ctx.Err() == nil {
					t.Error(err)
				}
			}
		})
	}()
	longest := int64(0)
	for revision := range 40 {
		together(20, func(n int) {
			rec := version(n, revision+2)
			rec.Data = strings.Repeat(string(rune('a'+revision%26)), 10_000)
			if err := store.Update(t.Context(), rec, core.Revision(revision+1)); err != nil {
				t.Error(err)
			}
		})
		longest = max(longest, size(t, path+"-wal"))
	}
	cancel()
	<-readers
	t.Logf("the log took up to %d bytes", longest)
	require.Less(t, longest, int64(4<<20))
	require.NoError(t, store.Close())
	require.NoFileExists(t, path+"-wal")
}

// TestALongReaderOnlyKeepsTheLogGrowing is a backup, or a forgotten shell.
func TestALongReaderOnlyKeepsTheLogGrowing(t *testing.T) {
	store, path := used(t, 20)
	shell := newRival(t, path)
	shell.exec("BEGIN")
	require.EqualValues(t, 20, shell.number("SELECT count(*) FROM sessions"))
	for revision := range 30 {
		together(20, func(n int) {
			rec := version(n, revision+2)
			rec.Data = strings.Repeat(string(rune('a'+revision%26)), 10_000)
			if err := store.Update(t.Context(), rec, core.Revision(revision+1)); err != nil {
				t.Error(err)
			}
		})
	}
	require.EqualValues(t, 20, shell.number("SELECT sum(revision) FROM sessions"))
	shell.exec("COMMIT")
	require.EqualValues(t, 20*31, shell.number("SELECT sum(revision) FROM sessions"))
}

// TestNothingFollowsALogThatIsSuspect is about a sync that has failed: a later one may be told that
// all is well, and what is acknowledged then would end with the log before it.
func TestNothingFollowsALogThatIsSuspect(t *testing.T) {
	store, path := used(t, 2)
	before := salt(t, path)
	require.NoError(t, store.Update(t.Context(), version(0, 2), 1))
	require.Equal(t, before, salt(t, path), "a sound log goes on")
	store.Suspect()
	require.NoError(t, store.Update(t.Context(), version(0, 3), 2))
	require.NotEqual(t, before, salt(t, path), "a suspect one is begun anew")

	before = salt(t, path)
	shell := newRival(t, path)
	shell.exec("BEGIN")
	shell.number("SELECT count(*) FROM sessions")
	store.Suspect()
	ctx, cancel := context.WithCancel(t.Context())
	answer := make(chan error, 1)
	go func() { answer <- store.Update(ctx, version(0, 4), 3) }()
	eventually(t, func() bool { return store.Waiting() == 1 }, "the write waits for the reader")
	cancel()
	require.ErrorIs(t, <-answer, context.Canceled)
	require.Equal(t, before, salt(t, path))
	shell.exec("COMMIT")
	require.NoError(t, store.Update(t.Context(), version(0, 4), 3))
	require.NotEqual(t, before, salt(t, path))
}
