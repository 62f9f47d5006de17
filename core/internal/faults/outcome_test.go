package faults_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/internal/faults"
)

func TestOutcomesOfErrors(t *testing.T) {
	store := func(op string, err error) error { return &core.StoreError{Op: op, Err: err} }
	cases := []struct {
		name string
		err  error
		want faults.Outcome
	}{
		{"none", nil, faults.OK},
		{"a conflict", core.ErrConflict, faults.Failed},
		{"a session that is gone", core.ErrGone, faults.Failed},
		{"an outdated token", core.ErrOutdated, faults.Failed},
		{"a change that came too late", core.ErrCommitted, faults.Failed},
		{"a session that is not there", core.ErrNotFound, faults.Failed},
		{"a client that has gone", fmt.Errorf("gone: %w", context.Canceled), faults.Failed},
		{"a record that could not be loaded", store("load", context.Canceled), faults.Failed},
		{"a full store", store("create", core.ErrStoreFull), faults.Failed},
		{"a write that was not answered", store("update", errors.New("reset")), faults.Unknown},
		{"a write that was cancelled", store("update", context.Canceled), faults.Unknown},
		{"a conflict with perhaps oneself", store("update", core.ErrConflict), faults.Unknown},
		{"an end that was not answered", store("delete", errors.New("reset")), faults.Unknown},
		{"too few copies", fmt.Errorf("x: %w", core.ErrNotDurable), faults.Unknown},
		{"another", errors.New("another"), faults.Unknown},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) { assert.Equal(t, c.want, faults.OutcomeOf(c.err)) })
	}
}
