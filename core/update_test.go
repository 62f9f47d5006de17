package core_test

import (
	"context"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

func increment(n int) int { return n + 1 }

func TestUpdateGetsWhatIsThereOrZero(t *testing.T) {
	m := newSite(t, core.Config{})
	token, _ := m.start(func(s *core.Session) {
		hits.Update(s, func(n int) int {
			assert.Zero(t, n)
			return 10
		})
		assert.NotEmpty(t, s.ID(), "an update begins a session")
	})
	m.visit(token, func(s *core.Session) {
		hits.Update(s, increment)
		hits.Update(s, increment)
		n, _ := hits.Get(s)
		assert.Equal(t, 12, n)
	})
	n, _ := hits.Get(m.begin(token))
	assert.Equal(t, 12, n)
}

func TestUpdateAfterOtherChangesOfTheSameRequest(t *testing.T) {
	tests := map[string]struct {
		before func(*core.Session)
		want   int
	}{
		"a set":          {func(s *core.Session) { hits.Set(s, 100) }, 101},
		"a delete":       {func(s *core.Session) { hits.Delete(s) }, 1},
		"a clear":        {doClear, 1},
		"a take":         {func(s *core.Session) { hits.Take(s) }, 1},
		"another update": {func(s *core.Session) { hits.Update(s, increment) }, 7},
		"a renewal":      {doRenew, 6},
		"a destroy":      {doDestroy, 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			m := newSite(t, core.Config{})
			token, _ := m.start(func(s *core.Session) { hits.Set(s, 5) })
			response := m.visit(token, func(s *core.Session) {
				test.before(s)
				hits.Update(s, increment)
				n, _ := hits.Get(s)
				assert.Equal(t, test.want, n)
			})
			if len(response.Values("Set-Cookie")) > 0 {
				token = tokenIn(t, response)
			}
			n, _ := hits.Get(m.begin(token))
			assert.Equal(t, test.want, n)
		})
	}
}

func TestUpdatesOfManyGoroutinesOfOneRequestCountExactly(t *testing.T) {
	const goroutines, each = 16, 50
	m := newSite(t, core.Config{})
	token, _ := m.start(func(s *core.Session) {
		var wg sync.WaitGroup
		for range goroutines {
			wg.Go(func() {
				for range each {
					hits.Update(s, increment)
				}
			})
		}
		wg.Wait()
	})
	n, _ := hits.Get(m.begin(token))
	assert.Equal(t, goroutines*each, n)
}

func TestUpdatesCountExactlyWhileOthersCommitAndChange(t *testing.T) {
	const goroutines, each = 8, 25
	m := newSite(t, core.Config{})
	session := m.begin()
	var wg sync.WaitGroup
	for range goroutines {
		wg.Go(func() {
			for range each {
				hits.Update(session, increment)
				note.Set(session, "noise")
				assert.NoError(t, m.Commit(t.Context(), session, http.Header{}))
			}
		})
	}
	wg.Wait()
	m.commit(session)
	opened, err := m.Open(t.Context(), session.ID())
	require.NoError(t, err)
	n, _ := hits.Get(opened)
	assert.Equal(t, goroutines*each, n)
}

func TestUpdatesOfParallelRequestsAreRunAgainOnTheNewerValue(t *testing.T) {
	m := newSite(t, core.Config{})
	token, _ := m.start(func(s *core.Session) { hits.Set(s, 0) })
	const requests = 20
	var sessions []*core.Session
	for range requests {
		s := m.begin(token)
		hits.Update(s, increment)
		hits.Update(s, increment)
		sessions = append(sessions, s)
	}
	for _, s := range sessions {
		m.commit(s)
	}
	n, _ := hits.Get(m.begin(token))
	assert.Equal(t, 2*requests, n)
}

func TestAnUpdateThatFailsOnTheNewerValueIsAValueError(t *testing.T) {
	m := newSite(t, core.Config{})
	token, id := m.start(func(s *core.Session) { hits.Set(s, 1) })
	session := m.begin(token)
	hits.Update(session, increment)
	m.visit(token, func(s *core.Session) { core.NewValue[string]("hits").Set(s, "no number") })
	before := m.record(id)
	requireValueError(t, m.Commit(t.Context(), session, http.Header{}), "hits")
	assert.Equal(t, before, m.record(id))
}

// The function runs without a lock, so using the session in it cannot hang.
func TestUpdateWhoseFunctionUsesTheSession(t *testing.T) {
	for name, use := range map[string]func(*core.Session){
		"reads the same value": func(s *core.Session) { hits.Get(s) },
		"reads another value":  func(s *core.Session) { note.Get(s) },
		"asks for ID and Err":  func(s *core.Session) { _, _, _ = s.ID(), s.Err(), s.Names() },
		"sets another value":   setNote("set by the function"),
		"updates another value": func(s *core.Session) {
			note.Update(s, func(string) string { return "x" })
		},
		"deletes another value":   deleteNote,
		"renews":                  doRenew,
		"names an owner":          signIn("somebody"),
		"asks for the same owner": func(s *core.Session) { _ = s.Owner() },
	} {
		t.Run(name, func(t *testing.T) {
			m := newSite(t, core.Config{})
			token, _ := m.start(func(s *core.Session) { hits.Set(s, 5) })
			session := m.begin(token)
			runs := 0
			hits.Update(session, func(n int) int {
				runs++
				require.Less(t, runs, 10, "it runs again and again")
				use(session)
				return n + 1
			})
			n, _ := hits.Get(session)
			assert.Equal(t, 6, n)
			m.commit(session)
		})
	}
}

func TestAPanicInAnUpdateLeavesTheSessionUsable(t *testing.T) {
	m := newSite(t, core.Config{})
	session := m.begin()
	note.Set(session, "kept")
	assert.PanicsWithValue(t, "oops", func() {
		hits.Update(session, func(int) int { panic("oops") })
	})
	token := tokenIn(t, m.commit(session))
	assert.Equal(t, "kept", m.read(token))
}

func TestAnUpdateThatMeetsACommitIsNotLost(t *testing.T) {
	m := newSite(t, core.Config{})
	session := m.begin()
	hits.Set(session, 1)
	m.store.setBefore(opCreate, once(func(context.Context, error) error {
		hits.Update(session, increment) // on top of what is being stored right now
		n, _ := hits.Get(session)
		assert.Equal(t, 2, n)
		return nil
	}))
	m.commitUnsealed(session)
	n, _ := hits.Get(session)
	assert.Equal(t, 2, n)
	m.commit(session)
	opened, err := m.Open(t.Context(), session.ID())
	require.NoError(t, err)
	n, _ = hits.Get(opened)
	assert.Equal(t, 2, n)
}
