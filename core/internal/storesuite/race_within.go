package storesuite

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// A handler may go on, in another goroutine, while its session is committed. What it changes then
// is stored by the next commit, on top of what the first one stored or could not store.
func changesWhileCommitRuns(t *testing.T, g *ground) {
	one := func(verb string) raceStep { return raceStep{verb: verb, name: "a", text: "+"} }
	firsts := map[string][]raceStep{
		"set":         {{"set", "a", "first"}},
		"update":      {one("update")},
		"delete":      {one("delete")},
		"take once":   {one("takeOnce")},
		"another set": {{"set", "new", "first"}},
		"clear":       {{verb: "clear"}, {"set", "new", "first"}},
	}
	thens := map[string][]raceStep{
		"set":         {{"set", "a", "then"}},
		"update":      {one("update")},
		"delete":      {one("delete")},
		"take":        {one("take")},
		"clear":       {{verb: "clear"}},
		"another set": {{"set", "new", "then"}},
		"set anew":    {{verb: "clear"}, {"set", "a", "then"}, one("update")},
	}
	replies := []raceReply{raceArrives, raceLost, raceRefused, raceRefusedTwice}
	for first, firstSteps := range firsts {
		for then, thenSteps := range thens {
			for _, reply := range replies {
				for _, after := range []bool{false, true} {
					name := fmt.Sprintf("%s, then %s, reply %s, after %v",
						first, then, reply, after)
					g.bubble(t, name, func(t *testing.T) {
						w := within{first: firstSteps, then: thenSteps, reply: reply, after: after}
						want := raceValues()
						for _, step := range append(firstSteps[:len(firstSteps):len(firstSteps)],
							thenSteps...) {
							step.apply(want)
						}
						require.Equal(t, want, w.run(t, g))
					})
				}
			}
		}
	}
}

// A within is a request that goes on while its first commit writes.
type within struct {
	first, then []raceStep
	reply       raceReply
	after       bool     // it goes on after the write took effect
	other       raceStep // of another request, before the write takes effect
}

// run returns the values after the second commit.
func (w within) run(t *testing.T, g *ground) map[string]string {
	site := g.site(t, "cookie", core.Config{})
	token := site.start("", raceValues())
	pending := site.begin(token).handle(w.first...)
	calls := 0
	goOn := func() {
		if calls == 1 {
			w.goOn(t, pending)
		}
	}
	site.store.on = func(call raceCall, do func() error) error {
		if call.verb != "update" {
			return do()
		}
		calls++
		if calls == 1 && w.other.verb != "" {
			on := site.store.on
			site.store.on = nil
			require.NoError(t, site.request(token, w.other).err)
			site.store.on = on
		}
		if !w.after {
			goOn()
		}
		err := w.reply.answer(calls-1, do)
		if w.after {
			goOn()
		}
		return err
	}
	err := site.manager.Commit(t.Context(), pending.session, http.Header{})
	require.Equal(t, w.reply == raceRefusedTwice, err != nil, "%v", err)
	site.store.on = nil
	require.NoError(t, site.manager.Commit(t.Context(), pending.session, nil))
	_, values, alive := site.contents(raceID(token))
	require.True(t, alive)
	return values
}

// goOn lets the handler go on while its session is committed.
func (w within) goOn(t *testing.T, pending *racePending) {
	view := func() (values []string) {
		for _, name := range pending.session.Names() {
			text, _ := core.NewValue[string](name).Get(pending.session)
			values = append(values, name+text)
		}
		return values
	}
	before := view()
	pending.handle(raceStep{"set", "passing", "x"}, raceStep{verb: "delete", name: "passing"})
	require.Equal(t, before, view(), "the handler sees its own changes all the time")
	pending.handle(w.then...)
}

