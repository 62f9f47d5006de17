package core_test

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// benchID makes the n-th of IDs that look as the true ones do, but need no list that would be
// measured, too.
func benchID(n int) core.ID {
	var b [24]byte
	binary.LittleEndian.PutUint64(b[:], uint64(n)*0x9e3779b97f4a7c15)
	binary.LittleEndian.PutUint64(b[8:], uint64(n)*0xd1342543de82ef95+1)
	binary.LittleEndian.PutUint64(b[16:], uint64(n))
	return core.ID(base64.RawURLEncoding.EncodeToString(b[:]))
}

func benchRecord(n, data int) core.Record {
	return core.Record{
		ID: benchID(n), Revision: 1, Used: epoch, Expires: epoch.Add(time.Hour),
		Data: strings.Repeat("d", data),
	}
}

// benchStore holds n records, and returns some IDs of them.
func benchStore(b *testing.B, n, data int) (*core.MemoryStore, []core.ID) {
	b.Helper()
	store := core.NewMemoryStore(core.MemoryOptions{})
	for i := range n {
		if err := store.Create(b.Context(), benchRecord(i, data)); err != nil {
			b.Fatal(err)
		}
	}
	ids := make([]core.ID, min(n, 1<<16))
	for i := range ids {
		ids[i] = benchID(i * (n / len(ids)))
	}
	return store, ids
}

func benchSizes(b *testing.B, data int, f func(*testing.B, *core.MemoryStore, []core.ID)) {
	for _, n := range []int{1e3, 1e4, 1e5, 1e6} {
		b.Run(fmt.Sprint("sessions=", n), func(b *testing.B) {
			store, ids := benchStore(b, n, data)
			b.ReportAllocs()
			b.ResetTimer()
			f(b, store, ids)
		})
	}
}

func load(b *testing.B, store *core.MemoryStore, ids []core.ID) {
	ctx := context.Background()
	for i := 0; b.Loop(); i++ {
		if _, err := store.Load(ctx, ids[i%len(ids)]); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMemoryLoadShort(b *testing.B) { benchSizes(b, 95, load) }

func BenchmarkMemoryLoadLarge(b *testing.B) {
	b.Run("sessions=1000", func(b *testing.B) {
		store, ids := benchStore(b, 1000, 4000)
		b.ReportAllocs()
		b.ResetTimer()
		load(b, store, ids)
	})
}

func BenchmarkMemoryLoadHot(b *testing.B) {
	store, ids := benchStore(b, 1000, 95)
	b.ReportAllocs()
	b.ResetTimer()
	load(b, store, ids[:1])
}

func BenchmarkMemoryLoadParallel(b *testing.B) {
	benchSizes(b, 95, func(b *testing.B, store *core.MemoryStore, ids []core.ID) {
		var first atomic.Int64
		b.RunParallel(func(pb *testing.PB) {
			ctx := context.Background()
			for i := int(first.Add(1 << 12)); pb.Next(); i++ {
				if _, err := store.Load(ctx, ids[i%len(ids)]); err != nil {
					b.Error(err)
				}
			}
		})
	})
}

// BenchmarkMemoryCreate creates and deletes, so that the store stays as large as it is.
func BenchmarkMemoryCreate(b *testing.B) {
	benchSizes(b, 95, func(b *testing.B, store *core.MemoryStore, _ []core.ID) {
		ctx, rec := context.Background(), benchRecord(-1, 95)
		for b.Loop() {
			if err := store.Create(ctx, rec); err != nil {
				b.Fatal(err)
			}
			_ = store.Delete(ctx, rec.ID)
		}
	})
}

func BenchmarkMemoryUpdate(b *testing.B) {
	benchSizes(b, 95, func(b *testing.B, store *core.MemoryStore, ids []core.ID) {
		ctx, rec := context.Background(), benchRecord(0, 95)
		for i := 0; b.Loop(); i++ {
			rec.ID = ids[i%len(ids)]
			if err := store.Update(ctx, rec, 1); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkMemoryTouch(b *testing.B) {
	benchSizes(b, 95, func(b *testing.B, store *core.MemoryStore, ids []core.ID) {
		ctx, rec := context.Background(), benchRecord(0, 0)
		for i := 0; b.Loop(); i++ {
			rec.ID = ids[i%len(ids)]
			if err := store.Touch(ctx, rec, 1); err != nil {
				b.Fatal(err)
			}
		}
	})
}
