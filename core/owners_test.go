package core_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

func TestTheListOfAnOwnersSessions(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		m := newSite(t, core.Config{})
		defer func() { require.NoError(t, m.Close()) }()
		began := time.Now().UTC()
		phone, phoneID := m.start(func(s *core.Session) {
			s.SetOwner("ada")
			s.SetLabel("Safari on iPhone")
			s.SetLevel(1)
		})
		time.Sleep(time.Minute)
		laptop, laptopID := m.start(func(s *core.Session) {
			note.Set(s, "x")
			s.SetLabel("Firefox on Linux")
		})
		laptop = tokenIn(t, m.visit(laptop, signIn("ada")))
		m.signInAs("bob")
		time.Sleep(30 * time.Minute)
		m.begin(phone) // a use

		list, err := m.Sessions(t.Context(), "ada")
		require.NoError(t, err)
		require.Equal(t, []core.SessionInfo{
			{
				ID: phoneID, Owner: "ada", Label: "Safari on iPhone", Level: 1, Created: began,
				Authenticated: began, Used: began.Add(31 * time.Minute),
				Expires: began.Add(91 * time.Minute),
			},
			{
				ID: laptopID, Owner: "ada", Label: "Firefox on Linux",
				Created: began.Add(time.Minute), Authenticated: began.Add(time.Minute),
				Used: began.Add(time.Minute), Expires: began.Add(61 * time.Minute),
			},
		}, list)
		time.Sleep(30 * time.Minute)
		assert.Equal(t, []core.ID{phoneID}, m.sessions("ada"), "the laptop's is past its time")
		m.visit(phone, (*core.Session).Destroy)
		assert.Empty(t, m.sessions("ada"))
		assert.False(t, m.alive(laptop))
		assert.Empty(t, m.sessions("nobody we know"))
	})
}

func TestOneSessionIsRevokedByItsOwnerOnly(t *testing.T) {
	m := newSite(t, core.Config{})
	adas, id := m.signInAs("ada")
	anonymous, none := m.start(setNote("x"))
	gone, goneID := m.signInAs("eve")
	m.visit(gone, (*core.Session).Destroy)
	m.store.forget()
	for _, id := range []core.ID{id, none, goneID, core.NewToken().ID(), "", "x", core.ID(adas)} {
		ended, err := m.RevokeOwned(t.Context(), "eve", id)
		require.NoError(t, err)
		assert.False(t, ended)
	}
	assert.True(t, m.alive(adas))
	assert.True(t, m.alive(anonymous))
	assert.Zero(t, m.store.writes())

	ended, err := m.RevokeOwned(t.Context(), "ada", id)
	require.NoError(t, err)
	assert.True(t, ended)
	assert.False(t, m.alive(adas))
	assert.Empty(t, m.entries("ada"))
	ended, err = m.RevokeOwned(t.Context(), "ada", id)
	require.NoError(t, err)
	assert.False(t, ended, "there is nothing left to end")
}

func TestAllSessionsOfAnOwnerAreRevoked(t *testing.T) {
	m := newSite(t, core.Config{})
	var tokens []string
	for range 20 {
		token, _ := m.signInAs("ada")
		tokens = append(tokens, token)
	}
	bobs, _ := m.signInAs("bob")
	m.events.take()
	n, err := m.RevokeOwner(t.Context(), "ada")
	require.NoError(t, err)
	assert.Equal(t, 20, n)
	for _, e := range m.events.take() {
		assert.Equal(t, core.SessionExpired, e.Kind)
		assert.Equal(t, "revoked", e.Reason)
		assert.Equal(t, "ada", e.Owner)
	}
	for _, token := range tokens {
		assert.False(t, m.alive(token))
	}
	assert.True(t, m.alive(bobs))
	assert.Empty(t, m.entries("ada"))
	n, err = m.RevokeOwner(t.Context(), "ada")
	require.NoError(t, err)
	assert.Zero(t, n)
}

