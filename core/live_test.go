package core_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// A remote is a store as another node has it: the same records, and a watch that tests can break.
type remote struct {
	*spyStore

	mu      sync.Mutex
	broken  error
	watches int
	quit    chan struct{} // closed to break the watch that is under way
	deaf    bool          // it says Ready and tells nothing
}

func newRemote(store *spyStore) *remote { return &remote{spyStore: store, quit: make(chan struct{})} }

func (r *remote) Watch(ctx context.Context, w core.Watching) error {
	r.mu.Lock()
	r.watches++
	broken, quit, deaf := r.broken, r.quit, r.deaf
	r.mu.Unlock()
	if broken != nil {
		return broken
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-quit:
			cancel(errDown)
		case <-ctx.Done():
		}
	}()
	if deaf {
		w.Ready()
		<-ctx.Done()
	} else {
		_ = r.MemoryStore.Watch(ctx, w)
	}
	return context.Cause(ctx)
}

// breakDown breaks the watch, until heal.
func (r *remote) breakDown() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.broken = errDown
	close(r.quit)
	r.quit = make(chan struct{})
}

func (r *remote) heal() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.broken = nil
}

func (r *remote) tries() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.watches
}

// twoNodes are two Managers on one store, of which the second reaches it through the remote.
func twoNodes(t *testing.T, cfg core.Config) (here, there *site, link *remote) {
	t.Helper()
	here = newSite(t, cfg)
	link = newRemote(here.store)
	cfg.Store = link
	there = newSite(t, cfg)
	there.store = here.store
	return here, there, link
}

// live is the context of a stream that a request with the token begins.
func (s *site) live(token string) context.Context {
	s.t.Helper()
	session := s.begin(token)
	live, release := session.Live(s.t.Context())
	s.t.Cleanup(release)
	s.commit(session)
	return live
}

// requireEnded checks that a context is over, and why.
func requireEnded(t *testing.T, live context.Context, reason string) {
	t.Helper()
	require.ErrorIs(t, live.Err(), context.Canceled)
	var ended *core.EndedError
	require.ErrorAs(t, context.Cause(live), &ended)
	require.Equal(t, reason, ended.Reason)
	require.ErrorIs(t, ended, core.ErrGone)
	require.Contains(t, ended.Error(), reason)
}

// liveBubble closes the sites in the bubble.
func liveBubble(
	t *testing.T, name string, cfg core.Config,
	f func(t *testing.T, here, there *site, link *remote),
) {
	bubble(t, name, func(t *testing.T) {
		here, there, link := twoNodes(t, cfg)
		f(t, here, there, link)
		require.NoError(t, here.Close())
		require.NoError(t, there.Close())
		synctest.Wait()
	})
}

func TestAStreamEndsWithItsSessionOnAnotherNode(t *testing.T) {
	type end func(t *testing.T, m *site, token string, id core.ID)
	for name, c := range map[string]struct {
		end    end
		reason string
	}{
		"destroyed": {func(_ *testing.T, m *site, token string, _ core.ID) {
			m.visit(token, (*core.Session).Destroy)
		}, "ended"},
		"revoked": {func(t *testing.T, m *site, _ string, id core.ID) {
			require.NoError(t, m.Revoke(t.Context(), id))
		}, "ended"},
		"revoked by its owner": {func(t *testing.T, m *site, _ string, id core.ID) {
			_, err := m.RevokeOwned(t.Context(), "ada", id)
			require.NoError(t, err)
		}, "ended"},
		"all of the owner's": {func(t *testing.T, m *site, _ string, _ core.ID) {
			_, err := m.RevokeOwner(t.Context(), "ada")
			require.NoError(t, err)
		}, "ended"},
		"another owner": {func(_ *testing.T, m *site, token string, _ core.ID) {
			m.visit(token, signIn("bob"))
		}, "ended"},
		"signed in again": {func(_ *testing.T, m *site, token string, _ core.ID) {
			time.Sleep(time.Millisecond)
			m.visit(token, signIn("ada"))
		}, "replaced"},
		"a higher level": {func(_ *testing.T, m *site, token string, _ core.ID) {
			m.visit(token, func(s *core.Session) { s.SetLevel(1) })
		}, "replaced"},
	} {
		for where := range 2 {
			liveBubble(t, fmt.Sprint(name, where), core.Config{},
				func(t *testing.T, here, there *site, _ *remote) {
					token, id := here.signInAs("ada")
					live := there.live(token)
					synctest.Wait()
					require.NoError(t, live.Err())
					c.end(t, []*site{here, there}[where], token, id)
					synctest.Wait()
					requireEnded(t, live, c.reason)
				})
		}
	}
}

