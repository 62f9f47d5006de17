package core_test

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// A small request must not keep a large one in memory by a part of its text, and a framework uses
// the memory of its requests again.
func TestAMemoryStoreCopiesWhatItKeepsAndWhatItReturns(t *testing.T) {
	for name, data := range map[string]string{"short": "data", "large": strings.Repeat("d", 1000)} {
		t.Run(name, func(t *testing.T) {
			buffer := []byte(strings.Repeat("i", 32) + "first owner, another one")
			view := unsafe.String(&buffer[0], len(buffer))
			id, first, another := core.ID(view[:32]), view[32:43], view[45:]
			store := core.NewMemoryStore(core.MemoryOptions{})
			rec := core.Record{ID: id, Revision: 1, Owner: first, Data: data}
			require.NoError(t, store.Create(t.Context(), rec))
			rec.Revision = 2
			require.NoError(t, store.Update(t.Context(), rec, 1), "the same owner")
			created, err := store.Load(t.Context(), id)
			require.NoError(t, err)
			assert.Equal(t, rec, created)
			rec.Owner, rec.Revision = another, 3
			require.NoError(t, store.Update(t.Context(), rec, 2))
			updated, err := store.Load(t.Context(), id)
			require.NoError(t, err)
			assert.Equal(t, rec, updated)
			for _, text := range []string{
				string(created.ID), created.Owner, string(updated.ID), updated.Owner,
			} {
				assert.False(t, overlap(text, view))
			}

			clear(buffer)
			kept := core.ID(strings.Repeat("i", 32))
			got, err := store.Load(t.Context(), kept)
			require.NoError(t, err)
			assert.Equal(t, kept, got.ID)
			assert.Equal(t, "another one", got.Owner)
			assert.Equal(t, "first owner", created.Owner)
			require.NoError(t, store.Update(t.Context(), created, 3))
			require.NoError(t, store.Delete(t.Context(), kept))
			assert.Equal(t, kept, got.ID, "what was loaded is the caller's own")
			assert.Equal(t, data, got.Data)
		})
	}
}

// What there is to copy of a record may be the ID alone.
func TestAMemoryStoreCopiesTheIDOfARecordWithoutOwner(t *testing.T) {
	for _, data := range []int{95, 1000} {
		buffer := []byte(strings.Repeat("i", 32))
		rec := core.Record{
			ID: core.ID(unsafe.String(&buffer[0], 32)), Data: strings.Repeat("d", data),
		}
		store := core.NewMemoryStore(core.MemoryOptions{})
		require.NoError(t, store.Create(t.Context(), rec))
		got, err := store.Load(t.Context(), rec.ID)
		require.NoError(t, err)
		assert.False(t, overlap(string(got.ID), string(rec.ID)))
		clear(buffer)
		_, err = store.Load(t.Context(), core.ID(strings.Repeat("i", 32)))
		require.NoError(t, err)
	}
}

func TestAMemoryStoreKeepsTextsOfAnyLength(t *testing.T) {
	text := strings.Repeat("0123456789abcdef", 5000)
	for _, id := range []int{0, 1, 31, 32, 255, 256, 257, 600} {
		store := core.NewMemoryStore(core.MemoryOptions{})
		rec := core.Record{ID: core.ID(text[:id])}
		require.NoError(t, store.Create(t.Context(), rec))
		for _, owner := range []int{0, 1, 255, 256, 300, 700} {
			for _, data := range []int{0, 1, 95, 452, 483, 484, 485, 70_000} {
				was := rec.Revision
				rec.Revision++
				rec.Owner, rec.Data = text[:owner], text[1:1+data]
				require.NoError(t, store.Update(t.Context(), rec, was))
				got, err := store.Load(t.Context(), rec.ID)
				require.NoError(t, err)
				if got != rec { // quicker than assert for so many
					assert.Equal(t, rec, got)
				}
			}
		}
		assert.Equal(t, 1, store.Len())
	}
}

