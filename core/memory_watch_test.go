package core_test

import (
	"context"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// A listener keeps what it is told.
type listener struct {
	mu             sync.Mutex
	ready          int
	ended, renewed []core.ID
	asks           func(core.ID) // at each end, if not nil
}

func (l *listener) Ready() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ready++
}

func (l *listener) Ended(id core.ID) {
	if l.asks != nil {
		l.asks(id)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = append(l.ended, core.ID(strings.Clone(string(id))))
}

func (l *listener) Renewed(id core.ID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.renewed = append(l.renewed, core.ID(strings.Clone(string(id))))
}

// take returns what it was told since the last call.
func (l *listener) take() (ended, renewed []core.ID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	ended, renewed, l.ended, l.renewed = l.ended, l.renewed, nil, nil
	return ended, renewed
}

// listen watches a store, in a bubble, and returns what ends that.
func listen(t *testing.T, store core.Watcher, l *listener) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- store.Watch(ctx, l) }()
	synctest.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	require.Equal(t, 1, l.ready)
	return func() {
		require.Empty(t, done, "it goes on until it is told")
		cancel()
		require.ErrorIs(t, <-done, context.Canceled)
	}
}

func TestWhoWatchesAMemoryStoreIsToldOfEndsAndRenewals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := core.NewMemoryStore(core.MemoryOptions{})
		var first, second listener
		stopFirst, stopSecond := listen(t, store, &first), listen(t, store, &second)
		told := func(l *listener, ended, renewed []core.ID) {
			t.Helper()
			gotEnded, gotRenewed := l.take()
			assert.ElementsMatch(t, ended, gotEnded)
			assert.ElementsMatch(t, renewed, gotRenewed)
		}
		rec := aRecord()
		require.NoError(t, store.Create(t.Context(), rec))
		_, err := store.Load(t.Context(), rec.ID)
		require.NoError(t, err)
		require.NoError(t, store.Touch(t.Context(), rec, 1))
		require.ErrorIs(t, store.Update(t.Context(), rec, 7), core.ErrConflict)
		told(&first, nil, nil)

		require.NoError(t, store.Update(t.Context(), rec, 1))
		told(&first, nil, []core.ID{rec.ID})
		require.NoError(t, store.Delete(t.Context(), rec.ID))
		require.NoError(t, store.Delete(t.Context(), "nothing"))
		told(&first, []core.ID{rec.ID, "nothing"}, nil)
		told(&second, []core.ID{rec.ID, "nothing"}, []core.ID{rec.ID})

		stopFirst()
		require.NoError(t, store.Delete(t.Context(), rec.ID))
		told(&first, nil, nil)
		told(&second, []core.ID{rec.ID}, nil)
		stopSecond()
		require.NoError(t, store.Delete(t.Context(), rec.ID))
		told(&second, nil, nil)
	})
}

func TestWhoWatchesIsToldOfWhatIsSwept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := core.NewMemoryStore(core.MemoryOptions{MaxSessions: 300})
		var ids []core.ID
		for i := range 300 {
			rec := sized(i * 4)
			rec.Expires = time.Now().Add(time.Minute)
			require.NoError(t, store.Create(t.Context(), rec))
			ids = append(ids, rec.ID)
		}
		l := &listener{asks: func(id core.ID) {
			_, err := store.Load(t.Context(), id) // nothing is locked
			assert.ErrorIs(t, err, core.ErrNotFound)
		}}
		stop := listen(t, store, l)
		time.Sleep(time.Minute)
		require.NoError(t, store.Create(t.Context(), sized(10)), "there is room for the first reason")
		ended, _ := l.take()
		require.NotEmpty(t, ended)
		_, err := store.DeleteExpired(t.Context(), time.Now())
		require.NoError(t, err)
		more, _ := l.take()
		assert.ElementsMatch(t, ids, append(ended, more...))
		stop()
	})
}

func TestAWatchWhoseTimeIsOverIsNone(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var l listener
	err := core.NewMemoryStore(core.MemoryOptions{}).Watch(ctx, &l)
	require.ErrorIs(t, err, context.Canceled)
	assert.Zero(t, l.ready)
}

// What is deleted after Ready is told, however many come and go meanwhile.
func TestNoEndIsMissedAfterReady(t *testing.T) {
	store := core.NewMemoryStore(core.MemoryOptions{})
	ctx, cancel := context.WithCancel(t.Context())
	var stayed, coming, deleting sync.WaitGroup
	stays, ready := &listener{}, make(chan struct{})
	stayed.Go(func() {
		_ = store.Watch(ctx, &readyThen{stays, func() { close(ready) }})
	})
	<-ready

	var deleted atomic.Int64
	var gone atomic.Bool
	for range 4 {
		deleting.Go(func() {
			for !gone.Load() {
				_ = store.Delete(ctx, "another")
				deleted.Add(1)
				runtime.Gosched()
			}
		})
		coming.Go(func() {
			for i := range 300 {
				own := core.ID(strings.Repeat("w", 1+i%7))
				one, end := context.WithCancel(ctx)
				l := &listener{}
				_ = store.Watch(one, &readyThen{l, func() {
					_ = store.Delete(ctx, own)
					end()
				}})
				ended, _ := l.take()
				assert.Contains(t, ended, own)
			}
		})
	}
	coming.Wait()
	gone.Store(true)
	deleting.Wait()
	cancel()
	stayed.Wait()
	ended, _ := stays.take()
	told := int64(0)
	for _, id := range ended {
		if id == "another" {
			told++
		}
	}
	assert.Equal(t, deleted.Load(), told)
}

// readyThen does something when it is ready.
type readyThen struct {
	*listener
	then func()
}

func (r *readyThen) Ready() { r.then() }