func TestAllOtherSessionsAreRevoked(t *testing.T) {
	m := newSite(t, core.Config{})
	mine, id := m.signInAs("ada")
	other, _ := m.signInAs("ada")
	n, err := m.RevokeOthers(t.Context(), m.begin(mine))
	require.NoError(t, err)
	assert.Equal(t, 1, n)
	assert.True(t, m.alive(mine))
	assert.False(t, m.alive(other))
	assert.Equal(t, []core.ID{id}, m.sessions("ada"))

	n, err = m.RevokeOthers(t.Context(), m.begin())
	require.NoError(t, err)
	assert.Zero(t, n, "who is nobody has no others")
}

// Password changed, signed in anew, and all others out: in one request.
func TestASignInAndTheEndOfAllOthersGoTogether(t *testing.T) {
	for _, existing := range []bool{true, false} {
		m := newSite(t, core.Config{})
		token, _ := m.signInAs("ada")
		other, _ := m.signInAs("ada")
		in := m.beginSignIn("ada")
		session := m.begin()
		if existing {
			session = m.begin(token)
		}
		session.SetOwner("ada", in)
		_, err := m.RevokeOthers(t.Context(), session)
		require.NoError(t, err)
		mine := tokenIn(t, m.commit(session))
		assert.True(t, m.alive(mine))
		assert.False(t, m.alive(other))
		assert.Len(t, m.sessions("ada"), 1)
	}
	// Likewise if the others are ended first.
	m := newSite(t, core.Config{})
	token, _ := m.signInAs("ada")
	other, _ := m.signInAs("ada")
	in := m.beginSignIn("ada")
	session := m.begin(token)
	for range 2 {
		_, err := m.RevokeOthers(t.Context(), session)
		require.NoError(t, err)
	}
	session.SetOwner("ada", in)
	_, err := m.RevokeOthers(t.Context(), session)
	require.NoError(t, err)
	assert.True(t, m.alive(tokenIn(t, m.commit(session))))
	assert.False(t, m.alive(other))

	// But not if somebody else has revoked everything since the sign-in began.
	in = m.beginSignIn("ada")
	_, err = m.RevokeOwner(t.Context(), "ada")
	require.NoError(t, err)
	session = m.begin()
	session.SetOwner("ada", in)
	_, err = m.RevokeOthers(t.Context(), session)
	require.NoError(t, err)
	_, err = m.tryCommit(session)
	requireStale(t, err)
}

func TestAnEndTakesTheEntryAlong(t *testing.T) {
	for name, end := range map[string]func(m *site, token string, id core.ID){
		"destroyed": func(m *site, token string, _ core.ID) { m.visit(token, (*core.Session).Destroy) },
		"revoked": func(m *site, _ string, id core.ID) {
			require.NoError(t, m.Revoke(t.Context(), id))
		},
		"another owner": func(m *site, token string, _ core.ID) { m.visit(token, signIn("bob")) },
		"nobody":        func(m *site, token string, _ core.ID) { m.visit(token, signIn("")) },
		"outdated": func(m *site, token string, _ core.ID) {
			m.visit(token, (*core.Session).Renew)
			m.visit(token, (*core.Session).Destroy)
		},
	} {
		m := newSite(t, core.Config{})
		token, id := m.signInAs("ada")
		require.Equal(t, []core.ID{id}, m.entries("ada"))
		end(m, token, id)
		assert.Empty(t, m.entries("ada"), name)
	}
}

// What a crash leaves between the record's end and the entry's.
func TestAnEntryWithoutASessionGoesWithTheNextList(t *testing.T) {
	m := newSite(t, core.Config{MaxPerOwner: 1})
	_, id := m.signInAs("ada")
	require.NoError(t, m.store.MemoryStore.Delete(t.Context(), id))
	assert.Empty(t, m.sessions("ada"))
	assert.Empty(t, m.entries("ada"))

	_, id = m.signInAs("ada")
	require.NoError(t, m.store.MemoryStore.Delete(t.Context(), id))
	token, _ := m.signInAs("ada")
	assert.True(t, m.alive(token), "an orphan locks nobody out")
}

