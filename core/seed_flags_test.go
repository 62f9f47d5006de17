package core_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// seedFlags are the seed's behaviours 27 to 39: what wins over what, between requests and in one.
func seedFlags() []seedRow {
	return []seedRow{
		{"kept", "what is rolled back is not saved, nor is what is set afterwards", seedRollback},
		{"kept", "what is set after an end does not undo it", seedSetAfterEnd},
		{"better", "renewing after an end does not undo it", seedRenewAfterEnd},
		{"better", "an end wins over everything, in whatever order", seedEndWins},
		{"better", "a late save does not bring an ended session back", seedResurrection},
		{"better", "two requests that change different values both keep their change", seedLostUpdate},
		{"better", "a writer with the old token makes no second session", seedRenewRace},
		{"better", "a late renewal does not bring an ended session back", seedLateRenewal},
		{"changed", "without the middleware FromContext says that there is none", seedNoMiddleware},
		{"kept", "a change that comes too late is an error", seedTooLate},
		{"changed", "a value has a name and a type", seedTypes},
		{"kept", "what runs right before the header is sent may still write", seedHook},
		{"better", "what writes after the commit is told so", seedHookOutside},
	}
}

func seedRollback(t *testing.T) {
	site := newSecSite(t, core.Config{})
	token := secIssued(site.serve(nil, secSet("stored")))
	session := site.begin(token)
	secSet("ignored")(session)
	site.manager.Rollback(t.Context(), session)
	secSet("ignored, too")(session)
	require.ErrorIs(t, session.Err(), core.ErrCommitted)
	require.ErrorIs(t, site.manager.Commit(t.Context(), session, http.Header{}), core.ErrCommitted)
	note, _ := site.read(token)
	require.Equal(t, "stored", note)
}

func seedSetAfterEnd(t *testing.T) {
	site := newSecSite(t, core.Config{})
	visitor := site.visitor()
	visitor.visit(func(s *core.Session) { s.SetOwner("alice"); secSet("hers")(s) })
	old := visitor.token
	visitor.visit(func(s *core.Session) { s.Destroy(); core.NewValue[int]("n").Set(s, 1) })
	site.requireDead(old)
	require.NotEqual(t, old[:32], visitor.token[:32])
	visitor.visit(func(s *core.Session) {
		require.Equal(t, []string{"n"}, s.Names())
		require.Empty(t, s.Owner())
	})
}

func seedRenewAfterEnd(t *testing.T) {
	site := newSecSite(t, core.Config{})
	visitor := site.visitor()
	visitor.visit(secSet("a"))
	old := visitor.token
	response := visitor.visit(func(s *core.Session) { s.Destroy(); s.Renew() })
	require.True(t, secExpired(response))
	site.requireDead(old)
	require.Zero(t, site.store.Len())
}

func seedEndWins(t *testing.T) {
	renew, destroy := (*core.Session).Renew, (*core.Session).Destroy
	owner := func(s *core.Session) { s.SetOwner("alice") }
	orders := map[string][]func(*core.Session){
		"destroy, clear":               {destroy, (*core.Session).Clear},
		"renew, destroy":               {renew, destroy},
		"set, renew, destroy":          {secSet("b"), renew, destroy},
		"sign in, destroy":             {owner, destroy},
		"destroy, set, renew, destroy": {destroy, secSet("b"), renew, destroy},
		"destroy, sign in, destroy":    {destroy, owner, destroy},
	}
	for name, order := range orders {
		site := newSecSite(t, core.Config{})
		visitor := site.visitor()
		visitor.visit(secSet("a"))
		old := visitor.token
		response := visitor.visit(func(s *core.Session) {
			for _, f := range order {
				f(s)
			}
		})
		require.True(t, secExpired(response), name)
		require.Empty(t, secIssued(response), name)
		require.Zero(t, site.store.Len(), name)
		site.requireDead(old)
	}
}

// seedLate lets a slow request begin, another one sign out, and the slow one commit.
func seedLate(t *testing.T, late func(*core.Session)) (*secSite, http.Header, error) {
	site := newSecSite(t, core.Config{})
	visitor := site.visitor()
	visitor.visit(func(s *core.Session) { s.SetOwner("alice") })
	slow := site.begin(visitor.token)
	visitor.visit((*core.Session).Destroy)
	site.seen()
	late(slow)
	header := http.Header{}
	err := site.manager.Commit(t.Context(), slow, header)
	require.Zero(t, site.store.Len())
	for _, token := range visitor.tokens {
		site.requireDead(token)
	}
	return site, header, err
}

func seedResurrection(t *testing.T) {
	site, header, err := seedLate(t, secSet("late"))
	require.NoError(t, err)
	require.Empty(t, header.Values("Set-Cookie"))
	require.Contains(t, site.seen(), core.ChangesDropped)
}

