package storesuite

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// raceHit lets f happen once, right before the first call of a verb, or right after it took effect.
func raceHit(site *raceSite, verb string, after bool, f func()) {
	site.store.on = func(call raceCall, do func() error) error {
		if call.verb != verb {
			return do()
		}
		site.store.on = nil
		if !after {
			f()
		}
		err := do()
		if after {
			f()
		}
		return err
	}
}

// A store has no clock: a write that takes effect after a session's end must leave it as dead as
// another request has seen it.
func timeoutDuringWrite(t *testing.T, g *ground) {
	g.bubble(t, "by the touch of a store that can touch", func(t *testing.T) {
		site := g.site(t, "cookie", core.Config{})
		requireStaysDead(t, site, "touch", func(token string) func() {
			return func() { site.request(token) }
		})
	})
	g.bubble(t, "by the touch of a store that can only update", func(t *testing.T) {
		site := g.siteWith(t, "cookie", core.Config{}, func(s core.Store) core.Store {
			return struct{ core.Store }{s}
		})
		verb := "update"
		if site.store.seen != nil {
			verb = "touch"
		}
		requireStaysDead(t, site, verb, func(token string) func() {
			return func() { site.request(token) }
		})
	})
	g.bubble(t, "by a commit", func(t *testing.T) {
		site := g.site(t, "cookie", core.Config{})
		requireStaysDead(t, site, "update", func(token string) func() {
			slow := site.begin(token).handle(raceStep{"set", "a", "late"})
			return func() { slow.commit() }
		})
	})
}

// requireStaysDead lets a request begin a minute after its session, and write 100 milliseconds
// before that ends. The write takes effect afterwards, when another request has already been told
// that the session is over.
func requireStaysDead(
	t *testing.T, site *raceSite, verb string, begin func(token string) (write func()),
) {
	token := site.start("", raceValues())
	end := time.Now().Add(time.Hour)
	pass(time.Minute)
	write := begin(token)
	pass(time.Until(end.Add(-100 * time.Millisecond)))
	met := false
	raceHit(site, verb, false, func() {
		met = true
		pass(time.Until(end.Add(50 * time.Millisecond)))
		site.tell()
		require.False(t, site.opens(token), "the session is over")
		require.True(t, site.told(core.SessionUseAfterExpire))
	})
	write()
	if !met { // so close to the end nothing is written
		pass(time.Until(end))
	}
	site.store.on = nil
	require.False(t, site.opens(token), "what another request saw dead has come back")
	_, _, alive := site.contents(raceID(token))
	require.False(t, alive, "what another request saw dead has come back")
}

// A raceEnd is how a session's time is over while a request runs.
type raceEnd struct {
	name string
	cfg  core.Config
	end  time.Duration // after the session began
}

func raceEnds() []raceEnd {
	return []raceEnd{
		{"idle too long", core.Config{}, time.Hour},
		{"too old", core.Config{Lifetime: 40 * time.Minute, IdleTimeout: 40 * time.Minute},
			40 * time.Minute},
		{"too old, and never idle", core.Config{IdleTimeout: core.Never}, 24 * time.Hour},
	}
}

// What a slow request did comes to nothing if its session's time was over before it could commit,
// however early it began.
func slowRequestAcrossTimeout(t *testing.T, g *ground) {
	cases := []struct {
		name    string
		steps   []raceStep
		err     error
		expires bool
		issues  bool
	}{
		{name: "a value set", steps: []raceStep{{"set", "a", "late"}}},
		{name: "a value updated", steps: []raceStep{{"update", "a", "+"}}},
		{name: "a renewal", steps: []raceStep{{verb: "renew"}}, err: core.ErrGone},
		{name: "a sign-in", steps: []raceStep{{verb: "owner", text: "user:1"}}, err: core.ErrGone},
		{name: "a value taken once", steps: []raceStep{{verb: "takeOnce", name: "a"}},
			err: core.ErrGone},
		{name: "a destroy", steps: []raceStep{{verb: "destroy"}}, expires: true},
		{name: "a destroy and a beginning",
			steps: []raceStep{{verb: "destroy"}, {"set", "a", "late"}}, issues: true},
	}
	for _, end := range raceEnds() {
		for _, c := range cases {
			g.bubble(t, c.name+", "+end.name, func(t *testing.T) {
				site := g.site(t, "cookie", end.cfg)
				token := site.start("", raceValues())
				slow := site.begin(token).handle(c.steps...)
				pass(end.end) // to the very millisecond: equality is dead
				site.tell()
				answer := slow.commit()
				require.ErrorIs(t, answer.err, c.err)
				require.Equal(t, c.expires, answer.expires())
				require.Equal(t, c.issues, answer.issued() != "")
				require.Equal(t, !c.expires && !c.issues, site.told(core.ChangesDropped))
				require.False(t, site.opens(token))
			})
		}
		g.bubble(t, "a millisecond before the end, "+end.name, func(t *testing.T) {
			site := g.site(t, "cookie", end.cfg)
			token := site.start("", raceValues())
			slow := site.begin(token).handle(raceStep{"set", "a", "late"})
			pass(end.end - time.Millisecond)
			require.NoError(t, slow.commit().err)
			_, values, alive := site.contents(raceID(token))
			require.True(t, alive)
			require.Equal(t, "late", values["a"])
			pass(time.Millisecond)
			require.False(t, site.opens(token), "a commit is no use")
			require.Equal(t, 1, site.records(), "Begin deletes no dead record")
		})
	}
}

