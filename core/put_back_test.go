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

// answering is a hook that leaves what was done, and answers something else.
func answering(err error) hook { return func(context.Context, error) error { return err } }

func TestAReauthenticationThatFailsLeavesTheSessionInTheIndex(t *testing.T) {
	for name, answer := range map[string]error{"unconfirmed": core.ErrNotDurable, "lost": errDown} {
		m := newSite(t, core.Config{})
		token, id := m.signInAs("ada")
		m.store.setAfter(opAdd, answering(answer))
		session := m.begin(token)
		session.SetOwner("ada")
		_, err := m.tryCommit(session)
		require.Equal(t, 503, core.Status(err), name)
		m.store.setAfter(opAdd, nil)
		require.True(t, m.alive(token), name)
		assert.Equal(t, []core.ID{id}, m.sessions("ada"), name)
		n, err := m.RevokeOwner(t.Context(), "ada")
		require.NoError(t, err)
		assert.Equal(t, 1, n, name)
		assert.False(t, m.alive(token), name)
	}
}

func TestASignInIsPutBackAlsoWhereTheAnswerToItsWriteWasLost(t *testing.T) {
	m := newSite(t, core.Config{})
	token, id := m.start(setNote("cart"))
	in := m.beginSignIn("ada")
	_, err := m.RevokeOwner(t.Context(), "ada")
	require.NoError(t, err)
	m.store.setAfter(opUpdate, once(answering(errDown)))
	session := m.begin(token)
	session.SetOwner("ada", in)
	_, err = m.tryCommit(session)
	requireStale(t, err)
	assert.Empty(t, m.record(id).Owner)
	assert.Equal(t, "cart", m.read(token))
}

// A store that hangs uses up the commit's time, and perhaps that of the way back.
func TestAHungAdditionIsPutBack(t *testing.T) {
	for _, lands := range []bool{false, true} {
		for _, stays := range []bool{false, true} {
			bubble(t, fmt.Sprint(lands, stays), func(t *testing.T) {
				m := newSite(t, core.Config{MaxPerOwner: 1})
				token, id := m.start(setNote("cart"))
				asked := func(ctx context.Context, _ error) error { return ctx.Err() }
				hang := func(ctx context.Context, _ error) error { <-ctx.Done(); return ctx.Err() }
				m.store.setBefore(opUpdate, once(func(ctx context.Context, _ error) error {
					m.store.setBefore(opUpdate, asked)
					if stays {
						m.store.setBefore(opUpdate, hang)
					}
					return ctx.Err()
				}))
				m.store.setBefore(opRemove, asked)
				if lands {
					m.store.setAfter(opAdd, hang)
				} else {
					m.store.setBefore(opAdd, hang)
				}
				session := m.begin(token)
				session.SetOwner("ada")
				_, err := m.tryCommit(session)
				require.Equal(t, 503, core.Status(err))
				m.store.setAfter(opAdd, nil)
				m.store.setBefore(opAdd, nil)
				m.store.setBefore(opUpdate, nil)
				time.Sleep(time.Minute)
				synctest.Wait()
				assert.Empty(t, m.record(id).Owner)
				assert.Equal(t, "cart", m.read(token))
				m.signInAs("ada")
				require.NoError(t, m.Close())
			})
		}
	}
}

// What others did meanwhile stays; what the sign-in itself did goes.
func TestOnlyTheSignInIsPutBack(t *testing.T) {
	role, cart := core.NewValue[string]("role"), core.NewValue[string]("cart")
	flash, both := core.NewValue[string]("flash"), core.NewValue[string]("both")
	m := newSite(t, core.Config{})
	token, _ := m.start(func(s *core.Session) {
		s.SetOwner("ada")
		s.SetLabel("before")
		flash.Set(s, "keep me")
		role.Set(s, "user")
		both.Set(s, "0")
		note.Set(s, "to be deleted by the other")
	})
	other := m.begin(token)
	m.store.setBefore(opAdd, once(func(context.Context, error) error {
		cart.Set(other, "book")
		both.Set(other, "of the other")
		note.Delete(other)
		other.SetLabel("Firefox")
		m.commit(other)
		return nil
	}))
	m.store.setAfter(opAdd, answering(errDown))
	session := m.begin(token)
	session.SetOwner("ada")
	session.SetLevel(3)
	role.Set(session, "admin")
	both.Set(session, "of the sign-in")
	hits.Set(session, 1)
	flash.Delete(session)
	_, err := m.tryCommit(session)
	require.Equal(t, 503, core.Status(err))
	now := m.begin(token)
	assert.Equal(t, []string{"both", "cart", "flash", "role"}, now.Names())
	for want, value := range map[string]core.Value[string]{
		"book": cart, "of the other": both, "keep me": flash, "user": role,
	} {
		got, _ := value.Get(now)
		assert.Equal(t, want, got)
	}
	assert.Equal(t, "Firefox", now.Label())
	assert.Zero(t, now.Level())
}

