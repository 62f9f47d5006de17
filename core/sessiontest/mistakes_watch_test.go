package sessiontest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/sessiontest"
)

// about says which Ability mistakes are about.
func about(ability sessiontest.Ability, list []mistake) []mistake {
	for i := range list {
		list[i].about = ability
	}
	return list
}

// everyWatch is what whoever hears nothing fails.
func everyWatch(but ...string) []string {
	return slices.DeleteFunc([]string{
		"watch-ready", "watch-delete", "watch-delete-absent", "watch-renew", "watch-several",
		"watch-flood",
	}, func(name string) bool { return slices.Contains(but, name) })
}

// deaf is a core.Watching to which Ready is said in another way.
type deaf struct {
	core.Watching
	ready func()
}

func (d deaf) Ready() { d.ready() }

func watchMistakes() []mistake {
	return about(sessiontest.Watches, []mistake{{
		name: "Watch that is never Ready",
		make: func(s *altered) {
			s.watch = func(ctx context.Context, w core.Watching) error {
				return s.ledger.Watch(ctx, deaf{Watching: w, ready: func() {}})
			}
		},
		seen: everyWatch(),
	}, {
		name: "Watch that is Ready twice",
		make: func(s *altered) {
			s.watch = func(ctx context.Context, w core.Watching) error {
				return s.ledger.Watch(ctx, deaf{Watching: w, ready: func() { w.Ready(); w.Ready() }})
			}
		},
		seen: everyWatch(),
	}, {
		name: "Watch that is Ready again with each thing it tells",
		make: func(s *altered) {
			told := s.told
			s.told = func(w core.Watching, id core.ID, renewed bool) {
				w.Ready()
				told(w, id, renewed)
			}
		},
		seen: everyWatch(),
	}, {
		name: "Watch that is Ready before it listens",
		make: func(s *altered) {
			s.watch = func(ctx context.Context, w core.Watching) error {
				w.Ready()
				select {
				case <-time.After(2 * time.Second):
				case <-ctx.Done():
				}
				return s.ledger.Watch(ctx, deaf{Watching: w, ready: func() {}})
			}
		},
		seen: everyWatch("watch-flood"),
		may:  []string{"watch-flood"},
	}, {
		name: "Watch that returns at once",
		make: func(s *altered) {
			s.watch = func(_ context.Context, w core.Watching) error { w.Ready(); return nil }
		},
		seen: everyWatch(),
	}, {
		name: "Watch that does not return",
		make: func(s *altered) {
			s.watch = func(_ context.Context, w core.Watching) error {
				return s.ledger.Watch(context.Background(), w)
			}
		},
		seen: everyWatch(),
	}, {
		name: "Watch that tells nothing of a Delete",
		make: func(s *altered) {
			told := s.told
			s.told = func(w core.Watching, id core.ID, renewed bool) {
				if renewed {
					told(w, id, renewed)
				}
			}
		},
		seen: everyWatch("watch-renew"),
	}, {
		name: "Watch that tells of a Delete under a key",
		make: func(s *altered) {
			told := s.told
			s.told = func(w core.Watching, id core.ID, renewed bool) {
				told(w, "session:"+id, renewed)
			}
		},
		seen: everyWatch(),
	}, {
		name: "Watch that tells IDs in small letters",
		make: func(s *altered) {
			told := s.told
			s.told = func(w core.Watching, id core.ID, renewed bool) {
				told(w, core.ID(strings.ToLower(string(id))), renewed)
			}
		},
		seen: everyWatch(),
	}, {
		name: "Watch that tells nothing of a Delete of nothing",
		make: func(s *altered) {
			var there sync.Map
			s.create = func(ctx context.Context, rec core.Record) error {
				there.Store(rec.ID, true)
				return s.MemoryStore.Create(ctx, rec)
			}
			told := s.told
			s.told = func(w core.Watching, id core.ID, renewed bool) {
				if _, ok := there.LoadAndDelete(id); ok || renewed {
					told(w, id, renewed)
				}
			}
		},
		seen: everyWatch("watch-delete", "watch-renew"),
	}, {
		name: "Watch that tells nothing of a Renew",
		make: func(s *altered) {
			told := s.told
			s.told = func(w core.Watching, id core.ID, renewed bool) {
				if !renewed {
					told(w, id, renewed)
				}
			}
		},
		seen: []string{"watch-renew"},
	}, {
		name: "Watch that tells of a Renew as of an end",
		make: func(s *altered) {
			told := s.told
			s.told = func(w core.Watching, id core.ID, _ bool) { told(w, id, false) }
		},
		seen: []string{"watch-renew"},
	}, {
		name: "Watch that takes over from the one before",
		make: func(s *altered) {
			s.watch = func(ctx context.Context, w core.Watching) error {
				return s.ledger.Watch(ctx, deaf{Watching: w, ready: func() {
					for other := range s.ledger.watchers { // it is called under the lock
						if d, ok := (*other).(deaf); !ok || d.Watching != w {
							delete(s.ledger.watchers, other)
						}
					}
					w.Ready()
				}})
			}
		},
		seen: []string{"watch-several"},
	}, {
		name: "Watch that is the only one",
		make: func(s *altered) {
			var busy atomic.Bool
			s.watch = func(ctx context.Context, w core.Watching) error {
				if busy.Swap(true) {
					return errors.New("somebody watches already")
				}
				defer busy.Store(false)
				return s.ledger.Watch(ctx, w)
			}
		},
		seen: []string{"watch-several"},
	}, {
		name: "Watch that ends all others with it",
		make: func(s *altered) {
			s.watch = func(ctx context.Context, w core.Watching) error {
				err := s.ledger.Watch(ctx, w)
				s.ledger.mu.Lock()
				defer s.ledger.mu.Unlock()
				clear(s.ledger.watchers)
				return err
			}
		},
		seen: []string{"watch-several"},
	}, {
		name: "Watch that works only once",
		make: func(s *altered) {
			var used atomic.Bool
			s.watch = func(ctx context.Context, w core.Watching) error {
				if used.Load() {
					return errors.New("closed")
				}
				defer used.Store(true)
				return s.ledger.Watch(ctx, w)
			}
		},
		seen: []string{"watch-ready", "watch-several"},
	}, {
		name: "Watch that drops what it cannot hold",
		make: func(s *altered) {
			var count atomic.Int32
			told := s.told
			s.told = func(w core.Watching, id core.ID, renewed bool) {
				if count.Add(1) <= 30 {
					told(w, id, renewed)
				}
			}
		},
		seen: []string{"watch-flood"},
	}})
}

