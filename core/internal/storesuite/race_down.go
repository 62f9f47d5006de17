package storesuite

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// A store that is down costs an answer, never a session, and everything goes on once it is back.
func storeDownAndBack(t *testing.T, g *ground) {
	flights := map[string][]raceStep{
		"a value set":               {{"set", "a", "mine"}},
		"a renewal":                 {{verb: "renew"}},
		"a sign-in":                 {{verb: "owner", text: "user:1"}},
		"a value taken once":        {{verb: "takeOnce", name: "a"}},
		"a destroy":                 {{verb: "destroy"}},
		"a destroy and a beginning": {{verb: "destroy"}, {"set", "new", "mine"}},
	}
	down := func(raceCall, func() error) error { return errRaceStore }
	for name, steps := range flights {
		g.bubble(t, name, func(t *testing.T) {
			site := g.site(t, "cookie", core.Config{})
			token := site.start("", raceValues())
			pending := site.begin(token).handle(steps...)
			site.store.on = down
			requireRefused(t, site.request(token, steps...)) // no handler may run
			requireRefused(t, pending.commit())
			site.store.on = nil
			requireUnharmed(t, site, token)
			require.NoError(t, site.request(token, steps...).err, "once it is back")
		})
	}
	g.bubble(t, "a first value", func(t *testing.T) {
		site := g.site(t, "cookie", core.Config{})
		site.store.on = down
		requireRefused(t, site.request("", raceStep{"set", "a", "mine"}))
		site.store.on = nil
		require.NotEmpty(t, site.request("", raceStep{"set", "a", "mine"}).issued())
		require.Equal(t, 1, site.records())
	})
}

// Nor does a store that hangs hold a request for long.
func storeHangs(t *testing.T, g *ground) {
	g.bubble(t, "a commit no longer than CommitTimeout", func(t *testing.T) {
		site := g.site(t, "cookie", core.Config{CommitTimeout: 3 * time.Second})
		token := site.start("", raceValues())
		pending := site.begin(token).handle(raceStep{"set", "a", "mine"})
		site.store.on = func(call raceCall, _ func() error) error {
			<-call.ctx.Done()
			return call.ctx.Err()
		}
		began := time.Now()
		answer := pending.commit()
		require.Equal(t, http.StatusServiceUnavailable, answer.status)
		require.Equal(t, 3*time.Second, time.Since(began))
		site.store.on = nil
		requireUnharmed(t, site, token)
	})
	g.bubble(t, "a touch does not fail its request", func(t *testing.T) {
		site := g.site(t, "cookie", core.Config{})
		token := site.start("", raceValues())
		pass(30 * time.Minute)
		site.store.on = func(call raceCall, do func() error) error {
			if call.verb != "touch" {
				return do()
			}
			<-call.ctx.Done()
			return call.ctx.Err()
		}
		began := time.Now()
		answer := site.request(token, raceStep{"set", "a", "mine"})
		require.NoError(t, answer.err)
		require.LessOrEqual(t, time.Since(began), time.Second, "nor delays it for long")
		require.True(t, site.told(core.StoreFailure))
	})
}

// Where the newest record cannot be loaded after a conflict, nothing is stored.
func conflictAndLoadFails(t *testing.T, g *ground) {
	g.bubble(t, "503", func(t *testing.T) {
		site := g.site(t, "cookie", core.Config{})
		token := site.start("", raceValues())
		pending := site.begin(token).handle(raceStep{"set", "a", "mine"})
		require.NoError(t, site.request(token, raceStep{"set", "b", "other"}).err)
		script := raceScript{replies: map[string][]raceReply{"load": {raceRefused}}}
		script.play(site)
		requireRefused(t, pending.commit())
		site.store.on = nil
		_, values, _ := site.contents(raceID(token))
		require.Equal(t, map[string]string{"a": "a0", "b": "other"}, values)
	})
}

// Who meets others again and again tries again and again.
func contention(t *testing.T, g *ground) {
	g.bubble(t, "until nobody else writes", func(t *testing.T) {
		site := g.site(t, "cookie", core.Config{})
		token := site.start("", raceValues())
		pending := site.begin(token).handle(raceStep{"update", "a", "+"})
		meetings := 0
		site.store.on = func(call raceCall, do func() error) error {
			if call.verb == "update" && meetings < 40 {
				meetings++
				on := site.store.on
				site.store.on = nil
				require.NoError(t, site.request(token, raceStep{"update", "a", "*"}).err)
				site.store.on = on
			}
			return do()
		}
		require.NoError(t, pending.commit().err)
		_, values, _ := site.contents(raceID(token))
		require.Len(t, values["a"], len("a0")+40+1)
	})
	g.bubble(t, "no longer than CommitTimeout", func(t *testing.T) {
		site := g.site(t, "cookie", core.Config{})
		token := site.start("", raceValues())
		pending := site.begin(token).handle(raceStep{"update", "a", "+"})
		site.store.on = func(call raceCall, do func() error) error {
			if err := call.ctx.Err(); err != nil {
				return err
			}
			if call.verb == "update" {
				on := site.store.on
				site.store.on = nil
				require.NoError(t, site.request(token, raceStep{"update", "a", "*"}).err)
				site.store.on = on
				pass(100 * time.Millisecond)
			}
			return do()
		}
		began := time.Now()
		answer := pending.commit()
		var store *core.StoreError
		require.True(t, errors.As(answer.err, &store))
		require.Less(t, time.Since(began), 6*time.Second)
	})
}
