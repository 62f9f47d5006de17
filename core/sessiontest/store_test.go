package sessiontest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/sessiontest"
)

func newMemoryStore() *core.MemoryStore { return core.NewMemoryStore(core.MemoryOptions{}) }

func TestTheMemoryStoreKeepsTheContract(t *testing.T) {
	t.Parallel()
	sessiontest.TestStore(t, func(testing.TB) core.Store { return newMemoryStore() })
}

// A store that can do everything, and keeps owners in the plainest way.
func TestALedgerKeepsTheContract(t *testing.T) {
	t.Parallel()
	sessiontest.TestStore(t, func(testing.TB) core.Store { return newAltered() })
}

// wrapping answers with errors that only errors.Is sees through.
func wrapping() core.Store {
	s := newAltered()
	s.verdict = func(err error) error {
		if err == nil {
			return nil
		}
		return remark{err}
	}
	return s
}

type remark struct{ error }

func (r remark) Unwrap() error { return r.error }
func (r remark) Error() string { return "the database has its own words" }

// mortal removes a record of its own accord a day after it expired, as one with a TTL does.
func mortal() core.Store {
	s := newAltered()
	s.load = func(ctx context.Context, id core.ID) (core.Record, error) {
		rec, err := s.MemoryStore.Load(ctx, id)
		if err == nil && !rec.Expires.IsZero() && time.Since(rec.Expires) > 24*time.Hour {
			return core.Record{}, core.ErrNotFound
		}
		return rec, err
	}
	return s
}

// piecemeal sweeps seven records at a time.
func piecemeal() core.Store {
	s := newAltered()
	var mu sync.Mutex // what is due now is still due when it is removed
	s.update = func(ctx context.Context, rec core.Record, was core.Revision) error {
		mu.Lock()
		defer mu.Unlock()
		return s.MemoryStore.Update(ctx, rec, was)
	}
	s.sweep = func(ctx context.Context, now time.Time) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		list := s.find(ctx, due(now))
		list = list[:min(len(list), 7)]
		for _, id := range list {
			_ = s.MemoryStore.Delete(ctx, id)
		}
		return len(list), nil
	}
	return s
}

func TestWhatTheContractLeavesOpenPasses(t *testing.T) {
	t.Parallel()
	for name, newStore := range map[string]func() core.Store{
		"errors may be wrapped":                wrapping,
		"a dead context may fail":              newImpatient,
		"long expired records may be gone":     mortal,
		"a sweep may be done piece by piece":   piecemeal,
		"an owner's writes may be unconfirmed": unconfirmed,
		"a watcher may tell of more, and late": talkative,
		"a watcher may give up in a flood":     overwhelmed,
	} {
		t.Run(name, func(t *testing.T) {
			all := func(sessiontest.StoreCheck) bool { return true }
			require.Empty(t, failing(t, newStore, all, nil))
		})
	}
}

// failing runs checks, those that are asked for, and returns the names of those that fail. Those
// that are to fail are not waited for as long as the others, which have a right to be in time.
func failing(
	t *testing.T, newStore func() core.Store, asked func(sessiontest.StoreCheck) bool,
	expected []string,
) []string {
	var all sync.WaitGroup
	var mu sync.Mutex
	var names []string
	run := func(ctx context.Context, check sessiontest.StoreCheck) {
		if err := check.Run(ctx, newStore()); err != nil {
			mu.Lock()
			defer mu.Unlock()
			t.Logf("%s: %v", check.Name, err)
			names = append(names, check.Name)
		}
	}
	for _, check := range sessiontest.StoreChecks() {
		switch {
		case !asked(check):
		case check.Needs == sessiontest.Watches:
			all.Go(func() {
				most := 2 * time.Minute
				if slices.Contains(expected, check.Name) {
					most = 6 * time.Second // to wait for what is never told
				}
				ctx, cancel := context.WithTimeout(t.Context(), most)
				defer cancel()
				run(ctx, check)
			})
		default:
			run(t.Context(), check)
		}
	}
	all.Wait()
	return names
}

// A store lacks an ability by not having the method, or, if it wraps another one, by what the
// method answers.
func TestWhatAStoreLacksIsReportedAsUnsupported(t *testing.T) {
	t.Parallel()
	type four struct{ core.Store } // hides the other methods
	wrapper := newUnable()
	for _, store := range []core.Store{four{newMemoryStore()}, wrapper} {
		var lacking []sessiontest.Ability
		for _, check := range sessiontest.StoreChecks() {
			err := check.Run(t.Context(), store)
			if check.Needs == "" {
				assert.NoError(t, err, check.Name)
				continue
			}
			assert.ErrorIs(t, err, errors.ErrUnsupported, check.Name)
			lacking = append(lacking, check.Needs)
		}
		slices.Sort(lacking)
		require.Equal(t, []sessiontest.Ability{
			sessiontest.Indexes, sessiontest.Marks, sessiontest.Renews, sessiontest.Sweeps,
			sessiontest.Touches, sessiontest.Watches,
		}, slices.Compact(lacking))
	}
}

// newUnable makes a store that has every method, and no ability.
func newUnable() *altered {
	type (
		owned = core.OwnerEntry
		epoch = core.Epoch
	)
	s := newAltered()
	unsupported := fmt.Errorf("the store below cannot: %w", errors.ErrUnsupported)
	s.touch = func(context.Context, core.Record, core.Revision) error { return unsupported }
	s.renew = s.touch
	s.sweep = func(context.Context, time.Time) (int, error) { return 0, unsupported }
	s.epoch = func(context.Context, string) (epoch, error) { return 0, unsupported }
	s.add = func(context.Context, string, owned, epoch, int) (int, error) { return 0, unsupported }
	s.list = func(context.Context, string) ([]owned, error) { return nil, unsupported }
	s.remove = func(context.Context, string, ...owned) error { return unsupported }
	s.raise = func(context.Context, string, epoch, time.Time) (epoch, []owned, error) {
		return 0, nil, unsupported
	}
	s.watch = func(context.Context, core.Watching) error { return unsupported }
	s.mark = func(context.Context, string) (time.Time, error) { return time.Time{}, unsupported }
	s.raiseMark = func(context.Context, string, time.Time) error { return unsupported }
	return s
}

func TestEachStoreCheckHasANameOfItsOwnAndASentence(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, check := range sessiontest.StoreChecks() {
		assert.False(t, seen[check.Name], "two checks %q", check.Name)
		assert.NotContains(t, check.Name, " ", "a subtest's name changes blanks")
		assert.True(t, strings.HasSuffix(check.Sentence, "."), "%s: %s", check.Name, check.Sentence)
		seen[check.Name] = true
	}
}
