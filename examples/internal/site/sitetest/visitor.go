package sitetest

import (
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const cookieName = "__Host-sid"

// visitor is a browser as far as the site can tell. It carries its cookie by hand: net/http's
// cookie jar, unlike browsers, sends no Secure cookie to http://localhost.
type visitor struct {
	t      *testing.T
	client *http.Client
	base   string
	agent  string // what it calls itself
	token  string
}

// answer is what came back for one request; redirects are not followed.
type answer struct {
	status int
	header http.Header
	body   string
	cookie *http.Cookie // the session's, if the answer sets it
}

func newVisitor(t *testing.T, base string) *visitor {
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &visitor{t: t, base: base, client: &http.Client{
		Transport: transport,
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}}
}

// with returns another visitor who holds the given token.
func (v *visitor) with(token string) *visitor {
	other := newVisitor(v.t, v.base)
	other.token = token
	return other
}

func (v *visitor) get(path string) answer {
	v.t.Helper()
	return v.do(v.request(http.MethodGet, path, nil))
}

// post sends a form as the site's own page would.
func (v *visitor) post(path string, form url.Values) answer {
	v.t.Helper()
	request := v.request(http.MethodPost, path, form)
	request.Header.Set("Sec-Fetch-Site", "same-origin")
	return v.do(request)
}

func (v *visitor) request(method, path string, form url.Values) *http.Request {
	v.t.Helper()
	body := strings.NewReader(form.Encode())
	request, err := http.NewRequestWithContext(v.t.Context(), method, v.base+path, body)
	require.NoError(v.t, err)
	if method == http.MethodPost {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	request.Header.Set("User-Agent", v.agent)
	if v.token != "" {
		request.Header.Set("Cookie", cookieName+"="+v.token)
	}
	return request
}

func (v *visitor) do(request *http.Request) answer {
	v.t.Helper()
	response, err := v.client.Do(request)
	require.NoError(v.t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(v.t, err)
	got := answer{status: response.StatusCode, header: response.Header, body: string(body)}
	for _, cookie := range response.Cookies() {
		require.Equal(v.t, cookieName, cookie.Name, "the site sets no other cookie")
		require.Nil(v.t, got.cookie, "the cookie is set once")
		got.cookie = cookie
		v.token = cookie.Value
	}
	return got
}

// signIn signs in and follows to the home page, which it returns.
func (v *visitor) signIn(name string) answer {
	v.t.Helper()
	v.requireHome(v.post("/sign-in", url.Values{"name": {name}, "password": {"tea for two"}}))
	return v.get("/")
}

// requireHome requires that an answer leads to the home page.
func (v *visitor) requireHome(got answer) {
	v.t.Helper()
	require.Equal(v.t, http.StatusSeeOther, got.status, got.body)
	require.Equal(v.t, "/", got.header.Get("Location"))
}

// text returns what the element with an ID says, and whether the page has it.
func (a answer) text(id string) (string, bool) {
	element := regexp.MustCompile(`id="` + regexp.QuoteMeta(id) + `"[^>]*>([^<]*)<`)
	found := element.FindStringSubmatch(a.body)
	if found == nil {
		return "", false
	}
	return html.UnescapeString(strings.TrimSpace(found[1])), true
}

// cart returns the items in the cart.
func (a answer) cart() []string {
	var items []string
	element := regexp.MustCompile(`class="item">([^<]*)<`)
	for _, found := range element.FindAllStringSubmatch(a.body, -1) {
		items = append(items, html.UnescapeString(found[1]))
	}
	return items
}
