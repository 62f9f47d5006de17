package core_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

func TestATouchIsWrittenOnlyOnceInAWhile(t *testing.T) {
	bubble(t, "when more than the interval has passed", func(t *testing.T) {
		m := newSite(t, core.Config{})
		token, id := m.start(setNote("x"))
		before := m.record(id)
		pass(5 * time.Minute)
		m.begin(token)
		assert.Equal(t, before, m.record(id), "exactly the interval is not more")
		pass(ms)
		m.begin(token)
		after := m.record(id)
		assert.NotEqual(t, before.Revision, after.Revision)
		assert.Equal(t, time.Now().UTC(), after.Used)
		assert.Equal(t, time.Now().Add(time.Hour).UTC(), after.Expires)
		assert.Equal(t, before.Data, after.Data)
		assert.Equal(t, before.Owner, after.Owner)
		assert.Equal(t, 1, m.store.count(opTouch))
		assert.Zero(t, m.store.count(opUpdate))
	})
	bubble(t, "a request a second is a write in five minutes", func(t *testing.T) {
		assert.Equal(t, 3, touchesWithin(t, core.Config{}, 16*time.Minute))
	})
	bubble(t, "of parallel requests one writes", func(t *testing.T) {
		m := newSite(t, core.Config{})
		token, _ := m.start(setNote("x"))
		pass(10 * time.Minute)
		first := m.begin(token)
		second := m.begin(token)
		assert.Equal(t, 1, m.store.count(opTouch))
		note.Set(first, "y")
		hits.Set(second, 1)
		m.commit(first)
		m.commit(second)
		assert.Equal(t, "y", m.read(token))
	})
	bubble(t, "it does not outlive the lifetime", func(t *testing.T) {
		m := newSite(t, core.Config{Lifetime: 90 * time.Minute})
		token, id := m.start(setNote("x"))
		end := time.Now().Add(90 * time.Minute).UTC()
		pass(50 * time.Minute)
		m.begin(token)
		assert.Equal(t, end, m.record(id).Expires)
	})
	bubble(t, "a store without Touch gets an Update", func(t *testing.T) {
		store := newSpyStore()
		m := newSite(t, core.Config{Store: bareStore{store}})
		m.store = store
		token, id := m.start(setNote("x"))
		before := m.record(id)
		pass(10 * time.Minute)
		assert.Equal(t, "x", m.read(token))
		assert.Equal(t, 1, store.count(opUpdate))
		assert.Equal(t, before.Data, m.record(id).Data)
		assert.Equal(t, time.Now().UTC(), m.record(id).Used)
	})
}

// due begins a session whose next request touches.
func due(t *testing.T, cfg core.Config) (m *site, token string, id core.ID) {
	m = newSite(t, cfg)
	token, id = m.start(setNote("x"))
	pass(30 * time.Minute)
	m.events.take()
	return m, token, id
}

func TestATouchNeverFailsARequest(t *testing.T) {
	bubble(t, "the store is down", func(t *testing.T) {
		m, token, id := due(t, core.Config{})
		m.store.fail(errDown, opTouch)
		assert.Equal(t, "x", m.read(token))
		assert.Equal(t, []core.Event{
			{Kind: core.StoreFailure, ID: id, Reason: "touch", Err: errDown},
		}, m.events.take())
		m.store.fail(nil, opTouch)
		pass(29 * time.Minute)
		assert.Equal(t, "x", m.read(token), "tried again with the next request")
		pass(59 * time.Minute)
		assert.True(t, m.alive(token))
	})
	bubble(t, "another request wrote meanwhile", func(t *testing.T) {
		m, token, id := due(t, core.Config{})
		m.store.setBefore(opTouch, once(func(context.Context, error) error {
			m.edit(id, func(rec *core.Record) { rec.Revision++ })
			return nil
		}))
		session := m.begin(token)
		assert.NotEmpty(t, session.ID())
		assert.Empty(t, m.events.take(), "that is no trouble")
		note.Set(session, "y")
		m.commit(session)
		assert.Equal(t, "y", m.read(token))
	})
	bubble(t, "the copies do not confirm it", func(t *testing.T) {
		m, token, id := due(t, core.Config{})
		m.store.unconfirmedBy(opTouch)
		session := m.begin(token)
		assert.Equal(t, time.Now().UTC(), m.record(id).Used)
		note.Set(session, "y")
		m.commit(session)
		require.NoError(t, m.Close())
	})
	bubble(t, "the answer is lost", func(t *testing.T) {
		m, token, _ := due(t, core.Config{})
		m.store.setAfter(opTouch, func(context.Context, error) error { return errDown })
		session := m.begin(token)
		hits.Update(session, increment)
		m.commit(session)
		n, _ := hits.Get(m.begin(token))
		assert.Equal(t, 1, n)
	})
}

