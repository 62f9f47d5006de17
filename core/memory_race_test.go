package core_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// telling is a record whose texts follow from its ID and Revision, so that one that is put together
// out of two shows. It may be of any class, and every third is due soon.
func telling(id core.ID, revision core.Revision) core.Record {
	rec := core.Record{
		ID: id, Revision: revision, Owner: fmt.Sprint("owner ", revision),
		Used:    epoch.Add(time.Duration(revision) * time.Second),
		Expires: epoch.Add(time.Duration(revision%3) * time.Hour),
	}
	size := []int{20, 95, 95, 95, 460, 900}[revision%6]
	rec.Data = strings.Repeat(fmt.Sprint(id, revision, "."), 1+size/40)
	return rec
}

// torn returns an error unless a record is as somebody wrote it; a touch may have changed it since.
func torn(got core.Record) error {
	rec := telling(got.ID, core.Revision(got.Used.Sub(epoch)/time.Second))
	touched := got.Revision - rec.Revision
	rec.Revision = got.Revision
	if touched != 0 && touched != touchedBy || got != rec {
		return fmt.Errorf("a record of two halves: %v", got)
	}
	return nil
}

// touchedBy is what a touch adds to the Revision here; it leaves everything else alone.
const touchedBy = 1 << 40

// TestMemoryRace lets each of many goroutines do anything to records of its own, which must be
// exactly as it left them, while the others do the same in the same vectors, readers look at all of
// them, and what is due is swept.
func TestMemoryRace(t *testing.T) {
	const writers, readers, steps, own = 8, 3, 3000, 120
	for _, seed := range modelSeeds()[:1] {
		store := core.NewMemoryStore(core.MemoryOptions{MaxSessions: writers * own})
		var working atomic.Int32
		working.Store(writers)
		errs := make([]error, writers+readers+1)
		lists := make([]*holder, writers)
		for i := range lists {
			lists[i] = newHolder(store, rand.New(rand.NewPCG(seed, uint64(i))), i, own)
		}
		var wg sync.WaitGroup
		for i, h := range lists {
			wg.Go(func() {
				defer working.Add(-1)
				for step := 0; step < steps && errs[i] == nil; step++ {
					errs[i] = h.step()
				}
			})
		}
		for i := range readers {
			wg.Go(func() {
				for k := i; working.Load() > 0 && errs[writers+i] == nil; k++ {
					got, err := store.Load(context.Background(), lists[k%writers].ids[k/writers%own])
					if err == nil {
						errs[writers+i] = torn(got)
					}
				}
			})
		}
		wg.Go(func() {
			for working.Load() > 0 {
				_, errs[writers+readers] = store.DeleteExpired(context.Background(), epoch)
			}
		})
		wg.Wait()
		require.NoError(t, errors.Join(errs...), "seed %d", seed)
		_, err := store.DeleteExpired(t.Context(), epoch)
		require.NoError(t, err)
		left := 0
		for _, h := range lists {
			require.NoError(t, h.checkAll(), "seed %d", seed)
			left += len(h.records)
		}
		assert.Equal(t, left, store.Len())
	}
}

// A holder does anything to some records that nobody else writes.
type holder struct {
	*rand.Rand
	store    *core.MemoryStore
	ids      []core.ID
	records  map[core.ID]core.Record
	revision core.Revision
}

func newHolder(store *core.MemoryStore, random *rand.Rand, number, own int) *holder {
	h := &holder{Rand: random, store: store, records: map[core.ID]core.Record{}}
	for i := range own {
		h.ids = append(h.ids, core.ID(fmt.Sprintf("%016d%016d", number, i)))
	}
	return h
}

func (h *holder) step() error {
	id := h.ids[h.IntN(len(h.ids))]
	if err := h.check(id); err != nil {
		return err
	}
	old, there := h.records[id]
	h.revision++
	rec, ctx := telling(id, h.revision), context.Background()
	var err error
	switch {
	case !there:
		err = h.store.Create(ctx, rec)
	case h.IntN(4) == 0:
		err = h.store.Delete(ctx, id)
		delete(h.records, id)
		return err
	case h.IntN(4) == 0:
		rec = old
		rec.Revision = core.Revision(old.Used.Sub(epoch)/time.Second) + touchedBy
		err = h.store.Touch(ctx, core.Record{
			ID: id, Revision: rec.Revision, Used: rec.Used, Expires: rec.Expires,
		}, old.Revision)
	default:
		err = h.store.Update(ctx, rec, old.Revision)
	}
	if there && errors.Is(err, core.ErrNotFound) && !old.Expires.After(epoch) {
		delete(h.records, id)
		return nil // it was swept
	}
	if err != nil {
		return err
	}
	h.records[id] = rec
	return h.check(id)
}

// check compares a record with what this goroutine did last; what is due may be gone.
func (h *holder) check(id core.ID) error {
	got, err := h.store.Load(context.Background(), id)
	want, there := h.records[id]
	switch {
	case !there && errors.Is(err, core.ErrNotFound):
		return nil
	case there && errors.Is(err, core.ErrNotFound) && !want.Expires.After(epoch):
		delete(h.records, id)
		return nil
	case err != nil:
		return fmt.Errorf("%s: %w", id, err)
	case got != want:
		return fmt.Errorf("%v is there, not %v", got, want)
	}
	return nil
}

func (h *holder) checkAll() error {
	for _, id := range h.ids {
		if err := h.check(id); err != nil {
			return err
		}
	}
	return nil
}
