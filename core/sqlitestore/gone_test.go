package sqlitestore_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

func TestNothingIsAcknowledgedThatGoesToAFileNobodyFinds(t *testing.T) {
	for name, replace := range map[string]bool{"removed": false, "replaced": true} {
		t.Run(name, func(t *testing.T) {
			store, path := used(t, 1) // with a connection that reads
			for _, suffix := range []string{"", "-wal", "-shm"} {
				require.NoError(t, os.Remove(path+suffix))
			}
			if replace {
				require.NoError(t, open(t, path).Create(t.Context(), record(0)))
			}
			for what, err := range map[string]error{
				"Create": store.Create(t.Context(), record(1)),
				"Update": store.Update(t.Context(), version(0, 2), 1),
				"Touch":  store.Touch(t.Context(), version(0, 2), 1),
				"Delete": store.Delete(t.Context(), record(0).ID),
			} {
				require.ErrorContains(t, err, path+" was removed or replaced", what)
				noVerdict(t, err)
			}
			if replace {
				got, err := open(t, path).Load(t.Context(), record(0).ID)
				require.NoError(t, err)
				require.Equal(t, record(0), got)
			}
		})
	}
}

func TestALoadDoesNotReadAFileThatTookTheOldOnesPlace(t *testing.T) {
	path := memory(t)
	store := open(t, path)
	require.NoError(t, store.Create(t.Context(), record(1))) // no connection reads yet
	require.NoError(t, store.Delete(t.Context(), record(1).ID))
	for _, suffix := range []string{"", "-wal", "-shm"} {
		require.NoError(t, os.Remove(path+suffix))
	}
	require.NoError(t, open(t, path).Create(t.Context(), record(1)), "as in a backup")
	_, err := store.Load(t.Context(), record(1).ID)
	require.ErrorContains(t, err, path+" was removed or replaced")
	require.NotErrorIs(t, err, core.ErrNotFound)
}
