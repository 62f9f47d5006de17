package faults

import (
	"context"
	"errors"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// OutcomeOf says what the error of a Manager's Begin, Commit, Open or Revoke tells of the effect.
// What has not been confirmed is unknown: it took effect, but may be undone.
func OutcomeOf(err error) Outcome {
	var store *core.StoreError
	switch {
	case err == nil:
		return OK
	case errors.As(err, &store):
		// A write that could not be prepared is not sent; of any other it is not known.
		switch store.Op {
		case "load", "owner epoch", "list owned":
			return Failed
		}
		if errors.Is(err, core.ErrStoreFull) {
			return Failed
		}
		return Unknown
	case errors.Is(err, core.ErrNotDurable):
		return Unknown
	case errors.Is(err, core.ErrConflict), errors.Is(err, core.ErrGone),
		errors.Is(err, core.ErrOutdated), errors.Is(err, core.ErrCommitted),
		errors.Is(err, core.ErrNotFound),
		errors.Is(err, core.ErrSignInStale), errors.Is(err, core.ErrOwnerLimit),
		errors.Is(err, context.Canceled): // the client has gone: what needs a token is not begun
		return Failed
	}
	return Unknown
}
