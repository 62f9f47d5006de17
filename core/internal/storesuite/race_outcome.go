package storesuite

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// A raceScript says for each call of a request to the store, by its verb, what becomes of it.
type raceScript struct {
	replies map[string][]raceReply // those that are not listed arrive
	verbs   []string               // the calls that came
}

func (s *raceScript) play(site *raceSite) {
	site.store.on = func(call raceCall, do func() error) error {
		if call.verb == "confirm" {
			return do() // what was found by loading: only a store that can confirm gets it
		}
		s.verbs = append(s.verbs, call.verb)
		list := s.replies[call.verb]
		if len(list) == 0 {
			return do()
		}
		s.replies[call.verb] = list[1:]
		return list[0].answer(0, do)
	}
}

// requireRefused checks an answer that is 503 and leaves the client's token untouched.
func requireRefused(t *testing.T, answer raceAnswer) {
	t.Helper()
	var store *core.StoreError
	require.ErrorAs(t, answer.err, &store)
	require.ErrorIs(t, answer.err, errRaceStore, "what the store said is kept")
	require.Equal(t, http.StatusServiceUnavailable, answer.status)
	require.Equal(t, http.Header{"Retry-After": {"1"}, "Vary": {"Cookie"}}, answer.header)
}

// Where an answer is lost the Manager loads, and does what that allows: nothing is done twice.
func unknownOutcome(t *testing.T, g *ground) {
	const lost, refused, arrives = raceLost, raceRefused, raceArrives
	update := raceStep{"update", "a", "+"}
	cases := []struct {
		name    string
		step    raceStep
		replies map[string][]raceReply
		verbs   []string // after Begin's load
		fails   bool
		a       string // the value afterwards
	}{
		{"found by loading", update, map[string][]raceReply{"update": {lost}},
			[]string{"update", "load"}, false, "a0+"},
		{"not done, so done once more", update, map[string][]raceReply{"update": {refused}},
			[]string{"update", "load", "update"}, false, "a0+"},
		{"not done, and the second answer lost", update,
			map[string][]raceReply{"update": {refused, lost}},
			[]string{"update", "load", "update", "load"}, false, "a0+"},
		{"not done twice", update, map[string][]raceReply{"update": {refused, refused}},
			[]string{"update", "load", "update", "load"}, true, "a0"},
		{"done, and not to be looked up", update,
			map[string][]raceReply{"update": {lost}, "load": {arrives, lost}},
			[]string{"update", "load"}, true, "a0+"},
		{"not done, and not to be looked up", update,
			map[string][]raceReply{"update": {refused}, "load": {arrives, refused}},
			[]string{"update", "load"}, true, "a0"},
		{"not done, then lost, and not to be looked up", update,
			map[string][]raceReply{"update": {refused, lost}, "load": {arrives, arrives, lost}},
			[]string{"update", "load", "update", "load"}, true, "a0+"},
	}
	for _, c := range cases {
		g.bubble(t, c.name, func(t *testing.T) {
			site := g.site(t, "cookie", core.Config{})
			token := site.start("", raceValues())
			script := raceScript{replies: c.replies}
			script.play(site)
			answer := site.request(token, c.step)
			site.store.on = nil
			require.Equal(t, append([]string{"load"}, c.verbs...), script.verbs)
			if c.fails {
				requireRefused(t, answer)
				require.True(t, site.told(core.StoreFailure))
			} else {
				require.NoError(t, answer.err)
				require.Equal(t, raceOnlyVary(), answer.header)
			}
			require.True(t, site.opens(token), "the token that the client holds is still good")
			_, values, _ := site.contents(raceID(token))
			require.Equal(t, c.a, values["a"])
		})
	}
}

