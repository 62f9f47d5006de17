package storesuite_test

import (
	"testing"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/internal/storesuite"
)

var flags = storesuite.NewFlags()

func TestAServerPasses(t *testing.T) {
	storesuite.Run(t, storesuite.Subject{Flags: flags, Open: newServer(nothing).open, Share: 20})
}

func TestAServerThatCanOnlyDoWhatItMustPasses(t *testing.T) {
	s := newServer(nothing)
	open := func(t testing.TB) core.Store { return bare{s.open(t)} }
	storesuite.Run(t, storesuite.Subject{Flags: flags, Open: open, Share: 20})
}