// An entry that a slow healer has seen without its session may have been added anew since.
func TestAHealerRemovesOnlyWhatItHasSeen(t *testing.T) {
	m := newSite(t, core.Config{})
	token, id := m.start(setNote("x"))
	m.store.setAfter(opAdd, func(context.Context, error) error { return errDown })
	m.store.fail(errDown, opRemove)
	session := m.begin(token)
	session.SetOwner("ada")
	_, err := m.tryCommit(session)
	require.Error(t, err)
	require.Equal(t, []core.ID{id}, m.entries("ada"), "an orphan")
	m.store.setAfter(opAdd, nil)
	m.store.setBefore(opRemove, once(func(context.Context, error) error {
		tokenIn(t, m.visit(token, signIn("ada")))
		return nil
	}))
	assert.Empty(t, m.sessions("ada"), "as it was when it was listed")
	assert.Equal(t, []core.ID{id}, m.sessions("ada"))
}

func TestAnIndexThatGrowsIsLookedThrough(t *testing.T) {
	m := newSite(t, core.Config{})
	for range 15 {
		_, id := m.signInAs("ada")
		require.NoError(t, m.store.MemoryStore.Delete(t.Context(), id))
	}
	require.Len(t, m.entries("ada"), 15)
	_, id := m.signInAs("ada")
	require.Eventually(t, func() bool { return len(m.entries("ada")) == 1 },
		patient, time.Millisecond)
	assert.Equal(t, []core.ID{id}, m.sessions("ada"))
}

func TestALimitRefusesOrEndsTheOneUnusedLongest(t *testing.T) {
	for _, policy := range []core.LimitPolicy{core.RefuseNew, core.EndUnusedLongest} {
		bubble(t, fmt.Sprint(policy), func(t *testing.T) {
			m := newSite(t, core.Config{MaxPerOwner: 3, OwnerPolicy: policy})
			defer func() { require.NoError(t, m.Close()) }()
			var tokens []string
			for range 3 {
				token, _ := m.signInAs("ada")
				tokens = append(tokens, token)
				time.Sleep(10 * time.Minute)
			}
			m.begin(tokens[0]) // so that the second is the one unused longest
			m.events.take()
			session := m.begin()
			session.SetOwner("ada")
			header, err := m.tryCommit(session)
			if policy == core.RefuseNew {
				require.ErrorIs(t, err, core.ErrOwnerLimit)
				require.Equal(t, 409, core.Status(err))
				require.Empty(t, header)
				require.Equal(t, 3, m.store.Len())
				require.Contains(t, m.events.takeKinds(), core.SignInRefused)
				m.visit(tokens[2], (*core.Session).Destroy)
				m.signInAs("ada")
				return
			}
			require.NoError(t, err)
			require.True(t, m.alive(tokens[0]))
			require.False(t, m.alive(tokens[1]))
			require.True(t, m.alive(tokens[2]))
			require.True(t, m.alive(tokenIn(t, header)))
			require.Equal(t, "limit", m.events.take()[0].Reason)
		})
	}
}

// Whoever has just signed in is not the one unused longest, though a use was noted long before.
func TestASignInIsAUse(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		m := newSite(t, core.Config{MaxPerOwner: 2, OwnerPolicy: core.EndUnusedLongest})
		defer func() { require.NoError(t, m.Close()) }()
		visitor, id := m.start(setNote("basket"))
		time.Sleep(time.Minute)
		first, _ := m.signInAs("ada")
		time.Sleep(time.Minute)
		newest := tokenIn(t, m.visit(visitor, signIn("ada")))
		assert.Equal(t, id, m.sessions("ada")[0], "it is the first in the list")
		session := m.begin(newest)
		assert.Equal(t, session.Authenticated(), session.Used())
		m.signInAs("ada")
		assert.True(t, m.alive(newest))
		assert.False(t, m.alive(first))
	})
}

func TestWhatHasExpiredTakesNoPlace(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		m := newSite(t, core.Config{MaxPerOwner: 1})
		defer func() { require.NoError(t, m.Close()) }()
		m.signInAs("ada")
		time.Sleep(time.Hour)
		token, _ := m.signInAs("ada")
		assert.True(t, m.alive(token))
		m.visit(token, func(s *core.Session) { s.SetOwner("ada") }) // no further place
	})
}