// Also then nothing is lost that another request did.
func changesWhileCommitMeetsAnother(t *testing.T, g *ground) {
	plus, star := raceStep{"update", "a", "+"}, raceStep{"update", "a", "*"}
	for _, after := range []bool{false, true} {
		g.bubble(t, fmt.Sprintf("an update, after %v", after), func(t *testing.T) {
			w := within{
				first: []raceStep{plus}, then: []raceStep{plus}, other: star,
				reply: raceArrives, after: after,
			}
			values := w.run(t, g)
			require.Equal(t, 2, strings.Count(values["a"], "+"), "%v", values)
			require.Equal(t, 1, strings.Count(values["a"], "*"), "%v", values)
		})
		g.bubble(t, fmt.Sprintf("an update of another value, after %v", after), func(t *testing.T) {
			w := within{
				first: []raceStep{{"set", "new", "x"}}, then: []raceStep{plus}, other: star,
				reply: raceArrives, after: after,
			}
			values := w.run(t, g)
			require.Equal(t, 1, strings.Count(values["a"], "+"), "%v", values)
			require.Equal(t, 1, strings.Count(values["a"], "*"), "%v", values)
		})
	}
	g.bubble(t, "a one-time value that another request took", func(t *testing.T) {
		site := g.site(t, "cookie", core.Config{})
		token := site.start("", raceValues())
		pending := site.begin(token).handle(raceStep{"set", "new", "x"})
		raceHit(site, "update", false, func() {
			pending.handle(raceStep{verb: "takeOnce", name: "a"})
			require.NoError(t, site.request(token, raceStep{verb: "takeOnce", name: "a"}).err)
		})
		require.NoError(t, site.manager.Commit(t.Context(), pending.session, http.Header{}))
		err := site.manager.Commit(t.Context(), pending.session, nil)
		require.ErrorIs(t, err, core.ErrConflict)
	})
}

// What ends, renews or signs in while a commit runs is carried out by the next one, or fails there.
func endWhileCommitRuns(t *testing.T, g *ground) {
	firsts := map[string]raceStep{
		"a value": {"set", "a", "first"}, "a renewal": {verb: "renew"},
		"a sign-in": {verb: "owner", text: "user:1"},
	}
	for name, first := range firsts {
		for _, reply := range []raceReply{raceArrives, raceLost, raceRefused, raceRefusedTwice} {
			for _, after := range []bool{false, true} {
				title := fmt.Sprintf("%s, reply %s, after %v", name, reply, after)
				g.bubble(t, title, func(t *testing.T) { endWithin(t, g, first, reply, after) })
			}
		}
	}
	g.bubble(t, "while a session begins", func(t *testing.T) {
		site := g.site(t, "cookie", core.Config{})
		pending := site.begin("").handle(raceStep{"set", "a", "first"})
		raceHit(site, "create", false, func() { pending.handle(raceStep{verb: "destroy"}) })
		header := http.Header{}
		require.NoError(t, site.manager.Commit(t.Context(), pending.session, header))
		require.NoError(t, site.manager.Commit(t.Context(), pending.session, nil))
		require.Zero(t, site.records())
	})
	g.bubble(t, "a renewal that comes too late for the header", func(t *testing.T) {
		site := g.site(t, "cookie", core.Config{})
		token := site.start("", raceValues())
		pending := site.begin(token).handle(raceStep{"set", "a", "first"})
		raceHit(site, "update", true, func() { pending.handle(raceStep{verb: "renew"}) })
		require.NoError(t, site.manager.Commit(t.Context(), pending.session, http.Header{}))
		err := site.manager.Commit(t.Context(), pending.session, nil)
		require.ErrorIs(t, err, core.ErrCommitted)
		require.True(t, site.opens(token))
	})
}

