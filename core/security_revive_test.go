package core_test

import (
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// secLate are the ways in which a slow request could bring a session back, and what it is told.
func secLate() map[string]struct {
	change func(*core.Session)
	err    error
} {
	type late = struct {
		change func(*core.Session)
		err    error
	}
	return map[string]late{
		"set":         {secSet("late"), nil},
		"update":      {func(s *core.Session) { secValue().Update(s, strings.ToUpper) }, nil},
		"delete":      {secValue().Delete, nil},
		"take":        {func(s *core.Session) { secValue().Take(s) }, nil},
		"clear":       {(*core.Session).Clear, nil},
		"clear, set":  {func(s *core.Session) { s.Clear(); secSet("late")(s) }, nil},
		"take once":   {func(s *core.Session) { secValue().TakeOnce(s) }, core.ErrGone},
		"renew":       {(*core.Session).Renew, core.ErrGone},
		"renew, set":  {func(s *core.Session) { s.Renew(); secSet("late")(s) }, core.ErrGone},
		"sign in":     {func(s *core.Session) { s.SetOwner("alice") }, core.ErrGone},
		"remember me": {func(s *core.Session) { s.Persist(true) }, core.ErrGone},
	}
}

// secQuickEnds are the ends that another request can bring at any moment.
func secQuickEnds() map[string]func(v *secVisitor) {
	ends := secEnds()
	for _, slow := range []string{"idle", "of its lifetime", "destroyed with an outdated token"} {
		delete(ends, slow)
	}
	return ends
}

// secMoments are where the end comes while a request commits.
func secMoments() map[string]func(site *secSite, v *secVisitor, end func()) {
	return map[string]func(site *secSite, v *secVisitor, end func()){
		"before its commit": func(_ *secSite, _ *secVisitor, end func()) { end() },
		"right before its write": func(site *secSite, _ *secVisitor, end func()) {
			site.store.once("update", end)
		},
		"between its first try and the second": func(site *secSite, v *secVisitor, end func()) {
			site.store.once("update", func() {
				v.visit(func(s *core.Session) { core.NewValue[int]("other").Set(s, 1) })
				site.store.once("load", end)
			})
		},
	}
}

func TestT21_NothingBringsAnEndedSessionBack(t *testing.T) {
	for endName, end := range secQuickEnds() {
		for momentName, moment := range secMoments() {
			for lateName, late := range secLate() {
				secBubble(t, lateName+" of a session that is "+endName+" "+momentName,
					func(t *testing.T) {
						site := newSecSite(t, core.Config{})
						visitor := site.visitor()
						visitor.visit(secOwned("alice", "hers"))
						id := visitor.id()
						slow := site.begin(visitor.token)
						late.change(slow)
						moment(site, visitor, func() { end(visitor) })

						header := http.Header{}
						err := site.manager.Commit(t.Context(), slow, header)
						require.ErrorIs(t, err, late.err)
						require.Empty(t, header.Values("Set-Cookie"), "the browser may hold a newer one")
						_, err = site.store.MemoryStore.Load(t.Context(), id)
						require.ErrorIs(t, err, core.ErrNotFound)
						for _, token := range visitor.tokens {
							if core.ID(token[:32]) == id {
								site.requireDead(token)
							}
						}
						require.Contains(t, site.seen(), core.ChangesDropped)
					})
			}
		}
	}
}

func TestT21_ATouchBringsNothingBack(t *testing.T) {
	stores := map[string]func(*secStore) core.Store{
		"touch":  func(s *secStore) core.Store { return s },
		"update": func(s *secStore) core.Store { return struct{ core.Store }{s} }, // no Toucher
	}
	for op, as := range stores {
		for name, end := range secQuickEnds() {
			secBubble(t, "by "+op+" of a session that is "+name, func(t *testing.T) {
				site := newSecSite(t, core.Config{})
				visitor := site.visitor()
				visitor.visit(secOwned("alice", "hers"))
				id, token := visitor.id(), visitor.token
				secPass(10 * time.Minute)
				manager, err := core.New(core.Config{Store: as(site.store)})
				require.NoError(t, err)
				defer manager.Close()
				before := site.store.count(op)
				site.store.once(op, func() { end(visitor) })
				slow, err := manager.Begin(t.Context(), secWith(token))
				require.NoError(t, err)
				require.Greater(t, site.store.count(op), before)
				require.Empty(t, slow.ID(), "the request sees that the session ended")
				_, err = site.store.MemoryStore.Load(t.Context(), id)
				require.ErrorIs(t, err, core.ErrNotFound)
			})
		}
	}
}

func TestT21_AnOpenedSessionComesNotBack(t *testing.T) {
	for name, end := range secQuickEnds() {
		secBubble(t, "that is "+name, func(t *testing.T) {
			site := newSecSite(t, core.Config{})
			visitor := site.visitor()
			visitor.visit(secOwned("alice", "hers"))
			id := visitor.id()
			job, err := site.manager.Open(t.Context(), id)
			require.NoError(t, err)
			secSet("from a job")(job)
			end(visitor)
			require.NoError(t, site.manager.Commit(t.Context(), job, nil))
			_, err = site.store.MemoryStore.Load(t.Context(), id)
			require.ErrorIs(t, err, core.ErrNotFound)
		})
	}
}

func TestT21_WhatExpiresDuringARequestIsNotSaved(t *testing.T) {
	for name, late := range secLate() {
		secBubble(t, name, func(t *testing.T) {
			site := newSecSite(t, core.Config{IdleTimeout: time.Hour})
			require.NoError(t, site.manager.Close()) // the record stays
			visitor := site.visitor()
			visitor.visit(secOwned("alice", "hers"))
			slow := site.begin(visitor.token)
			late.change(slow)
			secPass(time.Hour)
			header := http.Header{}
			require.ErrorIs(t, site.manager.Commit(t.Context(), slow, header), late.err)
			require.Empty(t, header.Values("Set-Cookie"))
			site.requireDead(visitor.token)
			require.Zero(t, site.store.count("update"))
		})
	}
}

func TestT21_UnderLoad(t *testing.T) {
	site := newSecSite(t, core.Config{})
	late := secLate()
	for range 150 {
		token := secIssued(site.serve(nil, secOwned("alice", "hers")))
		var mu sync.Mutex
		issued := []string{token}
		request := func(f func(*core.Session)) {
			header := http.Header{}
			session := site.begin(token)
			f(session)
			_ = site.manager.Commit(t.Context(), session, header)
			if next := secIssued(&http.Response{Header: header}); next != "" {
				mu.Lock()
				issued = append(issued, next)
				mu.Unlock()
			}
		}
		start := make(chan struct{})
		var wg sync.WaitGroup
		for _, l := range late {
			if rand.N(2) == 0 {
				wg.Go(func() { <-start; request(l.change) })
			}
		}
		wg.Go(func() { <-start; request((*core.Session).Destroy) })
		close(start)
		wg.Wait()
		_, err := site.store.MemoryStore.Load(t.Context(), core.ID(token[:32]))
		require.ErrorIs(t, err, core.ErrNotFound)
		for _, one := range issued {
			if one[:32] == token[:32] {
				site.requireDead(one)
			}
		}
	}
}