func TestManySignInsAtOnceKeepTheLimit(t *testing.T) {
	for _, policy := range []core.LimitPolicy{core.RefuseNew, core.EndUnusedLongest} {
		m := newSite(t, core.Config{MaxPerOwner: 3, OwnerPolicy: policy})
		var all sync.WaitGroup
		var mu sync.Mutex
		admitted := 0
		for range 24 {
			all.Go(func() {
				session := m.begin()
				session.SetOwner("ada")
				_, err := m.tryCommit(session)
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					admitted++
				} else {
					assert.ErrorIs(t, err, core.ErrOwnerLimit)
				}
			})
		}
		all.Wait()
		assert.Len(t, m.sessions("ada"), 3)
		assert.Len(t, m.entries("ada"), 3)
		assert.Equal(t, 3, m.store.Len())
		if policy == core.RefuseNew {
			assert.Equal(t, 3, admitted)
		}
	}
}

func TestNamespacesHaveOwnersOfTheirOwn(t *testing.T) {
	store := newSpyStore()
	shop := newSite(t, core.Config{Store: store, Namespace: "shop", MaxPerOwner: 1})
	admin := newSite(t, core.Config{Store: store, Namespace: "admin", MaxPerOwner: 1})
	shopToken, id := shop.signInAs("ada")
	adminToken, _ := admin.signInAs("ada")
	assert.Equal(t, []core.ID{id}, shop.sessions("ada"))
	ended, err := admin.RevokeOwned(t.Context(), "ada", id)
	require.NoError(t, err)
	assert.False(t, ended)
	n, err := admin.RevokeOwner(t.Context(), "ada")
	require.NoError(t, err)
	assert.Equal(t, 1, n)
	assert.True(t, shop.alive(shopToken))
	assert.False(t, admin.alive(adminToken))
}

// A revocation that fails half way says so, has ended what it could, and may be called again.
// stubborn deletes all but one record.
type stubborn struct {
	*spyStore
	keeps atomic.Value // the core.ID
}

func (s *stubborn) Delete(ctx context.Context, id core.ID) error {
	if id == s.keeps.Load() {
		return errDown
	}
	return s.spyStore.Delete(ctx, id)
}

func TestARevocationInTroubleGoesOnWithTheOthers(t *testing.T) {
	store := &stubborn{spyStore: newSpyStore()}
	m := newSite(t, core.Config{Store: store})
	first, id := m.signInAs("ada")
	second, _ := m.signInAs("ada")
	store.keeps.Store(id)
	n, err := m.RevokeOwner(t.Context(), "ada")
	require.ErrorIs(t, err, errDown)
	assert.Equal(t, 503, core.Status(err))
	assert.Equal(t, 1, n)
	assert.True(t, m.alive(first))
	assert.False(t, m.alive(second))
	store.keeps.Store(core.ID(""))
	n, err = m.RevokeOwner(t.Context(), "ada")
	require.NoError(t, err)
	assert.Equal(t, 1, n)
	assert.False(t, m.alive(first))

	m.signInAs("ada")
	for _, op := range []string{opRaise, opLoad} {
		store.fail(errDown, op)
		n, err = m.RevokeOwner(t.Context(), "ada")
		require.ErrorIs(t, err, errDown)
		assert.Zero(t, n)
		store.setBefore(op, nil)
	}
	store.setAfter(opRaise, once(func(context.Context, error) error { return errDown }))
	n, err = m.RevokeOwner(t.Context(), "ada")
	require.NoError(t, err, "a lost answer is asked for once more")
	assert.Equal(t, 1, n)
}

