package site

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

func TestClean(t *testing.T) {
	cases := []struct{ sentence, typed, want string }{
		{"plain text stays", "green tea", "green tea"},
		{"blanks at the ends go", "  tea \u00a0", "tea"},
		{"blanks within are one", "green \t\r\n tea", "green tea"},
		{"control characters are blanks", "a\x00b\x1bc", "a b c"},
		{"what turns the direction of text is a blank", "a\u202eb", "a b"},
		{"what is no UTF-8 is a blank", "a\xff\xfeb", "a b"},
		{"letters are counted, not bytes", strings.Repeat("ä", 61), strings.Repeat("ä", 60)},
		{"no blank is left at a cut", strings.Repeat("a", 59) + " bc", strings.Repeat("a", 59)},
		{"nothing stays nothing", " \n ", ""},
	}
	for _, c := range cases {
		t.Run(c.sentence, func(t *testing.T) {
			got := clean(c.typed)
			assert.Equal(t, c.want, got)
			assert.Equal(t, got, clean(got), "an item that is sent back is found again")
		})
	}
}

func TestWaitFor(t *testing.T) {
	for ms, want := range map[string]time.Duration{
		"": 2 * time.Second, "0": 0, "300": 300 * time.Millisecond, "-1": 0,
		"5001": 5 * time.Second, "99999999999999999999": 2 * time.Second, "soon": 2 * time.Second,
	} {
		assert.Equal(t, want, waitFor(ms), ms)
	}
}

func TestSlowWaitsAndThenWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSession(t)
		AddToCart(s, CartForm{Item: "tea"})
		began := time.Now()
		_, err := Slow(t.Context(), s, "1500")
		require.NoError(t, err)
		assert.Equal(t, 1500*time.Millisecond, time.Since(began))
		seen, ok := lastSeen.Get(s)
		assert.True(t, ok)
		assert.True(t, seen.Equal(time.Now()))
	})
}

func TestSlowEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSession(t)
		AddToCart(s, CartForm{Item: "tea"})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		_, err := Slow(ctx, s, "5000")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, time.Second, time.Since(began))
		_, written := lastSeen.Get(s)
		assert.False(t, written)
	})
}

func TestSlowBeginsNoSession(t *testing.T) {
	s := newSession(t)
	_, err := Slow(t.Context(), s, "0")
	require.NoError(t, err)
	assert.Empty(t, s.ID())
}

func TestLeft(t *testing.T) {
	for want, d := range map[string]time.Duration{
		"60 min": time.Hour - 10*time.Second, "2 min": 2 * time.Minute,
		"119 s": 2*time.Minute - time.Millisecond, "0 s": 0,
	} {
		assert.Equal(t, want, left(d))
	}
}

func TestTemplatesFitTheirPages(t *testing.T) {
	m, s := newManager(t), newSession(t)
	pages := Templates("test")
	require.NoError(t, pages.ExecuteTemplate(t.Output(), "home.html", NewHome(s, true)))
	require.NoError(t, SignIn(t.Context(), m, s, SignInForm{Name: "Ada", Password: "tea"}, ""))
	for range maxItems {
		AddToCart(s, CartForm{Item: "tea"})
	}
	account, ok := NewAccount(s)
	require.True(t, ok)
	require.NoError(t, pages.ExecuteTemplate(t.Output(), "account.html", account))
	devices := Devices{Flash: "x", Others: true, Devices: []Device{{Label: "a"}, {This: true}}}
	require.NoError(t, pages.ExecuteTemplate(t.Output(), "devices.html", devices))
	home := NewHome(s, false)
	assert.True(t, home.Full)
	require.NoError(t, pages.ExecuteTemplate(t.Output(), "home.html", home))
}

// newSession returns what a handler gets for a request without a token.
func newSession(t *testing.T) *core.Session {
	t.Helper()
	s, err := newManager(t).Begin(t.Context(), noHeader{})
	require.NoError(t, err)
	return s
}

func newManager(t *testing.T) *core.Manager {
	t.Helper()
	m, err := core.New(core.Config{})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, m.Close()) })
	return m
}

type noHeader struct{}

func (noHeader) Values(string) []string { return nil }
