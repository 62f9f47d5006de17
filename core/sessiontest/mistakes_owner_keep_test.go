package sessiontest_test

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/sessiontest"
)

// ownerAs keeps owners under other names.
func ownerAs(f func(string) string) func(s *altered) {
	return func(s *altered) {
		l := s.ledger
		s.epoch = func(ctx context.Context, o string) (core.Epoch, error) {
			return l.OwnerEpoch(ctx, f(o))
		}
		s.add = func(
			ctx context.Context, o string, e core.OwnerEntry, epoch core.Epoch, limit int,
		) (int, error) {
			return l.AddOwned(ctx, f(o), e, epoch, limit)
		}
		s.list = func(ctx context.Context, o string) ([]core.OwnerEntry, error) {
			return l.ListOwned(ctx, f(o))
		}
		s.remove = func(ctx context.Context, o string, list ...core.OwnerEntry) error {
			return l.RemoveOwned(ctx, f(o), list...)
		}
		s.raise = func(
			ctx context.Context, o string, epoch core.Epoch, until time.Time,
		) (core.Epoch, []core.OwnerEntry, error) {
			return l.RaiseEpoch(ctx, f(o), epoch, until)
		}
	}
}

// entryAs keeps something else of entries, and looks for that.
func entryAs(f func(core.OwnerEntry) core.OwnerEntry) func(s *altered) {
	return func(s *altered) {
		s.add = func(
			ctx context.Context, o string, e core.OwnerEntry, epoch core.Epoch, limit int,
		) (int, error) {
			return s.ledger.AddOwned(ctx, o, f(e), epoch, limit)
		}
		s.remove = func(ctx context.Context, o string, list ...core.OwnerEntry) error {
			list = slices.Clone(list)
			for i, e := range list {
				list[i] = f(e)
			}
			return s.ledger.RemoveOwned(ctx, o, list...)
		}
	}
}

// epochAs keeps something else of Epochs, and compares that.
func epochAs(f func(core.Epoch) core.Epoch) func(s *altered) {
	return func(s *altered) {
		s.add = func(
			ctx context.Context, o string, e core.OwnerEntry, epoch core.Epoch, limit int,
		) (int, error) {
			return s.ledger.AddOwned(ctx, o, e, f(epoch), limit)
		}
		s.raise = func(
			ctx context.Context, o string, epoch core.Epoch, until time.Time,
		) (core.Epoch, []core.OwnerEntry, error) {
			return s.ledger.RaiseEpoch(ctx, o, f(epoch), until)
		}
	}
}

// untilAs keeps another end of each entry.
func untilAs(f func(time.Time) time.Time) func(s *altered) {
	return entryAs(func(e core.OwnerEntry) core.OwnerEntry { e.Until = f(e.Until); return e })
}

