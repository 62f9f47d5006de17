package sessiontest_test

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/sessiontest"
)

// get is the Get of an adapter that has none.
func get(r *http.Request) *core.Session {
	s, ok := core.FromContext(r.Context())
	if !ok {
		panic("no session")
	}
	return s
}

// mounted is the Mount of core's own middleware.
func mounted(t testing.TB, h sessiontest.Handler, managers ...*core.Manager) string {
	handler := sessiontest.HTTPHandler(h, get)
	for _, m := range slices.Backward(managers) {
		handler = m.Handler(handler)
	}
	return serve(t, handler)
}

// serve serves until the test is over, and keeps the panics of handlers out of the test's output.
func serve(t testing.TB, handler http.Handler) string {
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Start()
	t.Cleanup(server.Close)
	return server.URL
}

func TestTheHandlerOfCoreKeepsItsPromises(t *testing.T) {
	t.Parallel()
	sum := sessiontest.TestAdapter(t, mounted)
	require.Equal(t, sessiontest.Summary{Passed: len(sessiontest.AdapterChecks())}, sum)
}

func TestEachAdapterCheckHasANameOfItsOwnAndASentence(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, check := range sessiontest.AdapterChecks() {
		assert.False(t, seen[check.Name], "two checks %q", check.Name)
		assert.NotContains(t, check.Name, " ", "a subtest's name changes blanks")
		assert.True(t, strings.HasSuffix(check.Sentence, "."), "%s: %s", check.Name, check.Sentence)
		seen[check.Name] = true
	}
}
