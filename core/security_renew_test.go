package core_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

func TestT10_ANewTokenForEachChangeOfPrivilege(t *testing.T) {
	const pause = 10 * time.Second // less than TouchInterval
	signIn := func(owner string) func(*core.Session) {
		return func(s *core.Session) { s.SetOwner(owner) }
	}
	remember := func(s *core.Session) { s.Persist(true) }
	destroyAndSignIn := func(s *core.Session) { s.Destroy(); s.SetOwner("alice") }
	alice, kept := secOwned("alice", "a"), []string{"note"}
	cases := map[string]struct {
		before, change func(*core.Session)
		sameID         bool
		values         []string
		use            time.Duration
	}{
		"sign-in":              {secSet("cart"), signIn("alice"), true, kept, pause},
		"re-authentication":    {alice, signIn("alice"), true, kept, pause},
		"another user":         {alice, signIn("bob"), false, nil, pause},
		"a role, by Renew":     {alice, (*core.Session).Renew, true, kept, 0},
		"remember me":          {alice, remember, true, kept, 0},
		"sign-in after an end": {secSet("a"), destroyAndSignIn, false, nil, pause},
	}
	for name, test := range cases {
		secBubble(t, name, func(t *testing.T) {
			site := newSecSite(t, core.Config{})
			visitor := site.visitor()
			visitor.visit(test.before)
			old := visitor.token
			end := site.begin(old).Expires()
			secPass(pause)
			visitor.visit(test.change)

			require.NotEqual(t, old[32:], visitor.token[32:], "a new secret")
			require.Equal(t, test.sameID, old[:32] == visitor.token[:32])
			site.requireDead(old)
			session := site.begin(visitor.token)
			require.Equal(t, test.values, session.Names())
			require.Equal(t, 1, site.store.Len(), "one session, not two")
			if test.sameID {
				require.Equal(t, end.Add(test.use), session.Expires(),
					"a sign-in is a use, and a renewal no reason to last longer")
			}
			secPass(2 * time.Minute)
			site.requireDead(old)
		})
	}
}

// secOwned makes a session of somebody's.
func secOwned(owner, note string) func(*core.Session) {
	return func(s *core.Session) {
		s.SetOwner(owner)
		secValue().Set(s, note)
	}
}

func TestT10_TheOldTokenCanDoNothingButEnd(t *testing.T) {
	secBubble(t, "in the minute after a renewal", func(t *testing.T) {
		site := newSecSite(t, core.Config{})
		visitor := site.visitor()
		visitor.visit(secOwned("alice", "hers"))
		old := visitor.token
		visitor.visit((*core.Session).Renew)

		for name, attempt := range map[string]func(*core.Session){
			"set":     secSet("mine"),
			"sign in": func(s *core.Session) { s.SetOwner("mallory") },
			"update":  func(s *core.Session) { secValue().Update(s, strings.ToUpper) },
		} {
			response := site.serve(secWith(old), attempt)
			require.Equal(t, http.StatusConflict, response.StatusCode, name)
			require.Empty(t, response.Header.Values("Set-Cookie"), name)
		}
		for _, attempt := range []func(*core.Session){
			(*core.Session).Renew, (*core.Session).Clear, secValue().Delete,
			func(s *core.Session) { s.Persist(true) }, func(s *core.Session) { s.SetOwner("") },
		} {
			response := site.serve(secWith(old), attempt)
			require.Equal(t, http.StatusOK, response.StatusCode)
			require.Empty(t, response.Header.Values("Set-Cookie"))
		}
		note, _ := site.read(visitor.token)
		require.Equal(t, "hers", note)

		// Whoever holds the old token was a party to the session; he may end it, for a minute.
		require.True(t, secExpired(site.serve(secWith(old), (*core.Session).Destroy)))
		require.Zero(t, site.store.Len())
	})
}