func seedLateRenewal(t *testing.T) {
	_, header, err := seedLate(t, (*core.Session).Renew)
	require.ErrorIs(t, err, core.ErrGone)
	require.Empty(t, header)
	_, header, err = seedLate(t, func(s *core.Session) { s.SetOwner("alice") })
	require.ErrorIs(t, err, core.ErrGone)
	require.Empty(t, header)
}

func seedLostUpdate(t *testing.T) {
	one, two := core.NewValue[int]("one"), core.NewValue[int]("two")
	site := newSecSite(t, core.Config{})
	token := secIssued(site.serve(nil, secSet("a")))
	first, second := site.begin(token), site.begin(token)
	one.Set(first, 1)
	two.Set(second, 2)
	require.NoError(t, site.manager.Commit(t.Context(), first, http.Header{}))
	require.NoError(t, site.manager.Commit(t.Context(), second, http.Header{}))
	require.Equal(t, []string{"note", "one", "two"}, site.begin(token).Names())
}

func seedRenewRace(t *testing.T) {
	site := newSecSite(t, core.Config{})
	visitor := site.visitor()
	visitor.visit(secSet("a"))
	old := visitor.token
	writer, renewer := site.begin(old), site.begin(old)
	visitor.visit(func(s *core.Session) { s.Renew() })

	secSet("from the old token")(writer)
	header := http.Header{}
	require.NoError(t, site.manager.Commit(t.Context(), writer, header))
	require.Empty(t, header.Values("Set-Cookie"))
	note, _ := site.read(visitor.token)
	require.Equal(t, "from the old token", note)

	renewer.Renew()
	require.ErrorIs(t, site.manager.Commit(t.Context(), renewer, header), core.ErrConflict)
	require.Empty(t, header.Values("Set-Cookie"))
	require.Equal(t, 1, site.store.Len())
	site.requireDead(old)
}

func seedNoMiddleware(t *testing.T) {
	session, ok := core.FromContext(t.Context())
	require.False(t, ok)
	require.Nil(t, session)
	session, ok = newSecSite(t, core.Config{}).manager.FromContext(t.Context())
	require.False(t, ok)
	require.Nil(t, session)
}

func seedTooLate(t *testing.T) {
	site := newSecSite(t, core.Config{})
	response := site.serveHTTP(nil, func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte("the first byte"))
		s, _ := core.FromContext(r.Context())
		secSet("late")(s)
		require.ErrorIs(t, s.Err(), core.ErrCommitted)
	})
	require.Empty(t, response.Header.Values("Set-Cookie"))
	require.Zero(t, site.store.Len())
	require.Equal(t, []core.EventKind{core.ChangesLost}, site.seen())
}

func seedTypes(t *testing.T) {
	site := newSecSite(t, core.Config{})
	number := core.NewValue[int]("n")
	visitor := site.visitor()
	visitor.visit(func(s *core.Session) { number.Set(s, 7) })
	visitor.visit(func(s *core.Session) {
		n, ok := core.NewValue[int]("n").Get(s)
		require.True(t, ok)
		require.Equal(t, 7, n)
	})
	response := visitor.visit(func(s *core.Session) {
		_, ok := core.NewValue[string]("n").Get(s)
		require.False(t, ok, "what is stored is no string")
	})
	require.Equal(t, http.StatusInternalServerError, response.StatusCode)
}

// hookWriter is a middleware's writer that does something right before the header.
type hookWriter struct {
	http.ResponseWriter
	hook func()
}

func (w hookWriter) WriteHeader(code int) {
	w.hook()
	w.ResponseWriter.WriteHeader(code)
}

func seedHook(t *testing.T) {
	site := newSecSite(t, core.Config{})
	response := site.serveHTTP(nil, func(w http.ResponseWriter, r *http.Request) {
		s, _ := core.FromContext(r.Context())
		hookWriter{w, func() { secSet("from the hook")(s) }}.WriteHeader(http.StatusAccepted)
	})
	require.Equal(t, http.StatusAccepted, response.StatusCode)
	note, _ := site.read(secIssued(response))
	require.Equal(t, "from the hook", note)
}

func seedHookOutside(t *testing.T) {
	site := newSecSite(t, core.Config{})
	var s *core.Session
	inner := site.manager.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, _ = core.FromContext(r.Context())
		w.WriteHeader(http.StatusOK)
	}))
	w := httptest.NewRecorder()
	inner.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	secSet("from outside")(s)
	require.ErrorIs(t, s.Err(), core.ErrCommitted)
	require.Zero(t, site.store.Len())
}
