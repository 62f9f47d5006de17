package sessiontest_test

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/sessiontest"
)

// adding makes a mistake in AddOwned.
func adding(
	f func(s *altered, owner string, e core.OwnerEntry, epoch core.Epoch, limit int) (int, error),
) func(s *altered) {
	return func(s *altered) {
		s.add = func(
			_ context.Context, owner string, e core.OwnerEntry, epoch core.Epoch, limit int,
		) (int, error) {
			return f(s, owner, e, epoch, limit)
		}
	}
}

// peek looks into an owner's account.
func (l *ledger) peek(owner string) (epoch core.Epoch, count int, is func(core.ID) bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.of(owner)
	ids := map[core.ID]bool{}
	for id := range a.entries {
		ids[id] = true
	}
	return a.epoch, len(a.entries), func(id core.ID) bool { return ids[id] }
}

// put writes an entry in any case.
func (l *ledger) put(owner string, e core.OwnerEntry) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.of(owner).entries[e.ID] = e
	return len(l.of(owner).entries)
}

func addMistakes() []mistake {
	ctx := context.Background()
	type (
		owned = core.OwnerEntry
		epoch = core.Epoch
	)
	return about(sessiontest.Indexes, []mistake{{
		name: "AddOwned of any Epoch",
		make: adding(func(s *altered, o string, e owned, _ epoch, n int) (int, error) {
			now, _, _ := s.ledger.peek(o)
			return s.ledger.AddOwned(ctx, o, e, now, n)
		}),
		seen: []string{"owner-add-epoch", "owner-add-order", "owner-bits", "context-owner"},
	}, {
		name: "AddOwned to which Epoch zero is any",
		make: adding(func(s *altered, o string, e owned, was epoch, n int) (int, error) {
			if was == 0 {
				was, _, _ = s.ledger.peek(o)
			}
			return s.ledger.AddOwned(ctx, o, e, was, n)
		}),
		seen: []string{"owner-add-epoch", "race-owner-epoch"},
	}, {
		name: "AddOwned to which any Epoch is that of who has none",
		make: adding(func(s *altered, o string, e owned, was epoch, n int) (int, error) {
			if now, _, _ := s.ledger.peek(o); now == 0 {
				was = 0
			}
			return s.ledger.AddOwned(ctx, o, e, was, n)
		}),
		seen: []string{"owner-add-epoch"},
	}, {
		name: "AddOwned that lets in later Epochs",
		make: adding(func(s *altered, o string, e owned, was epoch, n int) (int, error) {
			now, _, _ := s.ledger.peek(o)
			return s.ledger.AddOwned(ctx, o, e, min(was, now), n)
		}),
		seen: []string{"owner-add-epoch", "owner-bits"},
	}, {
		name: "AddOwned that replaces in any Epoch",
		make: adding(func(s *altered, o string, e owned, was epoch, n int) (int, error) {
			if now, _, is := s.ledger.peek(o); is(e.ID) {
				was = now
			}
			return s.ledger.AddOwned(ctx, o, e, was, n)
		}),
		seen: []string{"owner-add-epoch"},
	}, {
		name: "AddOwned that adds although it answers an error",
		make: adding(func(s *altered, o string, e owned, was epoch, n int) (int, error) {
			count, err := s.ledger.AddOwned(ctx, o, e, was, n)
			if err != nil {
				s.ledger.put(o, e)
			}
			return count, err
		}),
		seen: []string{
			"owner-add-epoch", "owner-add-limit", "owner-add-order", "owner-bits",
			"context-owner", "race-owner-limit",
		},
	}, {
		name: "AddOwned that keeps the entry that is there",
		make: adding(func(s *altered, o string, e owned, was epoch, n int) (int, error) {
			if now, count, is := s.ledger.peek(o); is(e.ID) && now == was {
				return count, nil
			}
			return s.ledger.AddOwned(ctx, o, e, was, n)
		}),
		seen: []string{
			"owner-add", "owner-add-limit", "owner-remove", "owner-times", "owner-stays",
			"race-owner-limit", "race-owner-remove",
		},
	}, {
		name: "AddOwned that refuses what is there",
		make: adding(func(s *altered, o string, e owned, was epoch, n int) (int, error) {
			if _, _, is := s.ledger.peek(o); is(e.ID) {
				return 0, core.ErrExists
			}
			return s.ledger.AddOwned(ctx, o, e, was, n)
		}),
		seen: []string{
			"owner-add", "owner-add-epoch", "owner-add-limit", "owner-remove", "owner-times",
			"owner-stays", "context-owner", "race-owner-limit", "race-owner-remove",
			"race-owner-list",
		},
	}, {
		name: "AddOwned that counts what there was",
		make: adding(func(s *altered, o string, e owned, was epoch, n int) (int, error) {
			count, err := s.ledger.AddOwned(ctx, o, e, was, n)
			return count - 1, err
		}),
		seen: []string{
			"owner-add", "owner-add-epoch", "owner-add-limit", "owner-add-order",
			"owner-remove", "owner-raise", "owner-records", "owner-odd", "owner-ids",
			"owner-bits", "owner-times", "owner-stays", "owner-expired-lately", "owner-sweep",
			"context-owner", "race-owner-limit", "race-owner-remove", "race-owner-list",
		},
	}, {
		name: "AddOwned that counts nothing where there is no limit",
		make: adding(func(s *altered, o string, e owned, was epoch, n int) (int, error) {
			count, err := s.ledger.AddOwned(ctx, o, e, was, n)
			if n == 0 {
				count = 0
			}
			return count, err
		}),
		seen: []string{
			"owner-add", "owner-add-epoch", "owner-add-limit", "owner-add-order",
			"owner-remove", "owner-raise", "owner-records", "owner-odd", "owner-ids",
			"owner-bits", "owner-times", "owner-stays", "owner-expired-lately", "owner-sweep",
			"context-owner", "race-owner-limit", "race-owner-remove", "race-owner-list",
		},
	}, {
		name: "AddOwned to which what is there counts against the limit",
		make: adding(func(s *altered, o string, e owned, was epoch, n int) (int, error) {
			if now, count, _ := s.ledger.peek(o); n != 0 && count >= n && now == was {
				return 0, core.ErrOwnerLimit
			}
			return s.ledger.AddOwned(ctx, o, e, was, n)
		}),
		seen: []string{"owner-add-limit", "race-owner-limit"},
	}, {
		name: "AddOwned that lets in what is there, whatever the limit",
		make: adding(func(s *altered, o string, e owned, was epoch, n int) (int, error) {
			if _, _, is := s.ledger.peek(o); is(e.ID) {
				n = 0
			}
			return s.ledger.AddOwned(ctx, o, e, was, n)
		}),
		seen: []string{"owner-add-limit"},
	}, {
		name: "AddOwned that lets in one too many",
		make: adding(func(s *altered, o string, e owned, was epoch, n int) (int, error) {
			if n != 0 {
				n++
			}
			return s.ledger.AddOwned(ctx, o, e, was, n)
		}),
		seen: []string{"owner-add-limit", "race-owner-limit"},
	}, {
		name: "AddOwned without limits",
		make: adding(func(s *altered, o string, e owned, was epoch, _ int) (int, error) {
			return s.ledger.AddOwned(ctx, o, e, was, 0)
		}),
		seen: []string{"owner-add-limit", "race-owner-limit"},
	}, {
		name: "AddOwned to which no limit is a limit of zero",
		make: adding(func(s *altered, o string, e owned, was epoch, n int) (int, error) {
			if n == 0 {
				return 0, core.ErrOwnerLimit
			}
			return s.ledger.AddOwned(ctx, o, e, was, n)
		}),
		seen: []string{
			"owner-add", "owner-add-epoch", "owner-add-limit", "owner-add-order",
			"owner-remove", "owner-raise", "owner-records", "owner-odd", "owner-ids",
			"owner-bits", "owner-times", "owner-stays", "owner-expired-lately",
			"owner-expired-long-ago", "owner-sweep", "context-owner", "race-owner-limit",
			"race-owner-remove", "race-owner-list",
		},
	}, {
		name: "AddOwned that judges the limit first",
		make: adding(func(s *altered, o string, e owned, was epoch, n int) (int, error) {
			if _, count, is := s.ledger.peek(o); n != 0 && count >= n && !is(e.ID) {
				return 0, core.ErrOwnerLimit
			}
			return s.ledger.AddOwned(ctx, o, e, was, n)
		}),
		seen: []string{"owner-add-order"},
	}, {
		name: "AddOwned whose errors cannot be told apart",
		make: adding(func(s *altered, o string, e owned, was epoch, n int) (int, error) {
			count, err := s.ledger.AddOwned(ctx, o, e, was, n)
			if err != nil {
				err = errors.Join(core.ErrConflict, core.ErrOwnerLimit)
			}
			return count, err
		}),
		seen: []string{
			"owner-add-epoch", "owner-add-limit", "owner-add-order", "owner-bits",
			"race-owner-limit",
		},
	}, {
		name: "AddOwned that takes the session from other owners",
		make: adding(func(s *altered, o string, e owned, was epoch, n int) (int, error) {
			count, err := s.ledger.AddOwned(ctx, o, e, was, n)
			s.ledger.mu.Lock()
			defer s.ledger.mu.Unlock()
			for owner, a := range s.ledger.accounts {
				if err == nil && owner != o {
					delete(a.entries, e.ID)
				}
			}
			return count, err
		}),
		seen: []string{"owner-add", "owner-odd", "owner-sweep"},
	}})
}

