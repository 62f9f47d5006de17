package core_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// TestMemoryOwnersModel does anything to the index of a store and to plain maps, while time passes,
// and compares.
func TestMemoryOwnersModel(t *testing.T) {
	seeds := modelSeeds()
	for _, most := range []int{3, 12, 40} { // entries of an owner: packed, at times, hardly ever
		for _, seed := range seeds[:min(6, len(seeds))] {
			t.Run(fmt.Sprint("up to ", most, ", seed ", seed), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					m := newOwnersModel(t, seed, most)
					for range 3000 {
						m.step()
					}
					m.forgetAll()
				})
			})
		}
	}
}

// An ownersModel is the index of a store, and what should be in it.
type ownersModel struct {
	*testing.T
	*rand.Rand
	store  *core.MemoryStore
	owners map[string]*ownerModel
	names  []string
	ids    []core.ID
	stamp  core.Revision
}

type ownerModel struct {
	epoch   core.Epoch
	kept    time.Time
	entries map[core.ID]core.OwnerEntry
}

func newOwnersModel(t *testing.T, seed uint64, ids int) *ownersModel {
	m := &ownersModel{
		T: t, Rand: rand.New(rand.NewPCG(seed, 7)),
		store:  core.NewMemoryStore(core.MemoryOptions{}),
		owners: map[string]*ownerModel{},
		names: []string{
			"ada", "user:{42}*\n'\"", strings.Repeat("o", 255), strings.Repeat("long ", 60), "",
		},
	}
	for i := range 15 {
		m.names = append(m.names, fmt.Sprint("owner ", i))
	}
	for i := range ids {
		length := 32
		if seed%2 == 0 { // a store need not check, and must not fall over them
			length = []int{32, 32, 32, 32, 5, 256}[m.IntN(6)]
		}
		m.ids = append(m.ids, core.ID(fmt.Sprintf("%0*d", length, i)))
	}
	for _, name := range m.names {
		m.owners[name] = &ownerModel{entries: map[core.ID]core.OwnerEntry{}}
	}
	return m
}

func (m *ownersModel) until() time.Time {
	now := time.Now().UTC().Truncate(time.Millisecond)
	if m.IntN(8) == 0 {
		return time.Time{}
	}
	return now.Add(time.Duration(m.IntN(1200)-60) * time.Second)
}

func (m *ownersModel) step() {
	name := m.names[m.IntN(len(m.names))]
	o := m.owners[name]
	switch m.IntN(20) {
	case 0:
		m.raise(name, o)
	case 1, 2, 3, 4:
		m.remove(name, o)
	case 5:
		time.Sleep(time.Duration(m.IntN(60)) * time.Second)
	case 6:
		m.sweep()
	default:
		m.add(name, o)
	}
	m.holds(name, o)
}

func (m *ownersModel) add(name string, o *ownerModel) {
	m.stamp++
	entry := core.OwnerEntry{
		ID: m.ids[m.IntN(len(m.ids))], Revision: m.stamp, Until: m.until(),
	}
	epoch, limit := o.epoch, []int{0, 0, 1, len(m.ids) / 2, len(m.ids)}[m.IntN(5)]
	if m.IntN(10) == 0 {
		epoch++
	}
	others := len(o.entries)
	if _, there := o.entries[entry.ID]; there {
		others--
	}
	n, err := m.store.AddOwned(m.Context(), name, entry, epoch, limit)
	switch {
	case epoch != o.epoch:
		require.Equal(m, core.ErrConflict, err, "that comes first")
	case limit > 0 && others >= limit:
		require.Equal(m, core.ErrOwnerLimit, err)
	default:
		require.NoError(m, err)
		o.entries[entry.ID] = entry
		require.Equal(m, len(o.entries), n)
	}
}

func (m *ownersModel) remove(name string, o *ownerModel) {
	var list []core.OwnerEntry
	for range m.IntN(4) {
		entry := core.OwnerEntry{ID: m.ids[m.IntN(len(m.ids))]}
		entry.Revision = o.entries[entry.ID].Revision
		if m.IntN(4) == 0 {
			entry.Revision++ // it was added anew
		}
		if old, ok := o.entries[entry.ID]; ok && old.Revision == entry.Revision {
			delete(o.entries, entry.ID)
		}
		list = append(list, entry)
	}
	require.NoError(m, m.store.RemoveOwned(m.Context(), name, list...))
}

func (m *ownersModel) raise(name string, o *ownerModel) {
	m.stamp++
	epoch, until := core.Epoch(m.stamp), m.until()
	if m.IntN(4) == 0 && o.epoch != 0 {
		epoch = o.epoch // once more
	}
	before, entries, err := m.store.RaiseEpoch(m.Context(), name, epoch, until)
	require.NoError(m, err)
	require.Equal(m, o.epoch, before)
	m.same(o, entries)
	if o.epoch == 0 || until.IsZero() || !o.kept.IsZero() && o.kept.Before(until) {
		o.kept = until
	}
	o.epoch = epoch
}

const ownerSlack = 5 * time.Minute

// sweep forgets what was over five minutes ago, and nothing else.
func (m *ownersModel) sweep() {
	now := time.Now().Add(-time.Minute)
	n, err := m.store.DeleteExpired(m.Context(), now)
	require.NoError(m, err)
	require.Zero(m, n, "only records count")
	over := func(until time.Time) bool {
		return !until.IsZero() && !until.After(now.Add(-ownerSlack))
	}
	for name, o := range m.owners {
		for id, entry := range o.entries {
			if over(entry.Until) {
				delete(o.entries, id)
			}
		}
		if o.epoch != 0 && over(o.kept) {
			o.epoch = 0
		}
		m.holds(name, o)
	}
}

func (m *ownersModel) holds(name string, o *ownerModel) {
	m.Helper()
	epoch, err := m.store.OwnerEpoch(m.Context(), name)
	require.NoError(m, err)
	require.Equal(m, o.epoch, epoch)
	list, err := m.store.ListOwned(m.Context(), name)
	require.NoError(m, err)
	m.same(o, list)
}

func (m *ownersModel) same(o *ownerModel, got []core.OwnerEntry) {
	m.Helper()
	require.Len(m, got, len(o.entries))
	for _, entry := range got {
		if o.entries[entry.ID] != entry { // quicker than require.Equal for so many
			require.Equal(m, o.entries[entry.ID], entry)
		}
	}
}

// forgetAll ends the run: what is kept for ever is left, and then nothing.
func (m *ownersModel) forgetAll() {
	time.Sleep(24 * time.Hour)
	m.sweep()
	for name, o := range m.owners {
		var list []core.OwnerEntry
		for _, entry := range o.entries {
			require.True(m, entry.Until.IsZero())
			list = append(list, entry)
		}
		slices.SortFunc(list, func(a, b core.OwnerEntry) int { return cmp.Compare(a.ID, b.ID) })
		require.NoError(m, m.store.RemoveOwned(m.Context(), name, list...))
		clear(o.entries)
		m.holds(name, o)
		if o.epoch != 0 { // another epoch would be kept as long
			require.True(m, o.kept.IsZero())
			delete(m.owners, name)
		}
	}
	kept := len(m.names) - len(m.owners)
	require.LessOrEqual(m, m.store.Bytes(), int64(kept*450))
	require.Equal(m, kept == 0, m.store.Bytes() == 0)
}