func TestAStreamSurvivesARenewalAndValues(t *testing.T) {
	liveBubble(t, "", core.Config{}, func(t *testing.T, here, there *site, _ *remote) {
		token, _ := here.signInAs("ada")
		live, same := there.live(token), here.live(token)
		token = tokenIn(t, here.visit(token, (*core.Session).Renew))
		here.visit(token, setNote("x"))
		token = tokenIn(t, there.visit(token, (*core.Session).Renew))
		synctest.Wait()
		require.NoError(t, live.Err())
		require.NoError(t, same.Err())
		here.visit(token, (*core.Session).Destroy)
		synctest.Wait()
		requireEnded(t, live, "ended")
		requireEnded(t, same, "ended")
	})
}

func TestAStreamEndsByTimeoutUnlessTheSessionIsUsed(t *testing.T) {
	cfg := core.Config{IdleTimeout: time.Hour, Lifetime: 3 * time.Hour}
	liveBubble(t, "", cfg, func(t *testing.T, here, there *site, _ *remote) {
		used, _ := here.signInAs("ada")
		idle, _ := here.signInAs("bob")
		liveUsed, liveIdle := there.live(used), there.live(idle)
		for range 4 {
			time.Sleep(40 * time.Minute)
			here.begin(used)
		}
		requireEnded(t, liveIdle, "idle")
		require.NoError(t, liveUsed.Err())
		time.Sleep(20 * time.Minute)
		synctest.Wait()
		requireEnded(t, liveUsed, "lifetime")
	})
}

func TestAStreamEndsWithEverybodys(t *testing.T) {
	liveBubble(t, "", core.Config{}, func(t *testing.T, here, there *site, _ *remote) {
		token, _ := here.signInAs("ada")
		live, same := there.live(token), here.live(token)
		time.Sleep(2 * time.Minute)
		require.NoError(t, here.RevokeBefore(t.Context(), time.Now()))
		synctest.Wait()
		requireEnded(t, same, "revoked")
		time.Sleep(5*time.Second + time.Millisecond)
		requireEnded(t, live, "revoked")
	})
}

func TestAStreamOfNoSessionIsOverAtOnce(t *testing.T) {
	m := newSite(t, core.Config{})
	token, _ := m.signInAs("ada")
	m.visit(token, (*core.Session).Destroy)
	pending := m.begin()
	pending.SetOwner("ada")
	destroyed, _ := m.signInAs("ada")
	ending := m.begin(destroyed)
	ending.Destroy()
	for _, session := range []*core.Session{m.begin(), m.begin(token), pending, ending} {
		live, release := session.Live(t.Context())
		requireEnded(t, live, "ended")
		release()
	}
	m.commitUnsealed(pending)
	live, release := pending.Live(t.Context())
	require.NoError(t, live.Err(), "now it is stored")
	m.Seal(pending)
	late, releaseLate := pending.Live(t.Context())
	require.NoError(t, late.Err(), "also when the request is over")
	release()
	require.ErrorIs(t, live.Err(), context.Canceled)
	require.ErrorIs(t, context.Cause(live), context.Canceled, "by itself that is no end")
	require.NoError(t, late.Err())
	releaseLate()
	releaseLate()
}

func TestAStreamEndsWithItsParent(t *testing.T) {
	m := newSite(t, core.Config{})
	token, _ := m.signInAs("ada")
	parent, cancel := context.WithCancel(t.Context())
	live, release := m.begin(token).Live(parent)
	defer release()
	cancel()
	require.ErrorIs(t, live.Err(), context.Canceled)
	var ended *core.EndedError
	require.False(t, errors.As(context.Cause(live), &ended))
}

