package sessiontest_test

import (
	"context"
	"strings"
	"sync"
	"time"
	"unsafe"

	"github.com/sessionserverstore/sessionserverstore/core"
)

func keepMistakes() []mistake {
	return []mistake{{
		name: "times in whole seconds",
		make: func(s *altered) {
			s.record = func(rec core.Record) core.Record {
				rec.Used = rec.Used.Truncate(time.Second)
				rec.Expires = rec.Expires.Truncate(time.Second)
				return rec
			}
		},
		seen: []string{"times", "sweep-due"},
	}, {
		name: "times in the local zone",
		make: func(s *altered) {
			local := time.FixedZone("here", 3600)
			s.load = func(ctx context.Context, id core.ID) (core.Record, error) {
				rec, err := s.MemoryStore.Load(ctx, id)
				rec.Used, rec.Expires = rec.Used.In(local), rec.Expires.In(local)
				return rec, err
			}
		},
		seen: []string{"times"},
	}, {
		name: "times in nanoseconds since 1970, of 64 bits",
		make: func(s *altered) {
			s.record = func(rec core.Record) core.Record {
				if !rec.Expires.IsZero() {
					rec.Expires = time.Unix(0, rec.Expires.UnixNano()).UTC()
				}
				return rec
			}
		},
		seen: []string{"times"},
	}, {
		name: "a zero Expires that comes back as 1970",
		make: func(s *altered) {
			s.record = func(rec core.Record) core.Record {
				if rec.Expires.IsZero() {
					rec.Expires = time.Unix(0, 0).UTC()
				}
				return rec
			}
		},
		seen: []string{"times", "sweep-never"},
	}, {
		name: "Data as UTF-8 text",
		make: func(s *altered) {
			s.record = func(rec core.Record) core.Record {
				rec.Data = strings.ToValidUTF8(rec.Data, "\ufffd")
				return rec
			}
		},
		seen: []string{"data-bytes", "data-large"},
	}, {
		name: "Data that ends with the first NUL",
		make: func(s *altered) {
			s.record = func(rec core.Record) core.Record {
				rec.Data, _, _ = strings.Cut(rec.Data, "\x00")
				return rec
			}
		},
		seen: []string{"data-bytes", "data-large"},
	}, {
		name: "Data of 64 KiB at most",
		make: func(s *altered) {
			s.record = func(rec core.Record) core.Record {
				rec.Data = rec.Data[:min(len(rec.Data), 1<<16)]
				return rec
			}
		},
		seen: []string{"data-large"},
	}, {
		name: "an owner without the blanks around it",
		make: func(s *altered) {
			s.record = func(rec core.Record) core.Record {
				rec.Owner = strings.TrimSpace(rec.Owner)
				return rec
			}
		},
		seen: []string{"owner"},
	}, {
		name: "revisions as float64",
		make: func(s *altered) {
			s.record = func(rec core.Record) core.Record {
				rec.Revision = core.Revision(float64(rec.Revision))
				return rec
			}
			s.update = func(ctx context.Context, rec core.Record, was core.Revision) error {
				rec.Revision = core.Revision(float64(rec.Revision))
				was = core.Revision(float64(was))
				return s.MemoryStore.Update(ctx, rec, was)
			}
		},
		seen: []string{"revision"},
	}, {
		name: "revisions compared modulo 2^53",
		make: func(s *altered) {
			s.update = func(ctx context.Context, rec core.Record, was core.Revision) error {
				old, err := s.MemoryStore.Load(ctx, rec.ID)
				if err == nil && old.Revision%(1<<53) == was%(1<<53) {
					was = old.Revision
				}
				return s.MemoryStore.Update(ctx, rec, was)
			}
		},
		seen: []string{"revision"},
	}, {
		name: "a buffer that is used again",
		make: func(s *altered) {
			var mu sync.Mutex
			lent := map[core.ID][][]byte{}
			s.load = func(ctx context.Context, id core.ID) (core.Record, error) {
				rec, err := s.MemoryStore.Load(ctx, id)
				buffer := []byte(rec.Data)
				mu.Lock()
				defer mu.Unlock()
				lent[id] = append(lent[id], buffer)
				rec.Data = unsafe.String(unsafe.SliceData(buffer), len(buffer))
				return rec, err
			}
			s.delete = func(ctx context.Context, id core.ID) error {
				mu.Lock()
				defer mu.Unlock()
				for _, buffer := range lent[id] {
					clear(buffer)
				}
				return s.MemoryStore.Delete(ctx, id)
			}
		},
		seen: []string{"data-stays"},
	}, {
		name: "IDs whose case does not count",
		make: func(s *altered) {
			s.key = func(id core.ID) core.ID { return core.ID(strings.ToLower(string(id))) }
		},
		seen: []string{"id-exact"},
	}, {
		name: "IDs in which - and _ are the same",
		make: func(s *altered) {
			s.key = func(id core.ID) core.ID {
				return core.ID(strings.ReplaceAll(string(id), "-", "_"))
			}
		},
		seen: []string{"id-exact"},
	}, {
		name: "IDs cut off after 31 characters",
		make: func(s *altered) { s.key = func(id core.ID) core.ID { return id[:31] } },
		seen: []string{"id-exact"},
	}, {
		name: "a table that begins anew when it is full",
		make: func(s *altered) {
			var mu sync.Mutex
			var ids []core.ID
			places := map[core.ID]int{}
			s.key = func(id core.ID) core.ID {
				mu.Lock()
				defer mu.Unlock()
				if _, ok := places[id]; !ok {
					places[id] = len(ids)
					ids = append(ids, id)
				}
				return ids[places[id]%1500]
			}
		},
		seen: []string{"id-many"},
	}}
}