func TestAnUnconfirmedEpochIsAnErrorAndTheSessionsEndAllTheSame(t *testing.T) {
	m := newSite(t, core.Config{})
	token, _ := m.signInAs("ada")
	m.store.setAfter(opRaise, func(context.Context, error) error {
		return fmt.Errorf("0 of 1: %w", core.ErrNotDurable)
	})
	n, err := m.RevokeOwner(t.Context(), "ada")
	require.ErrorIs(t, err, core.ErrNotDurable)
	assert.Equal(t, 1, n)
	assert.False(t, m.alive(token))
}

// A record that cannot be read is the owner's all the same, and ends.
func TestADamagedSessionOfAnOwnersCanBeRevoked(t *testing.T) {
	m := newSite(t, core.Config{MaxPerOwner: 2})
	_, id := m.signInAs("ada")
	rec := m.record(id)
	was := rec.Revision
	rec.Revision, rec.Data = 1, "\x01"
	require.NoError(t, m.store.MemoryStore.Update(t.Context(), rec, was))
	assert.Empty(t, m.sessions("ada"), "it cannot be shown")
	m.signInAs("ada")
	n, err := m.RevokeOwner(t.Context(), "ada")
	require.NoError(t, err)
	assert.Equal(t, 2, n)
	assert.Zero(t, m.store.Len())
}

func TestTheListIsAnErrorWhereTheStoreIsInTrouble(t *testing.T) {
	m := newSite(t, core.Config{})
	_, id := m.signInAs("ada")
	for _, op := range []string{opList, opLoad} {
		m.store.fail(errDown, op)
		_, err := m.Sessions(t.Context(), "ada")
		require.ErrorIs(t, err, errDown)
		var trouble *core.StoreError
		require.True(t, errors.As(err, &trouble))
		m.store.setBefore(op, nil)
	}
	m.store.fail(errDown, opLoad)
	_, err := m.RevokeOwned(t.Context(), "ada", id)
	require.ErrorIs(t, err, errDown)
}

// A request of somebody who is signed in costs what it did before; a sign-in three round trips.
func TestRoundTrips(t *testing.T) {
	m := newSite(t, core.Config{})
	m.begin(core.NewToken().Reveal()) // the mark is asked for once
	m.store.forget()
	in := m.beginSignIn("ada")
	token := tokenIn(t, m.visit("", func(s *core.Session) { s.SetOwner("ada", in) }))
	assert.Equal(t, map[string]int{opEpoch: 1, opCreate: 1, opAdd: 1}, m.store.calls)
	m.store.forget()
	m.visit(token, func(s *core.Session) {
		s.Owner()
		s.Label()
		s.AuthenticatedWithin(time.Minute)
		note.Set(s, "x")
	})
	assert.Equal(t, map[string]int{opLoad: 1, opUpdate: 1}, m.store.calls)
}

// A deploy that makes the lifetime longer: what is used now lives longer than its entry was to be
// kept for.
func TestALongerLifetimeKeepsTheEntry(t *testing.T) {
	for _, trouble := range []bool{false, true} {
		bubble(t, fmt.Sprint(trouble), func(t *testing.T) {
			m := newSite(t, core.Config{Lifetime: time.Hour})
			token, _ := m.signInAs("ada")
			time.Sleep(40 * time.Minute)
			longer := newSite(t, core.Config{Store: m.store, Lifetime: 24 * time.Hour})
			require.NoError(t, m.Close())
			defer func() { require.NoError(t, longer.Close()) }()
			if trouble {
				m.store.fail(errDown, opAdd)
			}
			require.True(t, longer.alive(token))
			if trouble { // then it ends as it was to
				time.Sleep(20 * time.Minute)
				require.False(t, longer.alive(token))
				return
			}
			for range 20 {
				time.Sleep(50 * time.Minute)
				require.True(t, longer.alive(token))
			}
			n, err := longer.RevokeOwner(t.Context(), "ada")
			require.NoError(t, err)
			assert.Equal(t, 1, n)
			assert.False(t, longer.alive(token))
		})
	}
}

