package core_test

import (
	"context"
	"net/http"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// openStreams signs n owners in, and begins a stream of each one's.
func openStreams(tb testing.TB, m *core.Manager, n int) (sessions []core.ID, all []context.Context) {
	tb.Helper()
	for range n {
		s, err := m.Begin(tb.Context(), http.Header{})
		require.NoError(tb, err)
		s.SetOwner(string(core.NewToken().ID()))
		require.NoError(tb, m.Commit(tb.Context(), s, http.Header{}))
		sessions = append(sessions, s.ID())
	}
	for _, id := range sessions {
		s, err := m.Open(tb.Context(), id)
		require.NoError(tb, err)
		live, release := s.Live(context.Background())
		tb.Cleanup(release)
		all = append(all, live)
	}
	return sessions, all
}

// A hundred thousand streams have one watch between them, and no goroutine of their own.
func TestAHundredThousandStreams(t *testing.T) {
	n := 100_000
	if testing.Short() {
		n = 10_000
	}
	store := newSpyStore()
	link := newRemote(store)
	m, err := core.New(core.Config{Store: link})
	require.NoError(t, err)
	before := runtime.NumGoroutine()
	ids, all := openStreams(t, m, n)
	require.Less(t, runtime.NumGoroutine(), before+20)
	require.Equal(t, 1, link.tries())
	require.NoError(t, m.Revoke(t.Context(), ids[n/2]))
	<-all[n/2].Done()
	require.NoError(t, all[0].Err())
	require.NoError(t, m.Close())
	require.Error(t, all[n-1].Err())
}

// What one stream takes in memory beside its session, its handler's goroutine and its connection.
func BenchmarkMemoryOfAStream(b *testing.B) {
	const n = 100_000
	m, err := core.New(core.Config{})
	require.NoError(b, err)
	var sessions []core.ID
	for range n {
		s, err := m.Begin(b.Context(), http.Header{})
		require.NoError(b, err)
		s.SetOwner(string(core.NewToken().ID()))
		require.NoError(b, m.Commit(b.Context(), s, http.Header{}))
		sessions = append(sessions, s.ID())
	}
	lives := make([]context.Context, n)
	releases := make([]context.CancelFunc, n)
	for b.Loop() {
		before := int64(heap())
		for i, id := range sessions {
			s, err := m.Open(b.Context(), id)
			require.NoError(b, err)
			lives[i], releases[i] = s.Live(context.Background())
		}
		b.ReportMetric(float64(int64(heap())-before)/n, "bytes/stream")
		for i, release := range releases {
			release()
			lives[i], releases[i] = nil, nil
		}
	}
	require.NoError(b, m.Close())
}