func TestAMemoryStoreKeepsTimes(t *testing.T) {
	store := core.NewMemoryStore(core.MemoryOptions{})
	rec := aRecord()
	require.NoError(t, store.Create(t.Context(), rec))
	for _, at := range []time.Time{
		{}, time.Unix(0, 0).UTC(), time.UnixMilli(-1).UTC(), time.UnixMilli(1).UTC(), epoch,
		time.Date(1, 1, 1, 0, 0, 0, 1e6, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 999e6, time.UTC),
	} {
		rec.Used, rec.Expires = at, at
		require.NoError(t, store.Touch(t.Context(), rec, rec.Revision))
		got, err := store.Load(t.Context(), rec.ID)
		require.NoError(t, err)
		assert.Equal(t, rec, got)
		assert.Equal(t, at.IsZero(), got.Expires.IsZero(), "1970 is a time, zero is none")
	}
	rec.Used = epoch.Add(999_999).In(time.FixedZone("here", 3600))
	require.NoError(t, store.Touch(t.Context(), rec, rec.Revision))
	got, err := store.Load(t.Context(), rec.ID)
	require.NoError(t, err)
	assert.Equal(t, epoch, got.Used, "whole milliseconds of UTC")
}

// What expired before 1970, or then, has expired; what has no Expires has not.
func TestAMemoryStoreSweepsWhatExpiredLongAgo(t *testing.T) {
	store := core.NewMemoryStore(core.MemoryOptions{})
	for _, at := range []time.Time{
		{}, time.Unix(0, 0), time.UnixMilli(-1), time.Date(1, 1, 1, 0, 0, 0, 1e6, time.UTC),
	} {
		rec := aRecord()
		rec.Expires = at
		require.NoError(t, store.Create(t.Context(), rec))
	}
	n, err := store.DeleteExpired(t.Context(), time.Unix(0, 0))
	require.NoError(t, err)
	assert.Equal(t, 3, n)
	assert.Equal(t, 1, store.Len())
}

func TestAReadCostsOneAllocationAtMost(t *testing.T) {
	store := core.NewMemoryStore(core.MemoryOptions{})
	short, large := aRecord(), aRecord()
	short.Data, large.Data = strings.Repeat("d", 95), strings.Repeat("d", 2000)
	require.NoError(t, store.Create(t.Context(), short))
	require.NoError(t, store.Create(t.Context(), large))
	ctx := context.Background()
	load := func(id core.ID) func() { return func() { _, _ = store.Load(ctx, id) } }
	assert.Equal(t, 1.0, core.FewestAllocations(load(short.ID)))
	assert.Zero(t, core.FewestAllocations(load(large.ID)), "it is not copied")
	assert.Zero(t, core.FewestAllocations(load("unknown")))
	for _, rec := range []core.Record{short, large} {
		assert.Zero(t, core.FewestAllocations(func() {
			_ = store.Touch(ctx, rec, rec.Revision)
			_ = store.Update(ctx, rec, rec.Revision)
		}), "written in its place")
	}
}

// The garbage collector has to look at each object and each pointer in it.
func TestAMillionSessionsAreNotAMillionObjects(t *testing.T) {
	const records = 50_000
	objects := func() uint64 {
		heap()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapObjects
	}
	store := core.NewMemoryStore(core.MemoryOptions{})
	before := objects()
	for range records {
		rec := aRecord()
		rec.Data = strings.Repeat("d", 95)
		require.NoError(t, store.Create(t.Context(), rec))
	}
	after := objects()
	assert.Less(t, max(after, before)-before, uint64(records/20))
	runtime.KeepAlive(store)
}

// FuzzMemoryRecord holds that any record comes back as it was, also after it has taken another
// one's place.
func FuzzMemoryRecord(f *testing.F) {
	f.Add("id", "owner", "data", int64(1), int64(0), uint16(0))
	f.Add("", "", "", int64(-1), int64(-62_135_596_800_000), uint16(500))
	f.Fuzz(func(t *testing.T, id, owner, data string, used, expires int64, more uint16) {
		const most = 1 << 50 // milliseconds: a time has no more room
		store := core.NewMemoryStore(core.MemoryOptions{})
		rec := core.Record{
			ID: core.ID(id), Revision: 1, Owner: owner, Data: data,
			Used:    time.UnixMilli(used % most).UTC(),
			Expires: time.UnixMilli(expires % most).UTC(),
		}
		holds := func() {
			t.Helper()
			got, err := store.Load(t.Context(), rec.ID)
			require.NoError(t, err)
			require.Equal(t, rec, got)
		}
		require.NoError(t, store.Create(t.Context(), rec))
		holds()
		rec.Data += strings.Repeat("m", int(more))
		rec.Revision = 2
		require.NoError(t, store.Update(t.Context(), rec, 1))
		holds()
		rec.Data, rec.Revision = data, 3
		require.NoError(t, store.Update(t.Context(), rec, 2))
		holds()
		require.NoError(t, store.Delete(t.Context(), rec.ID))
		require.Zero(t, store.Bytes())
	})
}
