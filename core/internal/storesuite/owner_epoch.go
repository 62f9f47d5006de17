package storesuite

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// A sign-in that began before all of its owner's sessions were revoked cannot survive that, whether
// it begins a session or takes over one that was nobody's.
func signInsMeetRevocation(t *testing.T, g *ground) {
	g.owners(t)
	g.bubble(t, "none is left", func(t *testing.T) {
		site := g.site(t, "cookie", core.Config{})
		site.store.on = func(_ raceCall, do func() error) error { linger(); return do() }
		site.store.onOwner = func(_ ownerCall, do func() error) error { linger(); return do() }
		var accepted, refused atomic.Int32
		var all sync.WaitGroup
		owners := make(chan int)
		for range 16 {
			all.Go(func() {
				for i := range owners {
					r := &revocation{site: site, owner: fmt.Sprint("user:", i), turn: i}
					a := r.race()
					accepted.Add(int32(a))
					refused.Add(int32(2 - a))
				}
			})
		}
		for i := range g.some(1000) {
			owners <- i
		}
		close(owners)
		all.Wait()
		t.Logf("%d sign-ins came before their revocation, %d after it", accepted.Load(),
			refused.Load())
		require.NoError(t, site.close())
	})
}

// linger lets others go first, now and then.
func linger() {
	for range rand.IntN(6) {
		runtime.Gosched()
	}
}

// A revocation is the end of all of an owner's sessions, while two sign-ins are under way.
type revocation struct {
	site  *raceSite
	owner string
	turn  int

	ins    [2]core.SignIn
	nobody string // the token of the session that is nobody's
	began  core.ID
}

// race lets them meet, and returns how many sign-ins were accepted: they came first.
func (r *revocation) race() int {
	site, t := r.site, r.site.t
	for i := range r.ins {
		r.ins[i] = site.signIn(site.node(r.turn+i), r.owner)
	}
	visit := site.beginAt(site.node(r.turn), "").handle(raceStep{"set", "cart", "full"}).commit()
	if !assert.NoError(t, visit.err) {
		return 0
	}
	r.nobody = visit.issued()
	fresh := site.beginAt(site.node(r.turn), "").signsIn(r.owner, r.ins[0])
	r.began = fresh.session.ID()
	taken := site.beginAt(site.node(r.turn+1), r.nobody).signsIn(r.owner, r.ins[1])
	var answers [2]raceAnswer
	ended := 0
	var err error
	var all sync.WaitGroup
	all.Go(func() { answers[0] = fresh.commit() })
	all.Go(func() { answers[1] = taken.commit() })
	all.Go(func() {
		linger()
		for range rand.IntN(3) { // as long as the sign-ins' own calls take
			_, _ = site.store.kept.Load(t.Context(), r.began)
		}
		ended, err = site.node(r.turn/2).RevokeOwner(t.Context(), r.owner)
	})
	all.Wait()
	assert.NoError(t, err)
	accepted := r.check(answers)
	assert.Equal(t, accepted, ended, "RevokeOwner ended those that came first, and counts them")
	if r.turn%10 == 0 {
		token := site.device(site.node(r.turn), r.owner)
		assert.Equal(t, 1, site.alive(r.owner, token), "who signs in afterwards is signed in")
	}
	return accepted
}

// check looks whether something is left.
func (r *revocation) check(answers [2]raceAnswer) (accepted int) {
	site, t := r.site, r.site.t
	for i, answer := range answers {
		if answer.err == nil {
			accepted++
		} else {
			assert.ErrorIs(t, answer.err, core.ErrSignInStale)
			assert.Empty(t, answer.issued())
		}
		for n := range 2 {
			_, ok := site.belongs(site.node(n), answer.issued())
			assert.False(t, ok, "sign-in %d, which began before, lives", i)
		}
	}
	_, err := site.store.kept.Load(t.Context(), r.began)
	assert.ErrorIs(t, err, core.ErrNotFound, "the record of a new session is left")
	owner, ok := site.belongs(site.node(r.turn), r.nobody)
	assert.Equal(t, answers[1].err != nil, ok, "who was refused goes on as nobody")
	assert.Empty(t, owner)
	assert.Empty(t, site.listed(site.node(r.turn+1), r.owner))
	return accepted
}