// An end between the request's Load and the watch's beginning.
func TestAnEndBeforeTheWatchBeganIsNotMissed(t *testing.T) {
	liveBubble(t, "", core.Config{}, func(t *testing.T, here, there *site, link *remote) {
		token, id := here.signInAs("ada")
		session := there.begin(token)
		require.NoError(t, here.Revoke(t.Context(), id))
		live, release := session.Live(t.Context())
		defer release()
		synctest.Wait()
		requireEnded(t, live, "ended")

		token, _ = here.signInAs("ada")
		keep := there.live(token) // the watch goes on
		token, id = here.signInAs("ada")
		session = there.begin(token)
		require.NoError(t, here.Revoke(t.Context(), id))
		live, release = session.Live(t.Context())
		defer release()
		synctest.Wait()
		requireEnded(t, live, "ended")
		require.NoError(t, keep.Err())
		require.Equal(t, 1, link.tries(), "one watch for all")
	})
}

func TestALostWatchIsToldAndBridged(t *testing.T) {
	liveBubble(t, "", core.Config{}, func(t *testing.T, here, there *site, link *remote) {
		token, id := here.signInAs("ada")
		other, otherID := here.signInAs("ada")
		live, second := there.live(token), there.live(other)
		synctest.Wait()
		there.events.take()
		link.breakDown()
		time.Sleep(time.Second)
		require.Equal(t, []core.EventKind{core.WatchLost}, there.events.takeKinds(), "once")

		require.NoError(t, here.Revoke(t.Context(), id))
		time.Sleep(5 * time.Second)
		requireEnded(t, live, "ended")
		require.NoError(t, second.Err())

		link.heal()
		time.Sleep(5 * time.Second)
		require.Equal(t, []core.EventKind{core.WatchRestored}, there.events.takeKinds())
		require.NoError(t, here.Revoke(t.Context(), otherID))
		synctest.Wait()
		requireEnded(t, second, "ended")
		require.Less(t, link.tries(), 12, "it is not asked without a pause")
	})
}

// While it was away it missed an end: that is found when it is there again.
func TestWhatAWatchHasMissedIsFoundWhenItIsBack(t *testing.T) {
	liveBubble(t, "", core.Config{}, func(t *testing.T, here, there *site, link *remote) {
		token, id := here.signInAs("ada")
		live := there.live(token)
		synctest.Wait()
		link.breakDown()
		synctest.Wait()
		require.NoError(t, here.Revoke(t.Context(), id))
		link.heal()
		time.Sleep(100 * time.Millisecond)
		synctest.Wait()
		requireEnded(t, live, "ended")
	})
}

// A connection that was dead for a while before anybody noticed.
func TestWhatADeafWatchHasMissedIsFoundWhenItIsNoticed(t *testing.T) {
	liveBubble(t, "", core.Config{}, func(t *testing.T, here, there *site, link *remote) {
		link.deaf = true
		token, id := here.signInAs("ada")
		live := there.live(token)
		synctest.Wait()
		require.NoError(t, here.Revoke(t.Context(), id))
		synctest.Wait()
		require.NoError(t, live.Err())
		link.breakDown()
		synctest.Wait()
		requireEnded(t, live, "ended")
	})
}

// A look that takes long brings what was before the sign-in, after which the page has connected anew.
func TestALookThatBeganBeforeAStreamDoesNotEndIt(t *testing.T) {
	liveBubble(t, "", core.Config{}, func(t *testing.T, here, there *site, link *remote) {
		token, _ := here.start(setNote("x"))
		there.live(token)
		synctest.Wait()
		answered, goOn := make(chan struct{}), make(chan struct{})
		here.store.setAfter(opLoad, once(func(_ context.Context, err error) error {
			close(answered)
			<-goOn
			return err
		}))
		link.breakDown() // has all looked at
		<-answered
		time.Sleep(time.Millisecond)
		token = tokenIn(t, here.visit(token, signIn("ada")))
		live := there.live(token)
		close(goOn)
		synctest.Wait()
		require.NoError(t, live.Err())
	})
}

