package browser

import (
	"context"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const cookieName = "__Host-sid"

// signIn signs in on the home page, where the tab must be.
func (w *tab) signIn(name string) {
	w.t.Helper()
	w.fill("#sign-in [name=name]", name)
	w.fill("#sign-in [name=password]", "tea for two")
	w.submit("#sign-in button")
	w.requireSignedIn(name)
}

// signOut signs out on whatever page of the site the tab shows.
func (w *tab) signOut() {
	w.t.Helper()
	w.submit("#sign-out button")
	w.requireAnonymous()
}

// addToCart puts an item into the cart, on the home page.
func (w *tab) addToCart(item string) {
	w.t.Helper()
	w.fill("#add [name=item]", item)
	w.submit("#add button")
}

// cart is what the home page shows of the cart.
func (w *tab) cart() []string {
	w.t.Helper()
	return w.texts("#cart .item")
}

// requireSignedIn fails the test unless the page says who has signed in.
func (w *tab) requireSignedIn(name string) {
	w.t.Helper()
	require.Equal(w.t, name, w.text("#who"), "at %s", w.url())
	require.True(w.t, w.has("#sign-out"))
	require.False(w.t, w.has("#sign-in"))
}

// requireAnonymous fails the test unless the page is the home page of somebody who has no session.
func (w *tab) requireAnonymous() {
	w.t.Helper()
	require.True(w.t, w.has("#sign-in"), "at %s", w.url())
	require.False(w.t, w.has("#who, #sign-out, #private, #session-id"))
	require.Empty(w.t, w.cart())
}

// requireWorthless fails the test if a token is of any use to whoever sends it without a browser.
func requireWorthless(t *testing.T, home, token string) {
	t.Helper()
	require.Len(t, token, 128, "that is no token")
	answer, body := ask(t, http.MethodGet, home, http.Header{"Cookie": {cookieName + "=" + token}})
	require.Equal(t, http.StatusOK, answer.StatusCode)
	require.Contains(t, body, `id="sign-in"`)
	require.NotContains(t, body, `id="session-id"`)
	require.NotContains(t, body, `class="item"`)
	assert.Empty(t, answer.Header.Values("Set-Cookie"))
}

// ask sends a request without a browser.
func ask(t *testing.T, method, url string, header http.Header) (*http.Response, string) {
	t.Helper()
	return send(t, method, url, header, nil)
}

// send is ask with a body. It follows no redirect.
func send(
	t *testing.T, method, url string, header http.Header, body io.Reader,
) (*http.Response, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, url, body)
	require.NoError(t, err)
	request.Header = header
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	answer, err := transport.RoundTrip(request)
	require.NoError(t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return answer, string(text)
}