// A panic, of the store or of who observes, leaves no half of a sign-in.
func TestAPanicInASignInIsPutBack(t *testing.T) {
	observed := newSite(t, core.Config{MaxPerOwner: 1, Observe: func(_ context.Context, e core.Event) {
		if e.Kind == core.SignInRefused {
			panic("observed")
		}
	}})
	observed.signInAs("ada")
	stored := newSite(t, core.Config{})
	stored.store.setBefore(opAdd, func(context.Context, error) error { panic("stored") })
	for _, m := range []*site{observed, stored} {
		token, id := m.start(setNote("cart"))
		session := m.begin(token)
		session.SetOwner("ada")
		require.Panics(t, func() { _, _ = m.tryCommit(session) })
		assert.Empty(t, m.record(id).Owner)
		assert.Equal(t, "cart", m.read(token))
	}
}

// What a failover has undone is not brought back after everything of the owner was revoked.
func TestAConfirmationBringsNoRevokedSignInBack(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		m := newSite(t, core.Config{})
		token, id := m.start(setNote("cart"))
		before := m.record(id)
		in := m.beginSignIn("ada")
		m.store.setAfter(opUpdate, func(_ context.Context, err error) error {
			if err == nil {
				return core.ErrNotDurable
			}
			return err
		})
		session := m.begin(token)
		session.SetOwner("ada", in)
		response, err := m.tryCommit(session)
		require.ErrorIs(t, err, core.ErrNotDurable)
		m.ErrorHeader(session, err, response)
		token = tokenIn(t, response)
		undone := m.record(id).Revision
		require.NoError(t, m.store.MemoryStore.Update(t.Context(), before, undone)) // the failover
		m.store.setAfter(opUpdate, nil)
		_, err = m.RevokeOwner(t.Context(), "ada")
		require.NoError(t, err)
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.Empty(t, m.begin(token).Owner())
		require.NoError(t, m.Close())
	})
}

// toldOfRenewals tells of ends and renewals alone, as stores do that keep records elsewhere.
type toldOfRenewals struct {
	*spyStore
	mute      bool // it tells of nothing at all
	mu        sync.Mutex
	listening []core.Watching
}

func (r *toldOfRenewals) Watch(ctx context.Context, w core.Watching) error {
	if r.mute {
		return errors.ErrUnsupported
	}
	r.mu.Lock()
	r.listening = append(r.listening, w)
	r.mu.Unlock()
	return r.MemoryStore.Watch(ctx, onlyEnds{w})
}

func (r *toldOfRenewals) Renew(ctx context.Context, rec core.Record, was core.Revision) error {
	if err := r.Update(ctx, rec, was); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, w := range r.listening {
		w.Renewed(rec.ID)
	}
	return nil
}

type onlyEnds struct{ core.Watching }

func (onlyEnds) Renewed(core.ID) {}

// While a sign-in is written, and not admitted yet, whoever opens the session by its ID may begin a
// stream with what is then refused. On the same node it hears of that at once from any store.
func TestAStreamDoesNotKeepWhatWasRefused(t *testing.T) {
	for name, test := range map[string]struct{ elsewhere, mute bool }{
		"here": {}, "elsewhere": {elsewhere: true}, "here, of a mute store": {mute: true},
	} {
		bubble(t, name, func(t *testing.T) {
			store := &toldOfRenewals{spyStore: newSpyStore(), mute: test.mute}
			m, other := newSite(t, core.Config{Store: store}), newSite(t, core.Config{Store: store})
			defer func() { _, _ = m.Close(), other.Close() }()
			token, id := m.start(setNote("basket"))
			in := m.beginSignIn("ada")
			_, err := m.RevokeOwner(t.Context(), "ada")
			require.NoError(t, err)
			at := m
			if test.elsewhere {
				at = other
			}
			var live context.Context
			store.setBefore(opAdd, func(context.Context, error) error {
				session, err := at.Open(context.Background(), id)
				require.NoError(t, err)
				require.Equal(t, "ada", session.Owner())
				live, _ = session.Live(context.Background())
				synctest.Wait()
				return nil
			})
			session := m.begin(token)
			session.SetOwner("ada", in)
			_, err = m.tryCommit(session)
			requireStale(t, err)
			require.Empty(t, m.begin(token).Owner())
			synctest.Wait()
			requireEnded(t, live, "replaced")
		})
	}
}

// What takes a refused sign-in back may have to be done later, and must not meet another attempt.
func TestACommitThatIsTriedAgainIsNotTakenBackWithTheFirst(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		m := newSite(t, core.Config{})
		session := m.begin()
		session.SetOwner("ada", m.beginSignIn("ada"))
		m.store.fail(errDown, opAdd)
		m.store.setAfter(opDelete, answering(errDown)) // it takes effect, and the answer is lost
		_, err := m.tryCommit(session)
		require.Equal(t, 503, core.Status(err))
		m.store.setBefore(opAdd, nil)
		m.store.setAfter(opDelete, nil)
		header, err := m.tryCommit(session)
		require.NoError(t, err)
		token := tokenIn(t, header)
		live := m.live(token)
		time.Sleep(time.Second)
		assert.True(t, m.alive(token))
		assert.NoError(t, context.Cause(live))
		require.NoError(t, m.Close())
	})
}
