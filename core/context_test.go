package core_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

func TestFromContextFindsTheSessionFromAnyDepth(t *testing.T) {
	m := newSite(t, core.Config{})
	session := m.begin()
	type key struct{}
	ctx := core.NewContext(context.WithValue(t.Context(), key{}, "kept"), session)
	deep, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Hour)
	defer cancel()
	for _, ctx := range []context.Context{ctx, deep} {
		got, ok := core.FromContext(ctx)
		require.True(t, ok)
		assert.Same(t, session, got)
		got, ok = m.FromContext(ctx)
		require.True(t, ok)
		assert.Same(t, session, got)
		assert.Equal(t, "kept", ctx.Value(key{}))
		assert.Same(t, session, ctx.Value(core.ContextKey))
	}
}

func TestFromContextWithoutMiddlewareIsFalse(t *testing.T) {
	m := newSite(t, core.Config{})
	for name, ctx := range map[string]context.Context{
		"an empty context":          t.Context(),
		"something else in its key": valueContext{t.Context(), core.ContextKey, "x"},
		"nil in its key":            valueContext{t.Context(), core.ContextKey, nil},
		"the same text, another key": context.WithValue(
			t.Context(), contextKey(core.ContextKey), m.begin()),
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := core.FromContext(ctx)
			assert.False(t, ok)
			assert.Nil(t, got)
			got, ok = m.FromContext(ctx)
			assert.False(t, ok)
			assert.Nil(t, got)
		})
	}
}

type contextKey string

// A valueContext answers for one key, as the context of a framework does.
type valueContext struct {
	context.Context
	key, value any
}

func (c valueContext) Value(key any) any {
	if key == c.key {
		return c.value
	}
	return c.Context.Value(key)
}

// Frameworks that keep values beside the context show string keys only.
func TestTheKeyIsAStringForContextsThatKnowNoOthers(t *testing.T) {
	m := newSite(t, core.Config{})
	session := m.begin()
	got, ok := core.FromContext(valueContext{t.Context(), core.ContextKey, session})
	assert.True(t, ok)
	assert.Same(t, session, got)
}

func TestTwoManagersInOneRequest(t *testing.T) {
	outer := newSite(t, core.Config{Carrier: core.Cookie{Name: "outer"}})
	inner := newSite(t, core.Config{Carrier: core.Cookie{Name: "inner"}})
	stranger := newSite(t, core.Config{})
	handler := func(w http.ResponseWriter, r *http.Request) {
		a, ok := outer.FromContext(r.Context())
		require.True(t, ok)
		b, ok := inner.FromContext(r.Context())
		require.True(t, ok)
		assert.NotSame(t, a, b)
		innermost, ok := core.FromContext(r.Context())
		require.True(t, ok)
		assert.Same(t, b, innermost)
		_, ok = stranger.FromContext(r.Context())
		assert.False(t, ok)
		note.Set(a, "of the outer")
		note.Set(b, "of the inner")
		_, err := w.Write([]byte("done"))
		assert.NoError(t, err)
	}
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	outer.Handler(inner.Handler(http.HandlerFunc(handler))).ServeHTTP(w, r)

	require.Equal(t, http.StatusOK, w.Code)
	require.Len(t, w.Result().Cookies(), 2)
	for _, cookie := range w.Result().Cookies() {
		m := map[string]*site{"outer": outer, "inner": inner}[cookie.Name]
		require.NotNil(t, m)
		request := http.Header{"Cookie": {cookie.Name + "=" + cookie.Value}}
		session, err := m.Begin(t.Context(), request)
		require.NoError(t, err)
		text, _ := note.Get(session)
		assert.Equal(t, "of the "+cookie.Name, text)
	}
	assert.Equal(t, 1, outer.store.writes())
	assert.Equal(t, 1, inner.store.writes())
}

func TestInstalledTwiceTheInnerOneDoesNothing(t *testing.T) {
	m := newSite(t, core.Config{})
	token, _ := m.start(setNote("x"))
	m.store.forget()
	handler := func(_ http.ResponseWriter, r *http.Request) {
		s, _ := core.FromContext(r.Context())
		note.Update(s, func(text string) string { return text + "y" })
		s.Renew()
	}
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	r.Header = cookies(token)
	m.Handler(m.Handler(m.Handler(http.HandlerFunc(handler)))).ServeHTTP(w, r)
	assert.Equal(t, "xy", m.read(tokenIn(t, w.Result().Header)))
	assert.Equal(t, 2, m.store.count(opLoad), "one by the request, one by this test")
	assert.Equal(t, 1, m.store.writes())
}

