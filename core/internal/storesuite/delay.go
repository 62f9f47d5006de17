package storesuite

import (
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
	const rounds = 300
	here, there := s.manager(t), s.manager(t)
	awaitWatch(t, here, there)
	var delays []time.Duration
	for range rounds {
		delays = append(delays, delay(t, here, there))
	}
	slices.Sort(delays)
	t.Logf("from an acknowledged end to the other node's streams, %d ends: p50 %v, p99 %v, max %v",
		rounds, delays[rounds/2], delays[rounds*99/100], delays[rounds-1])
}

// awaitWatch begins a stream that lasts as long as the test, and waits for an end that comes to
// another one faster than by looking.
func awaitWatch(t *testing.T, here, there *core.Manager) {
	t.Helper()
	id := signedIn(t, here)
	opened, err := there.Open(t.Context(), id)
	require.NoError(t, err)
	_, release := opened.Live(t.Context())
	t.Cleanup(release)
	for delay(t, here, there) > time.Second {
	}
}

func signedIn(t *testing.T, m *core.Manager) core.ID {
	t.Helper()
	session, err := m.Begin(t.Context(), http.Header{})
	require.NoError(t, err)
	session.SetOwner("ada")
	require.NoError(t, m.Commit(t.Context(), session, http.Header{}))
	return session.ID()
}

// delay ends a session here, and waits for the end of its stream there.
func delay(t *testing.T, here, there *core.Manager) time.Duration {
	t.Helper()
	id := signedIn(t, here)
	opened, err := there.Open(t.Context(), id)
	require.NoError(t, err)
	live, release := opened.Live(t.Context())
	defer release()
	ended, err := here.RevokeOwned(t.Context(), "ada", id)
	require.NoError(t, err)
	require.True(t, ended)
	began := time.Now()
	select {
	case <-live.Done():
	case <-time.After(time.Minute):
		require.Fail(t, "the stream has not ended")
	}
	return time.Since(began)
}

// manager is one of a node of its own.
func (s Subject) manager(t *testing.T) *core.Manager {
	t.Helper()
	m, err := core.New(core.Config{Store: s.Open(t)})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	return m
}
