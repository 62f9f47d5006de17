package sessiontest

import (
	"context"
	"errors"
	"fmt"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// An Ability is what not every store, or not every framework, has.
type Ability string

const (
	// Sweeps: the store is a core.Sweeper.
	Sweeps Ability = "sweeps"
	// Touches: the store is a core.Toucher.
	Touches Ability = "touches"
	// Renews: the store is a core.Renewer.
	Renews Ability = "renews"
	// Streams: the framework sends the beginning of an answer while the handler still runs.
	Streams Ability = "streams"
	// Disconnects: the framework cancels the request's context when the client goes away.
	Disconnects Ability = "disconnects"
)

// sweeper returns an error that wraps errors.ErrUnsupported if the store is none.
func sweeper(store core.Store) (core.Sweeper, error) {
	if s, ok := store.(core.Sweeper); ok {
		return s, nil
	}
	return nil, fmt.Errorf("%T is no core.Sweeper: %w", store, errors.ErrUnsupported)
}

// toucher returns an error that wraps errors.ErrUnsupported if the store is none.
func toucher(store core.Store) (core.Toucher, error) {
	if s, ok := store.(core.Toucher); ok {
		return s, nil
	}
	return nil, fmt.Errorf("%T is no core.Toucher: %w", store, errors.ErrUnsupported)
}

// renewer returns an error that wraps errors.ErrUnsupported if the store is none.
func renewer(ctx context.Context, store core.Store) (core.Renewer, error) {
	r, ok := store.(core.Renewer)
	if !ok {
		return nil, fmt.Errorf("%T is no core.Renewer: %w", store, errors.ErrUnsupported)
	}
	if err := r.Renew(ctx, version(newID(), 1), 0); errors.Is(err, errors.ErrUnsupported) {
		return nil, err // it wraps a store that is none
	}
	return r, nil
}
