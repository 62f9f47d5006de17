package sessiontest_test

import (
	"context"
	"errors"
	"sync"

	"github.com/sessionserverstore/sessionserverstore/core"
)

func writeMistakes() []mistake {
	return []mistake{{
		name: "Update that creates",
		make: func(s *altered) {
			s.update = func(ctx context.Context, rec core.Record, was core.Revision) error {
				err := s.MemoryStore.Update(ctx, rec, was)
				if errors.Is(err, core.ErrNotFound) {
					return s.MemoryStore.Create(ctx, rec)
				}
				return err
			}
		},
		seen: []string{"update-absent", "delete-final", "race-delete"},
	}, {
		name: "Update that answers nil where nothing is",
		make: func(s *altered) {
			s.update = func(ctx context.Context, rec core.Record, was core.Revision) error {
				err := s.MemoryStore.Update(ctx, rec, was)
				if errors.Is(err, core.ErrNotFound) {
					return nil
				}
				return err
			}
		},
		seen: []string{"update-absent", "delete-final"},
		may:  []string{"race-sweep"},
	}, {
		name: "Update that cannot tell absent from conflicting",
		make: func(s *altered) {
			s.update = func(ctx context.Context, rec core.Record, was core.Revision) error {
				if s.MemoryStore.Update(ctx, rec, was) != nil {
					return core.ErrConflict
				}
				return nil
			}
		},
		seen: []string{"update-absent", "delete-final"},
		may:  []string{"race-sweep"},
	}, {
		name: "Update that ignores the revision",
		make: func(s *altered) {
			s.update = func(ctx context.Context, rec core.Record, _ core.Revision) error {
				for {
					old, err := s.MemoryStore.Load(ctx, rec.ID)
					if err != nil {
						return err
					}
					err = s.MemoryStore.Update(ctx, rec, old.Revision)
					if !errors.Is(err, core.ErrConflict) {
						return err
					}
				}
			}
		},
		seen: []string{
			"update-conflict", "update-zero", "create-after-delete", "revision", "context-write",
			"race-update", "race-touch",
		},
	}, {
		name: "Update that compares with the new revision",
		make: func(s *altered) {
			s.update = func(ctx context.Context, rec core.Record, was core.Revision) error {
				old, err := s.MemoryStore.Load(ctx, rec.ID)
				if err == nil && old.Revision == rec.Revision {
					return nil // it is there already
				}
				return s.MemoryStore.Update(ctx, rec, was)
			}
		},
		seen: []string{"update-conflict"},
	}, {
		name: "Update to which zero is any revision",
		make: func(s *altered) {
			s.update = func(ctx context.Context, rec core.Record, was core.Revision) error {
				if old, err := s.MemoryStore.Load(ctx, rec.ID); err == nil && was == 0 {
					was = old.Revision
				}
				return s.MemoryStore.Update(ctx, rec, was)
			}
		},
		seen: []string{"update-zero"},
	}, {
		name: "Update for which no changed row is a conflict",
		make: func(s *altered) {
			s.update = func(ctx context.Context, rec core.Record, was core.Revision) error {
				if old, err := s.MemoryStore.Load(ctx, rec.ID); err == nil && old == rec {
					return core.ErrConflict
				}
				return s.MemoryStore.Update(ctx, rec, was)
			}
		},
		seen: []string{"update-same"},
	}, {
		name: "Update that keeps the owner",
		make: func(s *altered) {
			s.update = func(ctx context.Context, rec core.Record, was core.Revision) error {
				if old, err := s.MemoryStore.Load(ctx, rec.ID); err == nil {
					rec.Owner = old.Owner
				}
				return s.MemoryStore.Update(ctx, rec, was)
			}
		},
		seen: []string{
			"update-replaces", "update-conflict", "update-zero", "data-bytes", "data-large",
			"owner", "times", "revision", "expired-lately", "expired-long-ago", "context-write",
			"race-update", "race-load", "touch", "race-touch", "race-sweep",
		},
	}, {
		name: "Update that writes although it answers ErrConflict",
		make: func(s *altered) {
			s.update = func(ctx context.Context, rec core.Record, was core.Revision) error {
				err := s.MemoryStore.Update(ctx, rec, was)
				if old, gone := s.MemoryStore.Load(ctx, rec.ID); err != nil && gone == nil {
					old.Data = rec.Data
					_ = s.MemoryStore.Update(ctx, old, old.Revision)
				}
				return err
			}
		},
		seen: []string{
			"update-conflict", "update-zero", "create-after-delete", "revision", "context-write",
			"race-update", "race-touch",
		},
		may: []string{"race-load"},
	}, {
		name: "Create that overwrites",
		make: func(s *altered) {
			s.create = func(ctx context.Context, rec core.Record) error {
				_ = s.MemoryStore.Delete(ctx, rec.ID)
				return s.MemoryStore.Create(ctx, rec)
			}
		},
		seen: []string{"create-exists", "race-create"},
	}, {
		name: "Create that overwrites although it answers ErrExists",
		make: func(s *altered) {
			s.create = func(ctx context.Context, rec core.Record) error {
				err := s.MemoryStore.Create(ctx, rec)
				if err != nil {
					_ = s.MemoryStore.Delete(ctx, rec.ID)
					_ = s.MemoryStore.Create(ctx, rec)
				}
				return err
			}
		},
		seen: []string{"create-exists", "race-create"},
	}, {
		name: "Create that remembers what was deleted",
		make: func(s *altered) {
			var mu sync.Mutex
			ever := map[core.ID]bool{}
			s.create = func(ctx context.Context, rec core.Record) error {
				mu.Lock()
				defer mu.Unlock()
				if ever[rec.ID] {
					return core.ErrExists
				}
				ever[rec.ID] = true
				return s.MemoryStore.Create(ctx, rec)
			}
		},
		seen: []string{"create-after-delete"},
	}, {
		name: "Load that returns a record only once",
		make: func(s *altered) {
			s.load = func(ctx context.Context, id core.ID) (core.Record, error) {
				rec, err := s.MemoryStore.Load(ctx, id)
				_ = s.MemoryStore.Delete(ctx, id)
				return rec, err
			}
		},
		seen: []string{
			"create-load", "create-exists", "update-replaces", "update-conflict", "update-zero",
			"create-after-delete", "data-stays", "revision", "race-load", "touch",
			"touch-conflict", "sweep-never",
		},
	}, {
		name: "Load that answers nil where nothing is",
		make: func(s *altered) {
			s.load = func(ctx context.Context, id core.ID) (core.Record, error) {
				rec, _ := s.MemoryStore.Load(ctx, id)
				return rec, nil
			}
		},
		seen: []string{
			"load-absent", "update-absent", "delete", "delete-final", "id-exact", "id-many",
			"expired-long-ago", "context-write", "race-delete", "touch-absent",
			"race-touch-delete", "sweep-due",
		},
		may: []string{"race-sweep"},
	}, {
		name: "Delete that fails where nothing is",
		make: func(s *altered) {
			s.delete = func(ctx context.Context, id core.ID) error {
				if _, err := s.MemoryStore.Load(ctx, id); err != nil {
					return err
				}
				return s.MemoryStore.Delete(ctx, id)
			}
		},
		seen: []string{"delete-absent"},
	}, {
		name: "Delete that only marks, and Update that wakes",
		make: func(s *altered) {
			const mark = "deleted"
			s.load = func(ctx context.Context, id core.ID) (core.Record, error) {
				rec, err := s.MemoryStore.Load(ctx, id)
				if err == nil && rec.Owner == mark {
					return core.Record{}, core.ErrNotFound
				}
				return rec, err
			}
			s.create = func(ctx context.Context, rec core.Record) error {
				if old, err := s.MemoryStore.Load(ctx, rec.ID); err == nil && old.Owner == mark {
					return s.MemoryStore.Update(ctx, rec, old.Revision)
				}
				return s.MemoryStore.Create(ctx, rec)
			}
			s.delete = func(ctx context.Context, id core.ID) error {
				for {
					rec, err := s.MemoryStore.Load(ctx, id)
					if err != nil {
						return nil
					}
					rec.Owner = mark
					if s.MemoryStore.Update(ctx, rec, rec.Revision) == nil {
						return nil
					}
				}
			}
		},
		seen: []string{"delete-final", "race-delete", "touch-absent"},
	}, {
		name: "an error that says everything",
		make: func(s *altered) {
			s.verdict = func(err error) error {
				if err == nil {
					return nil
				}
				return errors.Join(core.ErrNotFound, core.ErrExists, core.ErrConflict)
			}
		},
		seen: []string{
			"create-exists", "load-absent", "update-conflict", "update-zero", "update-absent",
			"delete", "delete-final", "create-after-delete", "revision", "id-exact", "id-many",
			"expired-long-ago", "context-write", "race-create", "race-update", "race-delete",
			"touch-conflict", "touch-absent", "race-touch", "race-touch-delete", "sweep-due",
		},
		may: []string{"race-sweep"},
	}}
}
