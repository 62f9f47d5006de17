package sqlitestore_test

import (
	"testing"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/internal/storesuite"
)

// An end comes to the streams of another Store. With -v it says how fast.
func TestAnEndComesToAnotherStore(t *testing.T) {
	t.Parallel()
	path := memory(t)
	storesuite.Delays(t, storesuite.Subject{Open: func(t testing.TB) core.Store {
		return open(t, path)
	}})
}
