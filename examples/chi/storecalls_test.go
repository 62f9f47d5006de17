package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/examples/internal/site"
)

func TestStoreCallsAreCountedByOutcome(t *testing.T) {
	var calls storeCalls
	m, err := core.New(core.Config{ObserveStore: calls.observe})
	require.NoError(t, err)
	defer m.Close()
	handler := m.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		s, _ := core.FromContext(r.Context())
		site.AddToCart(s, site.CartForm{Item: "tea"})
	}))
	visit := func(token string) string {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/cart", nil)
		r.Header.Set("Cookie", "__Host-sid="+token)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if cookies := w.Result().Cookies(); len(cookies) == 1 {
			return cookies[0].Value
		}
		return ""
	}
	token := visit("")
	require.Len(t, token, 128)
	visit(token)
	visit(strings.Repeat("x", 128))
	assert.Equal(t, "2", calls.count.Get("create ok").String())
	assert.Equal(t, "1", calls.count.Get("load ok").String())
	assert.Equal(t, "1", calls.count.Get("load not found").String())
	assert.Equal(t, "1", calls.count.Get("update ok").String())
	assert.NotNil(t, calls.micros.Get("load"))
}

func TestOutcome(t *testing.T) {
	for err, want := range map[error]string{
		nil:                "ok",
		core.ErrNotFound:   "not found",
		core.ErrExists:     "conflict",
		core.ErrConflict:   "conflict",
		core.ErrNotDurable: "unconfirmed",
		core.ErrStoreFull:  "failed",
	} {
		if err != nil {
			err = fmt.Errorf("wrapped: %w", err)
		}
		assert.Equal(t, want, outcome(err))
	}
}
