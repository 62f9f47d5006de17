package core_test

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

var errSecDown = errors.New("dial tcp 10.0.0.7:6379: connect: connection refused")

// secEnds are all the ways in which a session ends.
func secEnds() map[string]func(v *secVisitor) {
	return map[string]func(v *secVisitor){
		"destroyed":   func(v *secVisitor) { v.visit((*core.Session).Destroy) },
		"signed out":  func(v *secVisitor) { v.visit(func(s *core.Session) { s.SetOwner("") }) },
		"signed over": func(v *secVisitor) { v.visit(func(s *core.Session) { s.SetOwner("bob") }) },
		"revoked": func(v *secVisitor) {
			require.NoError(v.site.t, v.site.manager.Revoke(v.site.t.Context(), v.id()))
		},
		"opened and destroyed": func(v *secVisitor) {
			s, err := v.site.manager.Open(v.site.t.Context(), v.id())
			require.NoError(v.site.t, err)
			s.Destroy()
			require.NoError(v.site.t, v.site.manager.Commit(v.site.t.Context(), s, nil))
		},
		"destroyed in a panic": func(v *secVisitor) {
			require.Panics(v.site.t, func() {
				v.visit(func(s *core.Session) { s.Destroy(); panic("handler") })
			})
		},
		"destroyed with an outdated token": func(v *secVisitor) {
			old := v.token
			v.visit((*core.Session).Renew)
			v.site.serve(secWith(old), (*core.Session).Destroy)
		},
		"idle": func(*secVisitor) { secPass(time.Hour) },
		"of its lifetime": func(v *secVisitor) {
			for range 7 {
				secPass(30 * time.Minute)
				v.visit(secRead)
			}
			secPass(30 * time.Minute)
		},
	}
}

// id is the public name of the visitor's session.
func (v *secVisitor) id() core.ID { return core.ID(v.token[:32]) }

func TestT20_NoTokenEverIssuedOpensAnEndedSession(t *testing.T) {
	for name, end := range secEnds() {
		secBubble(t, name, func(t *testing.T) {
			site := newSecSite(t, core.Config{
				IdleTimeout: time.Hour, Lifetime: 4 * time.Hour,
				Carrier: core.Carriers(core.Cookie{}, core.Header{}, core.Bearer{Header: "X-Token"}),
			})
			visitor := site.visitor()
			visitor.visit(secSet("secret"))
			for range 6 {
				visitor.visit((*core.Session).Renew)
			}
			visitor.visit(func(s *core.Session) { s.SetOwner("alice") })
			visitor.visit(func(s *core.Session) { s.SetOwner("alice") })
			tokens := append([]string(nil), visitor.tokens...)
			require.Len(t, tokens, 9)
			note, _ := site.read(visitor.token)
			require.Equal(t, "secret", note)

			end(visitor)
			// From another device, in each carrier, now and later.
			for _, wait := range []time.Duration{0, time.Millisecond, 2 * time.Minute, 3 * time.Hour} {
				secPass(wait)
				for _, token := range tokens {
					for _, header := range []http.Header{
						secWith(token), secWithHeader(token), {"Authorization": {"Bearer " + token}},
					} {
						site.serve(header, func(s *core.Session) {
							require.Empty(t, s.ID())
							require.Empty(t, s.Owner())
							require.Empty(t, s.Names())
						})
					}
				}
				_, err := site.manager.Open(t.Context(), core.ID(tokens[0][:32]))
				require.ErrorIs(t, err, core.ErrNotFound)
			}
		})
	}
}

func TestT20_AnIDEndsNothing(t *testing.T) {
	secBubble(t, "a sign-out with a good ID and another's secret", func(t *testing.T) {
		site := newSecSite(t, core.Config{})
		token := secIssued(site.serve(nil, secOwned("alice", "hers")))
		forged := token[:32] + core.NewToken().Reveal()[32:]
		site.serve(secWith(forged), (*core.Session).Destroy)
		note, _ := site.read(token)
		require.Equal(t, "hers", note)
		require.Zero(t, site.store.count("delete"))
	})
}

func TestT20_AnotherApplicationEndsNothing(t *testing.T) {
	secBubble(t, "of another Namespace on the same store", func(t *testing.T) {
		site := newSecSite(t, core.Config{Namespace: "one"})
		other, err := core.New(core.Config{Namespace: "two", Store: site.store})
		require.NoError(t, err)
		defer other.Close()
		token := secIssued(site.serve(nil, secOwned("alice", "hers")))
		id := core.ID(token[:32])

		require.NoError(t, other.Revoke(t.Context(), id))
		_, err = other.Open(t.Context(), id)
		require.ErrorIs(t, err, core.ErrNotFound)
		foreign := &secSite{t: t, manager: other, store: site.store}
		foreign.requireDead(token)
		foreign.serve(secWith(token), (*core.Session).Destroy)
		note, _ := site.read(token)
		require.Equal(t, "hers", note)
	})
}

func TestT23_AnEndThatFailedIsNoSignOut(t *testing.T) {
	secBubble(t, "store down", func(t *testing.T) {
		site := newSecSite(t, core.Config{})
		visitor := site.visitor()
		visitor.visit(secOwned("alice", "hers"))
		token := visitor.token
		site.store.hook(func(op string) error {
			if op == "delete" {
				return errSecDown
			}
			return nil
		})
		response := visitor.visit((*core.Session).Destroy)
		require.Equal(t, http.StatusServiceUnavailable, response.StatusCode)
		require.Equal(t, "1", response.Header.Get("Retry-After"))
		require.Empty(t, response.Header.Values("Set-Cookie"), "the browser must be able to try again")
		require.ErrorIs(t, site.manager.Revoke(t.Context(), core.ID(token[:32])), errSecDown)
		require.NotContains(t, site.seen(), core.SessionExpired)
		site.store.hook(nil)
		require.True(t, secExpired(visitor.visit((*core.Session).Destroy)))
		site.requireDead(token)
	})
	secBubble(t, "done, but not confirmed by enough copies", func(t *testing.T) {
		site := newSecSite(t, core.Config{})
		visitor := site.visitor()
		visitor.visit(secOwned("alice", "hers"))
		token := visitor.token
		var confirming atomic.Bool
		site.store.hook(func(op string) error {
			if op != "delete" || confirming.Load() {
				return nil
			}
			require.NoError(t, site.store.MemoryStore.Delete(t.Context(), core.ID(token[:32])))
			return core.ErrNotDurable
		})
		response := visitor.visit((*core.Session).Destroy)
		require.Equal(t, http.StatusServiceUnavailable, response.StatusCode)
		require.True(t, secExpired(response), "as if it had worked")
		require.Contains(t, site.seen(), core.EndUnconfirmed)
		confirming.Store(true)
		secPass(time.Minute) // it is confirmed in the background
		require.NoError(t, site.manager.Close())
	})
}

func TestT69_AnEndDoesNotDependOnTheClient(t *testing.T) {
	secBubble(t, "the client hangs up during its sign-out", func(t *testing.T) {
		site := newSecSite(t, core.Config{})
		token := secIssued(site.serve(nil, secOwned("alice", "hers")))
		ctx, hangUp := context.WithCancel(t.Context())
		session, err := site.manager.Begin(ctx, secWith(token))
		require.NoError(t, err)
		session.Destroy()
		hangUp()
		require.NoError(t, site.manager.Commit(ctx, session, http.Header{}))
		site.requireDead(token)
		require.Zero(t, site.store.Len())
	})
}
