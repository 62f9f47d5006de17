package storesuite

import (
	"errors"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// An owning store keeps owners and marks, and tells of ends, or says that the one beneath cannot.
type owning interface {
	core.OwnerIndex
	core.Marker
	core.Watcher
}

// An allRound store has every ability but to sweep.
type allRound interface {
	core.Store
	core.Toucher
	core.Renewer
	owning
}

// errBeneath is what a wrapper answers if the store beneath it lacks an ability.
var errBeneath = errors.ErrUnsupported

// able hides the abilities of a wrapper that the store beneath it does not have.
func able(wrapper allRound, beneath core.Store) core.Store {
	type owned struct {
		core.Store
		owning
	}
	_, indexes := beneath.(core.OwnerIndex)
	_, marks := beneath.(core.Marker)
	if !indexes && !marks {
		return writing(wrapper, beneath)
	}
	type (
		store   = owned
		toucher = core.Toucher
		renewer = core.Renewer
	)
	both := owned{wrapper, wrapper}
	_, touches := beneath.(core.Toucher)
	_, renews := beneath.(core.Renewer)
	switch {
	case touches && renews:
		return struct {
			store
			toucher
			renewer
		}{both, wrapper, wrapper}
	case touches:
		return struct {
			store
			toucher
		}{both, wrapper}
	case renews:
		return struct {
			store
			renewer
		}{both, wrapper}
	}
	return both
}

// writing is able for a store that keeps no owners.
func writing(wrapper allRound, beneath core.Store) core.Store {
	type (
		store   = core.Store
		toucher = core.Toucher
		renewer = core.Renewer
	)
	_, touches := beneath.(core.Toucher)
	_, renews := beneath.(core.Renewer)
	switch {
	case touches && renews:
		return struct {
			store
			toucher
			renewer
		}{wrapper, wrapper, wrapper}
	case touches:
		return struct {
			store
			toucher
		}{wrapper, wrapper}
	case renews:
		return struct {
			store
			renewer
		}{wrapper, wrapper}
	}
	return struct{ store }{wrapper}
}
