package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/examples/internal/site/sitetest"
)

const tokenHeader = "Session-Id"

func TestProgram(t *testing.T) {
	lines, stop := sitetest.Start(t, 2, func(ctx context.Context, stdout, stderr io.Writer) error {
		return run(ctx, "127.0.0.1:0", "127.0.0.1:0", stdout, stderr)
	})
	require.Regexp(t, `^page http://localhost:\d+/$`, lines[0])
	require.Regexp(t, `^api  http://localhost:\d+/$`, lines[1])
	page := strings.TrimPrefix(lines[0], "page ")
	api := strings.TrimPrefix(lines[1], "api  ")

	cases := []struct {
		sentence string
		check    func(t *testing.T, c *client)
	}{
		{"reading begins no session", readBeginsNothing},
		{"the token comes once, and works until the end", wholeLife},
		{"a preflight is answered, and touches no session", preflight},
		{"another origin is refused", otherOrigin},
		{"a client without an origin, such as curl, is served", noOrigin},
		{"the page is allowed to call its API and nothing else", pagePolicy},
	}
	for _, c := range cases {
		t.Run(c.sentence, func(t *testing.T) {
			transport := &http.Transport{}
			t.Cleanup(transport.CloseIdleConnections)
			c.check(t, &client{
				t: t, http: &http.Client{Transport: transport},
				page: origin(page), api: origin(api), origin: origin(page),
			})
		})
	}
	stop()
	sitetest.RequireClosed(t, page)
	sitetest.RequireClosed(t, api)
}

func TestProgramDoesNotStartHalf(t *testing.T) {
	err := run(t.Context(), "127.0.0.1:0", "127.0.0.1:-1", io.Discard, t.Output())
	require.Error(t, err, "the page alone would be of no use")
}

// client is the page's script as far as the API can tell.
type client struct {
	t                 *testing.T
	http              *http.Client
	page, api, origin string
	token             string
}

