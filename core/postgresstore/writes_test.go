package postgresstore_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/postgresstore"
)

// A write replaces a record of some Revision.
type write func(ctx context.Context, rec core.Record, was core.Revision) error

func writes(store *postgresstore.Store) map[string]write {
	return map[string]write{"update": store.Update, "touch": store.Touch, "renew": store.Renew}
}

// documentation returns the package's, in words.
func documentation(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	return words(strings.ReplaceAll(string(text), "//", ""))
}
