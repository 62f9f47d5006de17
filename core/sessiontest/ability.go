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
	// Indexes: the store is a core.OwnerIndex.
	Indexes Ability = "indexes"
	// Watches: the store is a core.Watcher.
	Watches Ability = "watches"
	// Marks: the store is a core.Marker.
	Marks Ability = "marks"
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

// indexer returns an error that wraps errors.ErrUnsupported if the store is no core.OwnerIndex.
func indexer(ctx context.Context, store core.Store) (index, error) {
	i, ok := store.(core.OwnerIndex)
	if !ok {
		return index{}, fmt.Errorf("%T is no core.OwnerIndex: %w", store, errors.ErrUnsupported)
	}
	if _, err := i.OwnerEpoch(ctx, newOwner()); err != nil {
		return index{}, fmt.Errorf("OwnerEpoch of an owner that never was: %w", err)
	}
	return index{i}, nil
}

// watcher returns an error that wraps errors.ErrUnsupported if the store is none.
func watcher(store core.Store) (core.Watcher, error) {
	if w, ok := store.(core.Watcher); ok {
		return w, nil // if it wraps a store that is none Watch says so
	}
	return nil, fmt.Errorf("%T is no core.Watcher: %w", store, errors.ErrUnsupported)
}

// marker returns an error that wraps errors.ErrUnsupported if the store is none.
func marker(ctx context.Context, store core.Store) (core.Marker, error) {
	m, ok := store.(core.Marker)
	if !ok {
		return nil, fmt.Errorf("%T is no core.Marker: %w", store, errors.ErrUnsupported)
	}
	if _, err := m.Mark(ctx, "never-raised"); err != nil {
		return nil, fmt.Errorf("a Mark that never was raised: %w", err)
	}
	return m, nil
}
