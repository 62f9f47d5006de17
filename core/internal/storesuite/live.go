package storesuite

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// watching is where a store can tell of ends: on open ground, unless it does no I/O.
func (g *ground) watching(t *testing.T) *ground {
	t.Helper()
	if _, ok := g.stores(t)[0].(core.Watcher); !ok {
		t.Skip("not tested: the store keeps no index of owners, or cannot be watched")
	}
	if g.open == nil || g.Local {
		return g
	}
	return g.open
}

// live is what goes on longer than the request that began it, at the near node.
func (site *raceSite) live(token string) context.Context {
	s := site.begin(token).session
	require.NotEmpty(site.t, s.ID())
	ctx, cancel := s.Live(site.t.Context())
	site.t.Cleanup(cancel)
	return ctx
}

// requireOver waits for the end of what goes on.
func requireOver(t *testing.T, live context.Context, id core.ID, reasons ...string) {
	t.Helper()
	late := time.NewTimer(patience / 3)
	defer late.Stop()
	select {
	case <-live.Done():
	case <-late.C:
		require.Fail(t, "it goes on")
	}
	var ended *core.EndedError
	require.ErrorAs(t, context.Cause(live), &ended)
	require.ErrorIs(t, ended, core.ErrGone)
	require.Equal(t, id, ended.ID)
	require.Contains(t, reasons, ended.Reason)
}

// An end is a way in which a session of somebody's comes to its end, or loses its token.
type end struct {
	name   string
	owned  bool // it needs the session's owner
	reason string
	do     func(site *raceSite, m *core.Manager, token string) error
}

func ends() []end {
	request := func(step ...raceStep) func(*raceSite, *core.Manager, string) error {
		return func(site *raceSite, m *core.Manager, token string) error {
			return site.beginAt(m, token).handle(step...).commit().err
		}
	}
	return []end{
		{"destroy", false, "ended", request(raceStep{verb: "destroy"})},
		{"revoke", false, "ended", func(site *raceSite, m *core.Manager, token string) error {
			return m.Revoke(site.t.Context(), raceID(token))
		}},
		{"revoke owned", true, "ended", func(site *raceSite, m *core.Manager, token string) error {
			ok, err := m.RevokeOwned(site.t.Context(), somebody, raceID(token))
			assert.True(site.t, ok)
			return err
		}},
		{"revoke owner", true, "ended", func(site *raceSite, m *core.Manager, _ string) error {
			n, err := m.RevokeOwner(site.t.Context(), somebody)
			assert.Equal(site.t, 1, n)
			return err
		}},
		{"revoke others", true, "ended", func(site *raceSite, m *core.Manager, _ string) error {
			answer := site.beginAt(m, "").signsIn(somebody).commit()
			s := site.beginAt(m, answer.issued()).session
			n, err := m.RevokeOthers(site.t.Context(), s)
			assert.Equal(site.t, 1, n)
			return errors.Join(answer.err, err)
		}},
		{"revoke before", false, "revoked", func(site *raceSite, m *core.Manager, _ string) error {
			return m.RevokeBefore(site.t.Context(), time.Now())
		}},
		{"a re-authentication", true, "replaced", request(raceStep{"owner", "", somebody})},
		{"a sign-in of nobody", false, "replaced", request(raceStep{"owner", "", somebody})},
		{"somebody else", true, "ended", request(raceStep{"owner", "", "user:4"})},
		{"a higher level", true, "replaced",
			func(site *raceSite, m *core.Manager, token string) error {
				pending := site.beginAt(m, token)
				pending.session.SetLevel(2)
				return pending.commit().err
			}},
	}
}

// begin makes the session that is to end.
func (e end) begin(site *raceSite) string {
	if e.owned {
		return site.device(site.manager, somebody)
	}
	return site.start("", raceValues())
}

