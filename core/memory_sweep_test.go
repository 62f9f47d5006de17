package core

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// These tests are inside the package: they make a sweep's steps one by one, and count at how many
// records a search has looked.

func seen(m *MemoryStore) (slots int) {
	for i := range m.shards {
		slots += m.shards[i].seen
	}
	return slots
}

func due(id ID, at time.Time) Record {
	return Record{ID: id, Used: at, Expires: at, Data: strings.Repeat("d", 95)}
}

func TestASweepLooksAtFewRecordsAtATime(t *testing.T) {
	const records = 3000
	m := NewMemoryStore(MemoryOptions{})
	now := time.UnixMilli(1e12)
	for i, id := range idsOf(m, records, 7) {
		rec := due(id, now.Add(time.Duration(i%2)*time.Hour))
		if i%3 == 0 {
			rec.Data = strings.Repeat("d", 1000)
		}
		require.NoError(t, m.Create(t.Context(), rec))
	}
	sh, steps, removed := &m.shards[7], 0, 0
	for cursor := newSweepCursor(); ; steps++ {
		before := sh.seen
		n, more := sh.sweepStep(&cursor, now.UnixMilli())
		assert.LessOrEqual(t, n, chunkSlots)
		assert.LessOrEqual(t, sh.seen-before, chunkSlots)
		removed += n
		if !more {
			break
		}
	}
	assert.Equal(t, records/2, removed)
	assert.LessOrEqual(t, chunkSlots, 64, "this many are looked at while no reader may")
	assert.Greater(t, steps, records/chunkSlots)
	assert.LessOrEqual(t, sh.seen, records)
	assert.Equal(t, now.Add(time.Hour).UnixMilli(), sh.due.Load(), "now it is exact")
	requireSound(t, m)
}

// Between two steps everything may happen that moves records about. What was due and not written
// meanwhile is gone at the end.
func TestASweepMissesNothingThatMoves(t *testing.T) {
	for seed := range uint64(8) {
		random := rand.New(rand.NewPCG(seed, 2))
		m := NewMemoryStore(MemoryOptions{})
		now := time.UnixMilli(1e12).UTC()
		before, after := now.Add(-10*time.Second), now.Add(time.Second)
		ids := idsOf(m, 2000, 3)
		expires := map[ID]time.Time{}
		for _, id := range ids[:1500] {
			rec := randomRecord(random, id, []time.Time{before, after}[random.IntN(2)])
			rec.Revision = 0
			require.NoError(t, m.Create(t.Context(), rec))
			expires[id] = rec.Expires
		}
		sh := &m.shards[3]
		for cursor, more := newSweepCursor(), true; more; {
			_, more = sh.sweepStep(&cursor, now.UnixMilli())
			for range random.IntN(100) {
				id := ids[random.IntN(len(ids))]
				rec := randomRecord(random, id, after)
				rec.Revision = 0
				switch random.IntN(4) {
				case 0:
					require.NoError(t, m.Delete(t.Context(), id))
					delete(expires, id)
				case 1:
					if m.Create(t.Context(), rec) == nil {
						expires[id] = rec.Expires
					}
				case 2:
					if m.Update(t.Context(), rec, 0) == nil {
						expires[id] = rec.Expires
					}
				case 3:
					if m.Touch(t.Context(), rec, 0) == nil {
						expires[id] = rec.Expires
					}
				}
			}
		}
		left := 0
		for id, at := range expires {
			_, err := m.Load(t.Context(), id)
			if there := err == nil; there != at.After(now) {
				t.Fatalf("seed %d: Expires %v, swept at %v, found: %t", seed, at, now, there)
			} else if there {
				left++
			}
		}
		assert.Equal(t, left, m.Len())
		requireSound(t, m)
	}
}

func TestASweepGoesOnWhereChunksHaveGone(t *testing.T) {
	m := NewMemoryStore(MemoryOptions{})
	now := time.UnixMilli(1e12)
	ids := idsOf(m, 10*chunkSlots, 3)
	for _, id := range ids {
		require.NoError(t, m.Create(t.Context(), due(id, now)))
	}
	cursor := newSweepCursor()
	n, more := m.shards[3].sweepStep(&cursor, now.UnixMilli())
	require.True(t, more)
	require.Equal(t, chunkSlots, n)
	for _, id := range ids[chunkSlots/2 : 8*chunkSlots] {
		require.NoError(t, m.Delete(t.Context(), id))
	}
	for more {
		_, more = m.shards[3].sweepStep(&cursor, now.UnixMilli())
	}
	assert.Zero(t, m.Len())
}

func TestASweepLeavesAloneWhatIsNotDue(t *testing.T) {
	m := NewMemoryStore(MemoryOptions{})
	now := time.UnixMilli(1e12)
	ids := idsOf(m, 500, 1, 2)
	for _, id := range ids {
		require.NoError(t, m.Create(t.Context(), due(id, now.Add(time.Minute))))
	}
	sweep := func(now time.Time, want int) {
		n, err := m.DeleteExpired(t.Context(), now)
		require.NoError(t, err)
		require.Equal(t, want, n)
	}
	sweep(now, 0)
	assert.Zero(t, seen(m), "no shard is due")
	require.NoError(t, m.Touch(t.Context(), due(ids[0], now), 0))
	sweep(now, 1)
	assert.LessOrEqual(t, seen(m), chunkSlots, "one chunk is")
	for _, id := range ids[1:] {
		require.NoError(t, m.Touch(t.Context(), due(id, now.Add(time.Hour)), 0))
	}
	sweep(now.Add(time.Minute), 0)
	looked := seen(m)
	sweep(now.Add(time.Hour-time.Millisecond), 0)
	assert.Equal(t, looked, seen(m), "a sweep finds out when the next one is due")
	sweep(now.Add(time.Hour), len(ids)-1)
}

// dead is a context that is cancelled after it was asked a few times.
type dead struct {
	context.Context
	left int
}

func (d *dead) Err() error {
	if d.left--; d.left < 0 {
		return context.Canceled
	}
	return nil
}

func TestASweepEndsBetweenTwoStepsWhenItIsTold(t *testing.T) {
	m := NewMemoryStore(MemoryOptions{})
	now := time.UnixMilli(1e12)
	for _, id := range idsOf(m, 1000, 0) {
		require.NoError(t, m.Create(t.Context(), due(id, now)))
	}
	n, err := m.DeleteExpired(&dead{t.Context(), 3}, now)
	require.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, 1000, m.Len()+n)
	assert.Positive(t, n)
	assert.LessOrEqual(t, n, 3*chunkSlots)
}
