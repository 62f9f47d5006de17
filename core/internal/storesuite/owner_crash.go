package storesuite

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// A sign-in writes the record and then the index. If the second does not work, or nobody knows
// whether it did, a new session is gone, one that was there is as it was, and nothing is left in
// the index when the owner's sessions have been listed once.
func signInNotListed(t *testing.T, g *ground) {
	g.owners(t)
	adds := map[string][]raceReply{
		"not done, twice":         {raceRefused, raceRefused},
		"lost, twice":             {raceLost, raceLost},
		"lost, and then not done": {raceLost, raceRefused},
		"unconfirmed":             {raceUnconfirmed},
	}
	for name, add := range adds {
		for _, existing := range []bool{false, true} {
			for _, removed := range []bool{false, true} {
				title := fmt.Sprintf("%s, existing %t, removed %t", name, existing, removed)
				g.bubble(t, title, func(t *testing.T) {
					notListed(t, g, add, existing, removed)
				})
			}
		}
	}
}

func notListed(t *testing.T, g *ground, add []raceReply, existing, removed bool) {
	site := g.site(t, "cookie", core.Config{})
	token := ""
	if existing {
		token = site.start("", raceValues())
	}
	in := site.signIn(site.manager, somebody)
	replies := map[string][]raceReply{"add": add}
	if !removed {
		replies["remove"] = []raceReply{raceRefused}
	}
	l := site.audit(replies)
	pending := site.begin(token).signsIn(somebody, in)
	id := pending.session.ID()
	answer := pending.commit()
	site.store.onOwner = nil
	var store *core.StoreError
	require.ErrorAs(t, answer.err, &store)
	require.NotErrorIs(t, answer.err, core.ErrNotDurable, "no token goes out with it")
	require.Equal(t, http.StatusServiceUnavailable, answer.status)
	require.Empty(t, answer.issued())
	requireAsBefore(t, site, token, id, raceValues())
	require.Empty(t, site.listed(site.far, somebody))
	require.Empty(t, l.entries())

	again := site.begin(token).signsIn(somebody, in).commit()
	require.NoError(t, again.err, "the client can try again")
	require.Equal(t, []core.ID{raceID(again.issued())}, site.listed(site.far, somebody))
}

// So it is if the index does not answer until all the time of the commit has passed.
func signInNotAnswered(t *testing.T, g *ground) {
	g.owners(t)
	for _, existing := range []bool{false, true} {
		for _, done := range []bool{false, true} {
			g.bubble(t, fmt.Sprintf("existing %t, done %t", existing, done), func(t *testing.T) {
				site := g.site(t, "cookie", core.Config{})
				token := ""
				if existing {
					token = site.start("", raceValues())
				}
				in := site.signIn(site.manager, somebody)
				l := site.audit(nil)
				audit := site.store.onOwner
				site.store.onOwner = func(call ownerCall, do func() error) error {
					if call.verb == "add" {
						pass(10 * time.Second)
						if !done {
							return errRaceStore
						}
					}
					return audit(call, do)
				}
				pending := site.begin(token).signsIn(somebody, in)
				id := pending.session.ID()
				answer := pending.commit()
				site.store.onOwner = audit
				if answer.err == nil {
					require.Equal(t, 1, site.alive(somebody, answer.issued()))
					require.Len(t, l.entries(), 1)
					return
				}
				require.Empty(t, answer.issued())
				pass(time.Minute)
				requireAsBefore(t, site, token, id, raceValues())
				require.Empty(t, site.listed(site.far, somebody))
				require.Empty(t, l.entries())
			})
		}
	}
}

// Where only one answer is lost the sign-in is as good as any.
func signInListedTheSecondTime(t *testing.T, g *ground) {
	g.owners(t)
	for _, reply := range []raceReply{raceRefused, raceLost} {
		for _, existing := range []bool{false, true} {
			g.bubble(t, fmt.Sprintf("%s, existing %t", reply, existing), func(t *testing.T) {
				site := g.site(t, "cookie", core.Config{MaxPerOwner: 1})
				token := ""
				if existing {
					token = site.start("", raceValues())
				}
				in := site.signIn(site.manager, somebody)
				l := site.audit(map[string][]raceReply{"add": {reply}})
				answer := site.begin(token).signsIn(somebody, in).commit()
				site.store.onOwner = nil
				require.NoError(t, answer.err)
				require.Equal(t, 1, site.alive(somebody, answer.issued()))
				require.Len(t, l.entries(), 1)
				n, err := site.far.RevokeOwner(t.Context(), somebody)
				require.NoError(t, err)
				require.Equal(t, 1, n)
				require.False(t, site.opens(answer.issued()))
			})
		}
	}
}

