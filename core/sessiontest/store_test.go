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

// impatient refuses every call whose context is over, as a driver does.
type impatient struct{ *core.MemoryStore }

func newImpatient() core.Store { return impatient{newMemoryStore()} }

func (s impatient) Create(ctx context.Context, rec core.Record) error {
	return unless(ctx, func() error { return s.MemoryStore.Create(ctx, rec) })
}

func (s impatient) Load(ctx context.Context, id core.ID) (core.Record, error) {
	if ctx.Err() != nil {
		return core.Record{}, ctx.Err()
	}
	return s.MemoryStore.Load(ctx, id)
}

func (s impatient) Update(ctx context.Context, rec core.Record, was core.Revision) error {
	return unless(ctx, func() error { return s.MemoryStore.Update(ctx, rec, was) })
}

func (s impatient) Renew(ctx context.Context, rec core.Record, was core.Revision) error {
	return s.Update(ctx, rec, was)
}

func (s impatient) Delete(ctx context.Context, id core.ID) error {
	return unless(ctx, func() error { return s.MemoryStore.Delete(ctx, id) })
}

func unless(ctx context.Context, f func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return f()
}

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
		"errors may be wrapped":              wrapping,
		"a dead context may fail":            newImpatient,
		"long expired records may be gone":   mortal,
		"a sweep may be done piece by piece": piecemeal,
	} {
		t.Run(name, func(t *testing.T) { require.Empty(t, failing(t, newStore)) })
	}
}

// failing runs checks, all but those that are left out, and returns the names of those that fail.
func failing(t *testing.T, newStore func() core.Store, without ...string) []string {
	var names []string
	for _, check := range sessiontest.StoreChecks() {
		if slices.Contains(without, check.Name) {
			continue
		}
		if err := check.Run(t.Context(), newStore()); err != nil {
			t.Logf("%s: %v", check.Name, err)
			names = append(names, check.Name)
		}
	}
	return names
}

// A store lacks an ability by not having the method, or, if it wraps another one, by what the
// method answers.
func TestWhatAStoreLacksIsReportedAsUnsupported(t *testing.T) {
	t.Parallel()
	type four struct{ core.Store } // hides the other methods
	wrapper := newAltered()
	unsupported := fmt.Errorf("the store below cannot: %w", errors.ErrUnsupported)
	wrapper.touch = func(context.Context, core.Record, core.Revision) error { return unsupported }
	wrapper.renew = wrapper.touch
	wrapper.sweep = func(context.Context, time.Time) (int, error) { return 0, unsupported }
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
			sessiontest.Renews, sessiontest.Sweeps, sessiontest.Touches,
		}, slices.Compact(lacking))
	}
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