// Store trouble is no end: the stream goes on, and the session is looked at again.
func TestAStreamOutlivesTroubleOfTheStore(t *testing.T) {
	liveBubble(t, "", core.Config{}, func(t *testing.T, here, there *site, link *remote) {
		token, id := here.signInAs("ada")
		live := there.live(token)
		synctest.Wait()
		link.breakDown()
		here.store.fail(errDown, opLoad)
		time.Sleep(time.Minute)
		require.NoError(t, live.Err())
		here.store.setBefore(opLoad, nil)
		require.NoError(t, here.store.MemoryStore.Delete(t.Context(), id))
		time.Sleep(10 * time.Second)
		requireEnded(t, live, "ended")
	})
}

func TestAStoreThatCannotWatchIsAskedEveryFiveSeconds(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		store := newSpyStore()
		here := newSite(t, core.Config{Store: store})
		events := &recorder{}
		there := newSite(t, core.Config{
			Store: struct{ core.Store }{store}, Observe: events.observe,
			ObserveStore: func(context.Context, core.StoreCall) {},
		})
		token, id := here.signInAs("ada")
		live := there.live(token)
		time.Sleep(7 * time.Second)
		require.NoError(t, live.Err())
		require.NoError(t, here.Revoke(t.Context(), id))
		time.Sleep(5 * time.Second)
		requireEnded(t, live, "ended")
		require.Empty(t, events.take(), "that is how it is, and no event")
		require.NoError(t, here.Close())
		require.NoError(t, there.Close())
	})
}

func TestTheWatchEndsAMinuteAfterTheLastStream(t *testing.T) {
	liveBubble(t, "", core.Config{}, func(t *testing.T, here, there *site, link *remote) {
		token, _ := here.signInAs("ada")
		begin := func() context.CancelFunc {
			_, release := there.begin(token).Live(t.Context())
			synctest.Wait()
			return release
		}
		begin()()
		time.Sleep(50 * time.Second)
		begin()()
		require.Equal(t, 1, link.tries(), "it was still there")
		time.Sleep(time.Minute + time.Second)
		release := begin()
		require.Equal(t, 2, link.tries())
		time.Sleep(2 * time.Minute)
		require.Equal(t, 2, link.tries(), "as long as there is one it goes on")
		release()
		time.Sleep(2 * time.Minute)
	})
}

func TestCloseEndsAllStreams(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		m := newSite(t, core.Config{})
		token, _ := m.signInAs("ada")
		live := m.live(token)
		require.NoError(t, m.Close())
		require.ErrorIs(t, live.Err(), context.Canceled)
		require.ErrorContains(t, context.Cause(live), "closed")
		live = m.live(token)
		require.ErrorContains(t, context.Cause(live), "closed", "nobody watches any more")
	})
}

func TestManyStreamsOfManySessions(t *testing.T) {
	liveBubble(t, "", core.Config{}, func(t *testing.T, here, there *site, link *remote) {
		const sessions, each = 300, 3
		var ids []core.ID
		var lives []context.Context
		for range sessions {
			token, id := here.signInAs(string(core.NewToken().ID()))
			ids = append(ids, id)
			for range each {
				lives = append(lives, there.live(token))
			}
		}
		for i, id := range ids {
			if i%2 == 0 {
				require.NoError(t, here.Revoke(t.Context(), id))
			}
		}
		synctest.Wait()
		for i, live := range lives {
			require.Equal(t, i/each%2 == 0, live.Err() != nil)
		}
		require.Equal(t, 1, link.tries())
	})
}

// A store that tells of what nobody waits for, more than once, and in a flood.
func TestAFloodOfTidingsCostsNoMemory(t *testing.T) {
	m := newSite(t, core.Config{})
	token, id := m.signInAs("ada")
	live := m.live(token)
	watching := make(chan core.Watching, 1)
	flood := newSite(t, core.Config{Store: floodStore{m.store, watching}})
	flooded := flood.live(token)
	w := <-watching
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 20_000 {
				w.Renewed(id)
				w.Ended(core.NewToken().ID())
				w.Renewed("x")
			}
		})
	}
	all.Wait()
	require.NoError(t, live.Err())
	require.NoError(t, flooded.Err())
	assert.Less(t, m.store.count(opLoad), 80_000, "one look may stand for many")
}

type floodStore struct {
	*spyStore
	watching chan<- core.Watching
}

func (s floodStore) Watch(ctx context.Context, w core.Watching) error {
	w.Ready()
	s.watching <- w
	<-ctx.Done()
	return ctx.Err()
}
