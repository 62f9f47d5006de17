package core_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// visitor is a record without an owner, used at some second.
func visitor(data, used int) core.Record {
	rec := sized(data)
	rec.Owner, rec.Used = "", epoch.Add(time.Duration(used)*time.Second)
	return rec
}

// withOwner is the next version of a record, with an owner.
func withOwner(rec core.Record) core.Record {
	rec.Owner = "ada"
	rec.Revision++
	return rec
}

func alive(t *testing.T, store core.Store, rec core.Record) bool {
	t.Helper()
	_, err := store.Load(t.Context(), rec.ID)
	if err != nil {
		require.ErrorIs(t, err, core.ErrNotFound)
	}
	return err == nil
}

func TestSessionsWithoutAnOwnerGetAShare(t *testing.T) {
	one := bytesOf(t, visitor(97, 0))
	require.Equal(t, one, bytesOf(t, sized(97)), "an owner that fits what is rounded up")
	for name, c := range map[string]struct {
		options core.MemoryOptions
		share   int // of ten
	}{
		"of sessions, nine tenths by default": {core.MemoryOptions{MaxSessions: 10}, 9},
		"of bytes, by default":                {core.MemoryOptions{MaxBytes: 10 * one}, 9},
		"of both, whatever is reached first": {
			core.MemoryOptions{MaxSessions: 10, MaxBytes: 20 * one, OwnerlessShare: 30}, 3,
		},
		"the bytes first": {
			core.MemoryOptions{MaxSessions: 100, MaxBytes: 10 * one, OwnerlessShare: 30}, 3,
		},
		"rounded up":     {core.MemoryOptions{MaxSessions: 10, OwnerlessShare: 1}, 1},
		"all":            {core.MemoryOptions{MaxSessions: 10, OwnerlessShare: 100}, 10},
		"more than all":  {core.MemoryOptions{MaxSessions: 10, OwnerlessShare: math.MaxInt}, 10},
		"less than none": {core.MemoryOptions{MaxSessions: 10, OwnerlessShare: -1}, 0},
		"no policy at all": {
			core.MemoryOptions{MaxSessions: 10, OwnerlessShare: 50, OwnerlessPolicy: 77}, 5,
		},
	} {
		t.Run(name, func(t *testing.T) {
			store := core.NewMemoryStore(c.options)
			var first core.Record
			for i := range c.share {
				rec := visitor(97, i)
				require.NoError(t, store.Create(t.Context(), rec))
				if i == 0 {
					first = rec
				}
			}
			require.Equal(t, core.ErrStoreFull, store.Create(t.Context(), visitor(97, 0)))
			assert.Equal(t, c.share, store.Len())
			for range 10 - c.share {
				require.NoError(t, store.Create(t.Context(), sized(97)))
			}
			if c.share == 0 || c.options.MaxSessions == 100 {
				return
			}
			require.Equal(t, core.ErrStoreFull, store.Create(t.Context(), sized(97)))
			require.NoError(t, store.Update(t.Context(), withOwner(first), 1), "a sign-in")
			err := store.Create(t.Context(), visitor(97, 0))
			require.Equal(t, core.ErrStoreFull, err, "now the whole store is full")
			require.NoError(t, store.Delete(t.Context(), first.ID))
			require.NoError(t, store.Create(t.Context(), visitor(97, 0)))
			require.Equal(t, core.ErrStoreFull, store.Create(t.Context(), visitor(97, 0)))
		})
	}
}

func TestALimitOfOneAdmitsOneWhoeverItIs(t *testing.T) {
	for _, rec := range []core.Record{visitor(97, 0), sized(97)} {
		for _, policy := range []core.LimitPolicy{core.RefuseNew, core.EndUnusedLongest} {
			store := core.NewMemoryStore(core.MemoryOptions{MaxSessions: 1, OwnerlessPolicy: policy})
			require.NoError(t, store.Create(t.Context(), rec))
			require.NoError(t, store.Delete(t.Context(), rec.ID))
		}
	}
}

