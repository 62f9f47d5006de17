package request

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/request/floor"
)

// A cheat saves itself some of the work. The proofs must find it out.
type cheat struct {
	does  string
	token func(n int) string // of the n-th session
	find  func(kept map[string]*Expected, token string) *Expected
	keeps bool // changes
	proof string
}

func cheats() []cheat {
	unguessable := func(n int) string { return string(rune('a'+n)) + "0123456789abcdef" }
	exactly := func(kept map[string]*Expected, token string) *Expected { return kept[token] }
	return []cheat{
		{"answers every cookie with the one session it has", unguessable,
			func(kept map[string]*Expected, token string) *Expected {
				for _, values := range kept {
					return values
				}
				return nil
			}, true, "a cookie that was not handed out opens nothing"},
		{"looks at the first half of a token only", unguessable,
			func(kept map[string]*Expected, token string) *Expected {
				for whole, values := range kept {
					if len(token) > 8 && whole[:8] == token[:8] {
						return values
					}
				}
				return nil
			}, true, "a cookie that was not handed out opens nothing"},
		{"gives all clients one session", func(int) string { return "0123456789abcdef" }, exactly,
			true, "two sessions hold what is their own"},
		{"forgets changes", unguessable, exactly,
			false, "a change is there for the next request"},
		{"has no session at all", unguessable,
			func(map[string]*Expected, string) *Expected { return nil },
			true, "what was put into a session is read with its cookie, and nothing else"},
	}
}

func TestCheatsAreFoundOut(t *testing.T) {
	for _, cheat := range cheats() {
		t.Run(cheat.does, func(t *testing.T) {
			c := Contestant{Framework: NetHTTP, Name: cheat.does, build: cheat.build}
			for _, p := range Proofs() {
				if p.Sentence == cheat.proof {
					require.ErrorContains(t, p.Check(c), cheat.proof)
				}
			}
			require.Error(t, c.Prove())
		})
	}
}

func TestWhoLosesAFieldIsFoundOut(t *testing.T) {
	forgetful := func(want *Expected) (Server, error) {
		table := floor.NewPlain()
		v := plainVerbs(floor.PlainOf)
		fill := v.fill
		v.fill = func(r *http.Request, name string, visits int, fields []string) error {
			return fill(r, name, visits, fields[1:])
		}
		return endless(onHTTP(table.HTTP, v.routes(want))), nil
	}
	c := Contestant{Framework: NetHTTP, Name: "forgetful", build: forgetful}
	require.ErrorContains(t, c.Prove(), "holds twenty values")
}

func TestWhoBelievesEverythingIsFoundOut(t *testing.T) {
	believer := Contestant{Framework: NetHTTP, Name: "believer", build: bareNetHTTP}
	require.Error(t, believer.Prove())
}

func TestWhoDeniesBeingEagerIsFoundOut(t *testing.T) {
	c := Contestant{Framework: Fiber3, Name: FiberSession, build: fiber3Session}
	require.ErrorContains(t, c.Prove(), "is sent no cookie")
}

func (c cheat) build(want *Expected) (Server, error) {
	kept := make(map[string]*Expected)
	type response struct{ http.ResponseWriter }
	var w response // one request at a time
	mw := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(inner http.ResponseWriter, r *http.Request) {
			w = response{inner}
			next.ServeHTTP(inner, r)
		})
	}
	of := func(r *http.Request) *Expected {
		cookie, err := r.Cookie("c")
		if err != nil {
			return nil
		}
		return c.find(kept, cookie.Value)
	}
	v := verbs[*http.Request]{
		read: func(r *http.Request) (string, int, error) {
			if values := of(r); values != nil {
				return values.Name, values.Visits, nil
			}
			return "", 0, nil
		},
		change: func(r *http.Request) error {
			if values := of(r); values != nil && c.keeps {
				values.Visits++
			}
			return nil
		},
		create: func(_ *http.Request, name string, visits int) error {
			token := c.token(len(kept))
			kept[token] = &Expected{Name: name, Visits: visits}
			http.SetCookie(w, &http.Cookie{
				Name: "c", Value: token, Path: "/", Secure: true, HttpOnly: true,
			})
			return nil
		},
	}
	v.fill = func(r *http.Request, name string, visits int, _ []string) error {
		return v.create(r, name, visits)
	}
	v.fields = func(*http.Request) ([]string, error) { return fieldValues(want.Name), nil }
	return endless(onHTTP(mw, v.routes(want))), nil
}
