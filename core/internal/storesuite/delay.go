package storesuite

import (
	"context"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// Delays measures how long an end that one node has acknowledged takes to the streams of another,
// and logs it. It judges no time.
func Delays(t *testing.T, s Subject) {
	t.Helper()
	rounds := 60
	if testing.Verbose() {
		rounds = 300
	}
	e := &endings{t: t, acknowledged: make(chan time.Time, 1)}
	e.here = s.manager(t, core.Config{ObserveStore: e.note})
	e.there = s.manager(t, core.Config{})
	e.awaitWatch()
	var delays []time.Duration
	for range rounds {
		delays = append(delays, e.delay())
	}
	slices.Sort(delays)
	t.Logf("from an acknowledged end to the other node's streams, %d ends: p50 %v, p99 %v, max %v",
		rounds, delays[rounds/2], delays[rounds*99/100], delays[rounds-1])
}

// endings happen here and are waited for there.
type endings struct {
	t            *testing.T
	here, there  *core.Manager
	acknowledged chan time.Time // when the store answered
}

func (e *endings) note(_ context.Context, call core.StoreCall) {
	if call.Op != "delete" {
		return
	}
	select {
	case <-e.acknowledged: // of an attempt that was not the last one
	default:
	}
	e.acknowledged <- call.Start.Add(call.Duration)
}

// awaitWatch begins a stream that lasts as long as the test, and waits for an end that comes to
// another one faster than by looking.
func (e *endings) awaitWatch() {
	_, release := e.opened(e.signedIn()).Live(e.t.Context())
	e.t.Cleanup(release)
	for e.delay() > time.Second {
	}
}

func (e *endings) signedIn() core.ID {
	e.t.Helper()
	session, err := e.here.Begin(e.t.Context(), http.Header{})
	require.NoError(e.t, err)
	session.SetOwner("ada")
	require.NoError(e.t, e.here.Commit(e.t.Context(), session, http.Header{}))
	return session.ID()
}

func (e *endings) opened(id core.ID) *core.Session {
	e.t.Helper()
	session, err := e.there.Open(e.t.Context(), id)
	require.NoError(e.t, err)
	return session
}

// delay ends a session here, and waits for the end of its stream there. It may have come before the
// answer to the end did.
func (e *endings) delay() time.Duration {
	e.t.Helper()
	id := e.signedIn()
	live, release := e.opened(id).Live(e.t.Context())
	defer release()
	over := make(chan time.Time, 1)
	context.AfterFunc(live, func() { over <- time.Now() })
	ended, err := e.here.RevokeOwned(e.t.Context(), "ada", id)
	require.NoError(e.t, err)
	require.True(e.t, ended)
	select {
	case at := <-over:
		return max(0, at.Sub(<-e.acknowledged))
	case <-time.After(time.Minute):
		require.Fail(e.t, "the stream has not ended")
		return 0
	}
}

// manager is one of a node of its own.
func (s Subject) manager(t *testing.T, cfg core.Config) *core.Manager {
	t.Helper()
	cfg.Store, cfg.LoadTimeout, cfg.CommitTimeout = s.Open(t), patience, patience
	m, err := core.New(cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	return m
}
