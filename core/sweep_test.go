package core_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

func TestAnIdleProcessForgetsWhatHasExpired(t *testing.T) {
	bubble(t, "a minute late and no later than two", func(t *testing.T) {
		m := newSite(t, core.Config{IdleTimeout: 10 * time.Minute})
		m.start(setNote("x"))
		pass(11*time.Minute - time.Millisecond)
		assert.Equal(t, 1, m.store.Len(), "nodes' clocks may differ by a minute")
		pass(time.Minute + time.Millisecond)
		assert.Zero(t, m.store.Len())
	})
	bubble(t, "what never expires stays", func(t *testing.T) {
		m := newSite(t, core.Config{Lifetime: core.Never, IdleTimeout: core.Never})
		m.start(setNote("x"))
		pass(100 * time.Hour)
		assert.Equal(t, 1, m.store.Len())
	})
	bubble(t, "it is done once a minute", func(t *testing.T) {
		m := newSite(t, core.Config{})
		pass(time.Minute - 1)
		assert.Zero(t, m.store.count(opSweep))
		pass(1)
		assert.Equal(t, 1, m.store.count(opSweep))
		pass(9 * time.Minute)
		assert.Equal(t, 10, m.store.count(opSweep))
	})
}

func TestASweepGoesOnAsLongAsThereIsSomething(t *testing.T) {
	bubble(t, "a store that removes one at a time", func(t *testing.T) {
		store := &sparing{spyStore: newSpyStore()}
		m := newSite(t, core.Config{Store: store})
		for range 5 {
			_, id := m.start(setNote("x"))
			store.add(id)
		}
		pass(time.Minute)
		assert.Zero(t, store.Len())
		assert.Equal(t, 5+1, store.count(opSweep), "until there was nothing")
	})
}

// sparing removes one record a call, whatever its times say.
type sparing struct {
	*spyStore
	mu  sync.Mutex
	ids []core.ID
}

func (s *sparing) add(id core.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ids = append(s.ids, id)
}

func (s *sparing) DeleteExpired(ctx context.Context, _ time.Time) (n int, err error) {
	err = s.do(ctx, opSweep, func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
		if len(s.ids) == 0 {
			return nil
		}
		id := s.ids[0]
		s.ids, n = s.ids[1:], 1
		return s.MemoryStore.Delete(ctx, id)
	})
	return n, err
}

func TestASweepThatFailsIsToldAndTriedAgain(t *testing.T) {
	bubble(t, "an error", func(t *testing.T) {
		m := newSite(t, core.Config{IdleTimeout: time.Minute})
		m.start(setNote("x"))
		m.events.take()
		m.store.fail(errDown, opSweep)
		pass(3 * time.Minute)
		events := m.events.take()
		require.Len(t, events, 3)
		want := core.Event{Kind: core.StoreFailure, Reason: "sweep", Err: errDown}
		assert.Equal(t, want, events[0])
		assert.Equal(t, 1, m.store.Len())
		m.store.fail(nil, opSweep)
		pass(time.Minute)
		assert.Zero(t, m.store.Len())
		assert.Empty(t, m.events.take())
	})
	bubble(t, "a store that hangs is given a minute", func(t *testing.T) {
		m := newSite(t, core.Config{})
		m.store.hang(opSweep)
		pass(time.Minute)
		assert.Equal(t, 1, m.store.count(opSweep))
		pass(2*time.Minute - 1)
		assert.Equal(t, 1, m.store.count(opSweep))
		pass(1)
		assert.Equal(t, 2, m.store.count(opSweep))
		require.NoError(t, m.Close())
	})
}

func TestCloseEndsTheSweep(t *testing.T) {
	bubble(t, "nothing is swept afterwards", func(t *testing.T) {
		m := newSite(t, core.Config{})
		require.NoError(t, m.Close())
		pass(time.Hour)
		assert.Zero(t, m.store.count(opSweep))
	})
	bubble(t, "what is under way is cancelled and waited for", func(t *testing.T) {
		m := newSite(t, core.Config{})
		ended := false
		m.store.setBefore(opSweep, func(ctx context.Context, _ error) error {
			<-ctx.Done()
			pass(time.Second) // it takes a while to stop
			ended = true
			return ctx.Err()
		})
		pass(time.Minute)
		begun := time.Now()
		require.NoError(t, m.Close())
		assert.True(t, ended)
		assert.Equal(t, time.Second, time.Since(begun))
		assert.Empty(t, m.events.take(), "being ended is no failure")
		pass(time.Hour)
		assert.Equal(t, 1, m.store.count(opSweep))
	})
	bubble(t, "it may be closed again, by many at once", func(t *testing.T) {
		m := newSite(t, core.Config{})
		for range 8 {
			go func() { assert.NoError(t, m.Close()) }()
		}
		synctest.Wait()
		require.NoError(t, m.Close())
	})
	bubble(t, "a closed Manager still serves requests, and its store is open", func(t *testing.T) {
		m := newSite(t, core.Config{})
		require.NoError(t, m.Close())
		token, id := m.start(setNote("x"))
		assert.Equal(t, "x", m.read(token))
		require.NoError(t, m.Revoke(t.Context(), id))
		assert.False(t, m.alive(token))
	})
}

func TestAStoreThatCannotSweepIsNotAskedTo(t *testing.T) {
	bubble(t, "hours later", func(t *testing.T) {
		store := newSpyStore()
		m := newSite(t, core.Config{Store: bareStore{store}})
		m.start(setNote("x"))
		pass(10 * time.Hour)
		assert.Zero(t, store.count(opSweep))
		assert.Equal(t, 1, store.Len())
	})
}

// The sweep holds a timer and no goroutine while it waits.
func TestAManagerThatIsForgottenLeavesNoGoroutineBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, err := core.New(core.Config{Namespace: strings.Repeat("n", 3)})
		require.NoError(t, err)
		// The bubble's end would wait for a goroutine, and find it blocked for ever.
	})
}
