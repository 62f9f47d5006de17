package core_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// TestMemoryModel does anything to a store and to a plain map, while time passes, and compares.
// go test -run MemoryModel -seed=… does one run again. (Which shard an ID belongs to is chosen anew
// each time; nothing that can be seen may depend on it.)
func TestMemoryModel(t *testing.T) {
	one, seeds := bytesOf(t, sized(300)), modelSeeds()
	for name, options := range map[string]core.MemoryOptions{
		"no limit": {}, "sessions": {MaxSessions: 60}, "bytes": {MaxBytes: 60 * one},
		"both":  {MaxSessions: 60, MaxBytes: 60 * one},
		"share": {MaxSessions: 60, MaxBytes: 60 * one, OwnerlessShare: 30},
		"evicting": {
			MaxSessions: 60, MaxBytes: 60 * one, OwnerlessShare: 50,
			OwnerlessPolicy: core.EndUnusedLongest,
		},
		"evicting bytes": {MaxBytes: 60 * one, OwnerlessPolicy: core.EndUnusedLongest},
	} {
		for _, seed := range seeds[:min(6, len(seeds))] {
			t.Run(fmt.Sprint(name, ", seed ", seed), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					m := newMemoryModel(t, seed, options)
					defer listen(t, m.store, m.listener)()
					for range 1500 {
						m.step()
					}
					m.sweepAll()
				})
			})
		}
	}
}

// A memoryModel is a store and what should be in it.
type memoryModel struct {
	*testing.T
	*rand.Rand
	store, scale *core.MemoryStore // the other one tells what a record takes
	options      core.MemoryOptions
	records      map[core.ID]core.Record
	listener     *listener
	ids          []core.ID
	revision     core.Revision
	text         string
}

func newMemoryModel(t *testing.T, seed uint64, options core.MemoryOptions) *memoryModel {
	m := &memoryModel{
		T: t, Rand: rand.New(rand.NewPCG(seed, 3)), options: options,
		store: core.NewMemoryStore(options), scale: core.NewMemoryStore(core.MemoryOptions{}),
		records: map[core.ID]core.Record{}, listener: &listener{},
		text: strings.Repeat("some text or other ", 200),
	}
	for i := range 150 {
		length := []int{32, 32, 32, 32, 5, 255, 256}[m.IntN(7)]
		m.ids = append(m.ids, core.ID(fmt.Sprintf("%0*d", length, i)))
	}
	return m
}

// record makes a new version of a record, of any size, due now, soon, later or never.
func (m *memoryModel) record(id core.ID) core.Record {
	m.revision++
	data := []int{m.IntN(50), 95, 300, 400 + m.IntN(150), m.IntN(3000)}[m.IntN(5)]
	now := time.Now().UTC()
	expires := []time.Time{
		{}, now, now.Add(time.Second), now.Add(time.Duration(m.IntN(100)) * time.Second),
	}[m.IntN(4)]
	owner := []int{0, 0, 10, 255, 300}[m.IntN(5)]
	return core.Record{
		ID: id, Revision: m.revision, Used: now, Expires: expires,
		Owner: m.text[:owner], Data: m.text[m.IntN(19):][:data],
	}
}

func (m *memoryModel) takes(rec core.Record) int64 {
	require.NoError(m, m.scale.Create(m.Context(), rec))
	defer func() { require.NoError(m, m.scale.Delete(m.Context(), rec.ID)) }()
	return m.scale.Bytes()
}

func expired(rec core.Record) bool {
	return !rec.Expires.IsZero() && !rec.Expires.After(time.Now())
}

// A demand is what a write would make of the records.
type demand struct {
	rec, old        core.Record // of an Update, the one that it replaces
	update          bool
	sessions, bytes int64 // in all, and those that have no owner
	ownerless       [2]int64
}

// demand leaves out what has expired, which is dropped, and without others all that has no owner.
func (m *memoryModel) demand(rec core.Record, others bool) demand {
	d := demand{rec: rec}
	d.old, d.update = m.records[rec.ID]
	count := func(rec core.Record) {
		d.sessions++
		d.bytes += m.takes(rec)
		if rec.Owner == "" {
			d.ownerless[0]++
			d.ownerless[1] += m.takes(rec)
		}
	}
	count(rec)
	for id, other := range m.records {
		if id != rec.ID && !expired(other) && (others || other.Owner != "") {
			count(other)
		}
	}
	return d
}

// allowed reports whether there is room for it. What does not grow is not refused.
func (m *memoryModel) allowed(d demand) bool {
	within := func(n, limit int64) bool { return limit == 0 || n <= limit }
	share := func(limit int64) int64 {
		percent := int64(cmp.Or(m.options.OwnerlessShare, 90))
		return (limit*percent + 99) / 100
	}
	grows := !d.update || m.takes(d.rec) > m.takes(d.old)
	if !d.update && !within(d.sessions, int64(m.options.MaxSessions)) ||
		grows && !within(d.bytes, m.options.MaxBytes) {
		return false
	}
	if d.rec.Owner != "" || d.update && d.old.Owner != "" {
		return true
	}
	return (d.update || within(d.ownerless[0], share(int64(m.options.MaxSessions)))) &&
		(!grows || within(d.ownerless[1], share(m.options.MaxBytes)))
}