func TestWithoutALifetimeAnEntryIsKeptAsLongAsTheSessionIsUsed(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		m := newSite(t, core.Config{Lifetime: core.Never, IdleTimeout: time.Hour})
		defer func() { require.NoError(t, m.Close()) }()
		token, _ := m.signInAs("ada")
		for i := range 99 {
			m.signInAs(fmt.Sprint(i))
		}
		for range 100 {
			time.Sleep(50 * time.Minute)
			require.True(t, m.alive(token))
			m.visit(token, func(s *core.Session) { hits.Update(s, func(n int) int { return n + 1 }) })
		}
		assert.Less(t, m.store.count(opAdd), 110, "which is seldom looked after")
		n, err := m.RevokeOwner(t.Context(), "ada")
		require.NoError(t, err)
		assert.Equal(t, 1, n)
		time.Sleep(3 * 24 * time.Hour)
		synctest.Wait()
		assert.Zero(t, m.store.Bytes(), "what has ended by itself leaves nothing")
	})
}

// Where clocks differ, what is over here may be alive there.
func TestWhatIsPastItsTimeIsEndedWhenItIsRevoked(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		m := newSite(t, core.Config{})
		defer func() { require.NoError(t, m.Close()) }()
		token, id := m.signInAs("ada")
		shorter := newSite(t, core.Config{Store: m.store, IdleTimeout: time.Minute})
		defer func() { require.NoError(t, shorter.Close()) }()
		time.Sleep(time.Minute)
		ended, err := shorter.RevokeOwned(t.Context(), "ada", id)
		require.NoError(t, err)
		assert.False(t, ended)
		assert.NotContains(t, shorter.events.takeKinds(), core.SessionExpired)
		assert.False(t, m.alive(token))
	})
}

// An owner's name that somebody chose to be what another Namespace's owner is kept under.
func TestAnOwnersNameDoesNotReachIntoAnotherNamespace(t *testing.T) {
	shop := newSite(t, core.Config{Namespace: "shop"})
	forum := newSite(t, core.Config{Store: shop.store})
	token, _ := shop.signInAs("ada")
	domain := sha256.Sum256([]byte("session namespace:shop"))
	name := sha256.Sum256(append(domain[:16:16], "ada"...))
	mallory := base64.RawURLEncoding.EncodeToString(name[:])
	forum.signInAs(mallory)
	_, err := forum.RevokeOwner(t.Context(), mallory)
	require.NoError(t, err)
	assert.Len(t, shop.sessions("ada"), 1)
	_, err = shop.RevokeOwner(t.Context(), "ada")
	require.NoError(t, err)
	assert.False(t, shop.alive(token))
}

func TestAReauthenticationIsNotHeldToALimitThatWasLowered(t *testing.T) {
	m := newSite(t, core.Config{})
	token := ""
	for range 5 {
		token, _ = m.signInAs("ada")
	}
	lower := newSite(t, core.Config{Store: m.store, MaxPerOwner: 3})
	lower.visit(token, signIn("ada"))
	assert.Len(t, lower.sessions("ada"), 5)
	session := lower.begin()
	session.SetOwner("ada")
	_, err := lower.tryCommit(session)
	require.ErrorIs(t, err, core.ErrOwnerLimit)
}

// Where nobody keeps an index, nothing bounds a session but its timeouts.
func TestWithoutAnIndexAnOwnersSessionLivesAsLongAsAnyOther(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		m := newSite(t, core.Config{
			Store:    bareStore{core.NewMemoryStore(core.MemoryOptions{})},
			Lifetime: core.Never,
		})
		defer func() { require.NoError(t, m.Close()) }()
		token, _ := m.signInAs("ada")
		for range 100 {
			time.Sleep(30 * time.Minute)
			require.True(t, m.alive(token))
		}
	})
}

// What only tidies up does not hold anybody up for ever.
func TestARemovalThatHangsIsBounded(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		m := newSite(t, core.Config{})
		defer func() { require.NoError(t, m.Close()) }()
		m.signInAs("ada")
		m.store.hang(opRemove)
		began := time.Now()
		n, err := m.RevokeOwner(context.Background(), "ada")
		require.NoError(t, err)
		assert.Equal(t, 1, n)
		assert.Equal(t, 5*time.Second, time.Since(began))
	})
}
