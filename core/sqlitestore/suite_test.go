package sqlitestore_test

import (
	"path/filepath"
	"testing"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/internal/storesuite"
)

var suiteFlags = storesuite.NewFlags()

// Managers on this store keep all of core's promises, on one node and on two that share the file.
func TestSuite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sessions.db")
	storesuite.Run(t, storesuite.Subject{
		Flags: suiteFlags, Share: 10,
		Open: func(t testing.TB) core.Store { return open(t, path) },
	})
}