func TestT10_AfterAMinuteTheOldTokenEndsNothing(t *testing.T) {
	secBubble(t, "as any other", func(t *testing.T) {
		site := newSecSite(t, core.Config{})
		visitor := site.visitor()
		visitor.visit(secOwned("alice", "hers"))
		old := visitor.token
		visitor.visit((*core.Session).Renew)
		secPass(time.Minute)
		site.seen()
		site.serve(secWith(old), (*core.Session).Destroy)
		require.Equal(t, []core.EventKind{core.TokenUnknown}, site.seen())
		note, _ := site.read(visitor.token)
		require.Equal(t, "hers", note)
	})
}

func TestT10_ARenewalThatIsNotStoredIsNotHandedOut(t *testing.T) {
	secBubble(t, "store down", func(t *testing.T) {
		site := newSecSite(t, core.Config{})
		visitor := site.visitor()
		visitor.visit(secSet("a"))
		site.store.hook(func(op string) error {
			if op == "update" {
				return errSecDown
			}
			return nil
		})
		for _, change := range []func(*core.Session){
			(*core.Session).Renew, secOwned("alice", "b"),
		} {
			response := visitor.visit(change)
			require.Equal(t, http.StatusServiceUnavailable, response.StatusCode)
			require.Empty(t, response.Header.Values("Set-Cookie"))
		}
		site.store.hook(nil)
		note, alive := site.read(visitor.token)
		require.True(t, alive, "the token that the client holds is still good")
		require.Equal(t, "a", note)
	})
}

// Fixation, as WSTG-SESS-03 plays it: an attacker has a session of the site, plants its token on
// the victim, and waits for him to sign in.
func TestT13_FixationEndToEnd(t *testing.T) {
	carriers := map[string]struct {
		carrier core.Carrier
		with    func(token string) http.Header
	}{
		"cookie": {core.Cookie{}, secWith},
		"header": {core.Header{}, secWithHeader},
		"bearer": {core.Bearer{}, func(token string) http.Header {
			return http.Header{"Authorization": {"Bearer " + token}}
		}},
	}
	for name, test := range carriers {
		secBubble(t, "a live token of the attacker's in the "+name, func(t *testing.T) {
			site := newSecSite(t, core.Config{Carrier: test.carrier})
			planted := secIssued(site.serve(test.with(""), secSet("planted")))
			victim := secIssued(site.serve(test.with(planted), func(s *core.Session) {
				s.SetOwner("victim")
			}))
			require.NotEmpty(t, victim)
			for _, wait := range []time.Duration{0, time.Second, 2 * time.Minute} {
				secPass(wait)
				site.serve(test.with(planted), func(s *core.Session) {
					require.Empty(t, s.Owner())
					require.Empty(t, s.ID())
				})
			}
			site.serve(test.with(victim), func(s *core.Session) {
				require.Equal(t, "victim", s.Owner())
			})
		})
		secBubble(t, "a made-up token in the "+name, func(t *testing.T) {
			site := newSecSite(t, core.Config{Carrier: test.carrier})
			chosen := core.NewToken().Reveal()
			victim := secIssued(site.serve(test.with(chosen), func(s *core.Session) {
				s.SetOwner("victim")
			}))
			require.NotEqual(t, chosen[:32], victim[:32])
			site.serve(test.with(chosen), func(s *core.Session) { require.Empty(t, s.Owner()) })
		})
	}
	secBubble(t, "a request of the attacker's during the sign-in", func(t *testing.T) {
		site := newSecSite(t, core.Config{})
		planted := secIssued(site.serve(nil, secSet("planted")))
		slow := site.begin(planted)
		victim := secIssued(site.serve(secWith(planted), func(s *core.Session) {
			s.SetOwner("victim")
		}))
		for _, attempt := range []func(*core.Session){
			secSet("from the attacker"), (*core.Session).Renew, secValue().Delete,
			func(s *core.Session) { s.SetOwner("victim") },
		} {
			attempt(slow)
			header := http.Header{}
			require.ErrorIs(t, site.manager.Commit(t.Context(), slow, header), core.ErrConflict)
			require.Empty(t, header)
		}
		note, _ := site.read(victim)
		require.Equal(t, "planted", note, "nothing of it came into the victim's session")
	})
}
