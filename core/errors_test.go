package core_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

func TestStatusMapsEveryError(t *testing.T) {
	down := &core.StoreError{Op: "load", ID: "id", Err: errDown}
	frame := &core.FrameError{Version: 9, Reason: "is not one this program knows"}
	value := &core.ValueError{Name: "n", Err: errors.New("too large")}
	tests := map[string]struct {
		err  error
		want int
	}{
		"none":                                  {nil, 200},
		"the store":                             {down, 503},
		"the store, wrapped":                    {fmt.Errorf("load: %w", down), 503},
		"the store, joined with another":        {errors.Join(value, down), 503},
		"the store, about a conflict":           {&core.StoreError{Err: core.ErrConflict}, 503},
		"a frame in the store":                  {&core.StoreError{Op: "load", Err: frame}, 503},
		"an end that is not confirmed":          {core.ErrNotDurable, 503},
		"an end that is not confirmed, wrapped": {fmt.Errorf("x: %w", core.ErrNotDurable), 503},
		"a client that has gone":                {fmt.Errorf("x: %w", context.Canceled), 503},
		"a deadline": {
			fmt.Errorf("x: %w", context.DeadlineExceeded), 503,
		},
		"gone":              {core.ErrGone, 409},
		"a conflict":        {core.ErrConflict, 409},
		"an outdated token": {fmt.Errorf("x: %w", core.ErrOutdated), 409},
		"a value":           {value, 500},
		"values":            {errors.Join(value, value), 500},
		"an owner":          {&core.OwnerError{Reason: "is too long"}, 500},
		"too late":          {core.ErrCommitted, 500},
		"anything else":     {errors.New("x"), 500},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, test.want, core.Status(test.err))
		})
	}
}

func TestErrorsSayWhatTheyAreAbout(t *testing.T) {
	for _, test := range []struct {
		err  error
		text string
	}{
		{&core.ConfigError{Field: "MaxData", Reason: "is odd"},
			"session config: MaxData is odd"},
		{&core.StoreError{Op: "load", ID: "a", Err: errDown},
			"session store: load a: the store is down"},
		{&core.ValueError{Name: "cart", Err: errDown},
			`session value "cart": the store is down`},
		{&core.OwnerError{Reason: "is too long"},
			"session owner is too long"},
		{&core.FrameError{Version: 9, Reason: "is new"},
			"session frame of version 9: is new"},
		{&core.FrameError{Reason: "is damaged"},
			"session frame: is damaged"},
	} {
		assert.EqualError(t, test.err, test.text)
	}
	require.ErrorIs(t, &core.StoreError{Err: errDown}, errDown)
	require.ErrorIs(t, &core.ValueError{Err: errDown}, errDown)
}

func TestTheErrorsOfTheStoreAndOfCommitAreAllDifferent(t *testing.T) {
	list := []error{
		core.ErrNotFound, core.ErrExists, core.ErrConflict, core.ErrNotDurable,
		core.ErrGone, core.ErrOutdated, core.ErrCommitted,
	}
	for i, a := range list {
		assert.True(t, strings.HasPrefix(a.Error(), "session "), a.Error())
		for j, b := range list {
			assert.Equal(t, i == j, errors.Is(a, b))
		}
	}
}

// A record that this version cannot read is trouble with the store, not a visitor without a
// session.
func TestAnUnreadableRecordIsAStoreErrorThatWrapsTheFrameError(t *testing.T) {
	for name, data := range map[string]string{
		"of a later version": "\x02 of a later version", "damaged": "\x01\x00", "empty": "",
	} {
		t.Run(name, func(t *testing.T) {
			m := newSite(t, core.Config{})
			token, id := m.start(setNote("x"))
			rec := m.record(id)
			was := rec.Revision
			rec.Data = data
			require.NoError(t, m.store.MemoryStore.Update(t.Context(), rec, was))

			_, err := m.Begin(t.Context(), cookies(token))
			var store *core.StoreError
			require.ErrorAs(t, err, &store)
			assert.Equal(t, "load", store.Op)
			assert.Equal(t, id, store.ID)
			var frame *core.FrameError
			require.ErrorAs(t, err, &frame)
			assert.Equal(t, name == "of a later version", frame.Version == 2)
			assert.Equal(t, http.StatusServiceUnavailable, core.Status(err))
			assert.Equal(t, rec, m.record(id), "nothing is written over it")

			_, err = m.Open(t.Context(), id)
			require.ErrorAs(t, err, &frame)
		})
	}
}
