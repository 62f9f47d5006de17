package core

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// These tests are inside the package: they look at how the store keeps its memory, which nobody
// outside can see, or only as a rough figure.

// requireSound holds what is always true of a store that nobody uses just now.
func requireSound(t *testing.T, m *MemoryStore) {
	t.Helper()
	sessions, bytes := 0, int64(0)
	var ownerless amount
	for i := range m.shards {
		sh := &m.shards[i]
		n := 0
		for c := range sh.vectors {
			n += sh.vectors[c].n
			bytes += requireSoundVector(t, m, i, slotClass(c))
			for k := range sh.vectors[c].n {
				ownerless = ownerless.plus(sh.charge(placeOf(slotClass(c), k)).ownerless())
			}
		}
		require.Equal(t, n, sh.index.n, "each record is in the index, and nothing else")
		sessions += n
	}
	require.Equal(t, sessions, m.Len())
	require.Equal(t, bytes+requireSoundOwners(t, m), m.Bytes())
	if m.room.limited {
		require.Equal(t, ownerless, m.room.ownerless)
	}
}

// requireSoundOwners returns what is kept for owners takes.
func requireSoundOwners(t *testing.T, m *MemoryStore) (bytes int64) {
	t.Helper()
	for i := range m.owners {
		sh := &m.owners[i]
		bytes += requireSoundRows(t, &sh.rows)
		many := 0
		for owner, entries := range sh.many {
			_, hash := m.locateOwner(owner)
			_, p, ok := sh.rows.find(hash, ID(owner))
			require.True(t, ok, "each owner has a row")
			require.LessOrEqual(t, sh.rows.slot(p).due(), entries.due.Load())
			require.Positive(t, entries.index.n)
			bytes += manyOverhead + requireSoundRows(t, entries)
			many++
		}
		require.Equal(t, len(sh.many), many)
	}
	return bytes
}

func requireSoundRows(t *testing.T, rows *memoryShard) (bytes int64) {
	t.Helper()
	n := 0
	for c := range rows.vectors {
		for i := range rows.vectors[c].n {
			p := placeOf(slotClass(c), i)
			id, _, _ := rows.text(p)
			_, at, ok := rows.find(rows.hashAt(p), id)
			require.True(t, ok && at == p)
			require.LessOrEqual(t, rows.due.Load(), rows.slot(p).due())
			require.Equal(t, ofIndex, rows.charge(p).kind)
			bytes += rows.charge(p).bytes
			n++
		}
	}
	require.Equal(t, n, rows.index.n)
	return bytes
}

// requireSoundVector returns what the records of one class take.
func requireSoundVector(t *testing.T, m *MemoryStore, shard int, c slotClass) (bytes int64) {
	t.Helper()
	sh := &m.shards[shard]
	v := &sh.vectors[c]
	room := 0
	for _, k := range v.chunks {
		room += len(k.slots) / c.width()
	}
	require.GreaterOrEqual(t, room, v.n)
	require.LessOrEqual(t, room, max(4*v.n, v.n+2*chunkSlots), "memory is given back")
	if v.n <= chunkSlots/2 {
		require.LessOrEqual(t, room, max(leastSlots, 4*v.n), "down to the last bytes")
	}
	require.LessOrEqual(t, cap(v.chunks), max(4, 4*len(v.chunks)))
	for i := range v.n {
		p := placeOf(c, i)
		id, size := ID(v.slot(c, i).id()), 0
		if c == largeClass {
			id, size = ID(v.text(i).key[:v.text(i).id]), v.text(i).size()
		}
		bytes += costOf(c, size)
		at, hash := m.locate(id)
		_, found, ok := sh.find(hash, id)
		if !ok || found != p || at != shard {
			require.Fail(t, "the index does not lead to the record")
		}
		due := v.slot(c, i).due()
		if v.chunks[i/chunkSlots].due > due || sh.due.Load() > due {
			require.Fail(t, "a chunk or shard is due too late")
		}
		if sh.idle == nil || !sh.ownerless(p) {
			continue
		}
		used := v.slot(c, i).used()
		if v.chunks[i/chunkSlots].idle > used || sh.idle.Load() > used {
			require.Fail(t, "a chunk or shard has not been idle so long")
		}
	}
	for _, k := range v.chunks[min(len(v.chunks), (v.n+chunkSlots-1)/chunkSlots):] {
		require.Equal(t, int64(never), k.due, "there is nothing in a spare chunk")
		require.Equal(t, int64(never), k.idle)
	}
	return bytes
}

// idsOf makes IDs that belong to some shards.
func idsOf(m *MemoryStore, n int, shards ...int) []ID {
	ids := make([]ID, 0, n)
	text := []byte(newID())
	for i := uint64(0); len(ids) < n; i++ {
		binary.LittleEndian.PutUint64(text, i) // quicker than another one of so many
		if shard, _ := m.locate(ID(text)); slices.Contains(shards, shard) {
			ids = append(ids, ID(text))
		}
	}
	return ids
}

// randomRecord is of any class, and due at one of few times.
func randomRecord(random *rand.Rand, id ID, begin time.Time) Record {
	size := []int{random.IntN(40), random.IntN(520), 400 + random.IntN(200), random.IntN(3000)}
	return Record{
		ID: id, Revision: Revision(random.Uint64()), Used: begin,
		Owner:   strings.Repeat("o", []int{0, 7, 255, 256}[random.IntN(4)]),
		Expires: begin.Add(time.Duration(random.IntN(10)) * time.Second),
		Data:    strings.Repeat("d", size[random.IntN(4)]),
	}
}

func TestTheStoreIsSoundAfterAnything(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			m := NewMemoryStore(MemoryOptions{
				MaxSessions: []int{0, 1 << 20}[seed%2], OwnerlessPolicy: EndUnusedLongest,
			})
			ids := idsOf(m, 1500, 1, 2) // few shards, so that they are full enough
			begin := time.UnixMilli(1e12).UTC()
			for round := range 6000 {
				id := ids[random.IntN(len(ids))]
				rec := randomRecord(random, id, begin)
				switch old, err := m.Load(t.Context(), id); {
				case err != nil && round%3000 < 2000:
					require.NoError(t, m.Create(t.Context(), rec))
				case random.IntN(3) == 0 || round%3000 >= 2000:
					require.NoError(t, m.Delete(t.Context(), id))
				case random.IntN(3) == 0:
					require.NoError(t, m.Touch(t.Context(), rec, old.Revision))
				default:
					require.NoError(t, m.Update(t.Context(), rec, old.Revision))
				}
				if round%500 == 499 {
					requireSound(t, m)
					after := begin.Add(time.Duration(random.IntN(10)) * time.Second)
					_, err := m.DeleteExpired(t.Context(), after)
					require.NoError(t, err)
					requireSound(t, m)
				}
			}
			_, err := m.DeleteExpired(t.Context(), begin.Add(time.Hour))
			require.NoError(t, err)
			requireSound(t, m)
			requireNothingLeft(t, m)
		})
	}
}

// requireNothingLeft holds that an empty store keeps no chunk and no index.
func requireNothingLeft(t *testing.T, m *MemoryStore) {
	t.Helper()
	require.Zero(t, m.Len())
	require.Zero(t, m.Bytes())
	for i := range m.shards {
		assert.Nil(t, m.shards[i].index.entries)
		for c := range m.shards[i].vectors {
			assert.Nil(t, m.shards[i].vectors[c].chunks)
		}
	}
}
