package core

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// These tests are inside the package: they look at how the store keeps its memory.

func entryUntil(until time.Time) OwnerEntry {
	return OwnerEntry{ID: newID(), Revision: newRevision(), Until: until}
}

func TestTheIndexOfOwnersIsSoundAfterAnything(t *testing.T) {
	for seed := range uint64(4) {
		random := rand.New(rand.NewPCG(seed, 9))
		m := NewMemoryStore(MemoryOptions{MaxBytes: 60_000}) // now and then it is full
		begin := time.UnixMilli(1e12).UTC()
		names := []string{strings.Repeat("o", 255)}
		for i := range 40 {
			names = append(names, fmt.Sprint("owner ", i))
		}
		for round := range 5000 {
			owner := names[random.IntN(1+random.IntN(len(names)))]
			list, err := m.ListOwned(t.Context(), owner)
			require.NoError(t, err)
			epoch, err := m.OwnerEpoch(t.Context(), owner)
			require.NoError(t, err)
			until := begin.Add(time.Duration(random.IntN(100)) * time.Hour)
			switch n := random.IntN(40); {
			case n == 0:
				_, _, err = m.RaiseEpoch(t.Context(), owner, Epoch(random.Uint64()), until)
			case n < 4:
				err = m.RemoveOwned(t.Context(), owner, list[:random.IntN(len(list)+1)]...)
			case n == 4:
				rec := Record{ID: newID(), Expires: until, Data: strings.Repeat("d", 500)}
				if err = m.Create(t.Context(), rec); err == ErrStoreFull {
					err = nil
				}
			default:
				entry := entryUntil(until)
				if random.IntN(50) == 0 {
					entry.ID = ID(strings.Repeat("i", random.IntN(400)))
				}
				if _, err = m.AddOwned(t.Context(), owner, entry, epoch, 0); err == ErrStoreFull {
					err = nil
				}
			}
			require.NoError(t, err)
			if round%100 == 99 {
				requireSound(t, m)
				at := begin.Add(time.Duration(random.IntN(60)) * time.Hour)
				_, err := m.DeleteExpired(t.Context(), at)
				require.NoError(t, err)
				requireSound(t, m)
			}
		}
		_, err := m.DeleteExpired(t.Context(), begin.Add(1000*time.Hour))
		require.NoError(t, err)
		requireSound(t, m)
		requireNothingLeft(t, m)
		for i := range m.owners {
			assert.Nil(t, m.owners[i].rows.index.entries)
			assert.Empty(t, m.owners[i].many)
		}
	}
}

// What one owner of one session takes is said in the documentation.
func TestAnOwnerOfOneSessionTakesLittle(t *testing.T) {
	m := NewMemoryStore(MemoryOptions{})
	_, err := m.AddOwned(t.Context(), "user:42", entryUntil(time.Time{}), 0, 0)
	require.NoError(t, err)
	assert.EqualValues(t, 108, m.Bytes())
	_, _, err = m.RaiseEpoch(t.Context(), "user:42", 1, time.Time{})
	require.NoError(t, err)
	assert.EqualValues(t, 108, m.Bytes())
	_, _, err = m.RaiseEpoch(t.Context(), "user:43", 1, time.Time{})
	require.NoError(t, err)
	assert.EqualValues(t, 108+60, m.Bytes(), "an Epoch alone")
}

func TestAnOwnerMayHaveTenThousandSessions(t *testing.T) {
	const sessions = 10_000
	m := NewMemoryStore(MemoryOptions{})
	for i := range sessions {
		n, err := m.AddOwned(t.Context(), "bot", entryUntil(time.Now().Add(time.Hour)), 0, sessions)
		require.NoError(t, err)
		require.Equal(t, i+1, n)
	}
	assert.Less(t, m.Bytes(), int64(sessions*80))
	_, err := m.AddOwned(t.Context(), "bot", entryUntil(time.Time{}), 0, sessions)
	require.ErrorIs(t, err, ErrOwnerLimit)
	_, entries, err := m.RaiseEpoch(t.Context(), "bot", 1, time.Now())
	require.NoError(t, err)
	require.Len(t, entries, sessions)
	require.NoError(t, m.RemoveOwned(t.Context(), "bot", entries...))
	assert.EqualValues(t, 44, m.Bytes(), "only the Epoch is left")
	requireSound(t, m)
}
