package core_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// A handler may go on while its session is being stored. What it changes then must end as if it had
// come before, whether the store takes the first part or not.
func TestChangesMadeWhileACommitRuns(t *testing.T) {
	changes := map[string]func(*core.Session){
		"set":         setNote("set"),
		"set another": func(s *core.Session) { core.NewValue[bool]("another").Set(s, true) },
		"update": func(s *core.Session) {
			note.Update(s, func(n string) string { return n + "+" })
		},
		"update twice": func(s *core.Session) {
			note.Update(s, func(n string) string { return n + "a" })
			note.Update(s, func(n string) string { return n + "b" })
		},
		"delete":    func(s *core.Session) { note.Delete(s) },
		"take":      func(s *core.Session) { note.Take(s) },
		"take once": func(s *core.Session) { note.TakeOnce(s) },
		"clear":     func(s *core.Session) { s.Clear() },
		"clear and set": func(s *core.Session) {
			s.Clear()
			note.Set(s, "anew")
		},
		"renew":   func(s *core.Session) { s.Renew() },
		"sign in": signIn("ada"),
		"persist": func(s *core.Session) { s.Persist(true) },
		"destroy": func(s *core.Session) { s.Destroy() },
		"destroy and begin": func(s *core.Session) {
			s.Destroy()
			note.Set(s, "of the new one")
		},
	}
	for first, a := range changes {
		for second, b := range changes {
			for _, begins := range []bool{true, false} {
				name := fmt.Sprintf("%s, then %s, new %v", first, second, begins)
				t.Run(name, func(t *testing.T) {
					want := outcome(t, begins, a, b, beforeIt)
					require.Equal(t, want, outcome(t, begins, a, b, whileStored), "stored")
					require.Equal(t, want, outcome(t, begins, a, b, whileRefused), "refused")
				})
			}
		}
	}
}

// When the second change is made.
type arrival int

const (
	beforeIt     arrival = iota // the commit
	whileStored                 // the store writes what the first changed
	whileRefused                // the store refuses it
)

// seen is what a handler sees of a session.
type seen struct {
	exists, created bool
	owner           string
	names           []string
	note            string
	hits            int
}

func look(s *core.Session) seen {
	text, _ := note.Get(s)
	n, _ := hits.Get(s)
	return seen{s.ID() != "", !s.Created().IsZero(), s.Owner(), s.Names(), text, n}
}

// outcome is what the handler sees at its end, and what the next request sees.
func outcome(t *testing.T, begins bool, a, b func(*core.Session), w arrival) [2]seen {
	t.Helper()
	m := newSite(t, core.Config{})
	fill := func(s *core.Session) {
		note.Set(s, "old")
		hits.Set(s, 5)
	}
	session, token := m.begin(), ""
	if begins {
		fill(session)
	} else {
		token, _ = m.start(fill)
		session = m.begin(token)
	}
	a(session)
	if w == beforeIt {
		b(session)
	}
	response := http.Header{}
	m.commitWhile(session, response, w, b)
	require.NoError(t, m.Commit(t.Context(), session, response))
	require.NoError(t, session.Err())
	if lines := response.Values("Set-Cookie"); len(lines) > 0 {
		cookie, err := http.ParseSetCookie(lines[len(lines)-1])
		require.NoError(t, err)
		token = cookie.Value
	}
	return [2]seen{look(session), look(m.begin(token))}
}

// commitWhile commits, and lets a change come when the store is asked to write.
func (s *site) commitWhile(
	session *core.Session, response http.Header, w arrival, change func(*core.Session),
) {
	s.t.Helper()
	came := w == beforeIt
	for _, op := range []string{opCreate, opUpdate, opDelete} {
		s.store.setBefore(op, func(context.Context, error) error {
			if !came {
				came = true
				change(session)
			}
			if w == whileRefused {
				return errDown
			}
			return nil
		})
	}
	err := s.Commit(s.t.Context(), session, response)
	written := came
	if !came { // nothing had to be written
		change(session)
	}
	if w == whileRefused && written {
		require.ErrorIs(s.t, err, errDown)
		require.Empty(s.t, response)
	} else {
		require.NoError(s.t, err)
	}
	s.store.fail(nil, opCreate, opUpdate, opDelete)
}
