package storesuite

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// A ground is where tests take place: on a Subject's store, with one node or two.
type ground struct {
	Subject
	nodes int
	kept  []core.Store // each node's; none where every site makes its own
	open  *ground      // the same, without bubbles; nil if this is it
}

// ground opens what the tests need.
func (s Subject) ground(t testing.TB, nodes int) *ground {
	g := &ground{Subject: s, nodes: nodes, open: &ground{Subject: s, nodes: nodes}}
	if s.Local {
		return g
	}
	for range nodes {
		store := s.Open(t)
		g.open.kept = append(g.open.kept, store)
		g.kept = append(g.kept, newOutside(t, store))
	}
	return g
}

// stores are a site's, one for each node.
func (g *ground) stores(t testing.TB) []core.Store {
	if !g.Local {
		return g.kept
	}
	store := g.Open(t)
	list := make([]core.Store, g.nodes)
	for i := range list {
		list[i] = store
	}
	return list
}

// patient gives a Config as much time as a busy machine may need, where time is real. Almost each
// request then notes its use, so that there is more to collide.
func (g *ground) patient(cfg core.Config) core.Config {
	if g.open == nil {
		cfg.LoadTimeout, cfg.CommitTimeout = patience, patience
		cfg.TouchInterval = time.Millisecond
	}
	return cfg
}

// bubble is a subtest in which time stands still until everybody waits; on open ground it is just a
// subtest.
func (g *ground) bubble(t *testing.T, name string, f func(t *testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { g.inBubble(t, f) })
}

// inBubble runs f in a bubble. Where the store may have a clock of its own the bubble's begins at
// the present, and not in the year 2000, so that what lives here is alive there. From then on time
// passes faster in the bubble, if it does.
func (g *ground) inBubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	if g.open == nil {
		f(t)
		return
	}
	present := time.Now().Truncate(time.Second).Add(time.Second)
	synctest.Test(t, func(t *testing.T) {
		if !g.Local {
			pass(time.Until(present))
		}
		f(t)
	})
}

// A chapter is a subtest.
type chapter struct {
	name string
	run  func(t *testing.T)
}

// each runs chapters, several at once.
func (g *ground) each(t *testing.T, chapters []chapter) {
	next := make(chan chapter)
	var lanes sync.WaitGroup
	for range g.lanes() {
		lanes.Go(func() {
			for c := range next {
				t.Run(c.name, c.run)
			}
		})
	}
	for _, c := range chapters {
		next <- c
	}
	close(next)
	lanes.Wait()
}