// So it is wherever in the sign-in the revocation comes.
func revocationAtEachCall(t *testing.T, g *ground) {
	g.owners(t)
	for _, c := range []struct {
		call     string // of the sign-in
		existing bool   // it takes over a session that is nobody's
		after    bool
		accepted bool
	}{
		{"create", false, false, false},
		{"create", false, true, false},
		{"update", true, false, false},
		{"update", true, true, false},
		{"add", false, false, false},
		{"add", false, true, true},
		{"add", true, false, false},
		{"add", true, true, true},
	} {
		name := fmt.Sprintf("%s, after %t, existing %t", c.call, c.after, c.existing)
		g.bubble(t, name, func(t *testing.T) {
			site := g.site(t, "cookie", core.Config{})
			token, values := "", raceValues()
			if c.existing {
				token = site.start("", values)
			}
			pending := site.begin(token).signsIn(somebody, site.signIn(site.manager, somebody))
			id := pending.session.ID()
			site.meet(c.call, c.after, func() {
				_, err := site.far.RevokeOwner(t.Context(), somebody)
				require.NoError(t, err)
			})
			answer := pending.commit()
			require.Empty(t, site.listed(site.far, somebody))
			if c.accepted {
				require.NoError(t, answer.err)
				require.False(t, site.opens(answer.issued()))
				require.False(t, c.existing && site.opens(token))
				return
			}
			require.ErrorIs(t, answer.err, core.ErrSignInStale)
			require.Equal(t, 409, answer.status)
			require.Empty(t, answer.issued())
			requireAsBefore(t, site, token, id, values)
		})
	}
}

// requireAsBefore checks that a session that was nobody's goes on as it was, and that one that was
// to begin is not there.
func requireAsBefore(
	t *testing.T, site *raceSite, token string, id core.ID, values map[string]string,
) {
	t.Helper()
	if token == "" {
		_, err := site.store.kept.Load(t.Context(), id)
		require.ErrorIs(t, err, core.ErrNotFound)
		return
	}
	require.True(t, site.opens(token))
	owner, is, _ := site.contents(id)
	require.Empty(t, owner)
	require.Equal(t, values, is)
}

// meet lets something happen at the first call of a verb, before it is done or after.
func (site *raceSite) meet(verb string, after bool, happens func()) {
	hit := func(do func() error) error {
		site.store.on, site.store.onOwner = nil, nil
		if !after {
			happens()
		}
		err := do()
		if after {
			happens()
		}
		return err
	}
	site.store.on = func(call raceCall, do func() error) error {
		if call.verb == verb {
			return hit(do)
		}
		return do()
	}
	site.store.onOwner = func(call ownerCall, do func() error) error {
		if call.verb == verb {
			return hit(do)
		}
		return do()
	}
}

// Without a SignIn a sign-in begins, as far as can be known, when it is committed: what was checked
// just before a revocation is accepted just after it. The documentation says so.
func signInWithoutSignIn(t *testing.T, g *ground) {
	g.owners(t)
	for name, with := range map[string]bool{"without": false, "with": true} {
		g.bubble(t, name, func(t *testing.T) {
			site := g.site(t, "cookie", core.Config{})
			old := site.device(site.far, somebody)
			in := site.signIn(site.manager, somebody)
			pending := site.begin("") // here the password is checked
			_, err := site.far.RevokeOwner(t.Context(), somebody)
			require.NoError(t, err)
			if with {
				pending.signsIn(somebody, in)
			} else {
				pending.signsIn(somebody)
			}
			answer := pending.commit()
			require.Equal(t, with, errors.Is(answer.err, core.ErrSignInStale))
			require.Equal(t, !with, site.opens(answer.issued()))
			require.False(t, site.opens(old))
		})
	}
	g.bubble(t, "it still cannot come between its own look and the end", func(t *testing.T) {
		site := g.site(t, "cookie", core.Config{})
		pending := site.begin("").signsIn(somebody)
		site.meet("create", true, func() {
			_, err := site.far.RevokeOwner(t.Context(), somebody)
			require.NoError(t, err)
		})
		require.ErrorIs(t, pending.commit().err, core.ErrSignInStale)
		require.Zero(t, site.records())
	})
}