// removing makes a mistake in RemoveOwned.
func removing(
	f func(s *altered, owner string, list []core.OwnerEntry) error,
) func(s *altered) {
	return func(s *altered) {
		s.remove = func(_ context.Context, owner string, list ...core.OwnerEntry) error {
			return f(s, owner, list)
		}
	}
}

// raising makes a mistake in RaiseEpoch.
func raising(
	f func(s *altered, o string, to core.Epoch, until time.Time) (
		core.Epoch, []core.OwnerEntry, error,
	),
) func(s *altered) {
	return func(s *altered) {
		s.raise = func(
			_ context.Context, owner string, to core.Epoch, until time.Time,
		) (core.Epoch, []core.OwnerEntry, error) {
			return f(s, owner, to, until)
		}
	}
}

func ownerMistakes() []mistake {
	ctx := context.Background()
	type (
		owned = core.OwnerEntry
		epoch = core.Epoch
		at    = time.Time
	)
	return about(sessiontest.Indexes, []mistake{{
		name: "ListOwned that fails where nothing is",
		make: func(s *altered) {
			s.list = func(ctx context.Context, owner string) ([]core.OwnerEntry, error) {
				list, err := s.ledger.ListOwned(ctx, owner)
				if len(list) == 0 {
					err = core.ErrNotFound
				}
				return list, err
			}
		},
		seen: []string{
			"owner-add", "owner-add-epoch", "owner-remove", "owner-records", "owner-odd",
			"owner-ids", "owner-bits", "owner-sweep",
		},
	}, {
		name: "ListOwned of at most 100 entries",
		make: func(s *altered) {
			s.list = func(ctx context.Context, owner string) ([]core.OwnerEntry, error) {
				list, err := s.ledger.ListOwned(ctx, owner)
				return list[:min(len(list), 100)], err
			}
		},
		seen: []string{"owner-many"},
	}, {
		name: "ListOwned that empties the list",
		make: func(s *altered) {
			s.list = func(ctx context.Context, owner string) ([]core.OwnerEntry, error) {
				list, err := s.ledger.ListOwned(ctx, owner)
				_ = s.ledger.RemoveOwned(ctx, owner, list...)
				return list, err
			}
		},
		seen: []string{
			"owner-add", "owner-add-epoch", "owner-add-limit", "owner-remove", "owner-raise",
			"owner-records", "owner-ids", "owner-bits", "owner-times", "owner-stays",
			"owner-expired-lately", "owner-expired-long-ago", "owner-sweep",
		},
		may: []string{"context-owner", "race-owner-list"},
	}, {
		name: "RemoveOwned of any Revision",
		make: removing(func(s *altered, o string, list []owned) error {
			s.ledger.mu.Lock()
			defer s.ledger.mu.Unlock()
			for _, e := range list {
				delete(s.ledger.of(o).entries, e.ID)
			}
			return nil
		}),
		seen: []string{"owner-remove", "owner-ids", "owner-bits", "race-owner-remove"},
	}, {
		name: "RemoveOwned that compares Until, too",
		make: removing(func(s *altered, o string, list []owned) error {
			s.ledger.mu.Lock()
			defer s.ledger.mu.Unlock()
			for _, e := range list {
				if s.ledger.of(o).entries[e.ID] == e {
					delete(s.ledger.of(o).entries, e.ID)
				}
			}
			return nil
		}),
		seen: []string{"owner-remove"},
	}, {
		name: "RemoveOwned that fails where nothing is",
		make: removing(func(s *altered, o string, list []owned) error {
			_, _, is := s.ledger.peek(o)
			for _, e := range list {
				if !is(e.ID) {
					return core.ErrNotFound
				}
			}
			return s.ledger.RemoveOwned(ctx, o, list...)
		}),
		seen: []string{"owner-remove", "owner-stays", "race-owner-remove"},
	}, {
		name: "RemoveOwned that stops at what was added anew",
		make: removing(func(s *altered, o string, list []owned) error {
			for _, e := range list {
				_, before, _ := s.ledger.peek(o)
				_ = s.ledger.RemoveOwned(ctx, o, e)
				if _, after, _ := s.ledger.peek(o); after == before {
					return nil
				}
			}
			return nil
		}),
		seen: []string{"owner-remove", "owner-stays"},
	}, {
		name: "RemoveOwned of the first one",
		make: removing(func(s *altered, o string, list []owned) error {
			return s.ledger.RemoveOwned(ctx, o, list[:min(len(list), 1)]...)
		}),
		seen: []string{"owner-add-limit", "owner-remove", "owner-stays"},
	}, {
		name: "RemoveOwned of all if none is given",
		make: removing(func(s *altered, o string, list []owned) error {
			if len(list) == 0 {
				list, _ = s.ledger.ListOwned(ctx, o)
			}
			return s.ledger.RemoveOwned(ctx, o, list...)
		}),
		seen: []string{"owner-remove"},
	}, {
		name: "RemoveOwned that compares each with any Revision given",
		make: removing(func(s *altered, o string, list []owned) error {
			for _, e := range list {
				for _, other := range list {
					e.Revision = other.Revision
					_ = s.ledger.RemoveOwned(ctx, o, e)
				}
			}
			return nil
		}),
		seen: []string{},
	}, {
		name: "RemoveOwned that forgets the Epoch with the last entry",
		make: removing(func(s *altered, o string, list []owned) error {
			err := s.ledger.RemoveOwned(ctx, o, list...)
			s.ledger.mu.Lock()
			defer s.ledger.mu.Unlock()
			if len(s.ledger.of(o).entries) == 0 {
				delete(s.ledger.accounts, o)
			}
			return err
		}),
		seen: []string{"owner-many"},
	}, {
		name: "RemoveOwned that writes to the list that it is given",
		make: removing(func(s *altered, o string, list []owned) error {
			err := s.ledger.RemoveOwned(ctx, o, list...)
			clear(list)
			return err
		}),
		seen: []string{"owner-stays"},
	}, {
		name: "RaiseEpoch that removes the entries",
		make: raising(func(s *altered, o string, to epoch, until at) (epoch, []owned, error) {
			was, list, err := s.ledger.RaiseEpoch(ctx, o, to, until)
			_ = s.ledger.RemoveOwned(ctx, o, list...)
			return was, list, err
		}),
		seen: []string{
			"owner-add-epoch", "owner-add-order", "owner-raise", "owner-records", "owner-odd",
			"owner-expired-lately", "owner-expired-long-ago", "owner-sweep", "context-owner",
		},
	}, {
		name: "RaiseEpoch that returns no entries",
		make: raising(func(s *altered, o string, to epoch, until at) (epoch, []owned, error) {
			was, _, err := s.ledger.RaiseEpoch(ctx, o, to, until)
			return was, nil, err
		}),
		seen: []string{
			"owner-add-epoch", "owner-add-order", "owner-raise", "owner-records", "owner-odd",
			"owner-bits", "owner-times", "owner-stays", "context-owner",
		},
	}, {
		name: "RaiseEpoch that lists only once",
		make: raising(func(s *altered, o string, to epoch, until at) (epoch, []owned, error) {
			was, list, err := s.ledger.RaiseEpoch(ctx, o, to, until)
			if was == to {
				list = nil
			}
			return was, list, err
		}),
		seen: []string{"owner-raise"},
	}, {
		name: "RaiseEpoch that returns the Epoch that is",
		make: raising(func(s *altered, o string, to epoch, until at) (epoch, []owned, error) {
			_, list, err := s.ledger.RaiseEpoch(ctx, o, to, until)
			return to, list, err
		}),
		seen: []string{
			"owner-epoch", "owner-add-epoch", "owner-add-order", "owner-raise", "owner-records",
			"owner-odd", "owner-bits", "owner-times", "context-owner",
		},
	}, {
		name: "RaiseEpoch that does not go back",
		make: raising(func(s *altered, o string, to epoch, until at) (epoch, []owned, error) {
			is, _, _ := s.ledger.peek(o)
			return s.ledger.RaiseEpoch(ctx, o, max(to, is), until)
		}),
		seen: []string{"owner-epoch", "owner-add-epoch"},
	}, {
		name: "RaiseEpoch that counts",
		make: raising(func(s *altered, o string, _ epoch, until at) (epoch, []owned, error) {
			is, _, _ := s.ledger.peek(o)
			return s.ledger.RaiseEpoch(ctx, o, is+1, until)
		}),
		seen: []string{
			"owner-epoch", "owner-add-epoch", "owner-raise", "owner-records", "owner-odd",
			"owner-bits", "owner-expired-lately", "owner-expired-long-ago", "owner-sweep",
			"context-owner",
		},
	}, {
		name: "RaiseEpoch to which a repetition is a conflict",
		make: raising(func(s *altered, o string, to epoch, until at) (epoch, []owned, error) {
			if is, _, _ := s.ledger.peek(o); is == to {
				return 0, nil, core.ErrConflict
			}
			return s.ledger.RaiseEpoch(ctx, o, to, until)
		}),
		seen: []string{"owner-epoch", "owner-raise"},
	}, {
		name: "RaiseEpoch of who is not there yet, which does nothing",
		make: raising(func(s *altered, o string, to epoch, until at) (epoch, []owned, error) {
			if is, count, _ := s.ledger.peek(o); is == 0 && count == 0 {
				return 0, nil, nil
			}
			return s.ledger.RaiseEpoch(ctx, o, to, until)
		}),
		seen: []string{"owner-epoch", "owner-bits", "owner-expired-lately"},
	}, {
		name: "Delete that removes the entry",
		make: func(s *altered) {
			s.delete = func(ctx context.Context, id core.ID) error {
				s.ledger.mu.Lock()
				defer s.ledger.mu.Unlock()
				for _, a := range s.ledger.accounts {
					delete(a.entries, id)
				}
				return s.MemoryStore.Delete(ctx, id)
			}
		},
		seen: []string{"owner-records"},
	}, {
		name: "Create that adds an entry",
		make: func(s *altered) {
			s.create = func(ctx context.Context, rec core.Record) error {
				s.ledger.put(rec.Owner, core.OwnerEntry{ID: rec.ID, Revision: rec.Revision})
				return s.MemoryStore.Create(ctx, rec)
			}
		},
		seen: []string{"owner-records"},
	}, {
		name: "Update that moves the entry",
		make: func(s *altered) {
			s.update = func(ctx context.Context, rec core.Record, was core.Revision) error {
				s.ledger.put(rec.Owner, core.OwnerEntry{ID: rec.ID, Revision: rec.Revision})
				return s.MemoryStore.Update(ctx, rec, was)
			}
		},
		seen: []string{"owner-records"},
	}, {
		name: "RaiseEpoch that deletes the records",
		make: func(s *altered) {
			raising(func(s *altered, o string, to epoch, until at) (epoch, []owned, error) {
				was, list, err := s.ledger.RaiseEpoch(ctx, o, to, until)
				for _, e := range list {
					_ = s.MemoryStore.Delete(ctx, e.ID)
				}
				return was, list, err
			})(s)
		},
		seen: []string{"owner-records"},
	}, {
		name: "an outage that looks like an owner without sessions",
		make: func(s *altered) {
			s.list = func(ctx context.Context, owner string) ([]core.OwnerEntry, error) {
				if ctx.Err() != nil {
					return nil, nil
				}
				return s.ledger.ListOwned(ctx, owner)
			}
		},
		seen: []string{"context-owner"},
	}, {
		name: "an outage that looks like the first Epoch",
		make: func(s *altered) {
			s.epoch = func(ctx context.Context, owner string) (core.Epoch, error) {
				if ctx.Err() != nil {
					return 0, nil
				}
				return s.ledger.OwnerEpoch(ctx, owner)
			}
		},
		seen: []string{"context-owner"},
	}, {
		name: "an outage that looks like success",
		make: func(s *altered) {
			s.add = func(
				ctx context.Context, o string, e core.OwnerEntry, epoch core.Epoch, limit int,
			) (int, error) {
				if ctx.Err() != nil {
					return 1, nil
				}
				return s.ledger.AddOwned(ctx, o, e, epoch, limit)
			}
		},
		seen: []string{"context-owner"},
	}, {
		name: "a list that is the store's own",
		make: func(s *altered) {
			var mu sync.Mutex
			shared := map[string][]owned{}
			s.raise = func(
				ctx context.Context, o string, to epoch, until time.Time,
			) (epoch, []owned, error) {
				was, list, err := s.ledger.RaiseEpoch(ctx, o, to, until)
				mu.Lock()
				defer mu.Unlock()
				shared[o] = list
				return was, list, err
			}
			s.remove = func(ctx context.Context, o string, list ...owned) error {
				err := s.ledger.RemoveOwned(ctx, o, list...)
				mu.Lock()
				defer mu.Unlock()
				clear(shared[o])
				return err
			}
		},
		seen: []string{"owner-stays"},
	}})
}
