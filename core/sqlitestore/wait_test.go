package sqlitestore_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// The first call of a Store sets up the file, and may have to wait for another process; so do those
// that come meanwhile, each as long as it likes, and none longer than the Store is open.
func TestWhoWaitsForTheFileToBeSetUpMayGiveUp(t *testing.T) {
	path := memory(t)
	create(t, open(t, path), 1)
	unlock := newRival(t, path).lock()
	store := open(t, path)
	load := func(ctx context.Context) <-chan error {
		answer := make(chan error, 1)
		go func() {
			_, err := store.Load(ctx, record(0).ID)
			answer <- err
		}()
		return answer
	}
	impatient, giveUp := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer giveUp()
	var waiting, leaving []<-chan error
	for range 3 {
		leaving = append(leaving, load(impatient))
	}
	for _, answer := range leaving {
		require.ErrorIs(t, <-answer, context.DeadlineExceeded)
	}
	for range 3 {
		waiting = append(waiting, load(t.Context()))
	}
	closed := make(chan error, 1)
	go func() { closed <- store.Close() }()
	for _, answer := range waiting {
		err := <-answer
		require.ErrorContains(t, err, "closed")
		require.NotErrorIs(t, err, core.ErrNotFound)
	}
	unlock()
	require.NoError(t, <-closed)
}

func TestAPathThroughAFileIsAClearError(t *testing.T) {
	plain := filepath.Join(t.TempDir(), "plain")
	require.NoError(t, os.WriteFile(plain, nil, 0o600))
	store := open(t, filepath.Join(plain, "sessions.db"))
	_, err := store.Load(t.Context(), record(0).ID)
	require.ErrorContains(t, err, "not a directory")
	require.NotErrorIs(t, err, core.ErrNotFound)
}