func TestASessionIsOnlyCommittedByItsOwnManager(t *testing.T) {
	m, stranger := newSite(t, core.Config{}), newSite(t, core.Config{})
	session := m.begin()
	note.Set(session, "x")
	require.Error(t, stranger.Commit(t.Context(), session, http.Header{}))
	assert.Zero(t, stranger.store.writes())
	m.commit(session)
}

// Applications that share a store do not reach each other's sessions.
func TestNamespacesSeparateManagersOnOneStore(t *testing.T) {
	store := core.NewMemoryStore(core.MemoryOptions{})
	shop := newSite(t, core.Config{Store: store, Namespace: "shop"})
	blog := newSite(t, core.Config{Store: store, Namespace: "blog"})
	token, id := shop.start(setNote("x"))

	assert.False(t, blog.alive(token))
	assert.Equal(t, []core.EventKind{core.TokenUnknown}, blog.events.takeKinds())
	_, err := blog.Open(t.Context(), id)
	require.ErrorIs(t, err, core.ErrNotFound)
	require.NoError(t, blog.Revoke(t.Context(), id))
	requireExpired(t, blog.visit(token, doDestroy))
	assert.True(t, shop.alive(token))

	again := newSite(t, core.Config{Store: store, Namespace: "shop"})
	assert.True(t, again.alive(token), "another node of the same application")
}

// A framework's context may show what was put into it later. A session that was there when another
// one began is further out; that one itself is not.
func TestAContextThatShowsTheSessionItselfIsSearchedOnce(t *testing.T) {
	inner := newSite(t, core.Config{})
	other := newSite(t, core.Config{Carrier: core.Cookie{Name: "other"}})
	live := &liveContext{Context: t.Context()}
	session := inner.begin()
	ctx := core.NewContext(live, session)
	live.session = session // as gin's Keys and fiber's Locals do
	for name, ctx := range map[string]context.Context{"the session's": ctx, "the live one": live} {
		_, ok := other.FromContext(ctx)
		assert.False(t, ok, name)
		found, ok := inner.FromContext(ctx)
		assert.True(t, ok, name)
		assert.Same(t, session, found, name)
	}

	nested := other.begin()
	found, ok := inner.FromContext(core.NewContext(live, nested))
	assert.True(t, ok)
	assert.Same(t, session, found)
	live.session = nil
	_, ok = inner.FromContext(live)
	assert.False(t, ok, "nil hides it")
}

// A liveContext is a context whose session changes.
type liveContext struct {
	context.Context
	session *core.Session
}

func (c *liveContext) Value(key any) any {
	if key == core.ContextKey {
		return c.session
	}
	return c.Context.Value(key)
}

func TestASessionMayBePutIntoASecondContext(t *testing.T) {
	m := newSite(t, core.Config{})
	session := m.begin()
	first := core.NewContext(t.Context(), session)
	type key struct{}
	second := core.NewContext(context.WithValue(t.Context(), key{}, "second"), session)
	for _, ctx := range []context.Context{first, second} {
		found, ok := m.FromContext(ctx)
		require.True(t, ok)
		assert.Same(t, session, found)
	}
	assert.Nil(t, first.Value(key{}))
	assert.Equal(t, "second", second.Value(key{}))
	assert.Equal(t, t.Context().Done(), first.Done(), "a session that no Gate ends")
}

// What Err has said once it says for ever, as context.Context has it.
func TestTheContextsErrorStaysAfterTheEnd(t *testing.T) {
	m := newSite(t, core.Config{})
	for name, waits := range map[string]bool{"somebody waited": true, "nobody waited": false} {
		ctx, cancel := context.WithTimeout(t.Context(), -1)
		var kept context.Context
		handler := m.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			kept = r.Context()
			if waits {
				<-kept.Done()
			}
			assert.Equal(t, context.DeadlineExceeded, kept.Err(), name)
		}))
		r := httptest.NewRequest(http.MethodGet, "/", nil).WithContext(ctx)
		handler.ServeHTTP(httptest.NewRecorder(), r)
		assert.Equal(t, context.DeadlineExceeded, kept.Err(), name)
		assert.Equal(t, context.DeadlineExceeded, context.Cause(kept), name)
		cancel()
	}
}
