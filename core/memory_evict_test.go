package core

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// These tests are inside the package: they count at how many records is looked to end one, and
// look at the counters.

func TestAShareIsRoundedUp(t *testing.T) {
	for _, c := range []struct {
		limit   int64
		percent int
		want    int64
	}{
		{1, 0, 1}, {1, 1, 1}, {1, -1, 0}, {0, 0, 0}, {0, 100, 0}, {2, 50, 1}, {3, 50, 2},
		{10, 0, 9}, {11, 0, 10}, {100, 1, 1}, {101, 1, 2}, {250, 33, 83}, {250, 100, 250},
		{250, 101, 250}, {250, math.MaxInt, 250}, {250, math.MinInt, 0},
		{unlimited, 0, unlimited}, {unlimited, 1, unlimited}, {unlimited, -1, 0},
		{unlimited - 1, 50, unlimited / 2}, {unlimited - 1, 99, (unlimited-1)/100*99 + 6},
	} {
		assert.Equal(t, c.want, shareOf(c.limit, c.percent), "%d %% of %d", c.percent, c.limit)
	}
}

// evicting is a full store of n sessions without an owner, each used a second after the one before.
func evicting(t *testing.T, n int) (m *MemoryStore, ids []ID, ended *endings) {
	t.Helper()
	m = NewMemoryStore(MemoryOptions{
		MaxSessions: n, OwnerlessShare: 100, OwnerlessPolicy: EndUnusedLongest,
	})
	ended = &endings{}
	m.watch.enter(ended)
	for i := range n {
		ids = append(ids, newID())
		require.NoError(t, m.Create(t.Context(), usedAt(ids[i], i)))
	}
	return m, ids, ended
}

func usedAt(id ID, second int) Record {
	return Record{
		ID: id, Used: time.Unix(int64(second), 0), Expires: time.Now().Add(time.Hour),
		Data: strings.Repeat("d", second%700),
	}
}

// endings are the IDs of the sessions that were ended.
type endings struct {
	mu  sync.Mutex
	ids []ID
}

func (e *endings) Ready()     {}
func (e *endings) Renewed(ID) {}
func (e *endings) Ended(id ID) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.ids = append(e.ids, id)
}

func (e *endings) take() []ID {
	e.mu.Lock()
	defer e.mu.Unlock()
	ids := e.ids
	e.ids = nil
	return ids
}

func TestSessionsThatNobodyUsesAreEndedInTheirOrder(t *testing.T) {
	const n = 5000
	m, ids, ended := evicting(t, n)
	before := seen(m)
	for i := range 2 * n {
		ids = append(ids, newID())
		require.NoError(t, m.Create(t.Context(), usedAt(ids[n+i], n+i)))
	}
	require.Equal(t, ids[:2*n], ended.take())
	assert.LessOrEqual(t, seen(m)-before, 2*n*2*chunkSlots, "two looks for each")
	assert.Equal(t, n, m.Len())
	requireSound(t, m)
}

// All were used since, in any order: what is ended first is one of those unused for long, found
// with few looks, and soon it is the very one.
func TestSessionsThatWereUsedAreEndedAboutInTheirOrder(t *testing.T) {
	const n = 20_000
	m, ids, ended := evicting(t, n)
	order := rand.New(rand.NewPCG(1, 2)).Perm(n)
	rank := map[ID]int{}
	for i, k := range order {
		require.NoError(t, m.Touch(t.Context(), usedAt(ids[k], n+i), 0))
		rank[ids[k]] = i
	}
	exact := 0
	alive := make([]bool, n)
	for i := range alive {
		alive[i] = true
	}
	for i := range n / 2 {
		before := seen(m)
		require.NoError(t, m.Create(t.Context(), usedAt(newID(), 2*n+i)))
		require.LessOrEqual(t, seen(m)-before, evictSlots+2*chunkSlots)
		gone := ended.take()
		require.Len(t, gone, 1)
		at := rank[gone[0]]
		require.Less(t, at, i+n/10, "after %d others", i)
		if at == slices.Index(alive, true) {
			exact++
		}
		alive[at] = false
	}
	assert.Greater(t, exact, n/2*9/10)
	requireSound(t, m)
}

// One who signs in is not ended, and is no reason to look again and again.
func TestWhatHasAnOwnerIsNotLookedAtForEver(t *testing.T) {
	const n = 4000
	m, ids, ended := evicting(t, n)
	for i, id := range ids[:n-100] {
		rec := usedAt(id, i)
		rec.Owner = "ada"
		require.NoError(t, m.Update(t.Context(), rec, 0))
	}
	ended.take()
	for i := range 600 {
		require.NoError(t, m.Create(t.Context(), usedAt(newID(), n+i)))
	}
	before := seen(m)
	for i := range 500 {
		require.NoError(t, m.Create(t.Context(), usedAt(newID(), 2*n+i)))
	}
	assert.LessOrEqual(t, seen(m)-before, 500*3*chunkSlots)
	assert.Len(t, ended.take(), 1100)
	for _, id := range ids[:n-100] {
		_, err := m.Load(t.Context(), id)
		require.NoError(t, err)
	}
	requireSound(t, m)
}

