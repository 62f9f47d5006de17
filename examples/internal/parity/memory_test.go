package parity

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// memoryBehaviours are about what outlives a request. fasthttp uses the memory of a request again
// for the next one on its connection: what was kept of it without a copy changes then.
func memoryBehaviours() []behaviour {
	return []behaviour{
		{row: "71", name: "pipelined-users", check: pipelinedUsers,
			promise: "requests of several visitors that share a connection each get their own"},
		{row: "73", name: "kept-session", check: keptSession,
			promise: "a session kept after its request reads its own values and changes nothing"},
		{row: "79", name: "update-existing-same-connection", check: sameConnection,
			promise: "what is kept of a token does not change with later requests"},
		{row: "79b", name: "request-text-in-session", check: requestTextInSession,
			promise: "what a handler puts into a session straight from its request does not change"},
		{row: "79c", name: "name-from-request", check: nameFromRequest,
			promise: "a value's name taken from the request does not change with it"},
	}
}

// like makes a token that has nothing in common with another but its length.
func like() string { return core.NewToken().Reveal() }

// crowdOut sends requests of the same shape as the visitor's on his connection, with other tokens,
// so that whatever still points to his request reads as theirs. It returns the tokens.
func crowdOut(v *visitor, n int) []string {
	v.t.Helper()
	mine := v.jar
	defer func() { v.jar = mine }()
	tokens := make([]string, n)
	for i := range tokens {
		tokens[i] = like()
		v.jar = map[string]string{cookieName: tokens[i]}
		v.get("/read").is(200).says("u=").silent()
	}
	return tokens
}

func pipelinedUsers(t *testing.T, f framework) {
	s := open(t, f)
	tokens := map[string]string{"": ""}
	users := []string{"alice", "bob", "carol", ""}
	for _, name := range users[:3] {
		tokens[name] = s.visitor().get("/set?u=" + name).issues()
	}
	const requests = 30
	v := s.visitor()
	var all strings.Builder
	for i := range requests {
		all.Write(v.request(http.MethodGet, "/read", "", cookie(tokens[users[i%len(users)]])))
	}
	_, err := v.connection().Write([]byte(all.String()))
	require.NoError(t, err)
	for i := range requests {
		a := v.receive(http.MethodGet).is(200).silent()
		a.finish()
		a.says("u=" + users[i%len(users)])
	}
}

func keptSession(t *testing.T, f framework) {
	kept := make(chan *core.Session, 1)
	s, token := seeded(t, f, get("/keep", func(c Ctx) error {
		u.Set(c.Session(), "kept")
		kept <- c.Session()
		return c.Text(200, "")
	}))
	bob := s.visitor().get("/set?u=bob").issues()
	v := s.visitor()
	v.get("/keep", cookie(token)).is(200)
	v.get("/read", cookie(bob)).is(200).says("u=bob")

	mine := receive(t, kept, "the session")
	val, _ := u.Get(mine)
	require.Equal(t, "kept", val)
	require.Equal(t, idOf(t, token), mine.ID())
	require.NoError(t, mine.Err())
	u.Set(mine, "too late")
	require.ErrorIs(t, mine.Err(), core.ErrCommitted)
	require.ErrorIs(t, s.manager.Commit(t.Context(), mine, nil), core.ErrCommitted)
	s.holds(token, "kept")
	s.holds(bob, "bob")
}

// sameConnection looks at everything that was kept of the tokens before their visitor comes again,
// whose next request would put the right bytes back.
func sameConnection(t *testing.T, f framework) {
	s := open(t, f, lifecycle)
	v := s.visitor()
	token := v.get("/set?u=x").is(200).issues()
	id := idOf(t, token)
	v.get("/set?u=y").is(200).silent()
	want := []core.ID{id, id, id} // create; load, update
	for _, other := range crowdOut(v, 20) {
		want = append(want, idOf(t, other))
	}
	require.Equal(t, want, s.store.given(), "the IDs that the store was called with")
	require.Equal(t, want[3:], s.unknownIDs(), "the IDs in the events")
	s.holds(token, "y")
	require.Equal(t, 1, s.store.Len())
	v.get("/read").is(200).says("u=y").silent()

	claimed := like() // an end reaches the store even where it holds nothing under the ID
	s.visitor().get("/destroy", cookie(claimed)).is(200).forgets()
	v.jar[cookieName] = claimed
	v.get("/destroy").is(200).forgets()
	crowdOut(v, 3)
	id = idOf(t, claimed)
	ends := s.store.given()[len(want)+1:] // but for the visitor's last request
	require.Equal(t, []core.ID{id, id, id, id, id, id}, ends[:6], "load, load again, delete")
}

// unknownIDs lists what the events of unknown tokens hold now.
func (s *site) unknownIDs() []core.ID {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []core.ID
	for _, e := range s.events {
		if e.Kind == core.TokenUnknown {
			ids = append(ids, e.ID)
		}
	}
	return ids
}

func requestTextInSession(t *testing.T, f framework) {
	s := open(t, f, get("/sign-in", func(c Ctx) error {
		found := c.Session()
		core.NewValue[string](c.Query("name")).Set(found, c.Query("value"))
		found.SetOwner(c.Query("owner"))
		return c.Text(200, "")
	}))
	v := s.visitor()
	token := v.get("/sign-in?owner=alice&name=colour&value=green").is(200).issues()
	for range 3 { // others sign in on the same connection
		v.jar = map[string]string{}
		v.get("/sign-in?owner=mallo&name=xxxxxx&value=xxxxx").is(200).issues()
	}
	found := s.opens(token)
	require.Equal(t, "alice", found.Owner())
	require.Equal(t, []string{"colour"}, found.Names())
	colour, _ := core.NewValue[string]("colour").Get(found)
	require.Equal(t, "green", colour)
}

func nameFromRequest(t *testing.T, f framework) {
	silent := func(Ctx) error { return nil }
	s := open(t, f, get("/name/other", silent), get("/name/colour", func(c Ctx) error {
		core.NewValue[string](strings.TrimPrefix(c.Path(), "/name/")).Set(c.Session(), "on")
		u.Set(c.Session(), "x")
		return c.Redispatch("/name/other") // fiber writes it over the path
	}))
	token := s.visitor().get("/name/colour").is(200).issues()
	require.Equal(t, []string{"colour", "u"}, s.holds(token, "x").Names())
}
