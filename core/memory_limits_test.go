package core_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/sessiontest"
)

func TestAMemoryStoreWithLimitsKeepsTheContract(t *testing.T) {
	sessiontest.TestStore(t, func(testing.TB) core.Store {
		return core.NewMemoryStore(core.MemoryOptions{MaxSessions: 2500, MaxBytes: 8 << 20})
	})
}

// sized is a record that takes more the longer its Data is.
func sized(data int) core.Record {
	rec := aRecord()
	rec.Expires = time.Time{}
	rec.Data = strings.Repeat("d", data)
	return rec
}

// bytesOf is what a record takes in a store.
func bytesOf(t *testing.T, rec core.Record) int64 {
	store := core.NewMemoryStore(core.MemoryOptions{})
	require.NoError(t, store.Create(t.Context(), rec))
	return store.Bytes()
}

func TestAFullStoreRefusesWhatIsNew(t *testing.T) {
	for name, options := range map[string]core.MemoryOptions{
		"sessions": {MaxSessions: 3},
		"bytes":    {MaxBytes: 3 * bytesOf(t, sized(100))},
		"both":     {MaxSessions: 3, MaxBytes: 4 * bytesOf(t, sized(100))},
	} {
		t.Run(name, func(t *testing.T) {
			store := core.NewMemoryStore(options)
			var list []core.Record
			for range 3 {
				list = append(list, sized(100))
				require.NoError(t, store.Create(t.Context(), list[len(list)-1]))
			}
			bytes := store.Bytes()
			refused := sized(100)
			require.Equal(t, core.ErrStoreFull, store.Create(t.Context(), refused))
			_, err := store.Load(t.Context(), refused.ID)
			require.ErrorIs(t, err, core.ErrNotFound)
			require.ErrorIs(t, store.Create(t.Context(), list[0]), core.ErrExists,
				"that it is there comes first")
			assert.Equal(t, 3, store.Len())
			assert.Equal(t, bytes, store.Bytes())

			for _, rec := range list { // what is there can be used as ever
				require.NoError(t, store.Touch(t.Context(), rec, 1))
				require.NoError(t, store.Update(t.Context(), rec, 1))
			}
			require.NoError(t, store.Delete(t.Context(), list[1].ID))
			require.NoError(t, store.Create(t.Context(), refused), "there is room again")
			require.ErrorIs(t, store.Create(t.Context(), sized(100)), core.ErrStoreFull)
		})
	}
}

func TestAFullStoreRefusesWhatGrows(t *testing.T) {
	for _, size := range []int{100, 2000} {
		rec, grown := sized(size), sized(size+500)
		store := core.NewMemoryStore(core.MemoryOptions{MaxBytes: bytesOf(t, rec) + 300})
		require.NoError(t, store.Create(t.Context(), rec))
		grown.ID, grown.Revision = rec.ID, 2
		require.Equal(t, core.ErrStoreFull, store.Update(t.Context(), grown, 1))
		got, err := store.Load(t.Context(), rec.ID)
		require.NoError(t, err)
		assert.Equal(t, rec, got, "the old one stays")
		require.ErrorIs(t, store.Update(t.Context(), grown, 7), core.ErrConflict, "that comes first")

		grown.Data = grown.Data[:size+200]
		require.NoError(t, store.Update(t.Context(), grown, 1), "there is room for that")
		assert.Equal(t, bytesOf(t, grown), store.Bytes())
		rec.Revision = 3
		require.NoError(t, store.Update(t.Context(), rec, 2))
		assert.Equal(t, bytesOf(t, rec), store.Bytes(), "what has shrunk gives room back")
	}
}

func TestALimitBelowZeroLeavesNoRoom(t *testing.T) {
	for _, options := range []core.MemoryOptions{
		{MaxSessions: -1}, {MaxBytes: -1}, {MaxSessions: -1, MaxBytes: 1 << 30}, {MaxBytes: 1},
	} {
		store := core.NewMemoryStore(options)
		require.ErrorIs(t, store.Create(t.Context(), aRecord()), core.ErrStoreFull)
		assert.Zero(t, store.Len())
		assert.Zero(t, store.Bytes())
	}
}