// admitted holds that a write was refused if there was no room, and none could be made.
func (m *memoryModel) admitted(rec core.Record, err error) {
	m.Helper()
	fits := m.allowed(m.demand(rec, true))
	if !fits && (m.options.OwnerlessPolicy != core.EndUnusedLongest ||
		!m.allowed(m.demand(rec, false))) {
		require.Equal(m, core.ErrStoreFull, err)
		require.Empty(m, m.ended(), "and nothing was ended for it")
		return
	}
	require.NoError(m, err)
	ended := m.ended()
	require.Equal(m, fits, len(ended) == 0)
	for i, other := range ended {
		require.Empty(m, other.Owner)
		require.NotEqual(m, rec.ID, other.ID)
		require.False(m, m.allowed(m.demand(rec, true)), "the %d. was ended for nothing", i)
		delete(m.records, other.ID)
	}
	m.records[rec.ID] = rec
}

// ended returns the records that were ended though they had not expired, in their order.
func (m *memoryModel) ended() (list []core.Record) {
	ids, _ := m.listener.take()
	for _, id := range ids {
		if rec := m.records[id]; expired(rec) {
			delete(m.records, id)
		} else {
			list = append(list, rec)
		}
	}
	if len(list) > 0 {
		for _, rec := range m.records {
			require.False(m, expired(rec), "that would have come first")
		}
	}
	return list
}

// settle finds out what a full store has dropped, which it may if it has expired.
func (m *memoryModel) settle() {
	_, _ = m.listener.take()
	for id, rec := range m.records {
		if m.options == (core.MemoryOptions{}) || !expired(rec) {
			continue
		}
		if _, err := m.store.Load(m.Context(), id); err != nil {
			require.ErrorIs(m, err, core.ErrNotFound)
			delete(m.records, id)
		}
	}
}

func (m *memoryModel) step() {
	id := m.ids[m.IntN(len(m.ids))]
	rec := m.record(id)
	switch m.IntN(12) {
	case 0, 1, 2, 3:
		m.create(rec)
	case 4, 5, 6:
		m.update(rec)
	case 7:
		m.touch(rec)
	case 8:
		require.NoError(m, m.store.Delete(m.Context(), id))
		delete(m.records, id)
	case 9:
		time.Sleep(time.Duration(m.IntN(3000)) * time.Millisecond)
	case 10:
		if m.IntN(5) == 0 {
			m.sweep(time.Now().Add(time.Duration(m.IntN(3)-2) * time.Second))
		}
	}
	m.settle()
	m.holds(id)
	require.Equal(m, len(m.records), m.store.Len())
}

// holds compares one record.
func (m *memoryModel) holds(id core.ID) {
	m.Helper()
	got, err := m.store.Load(m.Context(), id)
	want, ok := m.records[id]
	if !ok {
		require.ErrorIs(m, err, core.ErrNotFound)
		return
	}
	require.NoError(m, err)
	if got != want { // quicker than require.Equal for so many
		require.Equal(m, want, got)
	}
}

func (m *memoryModel) create(rec core.Record) {
	_, there := m.records[rec.ID]
	err := m.store.Create(m.Context(), rec)
	switch {
	case there:
		require.Equal(m, core.ErrExists, err)
	default:
		m.admitted(rec, err)
	}
}

// update is of the right Revision, most times.
func (m *memoryModel) update(rec core.Record) {
	old, there := m.records[rec.ID]
	was := old.Revision
	if m.IntN(5) == 0 {
		was++
	}
	err := m.store.Update(m.Context(), rec, was)
	switch {
	case !there:
		require.Equal(m, core.ErrNotFound, err)
	case was != old.Revision:
		require.Equal(m, core.ErrConflict, err)
	case expired(old) && m.takes(rec) > m.takes(old) && err != nil:
		// It has been dropped to make room, or it was not enough. settle sees which.
		require.NotEqual(m, m.options, core.MemoryOptions{})
	default:
		m.admitted(rec, err)
	}
}

func (m *memoryModel) touch(rec core.Record) {
	old, there := m.records[rec.ID]
	err := m.store.Touch(m.Context(), rec, old.Revision)
	if !there {
		require.Equal(m, core.ErrNotFound, err)
		return
	}
	require.NoError(m, err)
	rec.Owner, rec.Data = old.Owner, old.Data
	m.records[rec.ID] = rec
}

func (m *memoryModel) sweep(now time.Time) {
	want := 0
	for id, rec := range m.records {
		if !rec.Expires.IsZero() && !rec.Expires.After(now) {
			want++
			delete(m.records, id)
		}
	}
	n, err := m.store.DeleteExpired(m.Context(), now)
	require.NoError(m, err)
	require.Equal(m, want, n)
	for _, id := range m.ids {
		m.holds(id)
	}
}

// sweepAll ends the run: what never expires is left, and then nothing.
func (m *memoryModel) sweepAll() {
	m.sweep(time.Now().Add(time.Hour))
	bytes := int64(0)
	for id, rec := range m.records {
		require.True(m, rec.Expires.IsZero())
		bytes += m.takes(rec)
		defer delete(m.records, id)
	}
	require.Equal(m, bytes, m.store.Bytes())
	for _, id := range m.ids {
		require.NoError(m, m.store.Delete(m.Context(), id))
	}
	require.Zero(m, m.store.Len())
	require.Zero(m, m.store.Bytes())
}
