package core_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// fasthttp's strings are views of a buffer that the next request overwrites. A viewed request is
// one whose every string is such a view.
type viewed struct {
	header  http.Header
	buffers [][]byte
}

// view returns a string that lies in a buffer of the request's.
func (v *viewed) view(s string) string {
	b := []byte(s)
	v.buffers = append(v.buffers, b)
	return unsafe.String(unsafe.SliceData(b), len(b))
}

// Values implements core.RequestHeader.
func (v *viewed) Values(name string) []string {
	var list []string
	for _, line := range v.header.Values(name) {
		list = append(list, v.view(line))
	}
	return list
}

// overwrite is what the next request on the connection does.
func (v *viewed) overwrite() {
	for _, b := range v.buffers {
		copy(b, strings.Repeat("mallory-", len(b)/8+1))
	}
}

func TestT90_NothingOfARequestsBufferIsKept(t *testing.T) {
	secBubble(t, "a token's ID, in events and in what goes on in the background", func(t *testing.T) {
		site := newSecSite(t, core.Config{})
		token := secIssued(site.serve(nil, secOwned("alice", "hers")))
		id := core.ID(token[:32])
		unknown := core.NewToken().Reveal()
		site.seen()

		for _, sent := range []string{token, unknown} {
			request := &viewed{header: secWith(sent)}
			session, err := site.manager.Begin(t.Context(), request)
			require.NoError(t, err)
			request.overwrite()
			memory := secDump(session)
			require.NotContains(t, memory.text.String(), "mallory")
			require.Contains(t, memory.text.String(), sent[:32])
		}
		events := site.seenEvents()
		require.Len(t, events, 1)
		require.Equal(t, core.ID(unknown[:32]), events[0].ID, "an Observe may keep its events")

		// An end that is not confirmed goes on after the request: it must end the right one.
		var deleted []core.ID
		store := &deletions{MemoryStore: site.store.MemoryStore, ids: &deleted}
		manager, err := core.New(core.Config{Store: store})
		require.NoError(t, err)
		request := &viewed{header: secWith(unknown)}
		session, err := manager.Begin(t.Context(), request)
		require.NoError(t, err)
		session.Destroy()
		require.ErrorIs(t, manager.Commit(t.Context(), session, http.Header{}), core.ErrNotDurable)
		require.ErrorIs(t, manager.Revoke(t.Context(), core.ID(request.view(string(id)))),
			core.ErrNotDurable)
		request.overwrite()
		secPass(time.Second)
		require.Error(t, manager.Close())
		require.Greater(t, len(deleted), 3)
		for _, one := range deleted {
			require.Contains(t, []core.ID{core.ID(unknown[:32]), id}, one)
		}
	})
	secBubble(t, "a token's ID, though a MemoryStore is asked with the view", func(t *testing.T) {
		var events []core.Event
		store := core.NewMemoryStore(core.MemoryOptions{})
		manager, err := core.New(core.Config{
			Store: store, Observe: func(_ context.Context, e core.Event) { events = append(events, e) },
		})
		require.NoError(t, err)
		defer func() { require.NoError(t, manager.Close()) }()
		unknown, damaged := core.NewToken(), core.NewToken()
		session, err := manager.Begin(t.Context(), http.Header{})
		require.NoError(t, err)
		secSet("hers")(session)
		header := http.Header{}
		require.NoError(t, manager.Commit(t.Context(), session, header))
		live := secIssued(&http.Response{Header: header})
		require.NoError(t, store.Create(t.Context(), core.Record{ID: damaged.ID(), Data: "x"}))

		events = nil
		for i, sent := range []string{live, unknown.Reveal(), damaged.Reveal()} {
			request := &viewed{header: secWith(sent)}
			kept, err := manager.Begin(t.Context(), request)
			request.overwrite()
			id := core.ID(sent[:32])
			if i > 0 {
				require.Equal(t, id, events[i-1].ID, "an Observe may keep its events")
			}
			if i == 2 {
				var failure *core.StoreError
				require.ErrorAs(t, err, &failure)
				require.Equal(t, id, failure.ID, "or an error")
				continue
			}
			require.NoError(t, err)
			memory := secDump(kept)
			require.NotContains(t, memory.text.String(), "mallory")
			require.Contains(t, memory.text.String(), sent[:32])
		}
	})
	secBubble(t, "an owner, a value and its name", func(t *testing.T) {
		site := newSecSite(t, core.Config{})
		request := &viewed{}
		token := secIssued(site.serve(nil, func(s *core.Session) {
			s.SetOwner(request.view("user:alice"))
			core.NewValue[string](request.view("first")).Set(s, request.view("value one"))
			core.NewValue[[]byte](request.view("second")).Set(s, []byte(request.view("value two")))
			core.NewValue[string](request.view("third")).Update(s, func(string) string {
				return request.view("value three")
			})
		}))
		site.serve(secWith(token), func(s *core.Session) {
			core.NewValue[string](request.view("fourth")).Set(s, request.view("value four"))
		})
		request.overwrite()
		require.NotContains(t, secDump(site.store.MemoryStore).text.String(), "mallory")
		site.serve(secWith(token), func(s *core.Session) {
			require.Equal(t, "user:alice", s.Owner())
			require.Equal(t, []string{"first", "fourth", "second", "third"}, s.Names())
			text, _ := core.NewValue[string]("first").Get(s)
			require.Equal(t, "value one", text)
		})
		for _, e := range site.seenEvents() {
			require.NotContains(t, e.Owner, "mallory")
		}
	})
	secBubble(t, "a session that was kept after its request", func(t *testing.T) {
		site := newSecSite(t, core.Config{})
		token := secIssued(site.serve(nil, secOwned("alice", "hers")))
		request := &viewed{header: secWith(token)}
		kept, err := site.manager.Begin(t.Context(), request)
		require.NoError(t, err)
		require.NoError(t, site.manager.Commit(t.Context(), kept, http.Header{}))
		site.manager.Seal(kept)
		request.overwrite()
		require.Equal(t, core.ID(token[:32]), kept.ID())
		require.Equal(t, "alice", kept.Owner())
		note, _ := secValue().Get(kept)
		require.Equal(t, "hers", note)
		secSet("too late")(kept)
		require.ErrorIs(t, kept.Err(), core.ErrCommitted)
	})
}

// deletions is a store that never confirms an end, and notes which it was asked for.
type deletions struct {
	*core.MemoryStore
	ids *[]core.ID
}

func (d *deletions) Delete(_ context.Context, id core.ID) error {
	*d.ids = append(*d.ids, id)
	return core.ErrNotDurable
}

func TestT90_NoTokenStaysInMemory(t *testing.T) {
	site := newSecSite(t, core.Config{})
	token := secIssued(site.serve(nil, secOwned("alice", "hers")))
	for name, f := range map[string]func(*core.Session){
		"read": secRead, "set": secSet("b"), "renew": (*core.Session).Renew,
	} {
		sent := strings.Clone(token)
		session, err := site.manager.Begin(t.Context(), http.Header{"Cookie": {secCookie + "=" + sent}})
		require.NoError(t, err)
		requireNoToken(t, session, token)
		f(session)
		header := http.Header{}
		require.NoError(t, site.manager.Commit(t.Context(), session, header), name)
		issued := secIssued(&http.Response{Header: header})
		memory := secDump(session, append(header.Values("Set-Cookie"), issued)...)
		require.Empty(t, memory.views, "%s: nothing holds on to the header", name)
		requireNoToken(t, session, token)
		if issued != "" {
			requireNoToken(t, session, issued)
			token = issued
		}
	}
}