// What goes on with a session ends with it, whichever node ended it, and so does what was begun
// with a token that a change of privileges has replaced.
func liveEnds(t *testing.T, g *ground) {
	g.owners(t)
	g = g.watching(t)
	for _, e := range ends() {
		g.bubble(t, e.name, func(t *testing.T) {
			site := g.site(t, "cookie", core.Config{})
			token := e.begin(site)
			one, two := site.live(token), site.live(token)
			require.NoError(t, one.Err())
			pass(2 * time.Millisecond) // or a re-authentication would be at the same time
			require.NoError(t, e.do(site, site.far, token))
			requireOver(t, one, raceID(token), e.reason)
			requireOver(t, two, raceID(token), e.reason)
			require.NoError(t, site.close())
		})
	}
	g.bubble(t, "an end just when it begins", func(t *testing.T) {
		site := g.site(t, "cookie", core.Config{})
		for range 20 {
			token := site.start("", raceValues())
			s := site.begin(token).session
			var both sync.WaitGroup
			var live context.Context
			both.Go(func() {
				live, _ = s.Live(t.Context()) //nolint:govet // it ends with the session
			})
			both.Go(func() {
				assert.NoError(t, site.far.Revoke(t.Context(), raceID(token)))
			})
			both.Wait()
			requireOver(t, live, raceID(token), "ended")
		}
		require.NoError(t, site.close())
	})
	g.bubble(t, "an end before it begins", func(t *testing.T) {
		site := g.site(t, "cookie", core.Config{})
		token := site.start("", raceValues())
		s := site.begin(token).session
		require.NoError(t, site.far.Revoke(t.Context(), raceID(token)))
		live, cancel := s.Live(t.Context())
		defer cancel()
		requireOver(t, live, raceID(token), "ended")
		require.NoError(t, site.close())
	})
}

// What does not end the session, nor changes what it may do, does not end what goes on with it.
func liveGoesOn(t *testing.T, g *ground) {
	g.owners(t)
	g = g.watching(t)
	g.bubble(t, "through renewals, changes, and other sessions' ends", func(t *testing.T) {
		site := g.site(t, "cookie", core.Config{})
		token := site.device(site.manager, somebody)
		live, id := site.live(token), raceID(token)
		for i := range 3 {
			m := site.node(i)
			answer := site.beginAt(m, token).handle(raceStep{verb: "renew"}).commit()
			require.NoError(t, answer.err)
			token = answer.issued()
			require.NoError(t,
				site.beginAt(m, token).handle(raceStep{"set", "a", "x"}).commit().err)
			other := site.device(m, somebody)
			ended := site.live(other) // what was told before its end has been heard when it ends
			ok, err := site.node(i+1).RevokeOwned(t.Context(), somebody, raceID(other))
			require.NoError(t, err)
			require.True(t, ok)
			requireOver(t, ended, raceID(other), "ended")
			require.NoError(t, live.Err())
		}
		_, err := site.far.RevokeOwner(t.Context(), somebody)
		require.NoError(t, err)
		requireOver(t, live, id, "ended")
		require.NoError(t, site.close())
	})
	g.bubble(t, "until nobody waits any more", func(t *testing.T) {
		site := g.site(t, "cookie", core.Config{})
		token := site.start("", raceValues())
		live, cancel := site.begin(token).session.Live(t.Context())
		cancel()
		require.ErrorIs(t, context.Cause(live), context.Canceled)
		require.True(t, site.opens(token))
		require.NoError(t, site.close())
	})
}

// Where nobody tells of ends, what goes on ends a few seconds later.
func liveWithoutAWatch(t *testing.T, g *ground) {
	g.owners(t)
	for _, e := range ends() {
		g.bubble(t, e.name, func(t *testing.T) {
			site := g.site(t, "cookie", core.Config{})
			site.store.deaf = true
			token := e.begin(site)
			live := site.live(token)
			pass(7 * time.Second)
			require.NoError(t, live.Err())
			require.NoError(t, e.do(site, site.far, token))
			pass(10*time.Second + time.Millisecond) // a mark is asked for, and then sessions
			requireOver(t, live, raceID(token), e.reason)
			require.NoError(t, site.close())
		})
	}
}

// What goes on ends when the session does, by itself: not before it, where it is used elsewhere,
// and not after it.
func liveExpires(t *testing.T, g *ground) {
	g.bubble(t, "idle", func(t *testing.T) {
		site := g.site(t, "cookie", core.Config{IdleTimeout: time.Hour})
		token := site.start("", raceValues())
		live := site.live(token)
		pass(40 * time.Minute)
		require.NoError(t, site.request(token).err) // a use, at the other node
		pass(59 * time.Minute)
		require.NoError(t, live.Err())
		pass(time.Minute + 10*time.Millisecond)
		requireOver(t, live, raceID(token), "idle")
		require.NoError(t, site.close())
	})
	g.bubble(t, "lifetime", func(t *testing.T) {
		site := g.site(t, "cookie", core.Config{Lifetime: 2 * time.Hour, IdleTimeout: core.Never})
		token := site.start("", raceValues())
		live := site.live(token)
		pass(2*time.Hour - time.Second)
		require.NoError(t, live.Err())
		pass(time.Second + 10*time.Millisecond)
		requireOver(t, live, raceID(token), "lifetime")
		require.NoError(t, site.close())
	})
}