func markMistakes() []mistake {
	raw := func(s *altered, name string, at time.Time) error {
		s.ledger.mu.Lock()
		defer s.ledger.mu.Unlock()
		s.ledger.marks[name] = at
		return nil
	}
	// renamed keeps a mark under another name.
	renamed := func(f func(string) string) func(s *altered) {
		return func(s *altered) {
			s.mark = func(ctx context.Context, name string) (time.Time, error) {
				return s.ledger.Mark(ctx, f(name))
			}
			s.raiseMark = func(ctx context.Context, name string, at time.Time) error {
				return s.ledger.RaiseMark(ctx, f(name), at)
			}
		}
	}
	// kept keeps something else of a moment.
	kept := func(f func(time.Time) time.Time) func(s *altered) {
		return func(s *altered) {
			s.raiseMark = func(ctx context.Context, name string, at time.Time) error {
				return s.ledger.RaiseMark(ctx, name, f(at))
			}
		}
	}
	return about(sessiontest.Marks, []mistake{{
		name: "RaiseMark that sets",
		make: func(s *altered) {
			s.raiseMark = func(_ context.Context, name string, at time.Time) error {
				return raw(s, name, at)
			}
		},
		seen: []string{"mark-raise", "race-mark"},
	}, {
		name: "RaiseMark that fails where a later one is",
		make: func(s *altered) {
			s.raiseMark = func(ctx context.Context, name string, at time.Time) error {
				if is, _ := s.ledger.Mark(ctx, name); is.After(at) {
					return core.ErrConflict
				}
				return s.ledger.RaiseMark(ctx, name, at)
			}
		},
		seen: []string{"mark-raise"},
		may:  []string{"race-mark"},
	}, {
		name: "RaiseMark that sets only once",
		make: func(s *altered) {
			s.raiseMark = func(ctx context.Context, name string, at time.Time) error {
				if is, _ := s.ledger.Mark(ctx, name); !is.IsZero() {
					return nil
				}
				return s.ledger.RaiseMark(ctx, name, at)
			}
		},
		seen: []string{"mark", "mark-raise", "race-mark", "context-mark"},
	}, {
		name: "RaiseMark that looks first and sets later",
		make: func(s *altered) {
			s.raiseMark = func(ctx context.Context, name string, at time.Time) error {
				if is, _ := s.ledger.Mark(ctx, name); is.After(at) {
					return nil
				}
				others()
				return raw(s, name, at)
			}
		},
		seen: []string{"race-mark"},
	}, {
		name: "RaiseMark that compares text",
		make: func(s *altered) {
			s.raiseMark = func(ctx context.Context, name string, at time.Time) error {
				digits := func(at time.Time) string { return fmt.Sprint(at.UnixMilli()) }
				is, _ := s.ledger.Mark(ctx, name)
				if !is.IsZero() && digits(is) > digits(at) {
					return nil
				}
				return raw(s, name, at)
			}
		},
		seen: []string{"mark", "mark-raise"},
		may:  []string{"race-mark", "context-mark"},
	}, {
		name: "a mark of whole seconds",
		make: kept(func(at time.Time) time.Time { return at.Truncate(time.Second) }),
		seen: []string{"mark", "mark-raise", "mark-stays", "race-mark"},
	}, {
		name: "a mark in a time zone",
		make: kept(func(at time.Time) time.Time { return at.In(time.FixedZone("here", 3600)) }),
		seen: []string{"mark", "mark-raise", "mark-names", "mark-stays", "race-mark", "context-mark"},
	}, {
		name: "a mark of 32 bits",
		make: kept(func(at time.Time) time.Time {
			return time.UnixMilli(min(at.UnixMilli(), 1<<31*1000)).UTC()
		}),
		seen: []string{"mark", "mark-raise", "mark-names", "mark-stays", "race-mark", "context-mark"},
	}, {
		name: "a mark that is the beginning of time where there is none",
		make: func(s *altered) {
			s.mark = func(ctx context.Context, name string) (time.Time, error) {
				at, err := s.ledger.Mark(ctx, name)
				if at.IsZero() {
					at = time.UnixMilli(0).UTC()
				}
				return at, err
			}
		},
		seen: []string{"mark", "mark-names"},
	}, {
		name: "one mark for all names",
		make: renamed(func(string) string { return "" }),
		seen: []string{"mark", "mark-names", "mark-stays"},
		may:  []string{"context-mark"},
	}, {
		name: "names of marks in small letters",
		make: renamed(strings.ToLower),
		seen: []string{"mark-names"},
	}, {
		name: "names of marks cut to 63 characters",
		make: renamed(func(name string) string { return name[:min(len(name), 63)] }),
		seen: []string{"mark-names"},
	}, {
		name: "names of marks to which hyphens are underscores",
		make: renamed(func(name string) string { return strings.ReplaceAll(name, "-", "_") }),
		seen: []string{"mark-names"},
	}, {
		name: "a sweep that removes marks",
		make: func(s *altered) {
			s.forget = func(now time.Time) {
				for name, at := range s.ledger.marks {
					if at.Before(now) {
						delete(s.ledger.marks, name)
					}
				}
			}
		},
		seen: []string{"mark-stays"},
	}, {
		name: "an outage that looks like no mark",
		make: func(s *altered) {
			s.mark = func(ctx context.Context, name string) (time.Time, error) {
				if ctx.Err() != nil {
					return time.Time{}, nil
				}
				return s.ledger.Mark(ctx, name)
			}
		},
		seen: []string{"context-mark"},
	}})
}