func endWithin(t *testing.T, g *ground, first raceStep, reply raceReply, after bool) {
	site := g.site(t, "cookie", core.Config{})
	token := site.start("", raceValues())
	pending := site.begin(token).handle(first)
	calls := 0
	site.store.on = func(call raceCall, do func() error) error {
		if call.verb != "update" {
			return do()
		}
		calls++
		if calls == 1 && !after {
			pending.handle(raceStep{verb: "destroy"})
		}
		err := reply.answer(calls-1, do)
		if calls == 1 && after {
			pending.handle(raceStep{verb: "destroy"})
		}
		return err
	}
	header := http.Header{}
	err := site.manager.Commit(t.Context(), pending.session, header)
	require.Equal(t, reply == raceRefusedTwice, err != nil, "%v", err)
	site.store.on = nil
	require.NoError(t, site.manager.Commit(t.Context(), pending.session, nil))
	require.Zero(t, site.records())
	require.False(t, site.opens(token))
	if issued := (raceAnswer{header: header}).issued(); issued != "" {
		require.False(t, site.opens(issued))
	}
}

// A job in the background holds a session by its ID: the same rules hold for what it changes.
func openedSession(t *testing.T, g *ground) {
	for _, c := range openedCases() {
		g.bubble(t, c.name, func(t *testing.T) {
			site := g.site(t, "cookie", core.Config{})
			token := site.start("", raceValues())
			s, err := site.manager.Open(t.Context(), raceID(token))
			require.NoError(t, err)
			c.job.do(s)
			require.NoError(t, site.request(token, c.meanwhile).err)
			require.ErrorIs(t, site.manager.Commit(t.Context(), s, nil), c.err)
			_, values, alive := site.contents(raceID(token))
			require.Equal(t, c.b != "", alive)
			if alive {
				text, ok := values["b"]
				require.Equal(t, c.b != "-", ok)
				require.Equal(t, strings.Trim(c.b, "-"), text)
			}
		})
	}
	g.bubble(t, "notes no use, and is over with the session", func(t *testing.T) {
		site := g.site(t, "cookie", core.Config{})
		token := site.start("", raceValues())
		pass(30 * time.Minute)
		s, err := site.manager.Open(t.Context(), raceID(token))
		require.NoError(t, err)
		raceStep{"set", "b", "job"}.do(s)
		require.NoError(t, site.manager.Commit(t.Context(), s, nil))
		pass(30 * time.Minute)
		require.False(t, site.opens(token))
		raceStep{"set", "b", "late"}.do(s)
		require.NoError(t, site.manager.Commit(t.Context(), s, nil))
		require.False(t, site.opens(token))
	})
}

// An openedCase is a job, and what the session's own client does before the job commits.
type openedCase struct {
	name      string
	job       raceStep
	meanwhile raceStep
	err       error
	b         string // the value afterwards, "-" for none, "" if the session is over
}

func openedCases() []openedCase {
	set := raceStep{"set", "b", "job"}
	return []openedCase{
		{"a value", set, raceStep{verb: "get", name: "a"}, nil, "job"},
		{"a value, and a renewal", set, raceStep{verb: "renew"}, nil, "job"},
		{"a value, and a change", set, raceStep{"set", "a", "x"}, nil, "job"},
		{"a value, and its deletion", set, raceStep{verb: "delete", name: "b"}, nil, "-"},
		{"a value, and a sign-in", set, raceStep{verb: "owner", text: "user:1"},
			core.ErrConflict, "b0"},
		{"a value, and the end", set, raceStep{verb: "destroy"}, nil, ""},
		{"a value taken once, and the end", raceStep{verb: "takeOnce", name: "b"},
			raceStep{verb: "destroy"}, core.ErrGone, ""},
		{"a value taken once, twice", raceStep{verb: "takeOnce", name: "b"},
			raceStep{verb: "takeOnce", name: "b"}, core.ErrConflict, "-"},
		{"an end, and a renewal", raceStep{verb: "destroy"}, raceStep{verb: "renew"}, nil, ""},
		{"an end, and a sign-in", raceStep{verb: "destroy"},
			raceStep{verb: "owner", text: "user:1"}, nil, ""},
		{"a renewal", raceStep{verb: "renew"}, raceStep{verb: "get", name: "a"},
			core.ErrCommitted, "b0"},
		{"a sign-in", raceStep{verb: "owner", text: "user:2"}, raceStep{verb: "get", name: "a"},
			core.ErrCommitted, "b0"},
	}
}
