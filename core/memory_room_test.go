package core

import (
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// These tests are inside the package: they count at how many records a full store has looked, and
// stop it where it should not be.

// Two who see the last place free at the same moment do not both get it.
func TestTheLastPlaceIsGivenToOne(t *testing.T) {
	for _, room := range []*memoryRoom{
		{most: amount{1, unlimited}}, {most: amount{unlimited, 10}}, {most: amount{1, 10}},
	} {
		room.limited, room.mostOwnerless = true, room.most
		var inside atomic.Int32
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range 50_000 {
					if room.move(charge{}, charge{ofNobody, 10}) != fits {
						continue
					}
					if n := inside.Add(1); n != 1 {
						assert.Fail(t, "two got it")
					}
					inside.Add(-1)
					room.remove(charge{ofNobody, 10})
				}
			})
		}
		wg.Wait()
		assert.Zero(t, room.sessions.Load())
		assert.Zero(t, room.bytes.Load())
	}
}

func TestWhereNothingIsDueNobodyWaits(t *testing.T) {
	m := NewMemoryStore(MemoryOptions{MaxSessions: 1})
	later := time.Now().Add(time.Hour)
	require.NoError(t, m.Create(t.Context(), due(idsOf(m, 1, 3)[0], later)))
	m.shards[3].mu.Lock() // a request that writes
	defer m.shards[3].mu.Unlock()
	another := idsOf(m, 1, 4)[0]
	done := make(chan error, 2)
	go func() {
		_, err := m.DeleteExpired(t.Context(), later.Add(-time.Millisecond))
		done <- err
		done <- m.Create(t.Context(), due(another, later))
	}()
	for _, want := range []error{nil, ErrStoreFull} {
		select {
		case err := <-done:
			require.Equal(t, want, err)
		case <-time.After(30 * time.Second):
			require.Fail(t, "the shard is waited for, to see whether something has expired")
		}
	}
}

func TestAFloodAgainstAFullStoreIsCheap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const sessions = 20_000
		m := NewMemoryStore(MemoryOptions{MaxSessions: sessions, OwnerlessShare: 100})
		begin := time.Now()
		ids := make([]ID, sessions)
		for i := range ids {
			ids[i] = newID()
			at := begin.Add(time.Hour + time.Duration(i)*time.Second)
			require.NoError(t, m.Create(t.Context(), due(ids[i], at)))
		}
		flood := func() (looked int) {
			before := seen(m)
			for range 1000 {
				rec := due(newID(), begin.Add(1000*time.Hour))
				require.ErrorIs(t, m.Create(t.Context(), rec), ErrStoreFull)
			}
			return seen(m) - before
		}
		assert.Zero(t, flood(), "nothing has expired")

		// A touch leaves behind a time at which nothing expires any more. It is found out once.
		for i := range 10 {
			later := due(ids[i], begin.Add(1000*time.Hour))
			require.NoError(t, m.Touch(t.Context(), later, 0))
		}
		time.Sleep(time.Hour + 9*time.Second)
		assert.LessOrEqual(t, flood(), 10*chunkSlots)
		assert.Zero(t, flood())

		time.Sleep(time.Second)
		before := seen(m)
		require.NoError(t, m.Create(t.Context(), due(newID(), begin.Add(1000*time.Hour))))
		assert.LessOrEqual(t, seen(m)-before, chunkSlots, "the place of the one that has expired")
		assert.LessOrEqual(t, flood(), chunkSlots)
		assert.Equal(t, sessions, m.Len())
	})
}
