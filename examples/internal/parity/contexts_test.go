package parity

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

func contextBehaviours() []behaviour {
	return []behaviour{
		{row: "35", name: "deep-context", check: deepContext,
			promise: "core.FromContext finds the very session that the framework's getter gives"},
		{row: "36", name: "derived-context", check: derivedContext,
			promise: "core.FromContext finds it in a context derived from the request's, too"},
		{row: "37", name: "missing-middleware", check: missingMiddleware,
			promise: "without the middleware FromContext reports false and the getter says what is wrong"},
		{row: "39", name: "two-managers", check: twoManagers,
			promise: "two Managers serve one request, each with its own session and cookie"},
		{row: "39b", name: "two-managers-one-down", check: oneManagerDown,
			promise: "one Manager's store is down: the answer is 503, and the other's session lives on"},
	}
}

// report answers 200 if a check inside of a handler found nothing wrong.
func report(c Ctx, err error) error {
	if err != nil {
		return c.Text(500, err.Error())
	}
	return c.Text(200, "")
}

func deepContext(t *testing.T, f framework) {
	s := open(t, f, func(s *site) {
		s.handle("GET", "/deep", func(c Ctx) error {
			for i, ctx := range c.Contexts() {
				innermost, _ := core.FromContext(ctx)
				mine, _ := s.manager.FromContext(ctx)
				if innermost != c.Session() || mine != c.Session() {
					return report(c, fmt.Errorf("context %d holds another session", i))
				}
			}
			return report(c, nil)
		})
	})
	s.visitor().get("/deep").says("").is(200)
}

func derivedContext(t *testing.T, f framework) {
	type key struct{}
	deep := func(ctx context.Context) *core.Session {
		found, _ := core.FromContext(ctx)
		return found
	}
	s := open(t, f, get("/deep", func(c Ctx) error {
		for i, ctx := range c.Contexts() {
			ctx = context.WithValue(ctx, key{}, 1)
			if i == 0 { // fasthttp's own context races with its Shutdown where somebody waits for it
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, time.Hour)
				defer cancel()
			}
			if deep(ctx) != c.Session() || deep(context.WithoutCancel(ctx)) != c.Session() {
				return report(c, fmt.Errorf("context %d has lost the session", i))
			}
		}
		return report(c, nil)
	}))
	s.visitor().get("/deep").says("").is(200)
}

func missingMiddleware(t *testing.T, f framework) {
	s := open(t, f, with(), get("/bare", func(c Ctx) error {
		for i, ctx := range c.Contexts() {
			if _, ok := core.FromContext(ctx); ok {
				return report(c, fmt.Errorf("context %d holds a session", i))
			}
		}
		text := func() (text any) {
			defer func() { text = recover() }()
			c.Session()
			return nil
		}()
		return report(c, errors.New(fmt.Sprint(text)))
	}))
	want := f.name() + "session: no session: the middleware is not installed on this route"
	if f == (plainFramework{}) {
		want = "no session" // of the test's own getter
	}
	s.visitor().get("/bare").is(500).says(want)
}

func twoManagers(t *testing.T, f framework) {
	s := open(t, f, with(session, another), func(s *site) {
		s.handle("GET", "/both", func(c Ctx) error {
			for i, ctx := range c.Contexts() {
				outer, _ := s.manager.FromContext(ctx)
				inner, _ := s.other.FromContext(ctx)
				if outer == nil || outer == inner || inner != c.Session() {
					return report(c, fmt.Errorf("context %d mixes the two up", i))
				}
				u.Set(outer, "outer")
				u.Set(inner, "inner")
			}
			return report(c, nil)
		})
		s.handle("GET", "/mine", func(c Ctx) error {
			found, ok := s.manager.FromContext(c.Contexts()[0])
			if !ok {
				return report(c, errors.New("the outer Manager's session is missing"))
			}
			val, _ := u.Get(found)
			return c.Text(200, val)
		})
	})
	v := s.visitor()
	a := v.get("/both").says("").is(200)
	require.Len(t, a.named("Set-Cookie"), 2)
	require.Len(t, a.named("Cache-Control"), 1)
	require.Equal(t, []string{"Vary: Cookie"}, a.named("Vary"))
	require.Equal(t, 2, s.store.Len())
	s.holds(v.token(), "outer")
	v.get("/mine").is(200).says("outer").silent()
	v.get("/read").is(200).says("u=inner").silent()
	delete(v.jar, cookieName)
	v.get("/read").is(200).says("u=inner").silent()
	v.get("/mine").is(200).says("")
}

func oneManagerDown(t *testing.T, f framework) {
	fine := newStore()
	s := open(t, f, with(session, another), func(s *site) {
		s.other = newManager(t, core.Config{
			Store: fine, Carrier: core.Cookie{Name: "__Host-other"}, Namespace: "other",
		})
		s.handle("GET", "/both", func(c Ctx) error {
			outer, ok := s.manager.FromContext(c.Contexts()[0])
			if !ok {
				return report(c, errors.New("the outer Manager's session is missing"))
			}
			u.Set(outer, "outer")
			u.Set(c.Session(), "changed")
			return c.Text(200, "")
		})
	})
	v := s.visitor()
	v.get("/set?u=inner").is(200)
	s.store.interrupt(failingWrites())
	requireUnavailable(t, f, v.get("/both"))
	require.Zero(t, s.store.Len())
	require.Equal(t, 1, fine.Len())
	v.get("/read").is(200).says("u=changed")
}