// What counts is the last use that the store holds, also one that another request has noted.
func touchOfAnotherKeepsSlowRequestAlive(t *testing.T, g *ground) {
	steps := map[string]raceStep{
		"a value set":        {"set", "a", "late"},
		"a renewal":          {verb: "renew"},
		"a sign-in":          {verb: "owner", text: "user:1"},
		"a value taken once": {verb: "takeOnce", name: "a"},
	}
	for name, step := range steps {
		g.bubble(t, name, func(t *testing.T) {
			site := g.site(t, "cookie", core.Config{})
			token := site.start("", raceValues())
			slow := site.begin(token).handle(step)
			for range 3 {
				pass(50 * time.Minute)
				require.True(t, site.opens(token))
			}
			answer := slow.commit()
			require.NoError(t, answer.err)
			_, _, alive := site.contents(raceID(token))
			require.True(t, alive)
		})
	}
	g.bubble(t, "but not beyond the lifetime", func(t *testing.T) {
		site := g.site(t, "cookie", core.Config{Lifetime: 2 * time.Hour})
		token := site.start("", raceValues())
		slow := site.begin(token).handle(raceStep{"set", "a", "late"})
		pass(50 * time.Minute)
		require.True(t, site.opens(token))
		pass(50 * time.Minute)
		require.True(t, site.opens(token))
		pass(20 * time.Minute)
		site.tell()
		require.NoError(t, slow.commit().err)
		require.True(t, site.told(core.ChangesDropped))
		require.False(t, site.opens(token))
	})
}

// Used never goes back: what writes late leaves a later use as it is.
func lateWriteForgetsNoUse(t *testing.T, g *ground) {
	used := func(t *testing.T, site *raceSite, token string) time.Time {
		rec, err := site.store.kept.Load(t.Context(), raceID(token))
		require.NoError(t, err)
		return rec.Used
	}
	for _, verb := range []string{"set", "renew", "owner"} {
		g.bubble(t, "by the commit of a slow request: "+verb, func(t *testing.T) {
			site := g.site(t, "cookie", core.Config{})
			token := site.start("", raceValues())
			slow := site.begin(token).handle(raceStep{verb, "a", "late"})
			pass(30 * time.Minute)
			require.True(t, site.opens(token))
			later := used(t, site, token)
			require.Equal(t, time.Now().UTC(), later)
			require.NoError(t, slow.commit().err)
			require.False(t, used(t, site, token).Before(later), "a use is forgotten")
		})
	}
	for _, delay := range []time.Duration{0, 100 * time.Millisecond} {
		g.bubble(t, "by a touch that comes late", func(t *testing.T) {
			site := g.site(t, "cookie", core.Config{})
			token := site.start("", raceValues())
			pass(30 * time.Minute)
			var later time.Time
			raceHit(site, "touch", false, func() {
				pass(delay)
				site.request(token, raceStep{"set", "a", "other"})
				later = used(t, site, token)
			})
			slow := site.begin(token)
			require.False(t, used(t, site, token).Before(later), "a use is forgotten")
			require.NoError(t, slow.handle(raceStep{"set", "b", "mine"}).commit().err)
			_, values, _ := site.contents(raceID(token))
			require.Equal(t, map[string]string{"a": "other", "b": "mine"}, values)
		})
	}
}
