package core_test

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/core/sessiontest"
)

// What the documentation shows as an adapter has to be one.
func TestTheExampleOfAnAdapterKeepsTheContract(t *testing.T) {
	mount := func(t testing.TB, h sessiontest.Handler, managers ...*core.Manager) string {
		handler := sessiontest.HTTPHandler(h, func(r *http.Request) *core.Session {
			s, _ := core.FromContext(r.Context())
			return s
		})
		for _, m := range slices.Backward(managers) {
			next := handler
			handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				serve(m, w, r, next)
			})
		}
		server := httptest.NewUnstartedServer(handler)
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
		server.Start()
		t.Cleanup(server.Close)
		return server.URL
	}
	sum := sessiontest.TestAdapter(t, mount)
	require.Empty(t, sum.Failed)
	require.Empty(t, sum.Lacking)
}
