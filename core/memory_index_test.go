package core

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// These tests are inside the package because they choose hashes, so that many are the same or lie
// close together, which those of real IDs never do.

// A modelIndex is what a memoryIndex should know: of each place the hash.
type modelIndex struct {
	memoryIndex
	hashes map[place]uint32
}

func (m *modelIndex) add(t require.TestingT, hash uint32, p place) {
	if _, ok := m.hashes[p]; ok {
		return
	}
	m.insert(entryOf(hash, p))
	m.hashes[p] = hash
	m.sound(t)
}

func (m *modelIndex) drop(t require.TestingT, p place) {
	hash, ok := m.hashes[p]
	if !ok {
		return
	}
	m.remove(m.at(entryOf(hash, p)))
	delete(m.hashes, p)
	m.sound(t)
}

// sound holds that the table is neither too full nor too empty.
func (m *modelIndex) sound(t require.TestingT) {
	require.Equal(t, len(m.hashes), m.n)
	size := len(m.entries)
	require.LessOrEqual(t, 5*m.n, 4*size+4, "an entry more than four fifths at most")
	if size > leastIndex {
		require.GreaterOrEqual(t, 4*m.n, size)
	}
}

// check holds that each place is found under its hash, and nothing else under any.
func (m *modelIndex) check(t require.TestingT, hashes ...uint32) {
	want := map[uint32]map[place]bool{}
	for _, hash := range hashes {
		want[hash] = map[place]bool{}
	}
	for p, hash := range m.hashes {
		if want[hash] == nil {
			want[hash] = map[place]bool{}
		}
		want[hash][p] = true
	}
	for hash, places := range want {
		got := map[place]bool{}
		for position := m.first(hash); position >= 0; position = m.next(position, hash) {
			p := m.entries[position].place()
			require.False(t, got[p], "found twice")
			got[p] = true
		}
		require.Equal(t, places, got, "hash %#x", hash)
	}
}

func TestTheIndexFindsWhatIsThereAndNothingElse(t *testing.T) {
	for name, hash := range map[string]func(*rand.Rand) uint32{
		"hashes as they are":         (*rand.Rand).Uint32,
		"all at the end":             func(r *rand.Rand) uint32 { return math.MaxUint32 - r.Uint32N(40) },
		"few different ones":         func(r *rand.Rand) uint32 { return r.Uint32N(9) << 29 },
		"all the same":               func(*rand.Rand) uint32 { return 0 },
		"in two crowds, one of zero": func(r *rand.Rand) uint32 { return r.Uint32N(2) << 31 },
	} {
		for seed := range uint64(5) {
			t.Run(fmt.Sprint(name, ", seed ", seed), func(t *testing.T) {
				random := rand.New(rand.NewPCG(seed, 0))
				m := &modelIndex{hashes: map[place]uint32{}}
				for round := range 1500 {
					p := placeOf(slotClass(1+random.IntN(32)), random.IntN(20))
					if growing := round%500 < 300; random.IntN(4) > 0 == growing {
						m.add(t, hash(random), p)
					} else {
						m.drop(t, p)
					}
					if round%50 == 0 {
						m.check(t, hash(random))
					}
				}
				m.check(t)
				for p := range m.hashes {
					m.drop(t, p)
				}
				assert.Nil(t, m.entries, "an empty one holds no memory")
			})
		}
	}
}

func TestAPlaceIsKeptWhole(t *testing.T) {
	for _, c := range []slotClass{largeClass, 2, shortClasses} {
		for _, i := range []int{0, 1, chunkSlots, 1<<placeBits - 1} {
			e := entryOf(math.MaxUint32, placeOf(c, i))
			assert.Equal(t, c, e.place().class())
			assert.Equal(t, i, e.place().number())
			assert.Equal(t, uint32(math.MaxUint32), e.hash())
			assert.NotZero(t, entryOf(0, placeOf(c, i)), "zero is empty")
		}
	}
}

// FuzzMemoryIndex reads inserts and removals out of bytes: of each three, what to do and with which
// of few places, and the hash.
func FuzzMemoryIndex(f *testing.F) {
	f.Add([]byte{0, 1, 1, 0, 2, 1, 0, 3, 255, 128, 1, 0})
	f.Fuzz(func(t *testing.T, ops []byte) {
		m := &modelIndex{hashes: map[place]uint32{}}
		for ; len(ops) >= 3; ops = ops[3:] {
			p := placeOf(1+slotClass(ops[0]&3), int(ops[1]))
			if ops[0] >= 128 {
				m.drop(t, p)
			} else {
				m.add(t, uint32(ops[2])<<24, p)
			}
		}
		m.check(t)
	})
}
