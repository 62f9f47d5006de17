//go:build linux

package sqlitestore_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// heavy is the n-th record with much in it.
func heavy(n int) core.Record {
	rec := record(n)
	rec.Data = strings.Repeat("heavy!", 500)
	return rec
}

// fills is a file that takes all the room that is left in a directory.
func fills(t *testing.T, dir string) (name string) {
	t.Helper()
	ballast, err := os.Create(filepath.Join(dir, "ballast"))
	require.NoError(t, err)
	defer ballast.Close()
	for err == nil {
		_, err = ballast.Write(make([]byte, 4096))
	}
	return ballast.Name()
}

func full(t *testing.T, err error) {
	t.Helper()
	require.ErrorIs(t, err, core.ErrStoreFull)
	require.ErrorContains(t, err, "no room to write in the file system of")
	require.Equal(t, 1, strings.Count(err.Error(), "no room"), err)
}

// TestAFullDisk runs on a file system of two megabytes.
func TestAFullDisk(t *testing.T) {
	dir := os.Getenv(inside)
	if dir == "" {
		again(t, ownMounts())
		return
	}
	mount(t, "none", dir, "tmpfs", "size=2m")
	store := open(t, filepath.Join(dir, "sessions.db"))
	n := 0
	var err error
	for ; err == nil; n++ {
		require.Less(t, n, 1000, "no record is refused")
		err = store.Create(t.Context(), heavy(n))
	}
	full(t, err)
	n--
	require.Greater(t, n, 30)
	fills(t, dir)

	// What is refused together with others is refused alone, and none has half an effect.
	errs := make([]error, 40)
	together(len(errs), func(i int) { errs[i] = store.Create(t.Context(), heavy(n+i)) })
	for _, err := range errs {
		full(t, err)
	}
	larger := version(0, 2)
	larger.Data = strings.Repeat("x", 400_000)
	full(t, store.Update(t.Context(), larger, 1))
	for i := range n {
		got, err := store.Load(t.Context(), record(i).ID)
		require.NoError(t, err)
		require.Equal(t, heavy(i), got, "what was acknowledged stays as it is")
	}
	_, err = store.Load(t.Context(), record(n).ID)
	require.ErrorIs(t, err, core.ErrNotFound, "what was refused is not there")

	require.NoError(t, syscall.Mount("none", dir, "tmpfs", syscall.MS_REMOUNT, "size=4m"))
	require.NoError(t, store.Update(t.Context(), larger, 1))
	require.NoError(t, store.Create(t.Context(), heavy(n)))
	require.NoError(t, store.Delete(t.Context(), record(1).ID))
}

// TestEndsGoOnOnAFullDisk fills the disk below a store that has been at work for a while. Its log
// has the size that it needs, and is written over and over.
func TestEndsGoOnOnAFullDisk(t *testing.T) {
	dir := os.Getenv(inside)
	if dir == "" {
		again(t, ownMounts())
		return
	}
	mount(t, "none", dir, "tmpfs", "size=8m")
	store := open(t, filepath.Join(dir, "sessions.db"))
	store.CheckpointAfter(100)
	const n = 200
	work := func(rounds, from int, f func(n, revision int) error) {
		for revision := range rounds {
			together(n, func(i int) {
				if err := f(i, from+revision); err != nil {
					t.Error(err)
				}
			})
		}
	}
	create(t, store, n)
	work(5, 2, func(n, revision int) error {
		return store.Update(t.Context(), version(n, revision), core.Revision(revision-1))
	})
	ballast := fills(t, dir)
	work(20, 7, func(n, revision int) error {
		return store.Touch(t.Context(), version(n, revision), core.Revision(revision-1))
	})
	answers := queued(t, store, filepath.Join(dir, "sessions.db"),
		func(ctx context.Context) error { return store.Delete(ctx, record(0).ID) },
		func(ctx context.Context) error {
			rec := record(n)
			rec.Data = strings.Repeat("x", 1_600_000)
			return store.Create(ctx, rec)
		},
		func(ctx context.Context) error { return store.Delete(ctx, record(1).ID) })
	require.NoError(t, answers[0], "an end that shares its transaction with what has no room")
	full(t, answers[1])
	require.NoError(t, answers[2])
	work(1, 0, func(n, _ int) error { return store.Delete(t.Context(), record(n).ID) })
	require.Equal(t, make([]core.Revision, n), revisions(t, store, n))
	require.NoError(t, os.Remove(ballast))
	require.NoError(t, store.Create(t.Context(), heavy(n)))
}
