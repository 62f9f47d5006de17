package core_test

import (
	"context"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

func (s *secStore) OwnerEpoch(ctx context.Context, owner string) (core.Epoch, error) {
	if err := s.call(ctx, opEpoch); err != nil {
		return 0, err
	}
	return s.MemoryStore.OwnerEpoch(ctx, owner)
}

func (s *secStore) AddOwned(
	ctx context.Context, owner string, entry core.OwnerEntry, epoch core.Epoch, limit int,
) (int, error) {
	if err := s.call(ctx, opAdd); err != nil {
		return 0, err
	}
	return s.MemoryStore.AddOwned(ctx, owner, entry, epoch, limit)
}

func (s *secStore) ListOwned(ctx context.Context, owner string) ([]core.OwnerEntry, error) {
	if err := s.call(ctx, opList); err != nil {
		return nil, err
	}
	return s.MemoryStore.ListOwned(ctx, owner)
}

func (s *secStore) RemoveOwned(
	ctx context.Context, owner string, entries ...core.OwnerEntry,
) error {
	if err := s.call(ctx, opRemove); err != nil {
		return err
	}
	return s.MemoryStore.RemoveOwned(ctx, owner, entries...)
}

func (s *secStore) RaiseEpoch(
	ctx context.Context, owner string, epoch core.Epoch, until time.Time,
) (core.Epoch, []core.OwnerEntry, error) {
	if err := s.call(ctx, opRaise); err != nil {
		return 0, nil, err
	}
	return s.MemoryStore.RaiseEpoch(ctx, owner, epoch, until)
}

func (s *secStore) Mark(ctx context.Context, name string) (time.Time, error) {
	if err := s.call(ctx, opMark); err != nil {
		return time.Time{}, err
	}
	return s.MemoryStore.Mark(ctx, name)
}

func (s *secStore) RaiseMark(ctx context.Context, name string, at time.Time) error {
	if err := s.call(ctx, opRaiseMark); err != nil {
		return err
	}
	return s.MemoryStore.RaiseMark(ctx, name, at)
}

const opWatch = "watch"

func (s *secStore) Watch(ctx context.Context, w core.Watching) error {
	if err := s.call(ctx, opWatch); err != nil {
		return err
	}
	return s.MemoryStore.Watch(ctx, w)
}

// secOwnerEvents are those of owners, revocations of all, and watches.
func secOwnerEvents() []secEvent {
	return []secEvent{
		{core.SignInRefused, "warn", "limit", secCauseLimit},
		{core.SignInRefused, "warn", "revoked", secCauseStale},
		{core.SignInRefused, "warn", "expired", secCauseSlowSignIn},
		{core.AllRevoked, "warn", "", secCauseAllRevoked},
		{core.WatchLost, "warn", "", secCauseWatchLost},
		{core.WatchRestored, "info", "", secCauseWatchLost},
	}
}

// secOwnerFailures are a store's trouble with them.
func secOwnerFailures() []secEvent {
	down := func(op string, f func(*core.Manager)) secEvent {
		return secEvent{core.StoreFailure, "error", op, func(_ *testing.T, site *secSite) {
			site.serve(nil, secOwned("alice", "a"))
			site.serve(secWith(core.NewToken().Reveal()), secRead)
			site.store.hook(failing(op, errSecDown))
			f(site.manager)
			site.store.hook(nil)
		}}
	}
	ctx := context.Background()
	return []secEvent{
		down(opEpoch, func(m *core.Manager) { _, _ = m.BeginSignIn(ctx, "alice") }),
		down(opAdd, func(m *core.Manager) {
			s, _ := m.Begin(ctx, http.Header{})
			s.SetOwner("alice")
			_ = m.Commit(ctx, s, http.Header{})
		}),
		down(opList, func(m *core.Manager) { _, _ = m.Sessions(ctx, "alice") }),
		down(opRemove, func(m *core.Manager) { _, _ = m.RevokeOwner(ctx, "alice") }),
		down(opRaise, func(m *core.Manager) { _, _ = m.RevokeOwner(ctx, "alice") }),
		down(opMark, func(*core.Manager) { secPass(6 * time.Second) }),
		down(opRaiseMark, func(m *core.Manager) { _ = m.RevokeBefore(ctx, time.Now()) }),
		{core.StoreFailure, "error", "put back", secCausePutBack},
	}
}

func secCauseLimit(t *testing.T, site *secSite) { secCauseFull(t, site, core.RefuseNew) }

func secCauseEvicted(t *testing.T, site *secSite) { secCauseFull(t, site, core.EndUnusedLongest) }

func secCauseFull(t *testing.T, site *secSite, policy core.LimitPolicy) {
	manager, err := core.New(core.Config{
		Store: site.store, MaxPerOwner: 1, OwnerPolicy: policy, Logger: slog.New(&secLevels{site: site}),
		Observe: site.observe,
	})
	require.NoError(t, err)
	for range 2 {
		s, err := manager.Begin(t.Context(), http.Header{})
		require.NoError(t, err)
		s.SetOwner("alice")
		_ = manager.Commit(t.Context(), s, http.Header{})
	}
	require.NoError(t, manager.Close())
}

func secCauseStale(t *testing.T, site *secSite) {
	in, err := site.manager.BeginSignIn(t.Context(), "alice")
	require.NoError(t, err)
	_, err = site.manager.RevokeOwner(t.Context(), "alice")
	require.NoError(t, err)
	site.serve(nil, func(s *core.Session) { s.SetOwner("alice", in) })
}

func secCauseSlowSignIn(t *testing.T, site *secSite) {
	in, err := site.manager.BeginSignIn(t.Context(), "alice")
	require.NoError(t, err)
	secPass(time.Hour)
	site.serve(nil, func(s *core.Session) { s.SetOwner("alice", in) })
}

func secCauseAllRevoked(t *testing.T, site *secSite) {
	require.NoError(t, site.manager.RevokeBefore(t.Context(), time.Now()))
}

// secCauseWatchLost loses the watch, and gets it back.
func secCauseWatchLost(t *testing.T, site *secSite) {
	token := secIssued(site.serve(nil, secOwned("alice", "a")))
	site.store.hook(failing(opWatch, errSecDown))
	_, release := site.begin(token).Live(t.Context())
	secPass(time.Second)
	site.store.hook(nil)
	secPass(10 * time.Second)
	release()
	secPass(2 * time.Minute)
}

// secCausePutBack refuses a sign-in, and lets nothing be written afterwards.
func secCausePutBack(t *testing.T, site *secSite) {
	token := secIssued(site.serve(nil, secSet("a")))
	in, err := site.manager.BeginSignIn(t.Context(), "alice")
	require.NoError(t, err)
	site.store.once(opAdd, func() {
		_, err := site.manager.RevokeOwner(t.Context(), "alice")
		require.NoError(t, err)
		site.store.hook(failing("update", errSecDown))
	})
	site.serve(secWith(token), func(s *core.Session) { s.SetOwner("alice", in) })
	site.store.hook(nil)
	secPass(time.Minute) // it is done after all
	require.NotEmpty(t, site.begin(token).ID())
}

// owners is about whose sessions are whose, and what lives as long as they do.
func (l *secLife) owners() {
	m, ctx := l.site.manager, l.t.Context()
	in, err := m.BeginSignIn(ctx, "erin")
	l.listener.print(in, &in, err)
	token := l.request("", func(s *core.Session) { s.SetOwner("erin", in, core.Keep("note")) })
	token = l.request(token, func(s *core.Session) { s.SetLevel(2); s.SetLabel("phone") })
	list, err := m.Sessions(ctx, "erin")
	l.listener.print(list, err)

	l.site.store.hook(failing(opWatch, errSecDown))
	live, release := l.site.begin(token).Live(ctx)
	secPass(time.Second)
	l.site.store.hook(nil)
	secPass(10 * time.Second)
	ended, err := m.RevokeOwned(ctx, "erin", core.ID(token[:32]))
	require.NoError(l.t, err)
	require.True(l.t, ended)
	secPass(time.Second)
	l.listener.print(live, context.Cause(live))
	release()
	n, err := m.RevokeOwner(ctx, "erin")
	l.listener.print(n, err)
	l.request("", func(s *core.Session) { secMarked(s); s.SetOwner("erin", in) }) // stale
	l.listener.print(m.RevokeBefore(ctx, time.Now()))
	secPass(2 * time.Minute)
}