func TestWhatWasLeftOutCanBeEndedNext(t *testing.T) {
	m, ids, ended := evicting(t, 50)
	require.True(t, m.endUnused(ids[0]))
	require.Equal(t, ids[1:2], ended.take())
	require.True(t, m.endUnused(""))
	require.Equal(t, ids[:1], ended.take())
	requireSound(t, m)

	m, ids, ended = evicting(t, 1)
	require.False(t, m.endUnused(ids[0]), "there is no other one")
	require.True(t, m.endUnused(""))
	require.Equal(t, ids, ended.take())
	require.False(t, m.endUnused(""))
}

// Between the look at a session and its end it may be used, sign in, or end.
func TestASessionIsOnlyEndedAsItWasLookedAt(t *testing.T) {
	for name, change := range map[string]func(m *MemoryStore, rec Record) error{
		"used": func(m *MemoryStore, rec Record) error { return m.Touch(t.Context(), rec, 0) },
		"signed in": func(m *MemoryStore, rec Record) error {
			rec.Owner, rec.Used = "ada", rec.Used.Add(-time.Second)
			return m.Update(t.Context(), rec, 0)
		},
		"ended": func(m *MemoryStore, rec Record) error { return m.Delete(t.Context(), rec.ID) },
	} {
		t.Run(name, func(t *testing.T) {
			m, ids, ended := evicting(t, 1)
			i, hash := m.locate(ids[0])
			v, looked := m.shards[i].idlest("")
			require.Equal(t, victim{id: ids[0], used: 0}, v)
			require.Equal(t, 1, looked)
			require.NoError(t, change(m, usedAt(ids[0], 1)))
			ended.take()
			require.False(t, m.shards[i].evict(hash, v))
			require.Empty(t, ended.take())
			requireSound(t, m)
		})
	}
}

// The limits are exact and sessions with an owner stay, whatever happens at once.
func TestLimitsAreExactWhileSessionsMakeRoom(t *testing.T) {
	const routines, steps, sessions, share = 8, 4000, 400, 50
	for _, policy := range []LimitPolicy{RefuseNew, EndUnusedLongest} {
		m := NewMemoryStore(MemoryOptions{
			MaxSessions: sessions, MaxBytes: sessions * 400, OwnerlessShare: share,
			OwnerlessPolicy: policy,
		})
		var wg sync.WaitGroup
		for i := range routines {
			wg.Go(func() {
				c := &crowd{Rand: rand.New(rand.NewPCG(uint64(i), 4)), t: t, m: m}
				for range steps {
					c.step()
					if m.Len() > sessions || m.Bytes() > sessions*400 {
						assert.Fail(t, "too many")
					}
				}
				c.check()
			})
		}
		wg.Wait()
		requireSound(t, m)
		assert.Greater(t, m.Len(), sessions/4)
	}
}

// A crowd makes sessions, some of which sign in, and those must be there until it ends them.
type crowd struct {
	*rand.Rand
	t      *testing.T
	m      *MemoryStore
	owners []ID
	others []ID
	second int
}

func (c *crowd) step() {
	ctx := c.t.Context()
	c.second++
	switch n := c.IntN(10); {
	case n < 5:
		rec := usedAt(newID(), c.second)
		if c.m.Create(ctx, rec) == nil {
			c.others = append(c.others, rec.ID)
		}
	case n < 7 && len(c.others) > 0:
		rec := usedAt(c.others[c.IntN(len(c.others))], c.second)
		rec.Owner = "ada"
		if slices.Contains(c.owners, rec.ID) {
			return
		}
		if c.m.Update(ctx, rec, 0) == nil {
			c.owners = append(c.owners, rec.ID)
		}
	case n < 8 && len(c.others) > 0:
		_ = c.m.Touch(ctx, usedAt(c.others[c.IntN(len(c.others))], c.second), 0)
	case len(c.owners) > 20:
		id := c.owners[0]
		c.owners = c.owners[1:]
		c.others = slices.DeleteFunc(c.others, func(other ID) bool { return other == id })
		assert.NoError(c.t, c.m.Delete(ctx, id))
	}
}

func (c *crowd) check() {
	for _, id := range c.owners {
		rec, err := c.m.Load(c.t.Context(), id)
		assert.NoError(c.t, err)
		assert.Equal(c.t, "ada", rec.Owner)
	}
}

// A write that has seen that nobody watches is over before Ready.
func TestReadyWaitsForWhoHasNotSeenTheWatch(t *testing.T) {
	m := NewMemoryStore(MemoryOptions{})
	m.shards[200].mu.Lock()
	w := &readiness{ready: make(chan bool, 1)}
	go func() { _ = m.Watch(t.Context(), w) }()
	for range 1000 {
		for !m.watch.watched() {
			runtime.Gosched()
		}
		runtime.Gosched()
	}
	w.may.Store(true)
	m.shards[200].mu.Unlock()
	require.True(t, <-w.ready, "it was ready before")
}

type readiness struct {
	endings
	may   atomic.Bool
	ready chan bool
}

func (r *readiness) Ready() { r.ready <- r.may.Load() }