// The store may panic between the two writes, and whoever serves the request recover. It is as if
// the sign-in had failed; and if there is nobody left to undo it, nobody has got a token either.
func signInThatCrashes(t *testing.T, g *ground) {
	g.owners(t)
	for _, existing := range []bool{false, true} {
		for _, done := range []bool{false, true} {
			for _, undone := range []bool{false, true} {
				title := fmt.Sprintf("existing %t, listed %t, undone %t", existing, done, undone)
				g.bubble(t, title, func(t *testing.T) { crashes(t, g, existing, done, undone) })
			}
		}
	}
}

func crashes(t *testing.T, g *ground, existing, done, undone bool) {
	site := g.site(t, "cookie", core.Config{})
	token := ""
	if existing {
		token = site.start("", raceValues())
	}
	pending := site.begin(token).signsIn(somebody, site.signIn(site.manager, somebody))
	id := pending.session.ID()
	l := &ledger{site: site}
	crashed := false
	site.store.onOwner = func(call ownerCall, do func() error) error {
		l.name = call.owner
		switch {
		case call.verb == "add":
			if done {
				require.NoError(t, do())
			}
			crashed = true
			panic("crash")
		case crashed && !undone:
			return errRaceStore
		}
		return do()
	}
	site.store.on = func(_ raceCall, do func() error) error {
		if crashed && !undone {
			return errRaceStore
		}
		return do()
	}
	require.Panics(t, func() { pending.commit() })
	site.store.on, site.store.onOwner = nil, nil
	site.manager.Rollback(t.Context(), pending.session)
	if undone {
		requireAsBefore(t, site, token, id, raceValues())
	}
	owner, _ := site.belongs(site.far, token)
	require.Empty(t, owner)
	ids := site.listed(site.far, somebody)
	require.Len(t, l.entries(), len(ids), "no orphan is left")

	_, err := site.far.RevokeOwner(t.Context(), somebody)
	require.NoError(t, err)
	require.Empty(t, l.entries())
	require.Equal(t, 1, site.alive(somebody, site.device(site.far, somebody)))
}

// An end, too, is two writes. What it leaves in the index goes with the next listing.
func endThatLeavesAnEntry(t *testing.T, g *ground) {
	g.owners(t)
	ends := map[string]func(site *raceSite, token string) error{
		"destroy": func(site *raceSite, token string) error {
			return site.request(token, raceStep{verb: "destroy"}).err
		},
		"revoke": func(site *raceSite, token string) error {
			return site.manager.Revoke(site.t.Context(), raceID(token))
		},
		"revoke owned": func(site *raceSite, token string) error {
			_, err := site.manager.RevokeOwned(site.t.Context(), somebody, raceID(token))
			return err
		},
		"another owner": func(site *raceSite, token string) error {
			return site.request(token, raceStep{verb: "owner", text: "user:4"}).err
		},
		"revoke owner": func(site *raceSite, _ string) error {
			_, err := site.manager.RevokeOwner(site.t.Context(), somebody)
			return err
		},
	}
	for name, end := range ends {
		g.bubble(t, name, func(t *testing.T) {
			site := g.site(t, "cookie", core.Config{})
			l := site.audit(nil)
			token := site.device(site.manager, somebody)
			raw := l.name
			l.replies = map[string][]raceReply{"remove": {raceRefused, raceRefused}}
			require.NoError(t, end(site, token), "the end does not depend on it")
			site.store.onOwner = nil
			l.name = raw
			require.False(t, site.opens(token))
			require.Len(t, l.entries(), 1)
			require.Empty(t, site.listed(site.far, somebody))
			require.Empty(t, l.entries())
		})
	}
}

// Whoever found an entry without a session may remove it a moment later. If the owner has signed in
// on that session meanwhile, the new entry stays.
func healingRemovesNothingNew(t *testing.T, g *ground) {
	g.owners(t)
	g.bubble(t, "the entry of a later sign-in stays", func(t *testing.T) {
		site := g.site(t, "cookie", core.Config{})
		token := site.start("", raceValues())
		l := site.audit(map[string][]raceReply{
			"add": {raceLost, raceRefused}, "remove": {raceRefused},
		})
		refused := site.begin(token).signsIn(somebody, site.signIn(site.manager, somebody)).commit()
		require.Error(t, refused.err)
		require.Len(t, l.entries(), 1, "it is left")
		var answer raceAnswer
		site.meet("remove", false, func() {
			in := site.signIn(site.manager, somebody)
			answer = site.begin(token).signsIn(somebody, in).commit()
			require.NoError(t, answer.err)
		})
		require.Empty(t, site.listed(site.far, somebody))
		require.NotEmpty(t, answer.issued(), "it met the listing")
		require.Equal(t, []core.ID{raceID(token)}, site.listed(site.far, somebody))
		n, err := site.far.RevokeOwner(t.Context(), somebody)
		require.NoError(t, err)
		require.Equal(t, 1, n)
		require.False(t, site.opens(answer.issued()))
	})
}
