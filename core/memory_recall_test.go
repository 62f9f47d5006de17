package core

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The Manager's own way to a MemoryStore must find what everybody else's does.
func TestRecallFindsWhatLoadFinds(t *testing.T) {
	m := NewMemoryStore(MemoryOptions{})
	r := rand.New(rand.NewPCG(5, 6))
	at := func() time.Time {
		if r.IntN(4) == 0 {
			return time.Time{}
		}
		return time.UnixMilli(r.Int64N(4e12) - 1e12).UTC()
	}
	for range 500 {
		rec := Record{
			ID: newID(), Revision: newRevision(), Owner: strings.Repeat("o", r.IntN(300)),
			Used: at(), Expires: at(), Data: strings.Repeat("d", r.IntN(1000)),
		}
		require.NoError(t, m.Create(t.Context(), rec))
		got, err := m.Load(t.Context(), rec.ID)
		require.NoError(t, err)
		var b snapshot
		require.True(t, m.recall(rec.ID, &b))
		require.Equal(t, snapshotOf(&got), b)
		require.Equal(t, snapshotOf(&rec), b)
		require.Equal(t, rec, b.record())
	}
	require.False(t, m.recall(newID(), new(snapshot)))
}
