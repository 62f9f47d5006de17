package core_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// Devices of one owner at work on two nodes, over a store that fails, hangs, and does not confirm:
// in the end each living session is in the index, there are no more than may be, and after all are
// revoked none is left.
func TestOwnersOverAStoreInTrouble(t *testing.T) {
	runs := uint64(300)
	if testing.Short() {
		runs = 60
	}
	for _, seed := range suiteFlags.Seeds(int(runs)) {
		bubble(t, fmt.Sprint("seed ", seed), func(t *testing.T) { newHousehold(t, seed).live() })
	}
}

// A household is an owner's devices, which sign in and out of two nodes.
type household struct {
	t       *testing.T
	mu      sync.Mutex
	rng     *rand.Rand
	trouble atomic.Bool
	nodes   [2]*site
	limit   int
	tokens  [5]string // each device's; "" for none
}

func newHousehold(t *testing.T, seed uint64) *household {
	h := &household{t: t, rng: rand.New(rand.NewPCG(seed, 99))}
	h.limit = h.roll(4)
	store := newSpyStore()
	cfg := core.Config{
		Store: store, MaxPerOwner: h.limit, OwnerPolicy: core.LimitPolicy(h.roll(2)),
	}
	for i := range h.nodes {
		h.nodes[i] = newSite(t, cfg)
		h.nodes[i].store = store
	}
	for _, op := range []string{opLoad, opEpoch, opList} {
		store.setBefore(op, h.before)
	}
	for _, op := range []string{opCreate, opUpdate, opDelete, opTouch, opAdd, opRemove, opRaise} {
		store.setBefore(op, h.before)
		confirms := op != opTouch && op != opRemove
		store.setAfter(op, func(_ context.Context, err error) error { return h.after(err, confirms) })
	}
	return h
}

// roll throws a die, and lets some time pass with whoever does.
func (h *household) roll(n int) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.rng.IntN(n)
}

func (h *household) pause() { time.Sleep(time.Duration(h.roll(5)) * time.Millisecond) }

// before lets a call fail, or hang until its time is over.
func (h *household) before(ctx context.Context, _ error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	h.pause()
	switch n := h.roll(96); {
	case !h.trouble.Load():
	case n < 4:
		return errDown
	case n == 4:
		<-ctx.Done()
		return ctx.Err()
	}
	return nil
}

// after loses the answer to a write that took effect, or says that it is not confirmed.
func (h *household) after(err error, confirms bool) error {
	h.pause()
	switch n := h.roll(24); {
	case err != nil || !h.trouble.Load():
	case n == 0:
		return errDown
	case n == 1 && confirms:
		return core.ErrNotDurable
	}
	return err
}

func (h *household) live() {
	h.trouble.Store(true)
	var all sync.WaitGroup
	for i := range h.tokens {
		all.Go(func() {
			for range 6 {
				h.request(&h.tokens[i])
			}
		})
	}
	all.Wait()
	h.trouble.Store(false)
	time.Sleep(2 * time.Minute) // what is owed is done
	synctest.Wait()
	h.check()
}

// request is one request of a device.
func (h *household) request(token *string) {
	m := h.nodes[h.roll(2)]
	header := http.Header{}
	if *token != "" {
		header = cookies(*token)
	}
	session, err := m.Begin(h.t.Context(), header)
	if err != nil || !h.act(m, session) {
		return
	}
	response := http.Header{}
	if err := m.Commit(h.t.Context(), session, response); err != nil {
		response = http.Header{}
		m.ErrorHeader(session, err, response)
	}
	for _, line := range response.Values("Set-Cookie") {
		cookie, err := http.ParseSetCookie(line)
		require.NoError(h.t, err)
		*token = cookie.Value
	}
}

// act does something with a session, and reports whether it is to be committed.
func (h *household) act(m *site, session *core.Session) bool {
	switch h.roll(7) {
	case 0, 1:
		in, err := m.BeginSignIn(h.t.Context(), "ada")
		if err != nil {
			return false
		}
		h.pause()
		session.SetOwner("ada", in)
	case 2:
		session.SetOwner("ada", core.Keep("note"))
	case 3:
		note.Set(session, "x")
	case 4:
		session.Destroy()
	case 5:
		_, _ = m.RevokeOthers(h.t.Context(), session)
	case 6:
		session.Renew()
	}
	return true
}

func (h *household) check() {
	m := h.nodes[0]
	alive := 0
	for _, token := range h.tokens {
		if session := m.begin(token); session.Owner() == "ada" {
			alive++
			require.Contains(h.t, m.entries("ada"), session.ID(), "it lives, and is in no list")
		}
	}
	if h.limit > 0 {
		require.LessOrEqual(h.t, alive, h.limit)
	}
	_, err := h.nodes[1].RevokeOwner(h.t.Context(), "ada")
	require.NoError(h.t, err)
	for _, token := range h.tokens {
		require.Empty(h.t, m.begin(token).Owner())
	}
	require.Empty(h.t, m.entries("ada"))
	for _, m := range h.nodes {
		require.NoError(h.t, m.Close())
	}
}
