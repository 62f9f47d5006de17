package core_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// sizeOf is what values of the frame take: a count, and of each name and JSON the length and bytes.
func sizeOf(jsons map[string]string) int {
	size := 1
	for name, text := range jsons {
		for _, field := range []string{name, text} {
			size += 1 + len(field)
			if len(field) > 127 {
				size++
			}
		}
	}
	return size
}

func TestMaxDataIsExact(t *testing.T) {
	long := strings.Repeat("x", 500)
	jsons := map[string]string{"note": `"` + long + `"`, "hits": "12"}
	size := sizeOf(jsons)
	fill := func(s *core.Session) {
		note.Set(s, long)
		hits.Set(s, 12)
	}
	t.Run("exactly as much is stored", func(t *testing.T) {
		m := newSite(t, core.Config{MaxData: size})
		token, _ := m.start(fill)
		assert.Equal(t, long, m.read(token))
	})
	t.Run("a byte less and the sum is too large", func(t *testing.T) {
		m := newSite(t, core.Config{MaxData: size - 1})
		session := m.begin()
		note.Set(session, long)
		require.NoError(t, session.Err(), "alone it fits")
		hits.Set(session, 12)
		requireValueError(t, session.Err(), "")
		said := session.Err().Error()
		err := m.Commit(t.Context(), session, http.Header{})
		requireValueError(t, err, "")
		assert.Equal(t, said, err.Error())
		assert.Zero(t, m.store.writes())

		hits.Delete(session)
		require.NoError(t, session.Err())
		m.commit(session)
	})
	t.Run("an existing session does not outgrow it either", func(t *testing.T) {
		m := newSite(t, core.Config{MaxData: size})
		token, id := m.start(fill)
		before := m.record(id)
		session := m.begin(token)
		hits.Set(session, 123)
		requireValueError(t, session.Err(), "")
		requireValueError(t, m.Commit(t.Context(), session, http.Header{}), "")
		assert.Equal(t, before, m.record(id))
	})
	t.Run("the default is 64 KiB", func(t *testing.T) {
		m := newSite(t, core.Config{})
		largest := strings.Repeat("x", 64<<10-1-len("\x04note")-3-2)
		m.start(setNote(largest))
		session := m.begin()
		note.Set(session, largest+"x")
		requireValueError(t, session.Err(), "")
	})
}

// Lowering MaxData must not lock up the sessions that are larger: what does not add may go on.
func TestASessionLargerThanALoweredMaxDataCanStillBeUsed(t *testing.T) {
	m := newSite(t, core.Config{})
	token, _ := m.start(setNote(strings.Repeat("x", 1000)))
	small := newSite(t, core.Config{Store: m.store, MaxData: 100})

	session := small.begin(token)
	session.Renew()
	require.NoError(t, session.Err())
	token = tokenIn(t, small.commit(session))

	session = small.begin(token)
	hits.Set(session, 1)
	requireValueError(t, session.Err(), "")
	hits.Delete(session)
	note.Set(session, "short")
	require.NoError(t, session.Err())
	small.commit(session)
	assert.Equal(t, "short", small.read(token))
}