// A write whose outcome was unknown once must not be done on top of what somebody else wrote then:
// they may have built on it.
func unknownOutcomeAndAnotherWriter(t *testing.T, g *ground) {
	for name, first := range map[string]raceReply{"done": raceLost, "not done": raceRefused} {
		g.bubble(t, "and the write was "+name, func(t *testing.T) {
			site := g.site(t, "cookie", core.Config{})
			token := site.start("", raceValues())
			pending := site.begin(token).handle(raceStep{"update", "a", "+"})
			other := site.begin(token).handle(raceStep{"update", "a", "*"})
			calls := 0
			site.store.on = func(call raceCall, do func() error) error {
				if call.verb != "update" {
					return do()
				}
				calls++
				err := first.answer(calls-1, do)
				if calls == 1 {
					on := site.store.on
					site.store.on = nil
					require.NoError(t, other.commit().err)
					site.store.on = on
				}
				return err
			}
			requireRefused(t, pending.commit())
			site.store.on = nil
			require.Equal(t, 1, calls)
			_, values, _ := site.contents(raceID(token))
			want := map[string]string{"done": "a0+*", "not done": "a0*"}
			require.Equal(t, want[name], values["a"])
		})
	}
}

func unknownOutcomeAndAnotherWriterBeforeRepetition(t *testing.T, g *ground) {
	g.bubble(t, "nothing is done on top of it", func(t *testing.T) {
		site := g.site(t, "cookie", core.Config{})
		token := site.start("", raceValues())
		pending := site.begin(token).handle(raceStep{"update", "a", "+"})
		calls := 0
		site.store.on = func(call raceCall, do func() error) error {
			if call.verb != "update" {
				return do()
			}
			calls++
			if calls == 1 {
				return raceRefused.answer(0, do)
			}
			site.store.on = nil
			require.NoError(t, site.request(token, raceStep{"update", "a", "*"}).err)
			return do()
		}
		requireRefused(t, pending.commit())
		_, values, _ := site.contents(raceID(token))
		require.Equal(t, "a0*", values["a"])
	})
	g.bubble(t, "and it is no conflict if that cannot be seen", func(t *testing.T) {
		site := g.site(t, "cookie", core.Config{})
		token := site.start("", raceValues())
		pending := site.begin(token).handle(raceStep{"update", "a", "+"})
		calls := map[string]int{}
		site.store.on = func(call raceCall, do func() error) error {
			calls[call.verb]++
			switch {
			case call.verb == "update" && calls["update"] == 2:
				on := site.store.on
				site.store.on = nil
				require.NoError(t, site.request(token, raceStep{"update", "a", "*"}).err)
				site.store.on = on
				return do()
			case call.verb == "update", calls["load"] == 2:
				return raceRefused.answer(0, do)
			}
			return do()
		}
		answer := pending.commit()
		site.store.on = nil
		require.Equal(t, map[string]int{"update": 2, "load": 2}, calls)
		requireRefused(t, answer)
		require.NotErrorIs(t, answer.err, core.ErrConflict)
	})
}

// The write that is done once more is the same one, so that one that only came late and its
// repetition are one.
func repeatedWriteIsTheSame(t *testing.T, g *ground) {
	g.bubble(t, "in all its fields", func(t *testing.T) {
		site := g.site(t, "cookie", core.Config{})
		token := site.start("", raceValues())
		var writes []raceCall
		script := raceScript{replies: map[string][]raceReply{"update": {raceRefused}}}
		script.play(site)
		play := site.store.on
		site.store.on = func(call raceCall, do func() error) error {
			if call.verb == "update" {
				writes = append(writes, call)
			}
			return play(call, do)
		}
		require.NoError(t, site.request(token, raceStep{verb: "renew"}).err)
		require.Len(t, writes, 2)
		require.Equal(t, writes[0].rec, writes[1].rec)
		require.Equal(t, writes[0].was, writes[1].was)
	})
}

