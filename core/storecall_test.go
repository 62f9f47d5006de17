package core_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// calls are what ObserveStore was told, without the times.
type storeCalls struct {
	t    testing.TB
	mu   sync.Mutex
	list []core.StoreCall
}

func (c *storeCalls) observe(ctx context.Context, call core.StoreCall) {
	require.NotNil(c.t, ctx)
	assert.False(c.t, call.Start.IsZero())
	call.Start = time.Time{}
	if call.Op == opMark && call.Err == nil {
		return // comes every few seconds
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.list = append(c.list, call)
}

func (c *storeCalls) take() []core.StoreCall {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := c.list
	c.list = nil
	return list
}

func TestObserveStoreGetsEachCallWithItsDurationAndOutcome(t *testing.T) {
	bubble(t, "of a store", func(t *testing.T) {
		calls, store := &storeCalls{t: t}, newSpyStore()
		m := newSite(t, core.Config{Store: renewingStore{store}, ObserveStore: calls.observe})
		m.store = store
		slow := func(_ context.Context, err error) error { pass(time.Millisecond); return err }
		for _, op := range []string{opCreate, opLoad, opUpdate, opRenew, opTouch, opDelete} {
			store.setBefore(op, func(ctx context.Context, _ error) error { return slow(ctx, nil) })
		}
		token, id := m.start(setNote("x"))
		assert.Equal(t, []core.StoreCall{{Op: "create", ID: id, Duration: time.Millisecond}},
			calls.take())

		pass(10 * time.Minute) // sweeps
		for _, call := range calls.take() {
			assert.Equal(t, core.StoreCall{Op: "sweep"}, call)
		}
		session := m.begin(token)
		note.Set(session, "y")
		require.NoError(t, m.Commit(t.Context(), session, http.Header{}))
		ms := time.Millisecond
		assert.Equal(t, []core.StoreCall{
			{Op: "load", ID: id, Duration: ms},
			{Op: "touch", ID: id, Duration: ms},
			{Op: "update", ID: id, Duration: ms},
		}, calls.take())

		session = m.begin(token)
		session.Renew()
		store.setAfter(opRenew, once(func(context.Context, error) error { return errOneCopy }))
		require.ErrorIs(t, m.Commit(t.Context(), session, http.Header{}), core.ErrNotDurable)
		assert.Equal(t, []core.StoreCall{
			{Op: "load", ID: id, Duration: ms},
			{Op: "renew", ID: id, Duration: ms, Err: errOneCopy},
		}, calls.take())

		require.NoError(t, m.Revoke(t.Context(), id))
		list := calls.take()
		assert.Equal(t, core.StoreCall{Op: "delete", ID: id, Duration: ms}, list[len(list)-1])
	})
	bubble(t, "of the store that a zero Config has", func(t *testing.T) {
		calls := &storeCalls{t: t}
		m, err := core.New(core.Config{ObserveStore: calls.observe})
		require.NoError(t, err)
		session, err := m.Begin(t.Context(), http.Header{})
		require.NoError(t, err)
		note.Set(session, "x")
		session.Renew()
		require.NoError(t, m.Commit(t.Context(), session, http.Header{}))
		assert.Equal(t, []core.StoreCall{{Op: "create", ID: session.ID()}}, calls.take())
		pass(time.Minute)
		assert.Equal(t, []core.StoreCall{{Op: "sweep"}}, calls.take())
		require.NoError(t, m.Close())
	})
}

func TestObserveStoreIsNotToldOfWhatAStoreCannot(t *testing.T) {
	bubble(t, "neither touch nor sweep nor renew", func(t *testing.T) {
		calls, bare := &storeCalls{t: t}, struct{ core.Store }{newSpyStore()}
		m, err := core.New(core.Config{Store: bare, ObserveStore: calls.observe})
		require.NoError(t, err)
		defer func() { require.NoError(t, m.Close()) }()
		header := http.Header{}
		session, err := m.Begin(t.Context(), http.Header{})
		require.NoError(t, err)
		note.Set(session, "x")
		require.NoError(t, m.Commit(t.Context(), session, header))
		id := session.ID()
		pass(10 * time.Minute)

		token := tokenIn(t, header)
		session, err = m.Begin(t.Context(), http.Header{"Cookie": {"__Host-sid=" + token}})
		require.NoError(t, err)
		session.Renew()
		require.NoError(t, m.Commit(t.Context(), session, http.Header{}))
		assert.Equal(t, []core.StoreCall{
			{Op: "create", ID: id}, {Op: "load", ID: id}, {Op: "update", ID: id},
			{Op: "update", ID: id},
		}, calls.take())
	})
}

func TestObserveStoreGetsTheCallsAboutOwners(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		calls := &storeCalls{t: t}
		m := newSite(t, core.Config{ObserveStore: calls.observe})
		token, id := m.signInAs("ada")
		assert.Equal(t, []core.StoreCall{
			{Op: "owner epoch"}, {Op: "create", ID: id}, {Op: "add owned", ID: id},
		}, calls.take())
		m.sessions("ada")
		assert.Equal(t, []core.StoreCall{{Op: "list owned"}, {Op: "load", ID: id}}, calls.take())
		m.store.fail(errDown, opRaiseMark, opMark)
		require.Error(t, m.RevokeBefore(t.Context(), time.Now()))
		live, release := m.begin(token).Live(t.Context())
		synctest.Wait()
		calls.take()
		_, err := m.RevokeOwner(t.Context(), "ada")
		require.NoError(t, err)
		assert.Equal(t, []core.StoreCall{
			{Op: "raise epoch"}, {Op: "load", ID: id}, {Op: "delete", ID: id}, {Op: "remove owned"},
		}, calls.take())
		requireEnded(t, live, "ended")
		release()
		time.Sleep(10 * time.Second)
		list := calls.take()
		assert.Equal(t, core.StoreCall{Op: "mark", Err: errDown}, list[0])
		require.NoError(t, m.Close())
		list = calls.take()
		assert.Equal(t, "watch", list[len(list)-1].Op)
		assert.Equal(t, 10*time.Second, list[len(list)-1].Duration)
	})
}
