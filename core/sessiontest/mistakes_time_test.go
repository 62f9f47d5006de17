package sessiontest_test

import (
	"context"
	"time"

	"github.com/sessionserverstore/sessionserverstore/core"
)

func timeMistakes() []mistake {
	return []mistake{{
		name: "Load that hides what has expired",
		make: func(s *altered) {
			s.load = func(ctx context.Context, id core.ID) (core.Record, error) {
				rec, err := s.MemoryStore.Load(ctx, id)
				if err == nil && !rec.Expires.IsZero() && !time.Now().Before(rec.Expires) {
					return core.Record{}, core.ErrNotFound
				}
				return rec, err
			}
		},
		seen: []string{"expired-lately"},
	}, {
		name: "Load that empties what expired long ago",
		make: func(s *altered) {
			s.load = func(ctx context.Context, id core.ID) (core.Record, error) {
				rec, err := s.MemoryStore.Load(ctx, id)
				if !rec.Expires.IsZero() && time.Since(rec.Expires) > time.Hour {
					rec.Data = ""
				}
				return rec, err
			}
		},
		seen: []string{"expired-long-ago"},
	}, {
		name: "a dead context that looks like absence",
		make: func(s *altered) {
			s.load = func(ctx context.Context, id core.ID) (core.Record, error) {
				if ctx.Err() != nil {
					return core.Record{}, core.ErrNotFound
				}
				return s.MemoryStore.Load(ctx, id)
			}
		},
		seen: []string{"context-load"},
	}, {
		name: "a dead context that looks like a conflict",
		make: func(s *altered) {
			s.update = func(ctx context.Context, rec core.Record, was core.Revision) error {
				if ctx.Err() != nil {
					return core.ErrConflict
				}
				return s.MemoryStore.Update(ctx, rec, was)
			}
		},
		seen: []string{"context-write"},
	}, {
		name: "a dead context that looks like success",
		make: func(s *altered) {
			s.delete = func(ctx context.Context, id core.ID) error {
				if ctx.Err() != nil {
					return nil
				}
				return s.MemoryStore.Delete(ctx, id)
			}
		},
		seen: []string{"context-write"},
	}, {
		name: "a dead context that stops half-way",
		make: func(s *altered) {
			s.update = func(ctx context.Context, rec core.Record, was core.Revision) error {
				if ctx.Err() != nil {
					rec.Data = ""
					_ = s.MemoryStore.Update(ctx, rec, was)
					return ctx.Err()
				}
				return s.MemoryStore.Update(ctx, rec, was)
			}
		},
		seen: []string{"context-write"},
	}, {
		name: "an Update that deletes first, and then gives up",
		make: func(s *altered) {
			s.update = func(ctx context.Context, rec core.Record, was core.Revision) error {
				if ctx.Err() != nil {
					_ = s.MemoryStore.Delete(ctx, rec.ID)
					return ctx.Err()
				}
				return s.MemoryStore.Update(ctx, rec, was)
			}
		},
		seen: []string{"context-write"},
	}}
}

// raceMistakes take effect at two instants.
func raceMistakes() []mistake {
	return []mistake{{
		name: "Create that looks first and writes later",
		make: func(s *altered) {
			s.create = func(ctx context.Context, rec core.Record) error {
				if _, err := s.MemoryStore.Load(ctx, rec.ID); err == nil {
					return core.ErrExists
				}
				others()
				_ = s.MemoryStore.Delete(ctx, rec.ID)
				return s.MemoryStore.Create(ctx, rec)
			}
		},
		seen: []string{"race-create"},
	}, {
		name: "Update that looks first and writes later",
		make: func(s *altered) {
			s.update = func(ctx context.Context, rec core.Record, was core.Revision) error {
				old, err := s.MemoryStore.Load(ctx, rec.ID)
				if err == nil && old.Revision == was {
					others()
					old, err = s.MemoryStore.Load(ctx, rec.ID)
					was = old.Revision
				}
				if err != nil {
					return err
				}
				return s.MemoryStore.Update(ctx, rec, was)
			}
		},
		seen: []string{"race-update", "race-touch"},
	}, {
		name: "Update that writes one field after the other",
		make: func(s *altered) {
			s.update = func(ctx context.Context, rec core.Record, was core.Revision) error {
				half, err := s.MemoryStore.Load(ctx, rec.ID)
				if err != nil {
					return err
				}
				half.Revision, half.Data = rec.Revision, rec.Data
				if err := s.MemoryStore.Update(ctx, half, was); err != nil {
					return err
				}
				others()
				for {
					half, err := s.MemoryStore.Load(ctx, rec.ID)
					if err != nil || half.Revision != rec.Revision {
						return nil
					}
					if s.MemoryStore.Update(ctx, rec, rec.Revision) == nil {
						return nil
					}
				}
			}
		},
		seen: []string{"race-load"},
		may:  []string{"race-sweep"},
	}, {
		name: "Update that removes and creates",
		make: func(s *altered) {
			s.update = func(ctx context.Context, rec core.Record, was core.Revision) error {
				if err := s.MemoryStore.Update(ctx, rec, was); err != nil {
					return err
				}
				_ = s.MemoryStore.Delete(ctx, rec.ID)
				others()
				_ = s.MemoryStore.Create(ctx, rec)
				return nil
			}
		},
		seen: []string{"race-update", "race-delete", "race-load", "race-touch"},
	}, {
		name: "a sweep that looks first and removes later",
		make: func(s *altered) {
			s.sweep = func(ctx context.Context, now time.Time) (int, error) {
				due := s.find(ctx, due(now))
				others()
				for _, id := range due {
					_ = s.MemoryStore.Delete(ctx, id)
				}
				return len(due), nil
			}
		},
		seen: []string{"race-sweep"},
	}, {
		name: "Touch that looks first and writes later",
		make: func(s *altered) {
			s.touch = func(ctx context.Context, rec core.Record, was core.Revision) error {
				old, err := s.MemoryStore.Load(ctx, rec.ID)
				if err != nil {
					return err
				}
				if old.Revision != was {
					return core.ErrConflict
				}
				others()
				old.Revision, old.Used, old.Expires = rec.Revision, rec.Used, rec.Expires
				_ = s.MemoryStore.Delete(ctx, rec.ID)
				return s.MemoryStore.Create(ctx, old)
			}
		},
		seen: []string{"race-touch", "race-touch-delete"},
	}}
}
