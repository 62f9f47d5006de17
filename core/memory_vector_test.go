package core

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A vector's memory follows the number of its records, up and down, and what it has let go it does
// not hold on to behind the ends of its slices.
func TestAVectorTakesNoMoreMemoryThanItNeeds(t *testing.T) {
	const most = 40 * chunkSlots
	for _, c := range []slotClass{largeClass, 2, shortClasses} {
		v, random := &vector{}, rand.New(rand.NewPCG(1, 4))
		for step, growing := 0, true; growing || v.n > 0; step++ {
			growing = growing && v.n < most
			if growing || random.IntN(4) == 0 {
				i := v.push(c)
				require.Equal(t, v.n-1, i)
				v.slot(c, i)[0] = byte(i)
				if c == largeClass {
					v.text(i).data = "held"
				}
			} else {
				v.pop(c)
			}
			requireTight(t, c, v)
		}
		assert.Nil(t, v.chunks)
	}
}

func requireTight(t *testing.T, c slotClass, v *vector) {
	t.Helper()
	room := 0
	for k, chunk := range v.chunks {
		n := len(chunk.slots) / c.width()
		room += n
		if k > 0 && n != chunkSlots || c == largeClass && n != len(chunk.texts) {
			require.Fail(t, "a chunk of the wrong length")
		}
		for i := range chunk.texts {
			if there := k*chunkSlots+i < v.n; there != (chunk.texts[i] == largeText{data: "held"}) {
				require.Fail(t, "a text that is lost, or held for nobody")
			}
		}
	}
	if room < v.n || room > max(leastSlots, 4*v.n) || room >= v.n+2*chunkSlots {
		require.Fail(t, "the wrong room", "%d for %d", room, v.n)
	}
	if cap(v.chunks) > 4*max(1, len(v.chunks)) {
		require.Fail(t, "a list of chunks that has grown and stays so")
	}
	for _, chunk := range v.chunks[len(v.chunks):cap(v.chunks)] {
		if chunk.slots != nil || chunk.texts != nil {
			require.Fail(t, "a chunk that is held for nobody")
		}
	}
}
