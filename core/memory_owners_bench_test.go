package core_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// indexOf keeps some sessions of each of some owners.
func indexOf(b testing.TB, owners, each int) (*core.MemoryStore, []string) {
	b.Helper()
	store := core.NewMemoryStore(core.MemoryOptions{})
	names := make([]string, owners)
	for i := range names {
		names[i] = fmt.Sprint("user:", i)
		for k := range each {
			entry := core.OwnerEntry{ID: benchID(i*each + k), Revision: 1, Until: epoch}
			_, err := store.AddOwned(b.Context(), names[i], entry, 0, 0)
			require.NoError(b, err)
		}
	}
	return store, names
}

// BenchmarkMemorySignIn adds an entry and removes it, so that the index stays as large as it is.
func BenchmarkMemorySignIn(b *testing.B) {
	for _, size := range [][2]int{{1000, 1}, {1_000_000, 1}, {1000, 5}, {1, 10_000}} {
		b.Run(fmt.Sprintf("owners=%d,sessions=%d", size[0], size[1]), func(b *testing.B) {
			store, names := indexOf(b, size[0], size[1])
			entry := core.OwnerEntry{ID: benchID(-1), Revision: 1, Until: epoch}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				owner := names[i%len(names)]
				if _, err := store.AddOwned(b.Context(), owner, entry, 0, 0); err != nil {
					b.Fatal(err)
				}
				_ = store.RemoveOwned(b.Context(), owner, entry)
			}
		})
	}
}

// BenchmarkMemoryFlood begins sessions at a full store, each of which ends another one.
func BenchmarkMemoryFlood(b *testing.B) {
	for _, n := range []int{10_000, 1_000_000} {
		for name, policy := range map[string]core.LimitPolicy{
			"refused": core.RefuseNew, "another ends": core.EndUnusedLongest,
		} {
			b.Run(fmt.Sprintf("sessions=%d,%s", n, name), func(b *testing.B) {
				store := core.NewMemoryStore(core.MemoryOptions{
					MaxSessions: n, OwnerlessShare: 100, OwnerlessPolicy: policy,
				})
				rec := benchRecord(0, 95)
				rec.Expires = time.Time{}
				begin := func(i int) error {
					rec.ID, rec.Used = benchID(i), epoch.Add(time.Duration(i)*time.Millisecond)
					return store.Create(b.Context(), rec)
				}
				for i := range n {
					require.NoError(b, begin(i))
				}
				b.ReportAllocs()
				for i := n; b.Loop(); i++ {
					if err := begin(i); (err == nil) != (policy == core.EndUnusedLongest) {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// What Bytes says of the index is about what it takes.
func TestBytesIsAboutWhatOwnersTake(t *testing.T) {
	for _, size := range [][2]int{{60_000, 1}, {10_000, 5}, {3, 20_000}} {
		empty := heap()
		store, names := indexOf(t, size[0], size[1])
		for i := range names {
			names[i] = "" // they are not the index's
		}
		full := heap() - uint64(16*len(names))
		ratio := float64(full-empty) / float64(store.Bytes())
		assert.Less(t, ratio, 1.5, "%v", size)
		assert.Greater(t, ratio, 0.7, "%v", size)
		runtime.KeepAlive(store)
		runtime.KeepAlive(names)
	}
}
