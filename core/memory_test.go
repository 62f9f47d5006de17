package core_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

var epoch = time.Date(2030, 1, 2, 3, 4, 5, 6_000_000, time.UTC)

func aRecord() core.Record {
	return core.Record{
		ID: core.NewToken().ID(), Revision: 1, Owner: "ada",
		Used: epoch, Expires: epoch.Add(time.Hour), Data: "\x00bytes\xff",
	}
}

func TestAMemoryStoreKeepsRecords(t *testing.T) {
	ctx := t.Context()
	store := core.NewMemoryStore(core.MemoryOptions{})
	rec := aRecord()
	_, err := store.Load(ctx, rec.ID)
	require.ErrorIs(t, err, core.ErrNotFound)
	require.ErrorIs(t, store.Update(ctx, rec, 1), core.ErrNotFound, "an update never creates")
	require.ErrorIs(t, store.Touch(ctx, rec, 1), core.ErrNotFound, "nor does a touch")
	require.NoError(t, store.Delete(ctx, rec.ID), "deleting what is not there")
	assert.Zero(t, store.Len())

	require.NoError(t, store.Create(ctx, rec))
	again := rec
	again.Data, again.Revision = "another", 9
	require.ErrorIs(t, store.Create(ctx, again), core.ErrExists)
	got, err := store.Load(ctx, rec.ID)
	require.NoError(t, err)
	assert.Equal(t, rec, got, "nothing was changed")

	require.ErrorIs(t, store.Update(ctx, again, 2), core.ErrConflict)
	require.ErrorIs(t, store.Touch(ctx, again, 2), core.ErrConflict)
	got, _ = store.Load(ctx, rec.ID)
	assert.Equal(t, rec, got)

	again.Owner, again.Used, again.Expires = "", epoch.Add(time.Millisecond), time.Time{}
	require.NoError(t, store.Update(ctx, again, 1))
	got, _ = store.Load(ctx, rec.ID)
	assert.Equal(t, again, got)

	touch := core.Record{ID: rec.ID, Revision: 10, Owner: "x", Data: "x", Used: epoch.Add(time.Second)}
	require.NoError(t, store.Touch(ctx, touch, 9))
	got, _ = store.Load(ctx, rec.ID)
	touch.Owner, touch.Data = again.Owner, again.Data
	assert.Equal(t, touch, got, "owner and data stay")

	assert.Equal(t, 1, store.Len())
	require.NoError(t, store.Delete(ctx, rec.ID))
	require.ErrorIs(t, store.Update(ctx, again, 10), core.ErrNotFound)
	assert.Zero(t, store.Len())
}

func TestAMemoryStoreRemovesWhatHasExpired(t *testing.T) {
	store := core.NewMemoryStore(core.MemoryOptions{})
	add := func(expires time.Time) core.ID {
		rec := aRecord()
		rec.Expires = expires
		require.NoError(t, store.Create(t.Context(), rec))
		return rec.ID
	}
	before, at := add(epoch.Add(-time.Millisecond)), add(epoch)
	after, never := add(epoch.Add(time.Millisecond)), add(time.Time{})

	n, err := store.DeleteExpired(t.Context(), epoch)
	require.NoError(t, err)
	assert.Equal(t, 2, n)
	for id, there := range map[core.ID]bool{before: false, at: false, after: true, never: true} {
		_, err := store.Load(t.Context(), id)
		assert.Equal(t, there, err == nil)
	}
	n, err = store.DeleteExpired(t.Context(), epoch)
	require.NoError(t, err)
	assert.Zero(t, n)
	n, err = store.DeleteExpired(t.Context(), epoch.Add(1e6*time.Hour))
	require.NoError(t, err)
	assert.Equal(t, 1, n, "zero means never")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = store.DeleteExpired(ctx, epoch)
	require.ErrorIs(t, err, context.Canceled)
}

// Of many writers with the same revision one wins.
func TestOneOfManyWritersWins(t *testing.T) {
	store := core.NewMemoryStore(core.MemoryOptions{})
	rec := aRecord()
	var created, updated, touched atomic.Int32
	race := func(f func(i int)) {
		var wg sync.WaitGroup
		for i := range 32 {
			wg.Go(func() { f(i) })
		}
		wg.Wait()
	}
	with := func(revision core.Revision) core.Record {
		r := rec
		r.Revision = revision
		return r
	}
	race(func(int) {
		if store.Create(context.Background(), rec) == nil {
			created.Add(1)
		}
	})
	race(func(i int) {
		if store.Update(context.Background(), with(core.Revision(100+i)), 1) == nil {
			updated.Add(1)
		}
	})
	now, err := store.Load(t.Context(), rec.ID)
	require.NoError(t, err)
	race(func(i int) {
		if store.Touch(context.Background(), with(core.Revision(200+i)), now.Revision) == nil {
			touched.Add(1)
		}
	})
	assert.Equal(t, [3]int32{1, 1, 1}, [3]int32{created.Load(), updated.Load(), touched.Load()})
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// After a flood of sessions the room that they needed has to be given back.
func TestASweepGivesTheMemoryBack(t *testing.T) {
	const records = 60_000
	store := core.NewMemoryStore(core.MemoryOptions{})
	empty := heap()
	data := strings.Repeat("x", 200)
	for i := range records {
		rec := core.Record{
			ID: core.ID(fmt.Sprintf("%032d", i)), Expires: epoch, Data: data + fmt.Sprint(i),
		}
		require.NoError(t, store.Create(t.Context(), rec))
	}
	keep := aRecord()
	require.NoError(t, store.Create(t.Context(), keep))
	full := heap()
	require.Greater(t, full-empty, uint64(10<<20), "megabytes that can be given back")

	n, err := store.DeleteExpired(t.Context(), epoch)
	require.NoError(t, err)
	require.Equal(t, records, n)
	left := heap()
	assert.Less(t, max(left, empty)-empty, uint64(1<<20))
	_, err = store.Load(t.Context(), keep.ID)
	require.NoError(t, err)
	assert.Equal(t, 1, store.Len())
	runtime.KeepAlive(store)
}
