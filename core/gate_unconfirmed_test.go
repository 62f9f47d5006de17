package core_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

func TestAChangeAfterTheFirstByteThatIsNotConfirmedIsNotLost(t *testing.T) {
	m := newSite(t, core.Config{})
	token, _ := m.start(setNote("x"))
	m.events.take()
	m.store.unconfirmedBy(opUpdate)
	h := m.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, _ := core.FromContext(r.Context())
		_, _ = w.Write([]byte("first"))
		note.Set(s, "late")
	}))
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header = cookies(token)
	h.ServeHTTP(httptest.NewRecorder(), r)
	assert.Equal(t, "late", m.read(token))
	assert.Equal(t, []core.EventKind{core.EndUnconfirmed}, m.events.takeKinds())
}

func TestAWriteThatWasFoundAndThenOverwrittenIsNoConflict(t *testing.T) {
	for name, verdict := range map[string]error{
		"overwritten": core.ErrConflict, "ended": core.ErrNotFound,
	} {
		t.Run(name, func(t *testing.T) {
			m := newRenewingSite(t)
			token, _ := m.start(setNote("x"))
			session := m.begin(token)
			note.Set(session, "y")
			m.store.setAfter(opUpdate, once(func(context.Context, error) error { return errDown }))
			m.store.setAfter(opRenew, once(func(context.Context, error) error { return verdict }))
			err := m.Commit(t.Context(), session, http.Header{})
			require.ErrorIs(t, err, core.ErrNotDurable)
			require.NotErrorIs(t, err, verdict)
		})
	}
}
