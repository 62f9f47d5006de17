package sqlitestore_test

import (
	"testing"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/internal/storesuite"
	"github.com/sessionserverstore/sessionserverstore/core/sessiontest"
)

var suiteFlags = storesuite.NewFlags()

func TestStore(t *testing.T) {
	t.Parallel()
	sessiontest.TestStore(t, func(t testing.TB) core.Store { return fresh(t) })
}

// TestSuite lets two Managers, and requests that race, use the store.
func TestSuite(t *testing.T) {
	path := memory(t)
	storesuite.Run(t, storesuite.Subject{
		Flags: suiteFlags,
		Share: 8,
		Open:  func(t testing.TB) core.Store { return open(t, path) },
	})
}
