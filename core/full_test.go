package core_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// That a store is full says that nothing was written: there is nothing to find out by loading, and
// no use in trying again at once.
func TestAFullStoreIsAskedOnce(t *testing.T) {
	bubble(t, "for a new session", func(t *testing.T) {
		m := newSite(t, core.Config{})
		m.store.fail(core.ErrStoreFull, opCreate)
		session := m.begin()
		note.Set(session, "x")
		err := m.Commit(t.Context(), session, http.Header{})
		require.ErrorIs(t, err, core.ErrStoreFull)
		assert.Equal(t, http.StatusServiceUnavailable, core.Status(err))
		assert.Equal(t, 1, m.store.count(opCreate, opLoad))
	})
	bubble(t, "for a session that grows", func(t *testing.T) {
		m := newSite(t, core.Config{})
		token, id := m.start(setNote("x"))
		session := m.begin(token)
		note.Set(session, "longer")
		m.store.forget()
		m.store.fail(core.ErrStoreFull, opUpdate)
		err := m.Commit(t.Context(), session, http.Header{})
		require.ErrorIs(t, err, core.ErrStoreFull)
		var failure *core.StoreError
		require.ErrorAs(t, err, &failure)
		assert.Equal(t, core.StoreError{Op: "update", ID: id, Err: core.ErrStoreFull}, *failure)
		assert.Equal(t, 1, m.store.count(opUpdate, opLoad))

		m.store.fail(nil, opUpdate)
		require.NoError(t, m.Commit(t.Context(), session, http.Header{}), "there is room again")
		assert.Equal(t, "longer", m.read(token))
	})
}
