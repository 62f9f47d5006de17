package sessiontest_test

import (
	"context"
	"errors"
	"time"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/sessiontest"
)

func abilityMistakes() []mistake {
	return []mistake{{
		name: "Touch that rewrites Data",
		make: func(s *altered) { s.touch = s.MemoryStore.Update },
		seen: []string{"touch", "race-touch"},
	}, {
		name: "Touch that rewrites Owner",
		make: func(s *altered) {
			s.touch = func(ctx context.Context, rec core.Record, was core.Revision) error {
				if old, err := s.MemoryStore.Load(ctx, rec.ID); err == nil {
					rec.Data = old.Data
				}
				return s.MemoryStore.Update(ctx, rec, was)
			}
		},
		seen: []string{"touch", "race-touch"},
	}, {
		name: "Touch that keeps Expires",
		make: func(s *altered) {
			s.touch = func(ctx context.Context, rec core.Record, was core.Revision) error {
				if old, err := s.MemoryStore.Load(ctx, rec.ID); err == nil {
					rec.Expires = old.Expires
				}
				return s.MemoryStore.Touch(ctx, rec, was)
			}
		},
		seen: []string{"touch", "race-touch"},
	}, {
		name: "Touch that keeps the Revision",
		make: func(s *altered) {
			s.touch = func(ctx context.Context, rec core.Record, was core.Revision) error {
				rec.Revision = was
				return s.MemoryStore.Touch(ctx, rec, was)
			}
		},
		seen: []string{"touch", "race-touch"},
	}, {
		name: "Touch to which a conflict is no error",
		make: func(s *altered) {
			s.touch = func(ctx context.Context, rec core.Record, was core.Revision) error {
				err := s.MemoryStore.Touch(ctx, rec, was)
				if errors.Is(err, core.ErrConflict) {
					return nil
				}
				return err
			}
		},
		seen: []string{"touch-conflict", "race-touch"},
	}, {
		name: "Touch that creates",
		make: func(s *altered) {
			s.touch = func(ctx context.Context, rec core.Record, was core.Revision) error {
				err := s.MemoryStore.Touch(ctx, rec, was)
				if errors.Is(err, core.ErrNotFound) {
					return s.MemoryStore.Create(ctx, rec)
				}
				return err
			}
		},
		seen: []string{"touch-absent", "race-touch-delete"},
	}, {
		name: "a sweep that removes a zero Expires",
		make: func(s *altered) {
			s.sweep = func(ctx context.Context, now time.Time) (int, error) {
				n, err := s.MemoryStore.DeleteExpired(ctx, now)
				never := func(rec core.Record) bool { return rec.Expires.IsZero() }
				for _, id := range s.find(ctx, never) {
					_ = s.MemoryStore.Delete(ctx, id)
					n++
				}
				return n, err
			}
		},
		seen: []string{"sweep-never"},
	}, {
		name: "a sweep that spares what is due just now",
		make: func(s *altered) {
			s.sweep = func(ctx context.Context, now time.Time) (int, error) {
				return s.MemoryStore.DeleteExpired(ctx, now.Add(-time.Millisecond))
			}
		},
		seen: []string{"sweep-due"},
	}, {
		name: "a sweep that removes a millisecond too early",
		make: func(s *altered) {
			s.sweep = func(ctx context.Context, now time.Time) (int, error) {
				return s.MemoryStore.DeleteExpired(ctx, now.Add(time.Millisecond))
			}
		},
		seen: []string{"sweep-due"},
	}, {
		name: "a sweep by a clock of its own",
		make: func(s *altered) {
			s.sweep = func(ctx context.Context, _ time.Time) (int, error) {
				return s.MemoryStore.DeleteExpired(ctx, time.Now())
			}
		},
		seen: []string{"sweep-due", "sweep-count"},
	}, {
		name: "a sweep that never says it is done",
		make: func(s *altered) {
			s.sweep = func(ctx context.Context, now time.Time) (int, error) {
				n, err := s.MemoryStore.DeleteExpired(ctx, now)
				return max(n, 1), err
			}
		},
		seen: []string{"sweep-due", "sweep-never", "sweep-count", "race-sweep"},
	}, {
		name: "a sweep that counts what it leaves",
		make: func(s *altered) {
			s.sweep = func(ctx context.Context, now time.Time) (int, error) {
				n, err := s.MemoryStore.DeleteExpired(ctx, now)
				if n > 0 {
					n += s.Len()
				}
				return n, err
			}
		},
		seen: []string{"sweep-count"},
	}, {
		name: "a sweep that returns less than nothing",
		make: func(s *altered) {
			s.sweep = func(ctx context.Context, now time.Time) (int, error) {
				_, err := s.MemoryStore.DeleteExpired(ctx, now)
				return -1, err
			}
		},
		seen: []string{"sweep-due", "sweep-never", "sweep-count", "race-sweep"},
	}}
}

// upsert writes without a look at what is there.
func (s *altered) upsert(ctx context.Context, rec core.Record, _ core.Revision) error {
	_ = s.MemoryStore.Delete(ctx, rec.ID)
	return s.MemoryStore.Create(ctx, rec)
}

func renewMistakes() []mistake {
	return []mistake{{
		about: sessiontest.Renews,
		name:  "Renew that writes in any case",
		make:  func(s *altered) { s.renew = s.upsert },
		seen:  []string{"renew", "renew-conflict", "renew-absent", "race-renew", "race-renew-delete"},
	}, {
		about: sessiontest.Renews,
		name:  "Renew that keeps Data",
		make:  func(s *altered) { s.renew = s.MemoryStore.Touch },
		seen:  []string{"renew", "renew-conflict", "race-renew"},
	}, {
		about: sessiontest.Renews,
		name:  "Renew that creates",
		make: func(s *altered) {
			s.renew = func(ctx context.Context, rec core.Record, was core.Revision) error {
				err := s.MemoryStore.Update(ctx, rec, was)
				if errors.Is(err, core.ErrNotFound) {
					return s.MemoryStore.Create(ctx, rec)
				}
				return err
			}
		},
		seen: []string{"renew-absent", "race-renew-delete"},
	}, {
		about: sessiontest.Renews,
		name:  "Renew that takes what is there already for a conflict",
		make: func(s *altered) {
			s.renew = func(ctx context.Context, rec core.Record, was core.Revision) error {
				err := s.MemoryStore.Update(ctx, rec, was)
				if err == nil && was == rec.Revision {
					return core.ErrConflict
				}
				return err
			}
		},
		seen: []string{"renew"},
	}, {
		about: sessiontest.Renews,
		name:  "Renew to which a conflict is no error",
		make: func(s *altered) {
			s.renew = func(ctx context.Context, rec core.Record, was core.Revision) error {
				err := s.MemoryStore.Update(ctx, rec, was)
				if errors.Is(err, core.ErrConflict) {
					return nil
				}
				return err
			}
		},
		seen: []string{"renew", "renew-conflict", "race-renew"},
	}}
}