func TestASignInLeavesTheShareAndATakenBackOneMayExceedIt(t *testing.T) {
	store := core.NewMemoryStore(core.MemoryOptions{MaxSessions: 10, OwnerlessShare: 20})
	first, second := visitor(97, 0), visitor(97, 0)
	require.NoError(t, store.Create(t.Context(), first))
	require.NoError(t, store.Create(t.Context(), second))
	require.NoError(t, store.Update(t.Context(), withOwner(first), 1))
	require.NoError(t, store.Create(t.Context(), visitor(97, 0)), "its place is free")

	first.Revision = 3
	require.NoError(t, store.Update(t.Context(), first, 2), "the sign-in is taken back")
	require.NoError(t, store.Delete(t.Context(), second.ID))
	require.Equal(t, core.ErrStoreFull, store.Create(t.Context(), second), "three is one too many")
	require.NoError(t, store.Delete(t.Context(), first.ID))
	require.NoError(t, store.Create(t.Context(), second))
}

func TestTheSessionUnusedLongestMakesRoom(t *testing.T) {
	one := bytesOf(t, visitor(97, 0))
	for name, options := range map[string]core.MemoryOptions{
		"sessions": {MaxSessions: 12, OwnerlessShare: 75},
		"bytes":    {MaxBytes: 12 * one, OwnerlessShare: 75},
	} {
		t.Run(name, func(t *testing.T) {
			options.OwnerlessPolicy = core.EndUnusedLongest
			store := core.NewMemoryStore(options)
			owner := sized(97)
			owner.Used = epoch.Add(-time.Hour)
			require.NoError(t, store.Create(t.Context(), owner))
			var list []core.Record
			for i := range 9 {
				list = append(list, visitor(97, []int{4, 2, 6, 0, 8, 1, 3, 7, 5}[i]))
				require.NoError(t, store.Create(t.Context(), list[i]))
			}
			touched := list[3]
			touched.Used = epoch.Add(100 * time.Second)
			require.NoError(t, store.Touch(t.Context(), touched, 1))
			ends := func(indexes ...int) {
				t.Helper()
				for i, rec := range list {
					gone := false
					for _, index := range indexes {
						gone = gone || i == index
					}
					assert.NotEqual(t, gone, alive(t, store, rec), "record %d", i)
				}
				require.True(t, alive(t, store, owner))
			}
			for i := range 2 {
				require.NoError(t, store.Create(t.Context(), visitor(97, 50+i)))
			}
			ends(5, 1)
			assert.Equal(t, 10, store.Len(), "as many as were needed")

			require.NoError(t, store.Create(t.Context(), sized(97)))
			require.NoError(t, store.Create(t.Context(), sized(97)))
			ends(5, 1)
			require.NoError(t, store.Create(t.Context(), sized(97)), "an owner's session comes first")
			ends(5, 1, 6)
			require.Equal(t, 12, store.Len())
			for range 8 {
				require.NoError(t, store.Create(t.Context(), sized(97)))
			}
			require.Equal(t, core.ErrStoreFull, store.Create(t.Context(), sized(97)))
			require.Equal(t, core.ErrStoreFull, store.Create(t.Context(), visitor(97, 99)))
			require.True(t, alive(t, store, owner))
		})
	}
}

// A sign-in makes its record longer, and then adds it to the index of owners.
func TestASignInComesBeforeThoseWhoHaveNoOwner(t *testing.T) {
	one := bytesOf(t, visitor(97, 0))
	for _, policy := range []core.LimitPolicy{core.RefuseNew, core.EndUnusedLongest} {
		store := core.NewMemoryStore(core.MemoryOptions{
			MaxBytes: 10*one + one/2, OwnerlessShare: 100, OwnerlessPolicy: policy,
		})
		var list []core.Record
		for i := range 10 {
			list = append(list, visitor(97, i))
			require.NoError(t, store.Create(t.Context(), list[i]))
		}
		for i, rec := range []core.Record{list[0], list[9]} { // the one unused longest, too
			next := withOwner(rec)
			next.Data = strings.Repeat(next.Data, 3)
			err := store.Update(t.Context(), next, 1)
			require.True(t, alive(t, store, rec), "it does not make room for itself")
			if policy == core.RefuseNew {
				require.Equal(t, core.ErrStoreFull, err)
				got, err := store.Load(t.Context(), rec.ID)
				require.NoError(t, err)
				require.Equal(t, rec, got)
				continue
			}
			require.NoError(t, err)
			assert.False(t, alive(t, store, list[1+i]))
		}
		filler := sized(1)
		for store.Create(t.Context(), filler) == nil && policy == core.RefuseNew {
			filler = sized(1)
		}
		for range 5 {
			entry := core.OwnerEntry{ID: core.NewToken().ID(), Revision: 1}
			_, err := store.AddOwned(t.Context(), string(entry.ID), entry, 0, 0)
			if policy == core.RefuseNew {
				require.Equal(t, core.ErrStoreFull, err)
			} else {
				require.NoError(t, err)
			}
		}
	}
}

