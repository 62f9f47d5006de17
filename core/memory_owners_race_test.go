package core_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// A sign-in that began before everything was revoked does not survive it: the entry is refused, or
// it is one of those that the revocation lists. That is tried until each has come up often enough,
// which depends on how the goroutines meet.
func TestNoEntryOfAnOldEpochSurvives(t *testing.T) {
	const owners, most = 2000, 200_000
	store := core.NewMemoryStore(core.MemoryOptions{})
	ctx := context.Background()
	until := time.Now().Add(time.Hour)
	refused, revoked := 0, 0
	raced := func() bool { return refused > owners/20 && revoked > owners/20 }
	for i := 0; i < owners || i < most && !raced(); i++ {
		owner := fmt.Sprint("user:", i)
		for k := range i % 12 { // some have many already
			entry := core.OwnerEntry{ID: benchID(100*i + k), Revision: 1, Until: until}
			_, err := store.AddOwned(ctx, owner, entry, 0, 0)
			require.NoError(t, err)
		}
		var errs [2]error
		var listed []core.OwnerEntry
		var wg sync.WaitGroup
		var begun sync.WaitGroup
		begun.Add(len(errs))
		for k := range errs {
			wg.Go(func() {
				epoch, err := store.OwnerEpoch(ctx, owner)
				assert.NoError(t, err)
				begun.Done()
				hesitate(i + k)
				entry := core.OwnerEntry{
					ID: benchID(100*i + 50 + k), Revision: 1 + core.Revision(epoch), Until: until,
				}
				_, errs[k] = store.AddOwned(ctx, owner, entry, epoch, 0)
			})
		}
		wg.Go(func() {
			if i%8 > 0 { // else it may come first of all
				begun.Wait()
			}
			hesitate(i / 3)
			var err error
			_, listed, err = store.RaiseEpoch(ctx, owner, 7, until)
			assert.NoError(t, err)
			assert.NoError(t, store.RemoveOwned(ctx, owner, listed...))
		})
		wg.Wait()
		left, err := store.ListOwned(ctx, owner)
		require.NoError(t, err)
		added := 0
		for _, err := range errs {
			if err == nil {
				added++
			} else {
				require.Equal(t, core.ErrConflict, err)
				refused++
			}
		}
		require.Equal(t, i%12+added, len(listed)+len(left), "every entry is listed or left")
		revoked += len(listed) - i%12
		for _, entry := range left {
			require.Equal(t, core.Revision(8), entry.Revision, "it was begun in the new epoch")
		}
	}
	assert.True(t, raced(), "%d were refused, %d revoked", refused, revoked)
}

// hesitate lets others go first, more or less.
func hesitate(i int) {
	for range i % 5 {
		runtime.Gosched()
	}
}

// Of many sign-ins at once as many succeed as there are places.
func TestALimitOfEntriesIsExactHoweverManyComeAtOnce(t *testing.T) {
	store := core.NewMemoryStore(core.MemoryOptions{})
	for _, limit := range []int{1, 3, 20} {
		for round := range 50 {
			owner := fmt.Sprint("limit ", limit, ", round ", round)
			var mu sync.Mutex
			var counts []int
			var wg sync.WaitGroup
			for k := range 32 {
				wg.Go(func() {
					entry := core.OwnerEntry{ID: benchID(k), Revision: 1}
					n, err := store.AddOwned(t.Context(), owner, entry, 0, limit)
					if err != nil {
						assert.Equal(t, core.ErrOwnerLimit, err)
						return
					}
					mu.Lock()
					defer mu.Unlock()
					counts = append(counts, n)
				})
			}
			wg.Wait()
			var want []int
			for n := range limit {
				want = append(want, n+1)
			}
			require.ElementsMatch(t, want, counts)
		}
	}
}

// A framework uses the memory of its requests again.
func TestTheIndexCopiesWhatItKeepsOfOwners(t *testing.T) {
	for _, entries := range []int{1, 30} {
		store := core.NewMemoryStore(core.MemoryOptions{})
		for i := range entries {
			buffer := []byte("user:42" + string(benchID(i)))
			view := unsafe.String(&buffer[0], len(buffer))
			entry := core.OwnerEntry{ID: core.ID(view[7:]), Revision: 1}
			_, err := store.AddOwned(t.Context(), view[:7], entry, 0, 0)
			require.NoError(t, err)
			clear(buffer)
		}
		list, err := store.ListOwned(t.Context(), "user:42")
		require.NoError(t, err)
		require.Len(t, list, entries)
		for i := range entries {
			assert.Contains(t, list, core.OwnerEntry{ID: benchID(i), Revision: 1})
		}
		require.NoError(t, store.RemoveOwned(t.Context(), "user:42", list...))
		assert.Len(t, list, entries, "it is the caller's own")
		assert.Zero(t, store.Bytes())
	}
}