func TestATouchFindsTheSessionEnded(t *testing.T) {
	bubble(t, "between its load and its touch", func(t *testing.T) {
		m, token, id := due(t, core.Config{})
		m.store.setBefore(opTouch, func(ctx context.Context, _ error) error {
			return m.store.MemoryStore.Delete(ctx, id)
		})
		session := m.begin(token)
		assert.Empty(t, session.ID())
		assert.Equal(t, []core.Event{{Kind: core.TokenUnknown, ID: id}}, m.events.take())
		assert.Zero(t, m.store.Len(), "it is not brought back")
		note.Set(session, "new")
		assert.Equal(t, "new", m.read(tokenIn(t, m.commit(session))))
	})
}

func TestATouchDelaysARequestByAQuarterOfASecondAtMost(t *testing.T) {
	for name, test := range map[string]struct {
		cfg  core.Config
		want time.Duration
	}{
		"usually":                    {core.Config{}, 250 * ms},
		"with a shorter LoadTimeout": {core.Config{LoadTimeout: 100 * ms}, 100 * ms},
		"with a longer LoadTimeout":  {core.Config{LoadTimeout: time.Minute}, 250 * ms},
	} {
		bubble(t, name, func(t *testing.T) {
			m, token, _ := due(t, test.cfg)
			m.store.hang(opTouch)
			begun := time.Now()
			session := m.begin(token)
			assert.Equal(t, test.want, time.Since(begun))
			assert.NotEmpty(t, session.ID())
			assert.Equal(t, []core.EventKind{core.StoreFailure}, m.events.takeKinds())
		})
	}
	bubble(t, "or as long as the request has left", func(t *testing.T) {
		m, token, _ := due(t, core.Config{})
		m.store.hang(opTouch)
		ctx, cancel := context.WithTimeout(t.Context(), 10*ms)
		defer cancel()
		begun := time.Now()
		_, err := m.Begin(ctx, cookies(token))
		require.NoError(t, err)
		assert.Equal(t, 10*ms, time.Since(begun))
	})
}

func TestATouchThatLandsLateDoesNotBringASessionBack(t *testing.T) {
	bubble(t, "a store that ignores its deadline writes after the end", func(t *testing.T) {
		m := newSite(t, core.Config{})
		token, id := m.start(setNote("x"))
		pass(time.Hour - 200*ms)
		require.True(t, m.alive(token))
		assert.Zero(t, m.store.count(opTouch), "no touch in the last moments")
		pass(200 * ms)
		assert.False(t, m.alive(token))
		assert.True(t, m.record(id).Expires.Equal(time.Now()))
	})
}

func TestAnExpiredSessionIsNotTouched(t *testing.T) {
	bubble(t, "nor is one that an unknown token claims", func(t *testing.T) {
		m := newSite(t, core.Config{})
		token, id := m.start(setNote("x"))
		pass(30 * time.Minute)
		before := m.record(id)
		m.begin(token[:127] + differentFrom(token[127]))
		assert.Equal(t, before, m.record(id))
		pass(30 * time.Minute)
		m.visit(token, func(s *core.Session) { note.Get(s) })
		assert.Equal(t, before, m.record(id))
		assert.Zero(t, m.store.count(opTouch))
	})
	bubble(t, "and a new one takes its place", func(t *testing.T) {
		m := newSite(t, core.Config{})
		token, id := m.start(setNote("x"))
		pass(time.Hour)
		header := m.visit(token, func(s *core.Session) {
			_, ok := note.Get(s)
			assert.False(t, ok)
			hits.Set(s, 1)
		})
		fresh := tokenIn(t, header)
		assert.NotEqual(t, string(id), fresh[:32])
		_, ok := note.Get(m.begin(fresh))
		assert.False(t, ok)
		assert.Equal(t, http.Header{}, m.visit(fresh, nothing))
	})
}
