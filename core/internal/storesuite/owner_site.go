package storesuite

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// somebody is an owner of these tests.
const somebody = "user:42"

// owners skips a test of what a store cannot that keeps no index of owners.
func (g *ground) owners(t *testing.T) {
	t.Helper()
	if _, ok := g.stores(t)[0].(core.OwnerIndex); !ok {
		t.Skip("not tested: the store keeps no index of owners")
	}
}

// some is a number of owners, or fewer where each takes its time.
func (g *ground) some(n int) int {
	if g.Local || g.all() {
		return n
	}
	if testing.Short() || slower > 1 {
		return n / 10
	}
	return n
}

// signIn begins a sign-in at a node, before the password is checked.
func (site *raceSite) signIn(m *core.Manager, owner string) core.SignIn {
	in, err := m.BeginSignIn(site.t.Context(), owner)
	assert.NoError(site.t, err)
	return in
}

// signsIn has the handler sign somebody in.
func (r *racePending) signsIn(owner string, options ...core.SignInOption) *racePending {
	if r.session != nil {
		r.session.SetOwner(owner, options...)
	}
	return r
}

// device signs an owner in at a node, on a new session, and returns its token.
func (site *raceSite) device(m *core.Manager, owner string) string {
	answer := site.beginAt(m, "").signsIn(owner, site.signIn(m, owner)).commit()
	require.NoError(site.t, answer.err)
	require.NotEmpty(site.t, answer.issued())
	return answer.issued()
}

// devices signs an owner in at both nodes by turns.
func (site *raceSite) devices(owner string, n int) []string {
	var tokens []string
	for i := range n {
		tokens = append(tokens, site.device(site.node(i), owner))
	}
	return tokens
}

// belongs tells whose session a token opens; ok is false if it opens none.
func (site *raceSite) belongs(m *core.Manager, token string) (owner string, ok bool) {
	s, err := m.Begin(site.t.Context(), site.header(token))
	if !assert.NoError(site.t, err) {
		return "", false
	}
	return s.Owner(), s.ID() != ""
}

// alive counts the tokens that open a session of the owner's, at either node.
func (site *raceSite) alive(owner string, tokens ...string) int {
	n := 0
	for i, token := range tokens {
		if is, ok := site.belongs(site.node(i), token); ok && is == owner {
			n++
		}
	}
	return n
}

// listed are the IDs of an owner's sessions, as a node lists them.
func (site *raceSite) listed(m *core.Manager, owner string) []core.ID {
	list, err := m.Sessions(site.t.Context(), owner)
	assert.NoError(site.t, err)
	ids := []core.ID{}
	for _, info := range list {
		assert.Equal(site.t, owner, info.Owner)
		ids = append(ids, info.ID)
	}
	return ids
}

// A ledger is what passes between Managers and their store's index of one owner.
type ledger struct {
	site    *raceSite
	name    string // the owner's, as the store knows it
	replies map[string][]raceReply
	verbs   []string
}

// audit begins to note the calls about owners, and decides what becomes of each, by its verb.
func (site *raceSite) audit(replies map[string][]raceReply) *ledger {
	l := &ledger{site: site, replies: replies}
	site.store.onOwner = func(call ownerCall, do func() error) error {
		l.name = call.owner
		l.verbs = append(l.verbs, call.verb)
		list := l.replies[call.verb]
		if len(list) == 0 {
			return do()
		}
		l.replies[call.verb] = list[1:]
		return list[0].answer(0, do)
	}
	return l
}

// entries are what the index really holds.
func (l *ledger) entries() []core.OwnerEntry {
	index := l.site.store.kept.(core.OwnerIndex)
	list, err := index.ListOwned(l.site.t.Context(), l.name)
	require.NoError(l.site.t, err)
	return list
}
