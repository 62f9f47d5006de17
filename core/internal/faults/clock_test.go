package faults_test

import (
	"context"
	"encoding/binary"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/internal/faults"
)

// apart are two nodes whose clocks are one hour fast and one hour slow.
func apart(t *testing.T, store core.Store, cfg core.Config) []faults.Node {
	return []faults.Node{
		faults.NewNode(t, "fast", faults.Shift(store, time.Hour), cfg),
		faults.NewNode(t, "slow", faults.Shift(store, -time.Hour), cfg),
	}
}

func TestClocksThatAreOffByLessThanTheTimeoutsBreakNothing(t *testing.T) {
	store := core.NewMemoryStore(core.MemoryOptions{})
	cfg := patient()
	cfg.IdleTimeout, cfg.Lifetime = 24*time.Hour, 48*time.Hour
	run := faults.Start(t, settings.Seed(), apart(t, store, cfg)...)
	run.Create(20)
	run.Work(faults.Load{Workers: 4, Steps: 100})
	run.ReadAll()
	requireNone(t, run.Verdict())
}

func TestClocksThatAreOffByMoreThanTheIdleTimeoutLoseSessions(t *testing.T) {
	store := core.NewMemoryStore(core.MemoryOptions{})
	cfg := patient()
	cfg.IdleTimeout = time.Hour
	run := faults.Start(t, settings.Seed(), apart(t, store, cfg)...)
	run.Create(20)
	run.ReadAll()
	v := run.Verdict()
	assert.Empty(t, v.Ends)
	assert.Len(t, v.Changes, 10, "what the slow one began is over for the fast one")
}

func TestAShiftedNodeWritesAllTimesOfARecordLaterAndReadsThemBack(t *testing.T) {
	store := core.NewMemoryStore(core.MemoryOptions{})
	open := func(store core.Store) *core.Manager {
		cfg := patient()
		cfg.IdleTimeout = 5 * time.Hour
		return faults.NewNode(t, "", store, cfg).Manager
	}
	fast, right := open(faults.Shift(store, time.Hour)), open(store)
	s, err := fast.Begin(t.Context(), http.Header{})
	require.NoError(t, err)
	core.NewValue[int]("x").Set(s, 1)
	require.NoError(t, fast.Commit(t.Context(), s, http.Header{}))

	times := func(m *core.Manager) []time.Time {
		s, err := m.Open(t.Context(), s.ID())
		require.NoError(t, err)
		return []time.Time{s.Created(), s.Used(), s.Expires()}
	}
	for i, at := range times(fast) {
		assert.Equal(t, at.Add(time.Hour), times(right)[i])
	}
}

func TestAShiftedNodeKnowsWhenATokenWasReplaced(t *testing.T) {
	store := newBadStore()
	var mu sync.Mutex
	seen := map[core.EventKind]int{}
	cfg := patient()
	cfg.IdleTimeout = 5 * time.Hour
	cfg.Observe = func(_ context.Context, e core.Event) {
		mu.Lock()
		defer mu.Unlock()
		seen[e.Kind]++
	}
	run := faults.Start(t, 1, faults.NewNode(t, "slow", faults.Shift(store, -time.Hour), cfg))
	run.Create(1)
	require.Equal(t, 1, run.Each(faults.Renew, 0, 1))
	run.ReadAll()
	require.Equal(t, 1, seen[core.TokenOutdated], "on the node's own clock it was just now")
	requireNone(t, run.Verdict())
	for _, rec := range store.records {
		require.Equal(t, byte(1), rec.Data[58], "one token was replaced")
		at := binary.BigEndian.Uint64([]byte(rec.Data[59+32:]))
		assert.WithinDuration(t, time.Now().Add(-time.Hour), time.UnixMilli(int64(at)),
			10*time.Minute)
	}
}