func ownerKeepMistakes() []mistake {
	return about(sessiontest.Indexes, []mistake{{
		name: "owners in small letters", make: ownerAs(strings.ToLower), seen: []string{"owner-odd"},
	}, {
		name: "owners in any case", make: ownerAs(func(o string) string {
			return strings.Map(func(r rune) rune {
				return []rune(strings.ToUpper(string(r)))[0]
			}, o)
		}), seen: []string{"owner-odd"},
	}, {
		name: "owners without blanks", make: ownerAs(strings.TrimSpace), seen: []string{"owner-odd"},
	}, {
		name: "owners without trailing blanks", seen: []string{"owner-odd"},
		make: ownerAs(func(o string) string { return strings.TrimRight(o, " ") }),
	}, {
		name: "owners up to the last colon", seen: []string{"owner-odd"},
		make: ownerAs(func(o string) string {
			if i := strings.LastIndex(o, ":"); i >= 0 && len(o) < 30 {
				return o[:i]
			}
			return o
		}),
	}, {
		name: "owners within braces", seen: []string{"owner-odd"},
		make: ownerAs(func(o string) string {
			if _, in, ok := strings.Cut(o, "{"); ok {
				if in, _, ok := strings.Cut(in, "}"); ok {
					return in
				}
			}
			return o
		}),
	}, {
		name: "owners of one line", seen: []string{"owner-odd"},
		make: ownerAs(func(o string) string { line, _, _ := strings.Cut(o, "\n"); return line }),
	}, {
		name: "owners of 254 bytes", seen: []string{"owner-odd"},
		make: ownerAs(func(o string) string { return o[:min(len(o), 254)] }),
	}, {
		name: "owners that are composed", seen: []string{"owner-odd"},
		make: ownerAs(func(o string) string { return strings.ReplaceAll(o, "e\u0301", "é") }),
	}, {
		name: "owners with a mark of their encoding", seen: []string{"owner-odd"},
		make: ownerAs(func(o string) string { return strings.TrimPrefix(o, "\ufeff") }),
	}, {
		name: "owners that are escaped twice", seen: []string{"owner-odd"},
		make: ownerAs(func(o string) string { return strings.ReplaceAll(o, `\n`, "\n") }),
	}, {
		name: "owners of which some are numbers", seen: []string{"owner-odd"},
		make: ownerAs(func(o string) string {
			if o != "" && strings.Trim(o, "0.") == "" {
				return "0"
			}
			return o
		}),
	}, {
		name: "IDs of entries in any case",
		make: func(s *altered) {
			s.add = func(
				ctx context.Context, o string, e core.OwnerEntry, epoch core.Epoch, limit int,
			) (int, error) {
				list, _ := s.ledger.ListOwned(ctx, o)
				for _, other := range list {
					if strings.EqualFold(string(other.ID), string(e.ID)) {
						_ = s.ledger.RemoveOwned(ctx, o, other)
					}
				}
				return s.ledger.AddOwned(ctx, o, e, epoch, limit)
			}
		},
		seen: []string{"owner-add-epoch", "owner-add-limit", "owner-ids"},
		may:  []string{"race-owner-list", "race-owner-limit"},
	}, {
		name: "Epochs as floating-point numbers",
		make: epochAs(func(e core.Epoch) core.Epoch {
			return core.Epoch(min(float64(e), 1<<63))
		}),
		seen: []string{"owner-bits"},
	}, {
		name: "Epochs of 32 bits", seen: []string{"owner-bits"},
		make: epochAs(func(e core.Epoch) core.Epoch { return core.Epoch(uint32(e)) }),
	}, {
		name: "Epochs of 63 bits", seen: []string{"owner-bits"},
		make: epochAs(func(e core.Epoch) core.Epoch { return e &^ (1 << 63) }),
	}, {
		name: "Epochs up to the greatest int64", seen: []string{"owner-bits"},
		make: epochAs(func(e core.Epoch) core.Epoch { return min(e, 1<<63-1) }),
	}, {
		name: "Revisions of entries as floating-point numbers", seen: []string{"owner-bits"},
		make: entryAs(func(e core.OwnerEntry) core.OwnerEntry {
			e.Revision = core.Revision(min(float64(e.Revision), 1<<63))
			return e
		}),
	}, {
		name: "Revisions of entries of 32 bits", seen: []string{"owner-bits"},
		make: entryAs(func(e core.OwnerEntry) core.OwnerEntry {
			e.Revision = core.Revision(uint32(e.Revision))
			return e
		}),
	}, {
		name: "Revisions of entries of 63 bits", seen: []string{"owner-bits"},
		make: entryAs(func(e core.OwnerEntry) core.OwnerEntry {
			e.Revision &^= 1 << 63
			return e
		}),
	}, {
		name: "Revision zero of an entry is any", seen: []string{"owner-ids", "owner-bits"},
		make: func(s *altered) {
			s.remove = func(ctx context.Context, o string, list ...core.OwnerEntry) error {
				all, _ := s.ledger.ListOwned(ctx, o)
				for _, e := range list {
					for _, is := range all {
						if is.ID == e.ID && (e.Revision == 0 || is.Revision == e.Revision) {
							_ = s.ledger.RemoveOwned(ctx, o, is)
						}
					}
				}
				return nil
			}
		},
	}, {
		name: "Until in whole seconds", seen: []string{"owner-times"},
		make: untilAs(func(at time.Time) time.Time { return at.Truncate(time.Second) }),
	}, {
		name: "Until in a time zone", seen: []string{"owner-times"},
		make: untilAs(func(at time.Time) time.Time { return at.In(time.FixedZone("here", 3600)) }),
	}, {
		name: "a zero Until that is the beginning of time",
		seen: []string{"owner-times", "owner-expired-long-ago", "owner-sweep"},
		make: untilAs(func(at time.Time) time.Time {
			if at.IsZero() {
				return time.UnixMilli(0).UTC()
			}
			return at
		}),
	}, {
		name: "Until of 32 bits", seen: []string{"owner-times"},
		make: untilAs(func(at time.Time) time.Time {
			if at.IsZero() {
				return at
			}
			return time.UnixMilli(min(at.UnixMilli(), 1<<32*1000)).UTC()
		}),
	}, {
		name: "an entry that is forgotten at its Until",
		make: func(s *altered) {
			s.list = func(ctx context.Context, o string) ([]core.OwnerEntry, error) {
				list, err := s.ledger.ListOwned(ctx, o)
				return slices.DeleteFunc(list, func(e core.OwnerEntry) bool {
					return !e.Until.IsZero() && e.Until.Before(time.Now())
				}), err
			}
		},
		seen: []string{"owner-expired-lately"},
	}, {
		name: "a zero Until that is over long ago",
		make: func(s *altered) {
			s.list = func(ctx context.Context, o string) ([]core.OwnerEntry, error) {
				list, err := s.ledger.ListOwned(ctx, o)
				return slices.DeleteFunc(list, func(e core.OwnerEntry) bool {
					return e.Until.Before(time.Now().Add(-24 * time.Hour))
				}), err
			}
		},
		seen: []string{"owner-times", "owner-expired-long-ago", "owner-sweep"},
	}, {
		name: "an owner who is forgotten at the Until that came last",
		make: func(s *altered) { s.lapse(func(is, last time.Time) time.Time { return last }) },
		seen: []string{"owner-expired-long-ago"},
	}, {
		name: "an owner who is forgotten at the first Until",
		make: func(s *altered) {
			s.lapse(func(is, last time.Time) time.Time {
				if last.Before(is) || is.IsZero() {
					return last
				}
				return is
			})
		},
		seen: []string{"owner-expired-long-ago"},
	}, {
		name: "an Epoch that is forgotten at its until",
		make: func(s *altered) {
			s.raise = func(
				ctx context.Context, o string, epoch core.Epoch, until time.Time,
			) (core.Epoch, []core.OwnerEntry, error) {
				was, list, err := s.ledger.RaiseEpoch(ctx, o, epoch, until)
				if until.Before(time.Now()) {
					_, _, _ = s.ledger.RaiseEpoch(ctx, o, 0, until)
				}
				return was, list, err
			}
		},
		seen: []string{"owner-expired-lately"},
	}, {
		name: "a sweep that forgets an owner at the first Until",
		make: func(s *altered) {
			s.forget = func(now time.Time) {
				for o, a := range s.ledger.accounts {
					for _, e := range a.entries {
						if !e.Until.IsZero() && e.Until.Before(now) {
							delete(s.ledger.accounts, o)
						}
					}
				}
			}
		},
		seen: []string{"owner-sweep"},
	}, {
		name: "a sweep that forgets who has no entries",
		make: func(s *altered) {
			s.forget = func(now time.Time) {
				s.ledger.forget(now)
				for o, a := range s.ledger.accounts {
					if len(a.entries) == 0 {
						delete(s.ledger.accounts, o)
					}
				}
			}
		},
		seen: []string{"owner-sweep"},
	}, {
		name: "a sweep that forgets an owner with the Epoch",
		make: func(s *altered) {
			s.forget = func(now time.Time) {
				for o, a := range s.ledger.accounts {
					if a.until.Before(now) {
						delete(s.ledger.accounts, o)
					}
				}
			}
		},
		seen: []string{"owner-sweep"},
	}, {
		name: "a sweep that removes entries without Until",
		make: func(s *altered) {
			s.forget = func(now time.Time) {
				for _, a := range s.ledger.accounts {
					for id, e := range a.entries {
						if e.Until.Before(now) {
							delete(a.entries, id)
						}
					}
				}
			}
		},
		seen: []string{"owner-sweep"},
	}, {
		name: "a sweep of entries that are not over for an hour",
		make: func(s *altered) {
			s.forget = func(now time.Time) { s.ledger.forget(now.Add(time.Hour)) }
		},
		seen: []string{"owner-sweep"},
	}})
}