func (c *client) do(method, url string, header http.Header) (*http.Response, string) {
	c.t.Helper()
	request, err := http.NewRequestWithContext(c.t.Context(), method, url, nil)
	require.NoError(c.t, err)
	for name, values := range header {
		request.Header[name] = values
	}
	if c.origin != "" {
		request.Header.Set("Origin", c.origin)
	}
	if c.token != "" {
		request.Header.Set(tokenHeader, c.token)
	}
	response, err := c.http.Do(request)
	require.NoError(c.t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(c.t, err)
	if given, ok := response.Header[tokenHeader]; ok {
		require.Len(c.t, given, 1)
		c.token = given[0]
	}
	assert.Empty(c.t, response.Header.Values("Set-Cookie"))
	return response, string(body)
}

func (c *client) counter(method string) (answer, *http.Response) {
	c.t.Helper()
	response, body := c.do(method, c.api+"/api/counter", nil)
	require.Equal(c.t, http.StatusOK, response.StatusCode, body)
	var got answer
	require.NoError(c.t, json.Unmarshal([]byte(body), &got))
	return got, response
}

func readBeginsNothing(t *testing.T, c *client) {
	got, response := c.counter(http.MethodGet)
	assert.Equal(t, answer{}, got)
	assert.NotContains(t, response.Header, tokenHeader)
	assert.Equal(t, c.page, response.Header.Get("Access-Control-Allow-Origin"))
	assert.Contains(t, response.Header.Values("Vary"), "Origin")
	assert.Contains(t, response.Header.Values("Vary"), tokenHeader)
}

func wholeLife(t *testing.T, c *client) {
	first, response := c.counter(http.MethodPost)
	assert.Equal(t, 1, first.Count)
	require.Len(t, c.token, 128)
	assert.Equal(t, c.token[:32], string(first.Session))
	assert.Equal(t, tokenHeader, response.Header.Get("Access-Control-Expose-Headers"))

	kept := c.token
	second, response := c.counter(http.MethodPost)
	assert.Equal(t, 2, second.Count)
	assert.NotContains(t, response.Header, tokenHeader, "no header says: keep the token")
	got, _ := c.counter(http.MethodGet)
	assert.Equal(t, 2, got.Count)

	response, _ = c.do(http.MethodPost, c.api+"/api/sign-out", nil)
	assert.Equal(t, http.StatusNoContent, response.StatusCode)
	assert.Equal(t, []string{""}, response.Header[tokenHeader], "an empty one says: forget it")
	assert.Equal(t, tokenHeader, response.Header.Get("Access-Control-Expose-Headers"))

	c.token = kept
	got, response = c.counter(http.MethodGet)
	assert.Equal(t, answer{}, got, "the old token is worth nothing")
	assert.NotContains(t, response.Header, tokenHeader)
	again, _ := c.counter(http.MethodPost)
	assert.Equal(t, 1, again.Count)
	assert.NotEqual(t, kept[:32], c.token[:32], "another session has another ID")
}

func preflight(t *testing.T, c *client) {
	response, _ := c.do(http.MethodOptions, c.api+"/api/counter", http.Header{
		"Access-Control-Request-Method":  {http.MethodPost},
		"Access-Control-Request-Headers": {"session-id"},
	})
	assert.Equal(t, http.StatusNoContent, response.StatusCode)
	assert.Equal(t, c.page, response.Header.Get("Access-Control-Allow-Origin"))
	assert.Equal(t, "Session-Id, Content-Type", response.Header.Get("Access-Control-Allow-Headers"))
	assert.Equal(t, "GET, POST", response.Header.Get("Access-Control-Allow-Methods"))
	assert.Equal(t, []string{"Origin"}, response.Header.Values("Vary"), "no session was looked at")
	assert.NotContains(t, response.Header, tokenHeader)
	assert.NotContains(t, response.Header, "Access-Control-Allow-Credentials")
}

func otherOrigin(t *testing.T, c *client) {
	c.counter(http.MethodPost)
	c.origin = "https://evil.example"
	for _, method := range []string{http.MethodOptions, http.MethodPost} {
		response, _ := c.do(method, c.api+"/api/counter", nil)
		assert.Equal(t, http.StatusForbidden, response.StatusCode, method)
		assert.NotContains(t, response.Header, "Access-Control-Allow-Origin")
		assert.Equal(t, []string{"Origin"}, response.Header.Values("Vary"))
	}
	c.origin = c.page
	got, _ := c.counter(http.MethodGet)
	assert.Equal(t, 1, got.Count)
}

func noOrigin(t *testing.T, c *client) {
	c.origin = ""
	got, response := c.counter(http.MethodPost)
	assert.Equal(t, 1, got.Count)
	assert.NotContains(t, response.Header, "Access-Control-Allow-Origin")
	assert.Contains(t, response.Header.Values("Vary"), "Origin")
}

func pagePolicy(t *testing.T, c *client) {
	for path, contentType := range map[string]string{
		"/": "text/html", "/app.js": "text/javascript", "/style.css": "text/css",
		"/icon.svg": "image/svg+xml",
	} {
		response, body := c.do(http.MethodGet, c.page+path, nil)
		require.Equal(t, http.StatusOK, response.StatusCode, path)
		assert.Contains(t, response.Header.Get("Content-Type"), contentType)
		policy := response.Header.Get("Content-Security-Policy")
		assert.Contains(t, policy, "default-src 'none'; script-src 'self';")
		assert.Contains(t, policy, "connect-src "+c.api+";")
		if path == "/" {
			assert.Contains(t, body, `data-api="`+c.api+`"`, "the page learns where its API is")
		}
	}
	response, _ := c.do(http.MethodGet, c.page+"/index.html", nil)
	assert.Equal(t, http.StatusNotFound, response.StatusCode, "only what is listed is served")
}
