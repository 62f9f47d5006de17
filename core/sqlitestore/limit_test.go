package sqlitestore_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// What needs room is refused alone, whoever it shares its transaction with. This needs no file
// system that is full.
func TestAWriteThatFindsNoRoomIsRefusedAlone(t *testing.T) {
	path := memory(t)
	store := open(t, path)
	create(t, store, 3)
	require.NoError(t, store.LimitPages(true))
	answers := queued(t, store, path,
		func(ctx context.Context) error { return store.Delete(ctx, record(0).ID) },
		func(ctx context.Context) error {
			rec := heavy(9)
			rec.Data += rec.Data + rec.Data
			return store.Create(ctx, rec)
		},
		func(ctx context.Context) error { return store.Touch(ctx, version(1, 2), 1) },
	)
	require.NoError(t, answers[0])
	full(t, answers[1])
	require.NoError(t, answers[2])
	rec := version(2, 2)
	rec.Data = heavy(2).Data + heavy(2).Data
	full(t, store.Update(t.Context(), rec, 1))
	old, err := store.Load(t.Context(), rec.ID)
	require.NoError(t, err)
	require.Equal(t, record(2), old, "the old record stays")
	require.NoError(t, store.LimitPages(false))
	require.NoError(t, store.Update(t.Context(), rec, 1))
	require.NoError(t, store.Create(t.Context(), heavy(9)))
}

func TestAFileSystemWithoutLinksWillDo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sessions.db")
	store := open(t, path)
	for range 2 { // the second time it is there
		require.NoError(t, store.MakeInPlace())
	}
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	require.NoError(t, store.Create(t.Context(), record(0)))

	missing := open(t, filepath.Join(t.TempDir(), "no", "sessions.db"))
	require.ErrorContains(t, missing.MakeInPlace(), "does not exist")
}