// An unknown outcome may cost a sign-in, never more: nobody else gets the session, nothing forks,
// and the client can sign in again.
func unknownSignIn(t *testing.T, g *ground) {
	g.bubble(t, "of a session that was there", func(t *testing.T) {
		site := g.site(t, "cookie", core.Config{})
		old := site.start("", raceValues())
		script := raceScript{replies: map[string][]raceReply{
			"update": {raceLost}, "load": {raceArrives, raceLost},
		}}
		script.play(site)
		requireRefused(t, site.request(old, raceStep{verb: "owner", text: "user:1"}))
		site.store.on = nil
		require.False(t, site.opens(old), "the renewal took effect")
		require.Equal(t, 1, site.records())

		again := raceStep{verb: "owner", text: "user:1"}
		require.ErrorIs(t, site.request(old, again).err, core.ErrOutdated)
		pass(time.Minute)
		require.True(t, site.opens(site.request(old, again).issued()))
	})
	for name, reply := range map[string]raceReply{"done": raceLost, "not done": raceRefused} {
		g.bubble(t, "that begins a session, and was "+name, func(t *testing.T) {
			site := g.site(t, "cookie", core.Config{})
			script := raceScript{replies: map[string][]raceReply{
				"create": {reply}, "load": {raceLost},
			}}
			script.play(site)
			requireRefused(t, site.request("", raceStep{verb: "owner", text: "user:1"}))
			require.Equal(t, []string{"create", "load"}, script.verbs)
			site.store.on = nil
			answer := site.request("", raceStep{verb: "owner", text: "user:1"})
			require.True(t, site.opens(answer.issued()))
		})
	}
}

func unknownBeginning(t *testing.T, g *ground) {
	cases := []struct {
		name    string
		replies []raceReply
		verbs   []string
		records int
	}{
		{"found by loading", []raceReply{raceLost}, []string{"create", "load"}, 1},
		{"not done, so done once more", []raceReply{raceRefused},
			[]string{"create", "load", "create"}, 1},
		{"not done, and the second answer lost", []raceReply{raceRefused, raceLost},
			[]string{"create", "load", "create", "load"}, 1},
		{"not done twice", []raceReply{raceRefused, raceRefused},
			[]string{"create", "load", "create", "load"}, 0},
	}
	for _, c := range cases {
		g.bubble(t, c.name, func(t *testing.T) {
			site := g.site(t, "cookie", core.Config{})
			script := raceScript{replies: map[string][]raceReply{"create": c.replies}}
			script.play(site)
			answer := site.request("", raceStep{"set", "a", "mine"})
			site.store.on = nil
			require.Equal(t, c.verbs, script.verbs)
			require.Equal(t, c.records, site.records())
			if c.records == 0 {
				requireRefused(t, answer)
				return
			}
			require.NoError(t, answer.err)
			require.True(t, site.opens(answer.issued()))
		})
	}
}

// An end is done again without looking: it can be done twice.
func unknownEnd(t *testing.T, g *ground) {
	ends := map[string]func(site *raceSite, token string) error{
		"Destroy": func(site *raceSite, token string) error {
			return site.request(token, raceStep{verb: "destroy"}).err
		},
		"Revoke": func(site *raceSite, token string) error {
			return site.manager.Revoke(site.t.Context(), raceID(token))
		},
	}
	for name, end := range ends {
		for _, reply := range []raceReply{raceLost, raceRefused} {
			g.bubble(t, name+" whose answer "+string(reply), func(t *testing.T) {
				site := g.site(t, "cookie", core.Config{})
				token := site.start("", raceValues())
				script := raceScript{replies: map[string][]raceReply{"delete": {reply}}}
				script.play(site)
				require.NoError(t, end(site, token))
				require.Equal(t, []string{"load", "delete", "delete"}, script.verbs)
				require.False(t, site.opens(token))
			})
			g.bubble(t, name+" whose answer "+string(reply)+" twice", func(t *testing.T) {
				site := g.site(t, "cookie", core.Config{})
				token := site.start("", raceValues())
				script := raceScript{replies: map[string][]raceReply{"delete": {reply, reply}}}
				script.play(site)
				require.ErrorIs(t, end(site, token), errRaceStore)
				require.Equal(t, reply == raceRefused, site.opens(token))
				require.NoError(t, end(site, token), "a retry confirms the end")
				require.False(t, site.opens(token))
			})
		}
	}
}
