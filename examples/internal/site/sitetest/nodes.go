package sitetest

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestNodes visits several sites that share a store, given by their URLs: to a visitor, who has one
// cookie for all of them, they have to be one site. There are two nodes or more.
func TestNodes(t *testing.T, homes ...string) {
	require.GreaterOrEqual(t, len(homes), 2)
	var n nodes
	for _, home := range homes {
		n = append(n, strings.TrimSuffix(home, "/"))
	}
	cases := []struct {
		sentence string
		check    func(*testing.T, nodes)
	}{
		{"what was begun on one node is read and changed on every other", beginOnOneReadOnAll},
		{"signing in on one node renews the token for all", signInOnOneHoldsOnAll},
		{"what is put into the cart on all nodes at once is there on all", addOnAllAtOnce},
		{"what signing out on one node ends is over on all", endOnOneEndsOnAll},
		{"a device on one node is told what another signs out on another", signOutAcrossNodes},
		{"a slow request on one node does not bring back what another ended", slowOnOneEndOnAnother},
		{"a message is shown once, on one node", messageOnOneNode},
	}
	for _, c := range cases {
		t.Run(c.sentence, func(t *testing.T) { c.check(t, n) })
	}
}

// nodes are the URLs of sites that share a store.
type nodes []string

// after returns the node that is n places after i, in a circle.
func (n nodes) after(i int) string { return n[i%len(n)] }

// at lets the visitor go on at another node, with the cookie.
func (v *visitor) at(base string) *visitor {
	other := newVisitor(v.t, base)
	other.token = v.token
	return other
}

func beginOnOneReadOnAll(t *testing.T, n nodes) {
	for _, begin := range n {
		v := newVisitor(t, begin)
		v.requireHome(v.post("/cart", url.Values{"item": {"begun"}}))
		want := []string{"begun"}
		id, _ := v.get("/").text("session-id")
		require.Len(t, id, 32)
		for i, base := range n {
			v = v.at(base)
			item := fmt.Sprintf("item %d", i)
			v.requireHome(v.post("/cart", url.Values{"item": {item}}))
			want = append(want, item)
			for _, reader := range n {
				home := v.at(reader).get("/")
				require.Equal(t, want, home.cart(), "added at %s, read at %s", base, reader)
				same, _ := home.text("session-id")
				require.Equal(t, id, same)
				require.Nil(t, home.cookie)
			}
		}
		for _, base := range n {
			v.requireHome(v.at(base).post("/cart/remove", url.Values{"item": {want[0]}}))
			want = want[1:]
			require.Equal(t, want, v.get("/").cart())
		}
	}
}

func signInOnOneHoldsOnAll(t *testing.T, n nodes) {
	for i := range n {
		v := newVisitor(t, n.after(i))
		v.requireHome(v.post("/cart", url.Values{"item": {"tea"}}))
		old := v.token
		v = v.at(n.after(i + 1))
		v.signIn("Ada")
		require.NotEqual(t, old, v.token)
		for _, base := range n {
			account := v.at(base).get("/account")
			require.Equal(t, http.StatusOK, account.status)
			name, _ := account.text("who")
			require.Equal(t, "Ada", name)
			require.Equal(t, []string{"tea"}, v.at(base).get("/").cart())
			requireAnonymous(t, v.at(base).with(old))
		}
	}
}

func addOnAllAtOnce(t *testing.T, n nodes) {
	v := newVisitor(t, n[0])
	v.signIn("Ada")
	each := 20 / len(n) // the cart holds 20
	var want []string
	var adding sync.WaitGroup
	for i, base := range n {
		for j := range each {
			item := fmt.Sprintf("%d of node %d", j, i)
			want = append(want, item)
			adding.Go(func() {
				added := v.at(base).post("/cart", url.Values{"item": {item}})
				assert.Equal(t, http.StatusSeeOther, added.status)
			})
		}
	}
	adding.Wait()
	for _, base := range n {
		assert.ElementsMatch(t, want, v.at(base).get("/").cart(), "every item is there, once")
	}
}

func endOnOneEndsOnAll(t *testing.T, n nodes) {
	for i, begin := range n {
		for j, end := range n {
			v := newVisitor(t, begin)
			v.signIn("Ada")
			token := v.token
			require.Equal(t, http.StatusOK, v.at(n.after(i+j)).get("/account").status)
			v = v.at(end)
			out := v.post("/sign-out", nil)
			require.Equal(t, http.StatusSeeOther, out.status)
			require.Empty(t, v.token)
			for _, base := range n {
				requireAnonymous(t, v.at(base).with(token))
			}
		}
	}
}

func signOutAcrossNodes(t *testing.T, n nodes) {
	for i, base := range n {
		signOutFrom(t, newVisitor(t, base), n.after(i+1))
	}
}

func slowOnOneEndOnAnother(t *testing.T, n nodes) {
	for i, base := range n {
		t.Run(fmt.Sprintf("node %d", i), func(t *testing.T) {
			t.Parallel() // it waits most of the time
			overtake(t, newVisitor(t, base), newVisitor(t, n.after(i+1)))
		})
	}
}

func messageOnOneNode(t *testing.T, n nodes) {
	v := newVisitor(t, n[0])
	for i := range n {
		v = v.at(n.after(i))
		v.requireHome(v.post("/cart", url.Values{"item": {"tea"}}))
		message, _ := v.at(n.after(i + 1)).get("/").text("flash")
		require.Equal(t, "Added to the cart: tea.", message)
		_, again := v.get("/").text("flash")
		require.False(t, again)
	}
}