// lapse forgets an owner at a time that follows from the Until of entries.
func (s *altered) lapse(next func(is, last time.Time) time.Time) {
	ends := map[string]time.Time{}
	s.add = func(
		ctx context.Context, o string, e core.OwnerEntry, epoch core.Epoch, limit int,
	) (int, error) {
		n, err := s.ledger.AddOwned(ctx, o, e, epoch, limit)
		s.ledger.mu.Lock()
		defer s.ledger.mu.Unlock()
		ends[o] = next(ends[o], e.Until)
		if !ends[o].IsZero() && ends[o].Before(time.Now().Add(-24*time.Hour)) {
			delete(s.ledger.accounts, o)
		}
		return n, err
	}
}

func ownerRaceMistakes() []mistake {
	return about(sessiontest.Indexes, []mistake{{
		name: "AddOwned that looks at the Epoch first and adds later",
		make: func(s *altered) {
			s.add = func(
				ctx context.Context, o string, e core.OwnerEntry, epoch core.Epoch, limit int,
			) (int, error) {
				if is, _, _ := s.ledger.peek(o); is != epoch {
					return 0, core.ErrConflict
				}
				others()
				is, _, _ := s.ledger.peek(o)
				return s.ledger.AddOwned(ctx, o, e, is, limit)
			}
		},
		seen: []string{"race-owner-epoch"},
	}, {
		name: "RaiseEpoch that lists first and raises later",
		make: func(s *altered) {
			s.raise = func(
				ctx context.Context, o string, epoch core.Epoch, until time.Time,
			) (core.Epoch, []core.OwnerEntry, error) {
				list, _ := s.ledger.ListOwned(ctx, o)
				others()
				was, _, err := s.ledger.RaiseEpoch(ctx, o, epoch, until)
				return was, list, err
			}
		},
		seen: []string{"race-owner-epoch"},
	}, {
		name: "AddOwned that counts first and adds later",
		make: func(s *altered) {
			s.add = func(
				ctx context.Context, o string, e core.OwnerEntry, epoch core.Epoch, limit int,
			) (int, error) {
				is, count, has := s.ledger.peek(o)
				if has(e.ID) {
					count--
				}
				if is == epoch && limit != 0 && count >= limit {
					return 0, core.ErrOwnerLimit
				}
				others()
				return s.ledger.AddOwned(ctx, o, e, epoch, 0)
			}
		},
		seen: []string{"race-owner-limit"},
	}, {
		name: "RemoveOwned that looks first and removes later",
		make: func(s *altered) {
			s.remove = func(ctx context.Context, o string, list ...core.OwnerEntry) error {
				all, _ := s.ledger.ListOwned(ctx, o)
				others()
				s.ledger.mu.Lock()
				defer s.ledger.mu.Unlock()
				for _, e := range list {
					if slices.ContainsFunc(all, func(is core.OwnerEntry) bool {
						return is.ID == e.ID && is.Revision == e.Revision
					}) {
						delete(s.ledger.of(o).entries, e.ID)
					}
				}
				return nil
			}
		},
		seen: []string{"race-owner-remove"},
	}, {
		name: "AddOwned that removes the old entry first",
		make: func(s *altered) {
			s.add = func(
				ctx context.Context, o string, e core.OwnerEntry, epoch core.Epoch, limit int,
			) (int, error) {
				is, count, has := s.ledger.peek(o)
				if has(e.ID) && is == epoch && (limit == 0 || count <= limit) {
					s.ledger.mu.Lock()
					delete(s.ledger.of(o).entries, e.ID)
					s.ledger.mu.Unlock()
					others()
				}
				return s.ledger.AddOwned(ctx, o, e, epoch, limit)
			}
		},
		seen: []string{"race-owner-list"},
		may:  []string{"race-owner-limit"},
	}, {
		name: "AddOwned that writes one field after the other",
		make: func(s *altered) {
			s.add = func(
				ctx context.Context, o string, e core.OwnerEntry, epoch core.Epoch, limit int,
			) (int, error) {
				list, _ := s.ledger.ListOwned(ctx, o)
				for _, half := range list {
					if half.ID == e.ID {
						half.Until = e.Until
						if _, err := s.ledger.AddOwned(ctx, o, half, epoch, limit); err != nil {
							return 0, err
						}
						others()
					}
				}
				return s.ledger.AddOwned(ctx, o, e, epoch, limit)
			}
		},
		seen: []string{"race-owner-list"},
	}})
}