func TestAFullStoreDropsWhatHasExpiredAndNothingElse(t *testing.T) {
	for name, options := range map[string]core.MemoryOptions{
		"sessions": {MaxSessions: 50}, "bytes": {MaxBytes: 50 * bytesOf(t, sized(100))},
	} {
		bubble(t, name, func(t *testing.T) {
			store := core.NewMemoryStore(options)
			begin := time.Now().UTC()
			var list []core.Record
			for i := range 50 {
				rec := sized(100)
				rec.Expires = begin.Add(time.Duration(1+i/10) * time.Minute)
				require.NoError(t, store.Create(t.Context(), rec))
				list = append(list, rec)
			}
			pass(time.Minute - time.Millisecond)
			require.ErrorIs(t, store.Create(t.Context(), sized(100)), core.ErrStoreFull)
			list[0].Expires = begin.Add(time.Hour)
			require.NoError(t, store.Touch(t.Context(), list[0], 1))
			pass(time.Millisecond)
			for range 9 { // all of the first ten but the one that was used meanwhile
				require.NoError(t, store.Create(t.Context(), sized(100)))
			}
			require.ErrorIs(t, store.Create(t.Context(), sized(100)), core.ErrStoreFull)
			assert.Equal(t, 50, store.Len())
			for i, rec := range list {
				_, err := store.Load(t.Context(), rec.ID)
				assert.Equal(t, i == 0 || i >= 10, err == nil, "record %d", i)
			}
			pass(time.Minute)
			list[0].Data, list[0].Revision = strings.Repeat("d", 400), 2
			require.NoError(t, store.Update(t.Context(), list[0], 1), "to grow, too")
		})
	}
}

// The limits are exact: as many are let in as there is room for, not one more and not one less.
// Here many are after the last few places, which are free again at once.
func TestLimitsAreExactHoweverManyComeAtOnce(t *testing.T) {
	const routines, each, room = 32, 500, 103
	one := bytesOf(t, sized(100))
	for name, options := range map[string]core.MemoryOptions{
		"sessions": {MaxSessions: room},
		"bytes":    {MaxBytes: room*one + one/2},
		"both":     {MaxSessions: room, MaxBytes: room*one + one/2},
	} {
		t.Run(name, func(t *testing.T) {
			store := core.NewMemoryStore(options)
			for range room - 3 {
				require.NoError(t, store.Create(t.Context(), sized(100)))
			}
			var wg sync.WaitGroup
			for range routines {
				wg.Go(func() {
					rec := sized(100)
					for range each {
						err := store.Create(t.Context(), rec)
						if n := store.Len(); n > room || store.Bytes() > room*one {
							assert.Fail(t, "too many", "%d", n)
						}
						if err == nil {
							assert.NoError(t, store.Delete(t.Context(), rec.ID))
						} else if err != core.ErrStoreFull {
							assert.NoError(t, err)
						}
					}
				})
			}
			wg.Wait()
			for range 3 {
				require.NoError(t, store.Create(t.Context(), sized(100)))
			}
			require.Equal(t, core.ErrStoreFull, store.Create(t.Context(), sized(100)))
			assert.Equal(t, room*one, store.Bytes())
		})
	}
}

// Three places and three who want one each: nobody is refused, whatever else is refused meanwhile.
func TestNobodyIsRefusedForWhatAnotherOneDidNotGet(t *testing.T) {
	one := bytesOf(t, sized(100))
	store := core.NewMemoryStore(core.MemoryOptions{MaxSessions: 3, MaxBytes: 4 * one})
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			rec, large := sized(100), sized(5000)
			for range 3000 {
				if err := store.Create(t.Context(), rec); err != nil {
					assert.NoError(t, err)
				}
				if err := store.Delete(t.Context(), rec.ID); err != nil {
					assert.NoError(t, err)
				}
				if err := store.Create(t.Context(), large); err != core.ErrStoreFull {
					assert.Equal(t, core.ErrStoreFull, err)
				}
			}
		})
	}
	wg.Wait()
}

func TestAFullStoreIsAnOutageForWhoComesNew(t *testing.T) {
	store := core.NewMemoryStore(core.MemoryOptions{MaxSessions: 1})
	m, err := core.New(core.Config{Store: store})
	require.NoError(t, err)
	begun := func() error {
		s, err := m.Begin(t.Context(), http.Header{})
		require.NoError(t, err)
		note.Set(s, "x")
		return m.Commit(t.Context(), s, http.Header{})
	}
	require.NoError(t, begun())
	err = begun()
	require.ErrorIs(t, err, core.ErrStoreFull)
	var failed *core.StoreError
	require.ErrorAs(t, err, &failed)
	assert.Equal(t, http.StatusServiceUnavailable, core.Status(err))
	require.NoError(t, m.Close())
}