func TestNothingIsEndedThatCannotMakeRoomEnough(t *testing.T) {
	one := bytesOf(t, visitor(97, 0))
	store := core.NewMemoryStore(core.MemoryOptions{
		MaxBytes: 20 * one, OwnerlessShare: 50, OwnerlessPolicy: core.EndUnusedLongest,
	})
	var list []core.Record
	for i := range 10 {
		list = append(list, visitor(97, i))
		require.NoError(t, store.Create(t.Context(), list[i]))
	}
	for range 10 {
		require.NoError(t, store.Create(t.Context(), sized(97)))
	}
	tooLarge := visitor(int(11*one), 99)
	require.Equal(t, core.ErrStoreFull, store.Create(t.Context(), tooLarge), "for the share")
	require.Equal(t, core.ErrStoreFull, store.Create(t.Context(), sized(int(11*one))), "at all")
	grown := list[4]
	grown.Data, grown.Revision = tooLarge.Data, 2
	require.Equal(t, core.ErrStoreFull, store.Update(t.Context(), grown, 1))
	grown.Owner = "ada"
	require.Equal(t, core.ErrStoreFull, store.Update(t.Context(), grown, 1))
	assert.Equal(t, 20, store.Len())
	for _, rec := range list {
		assert.True(t, alive(t, store, rec))
	}
	grown.Owner, grown.Data = "", grown.Data[:5*one]
	require.NoError(t, store.Update(t.Context(), grown, 1), "here it makes room enough")
	for i, rec := range list {
		assert.Equal(t, i == 4 || i > 5, alive(t, store, rec), "record %d", i)
	}
}

func TestRevokingAllOfAnOwnerIsNeverRefused(t *testing.T) {
	store := core.NewMemoryStore(core.MemoryOptions{MaxBytes: bytesOf(t, sized(97))})
	require.NoError(t, store.Create(t.Context(), sized(97)))
	before, entries, err := store.RaiseEpoch(t.Context(), "ada", 5, time.Time{})
	require.NoError(t, err)
	assert.Zero(t, before)
	assert.Empty(t, entries)
	epoch, err := store.OwnerEpoch(t.Context(), "ada")
	require.NoError(t, err)
	assert.EqualValues(t, 5, epoch)
	_, err = store.AddOwned(t.Context(), "ada", core.OwnerEntry{ID: "x"}, 5, 0)
	require.Equal(t, core.ErrStoreFull, err)
}

// What is of no use any more gives way to what is.
func TestWhatIsKeptForOwnersMakesRoomWhenItIsOver(t *testing.T) {
	bubble(t, "five minutes later", func(t *testing.T) {
		store := core.NewMemoryStore(core.MemoryOptions{MaxBytes: 5000})
		until := time.Now().Add(time.Hour)
		add := func(entries int) (err error) {
			for range entries {
				entry := core.OwnerEntry{ID: core.NewToken().ID(), Revision: 1, Until: until}
				if _, err = store.AddOwned(t.Context(), string(entry.ID), entry, 0, 0); err != nil {
					break
				}
			}
			return err
		}
		require.Equal(t, core.ErrStoreFull, add(100))
		pass(time.Hour + ownerSlack - time.Millisecond)
		require.Equal(t, core.ErrStoreFull, add(1))
		pass(time.Millisecond)
		until = time.Now().Add(time.Hour)
		require.NoError(t, add(20))
		require.NoError(t, store.Create(t.Context(), sized(2000)))
	})
}
