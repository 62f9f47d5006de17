package browser

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const tokenHeader = "Session-Id"

// apiScenario is something that people do with the page of examples/api, whose API is elsewhere.
type apiScenario struct {
	sentence string
	check    func(t *testing.T, c *chromium, page, api string)
}

func apiScenarios() []apiScenario {
	return []apiScenario{
		{"the page keeps its session while it counts and over a reload", pageKeepsSession},
		{"an answer without a token does not lose the one there is", absentHeaderKeepsToken},
		{"the browser asks before it sends a token, and is told that it may", preflightIsRight},
		{"the end is the end, and a new session begins after it", endForgetsToken},
		{"a page of another origin can neither use the API nor read it", strangersAreRefused},
	}
}

func pageKeepsSession(t *testing.T, c *chromium, page, _ string) {
	w := c.profile(t)
	w.open(page)
	w.waitText("#status", "Read.")
	require.Equal(t, "0", w.text("#count"))
	require.Empty(t, w.keptToken(), "reading begins no session")
	for _, count := range []string{"1", "2", "3"} {
		w.click("#increment")
		w.waitText("#count", count)
	}
	id := w.text("#session-id")
	require.Len(t, id, 32)
	require.Empty(t, w.cookies(page))

	w.reload()
	w.waitText("#count", "3")
	require.Equal(t, id, w.text("#session-id"))
	w.click("#increment")
	w.waitText("#count", "4")
	w.click("#reload")
	w.waitText("#status", "Read.")
	require.Equal(t, "4", w.text("#count"))

	other := c.profile(t)
	other.open(page)
	other.click("#increment")
	other.waitText("#count", "1")
	require.NotEqual(t, id, other.text("#session-id"), "another profile is somebody else")
}

func absentHeaderKeepsToken(t *testing.T, c *chromium, page, api string) {
	w := c.profile(t)
	w.open(page)
	seen := w.listen(api)
	w.click("#increment")
	w.waitText("#count", "1")
	first := seen.await(t, http.MethodPost, 1)
	token := w.keptToken()
	require.Len(t, token, 128)
	assert.Empty(t, header(first.request.Headers, tokenHeader))
	assert.Equal(t, token, header(first.response.Headers, tokenHeader))

	w.click("#increment")
	w.waitText("#count", "2")
	second := seen.await(t, http.MethodPost, 2)
	assert.Equal(t, token, header(second.request.Headers, tokenHeader))
	assert.NotContains(t, names(second.response.Headers), tokenHeader, "nothing new to say")
	assert.Equal(t, token, w.keptToken())

	w.click("#increment")
	w.waitText("#count", "3")
	third := seen.await(t, http.MethodPost, 3)
	assert.Equal(t, token, header(third.request.Headers, tokenHeader))
	assert.Equal(t, token, w.keptToken())
}

func preflightIsRight(t *testing.T, c *chromium, page, api string) {
	w := c.profile(t)
	w.open(page)
	w.click("#increment")
	w.waitText("#count", "1")
	seen := w.listen(api)
	w.click("#increment") // the first request with a token
	w.waitText("#count", "2")

	asked := seen.await(t, http.MethodOptions, 1)
	assert.Equal(t, "POST", header(asked.request.Headers, "Access-Control-Request-Method"))
	assert.Equal(t, strings.ToLower(tokenHeader),
		header(asked.request.Headers, "Access-Control-Request-Headers"))
	assert.Empty(t, header(asked.request.Headers, tokenHeader), "a question carries no token")
	assert.EqualValues(t, http.StatusNoContent, asked.response.Status)
	assert.Equal(t, strings.TrimSuffix(page, "/"),
		header(asked.response.Headers, "Access-Control-Allow-Origin"))
	assert.Contains(t, header(asked.response.Headers, "Access-Control-Allow-Headers"), tokenHeader)
	assert.NotContains(t, names(asked.response.Headers), "Access-Control-Allow-Credentials")
	assert.NotContains(t, names(asked.response.Headers), tokenHeader)
	counted := seen.await(t, http.MethodPost, 1)
	assert.Equal(t, w.keptToken(), header(counted.request.Headers, tokenHeader))
}

func endForgetsToken(t *testing.T, c *chromium, page, api string) {
	w := c.profile(t)
	w.open(page)
	w.click("#increment")
	w.waitText("#count", "1")
	token, id := w.keptToken(), w.text("#session-id")
	require.Len(t, token, 128)

	w.click("#end")
	w.waitText("#status", "The session has ended.")
	w.waitText("#token", "none")
	require.Empty(t, w.keptToken())
	requireNoSession(t, api, token)
	w.reload()
	w.waitText("#count", "0")

	w.click("#increment")
	w.waitText("#count", "1")
	require.NotEqual(t, token, w.keptToken())
	require.NotEqual(t, id, w.text("#session-id"))
	requireNoSession(t, api, token)
}

func strangersAreRefused(t *testing.T, c *chromium, page, api string) {
	w := c.profile(t)
	w.open(page)
	w.click("#increment")
	w.waitText("#count", "1")
	token := w.keptToken()

	evil := c.profile(t)
	evil.open(withHost(t, strange(t), "localhost"))
	for _, headers := range []string{`{}`, `{"` + tokenHeader + `": ` + quote(token) + `}`} {
		var outcome string
		evil.eval(`fetch(`+quote(api+"api/counter")+`, {method: "POST", headers: `+headers+`})
			.then(answer => "answered " + answer.status, problem => problem.name)`, &outcome)
		require.Equal(t, "TypeError", outcome, "the browser keeps the answer from the page")
	}
	// What any page may send without being asked, and without seeing the answer, is not served.
	seen := evil.listen(api)
	evil.eval(`fetch(`+quote(api+"api/counter")+`, {method: "POST", mode: "no-cors"})`, nil)
	refused := seen.await(t, http.MethodPost, 1)
	assert.EqualValues(t, http.StatusForbidden, refused.response.Status)
	assert.NotContains(t, names(refused.response.Headers), tokenHeader)

	w.click("#reload")
	w.waitText("#status", "Read.")
	require.Equal(t, "1", w.text("#count"), "and nothing was counted")
}

// keptToken is the token that the page's script keeps, "" if there is none.
func (w *tab) keptToken() string {
	w.t.Helper()
	var token string
	w.eval(`sessionStorage.getItem("session-token") ?? ""`, &token)
	return token
}

// requireNoSession fails the test if a token still opens a session of the API.
func requireNoSession(t *testing.T, api, token string) {
	t.Helper()
	answer, body := ask(t, http.MethodGet, api+"api/counter", http.Header{tokenHeader: {token}})
	require.Equal(t, http.StatusOK, answer.StatusCode)
	var got struct {
		Count   int
		Session string
	}
	require.NoError(t, json.Unmarshal([]byte(body), &got))
	require.Zero(t, got, "the token opens a session")
}

// traffic is what a tab sends to one server, and what comes back.
type traffic struct {
	mu        sync.Mutex
	exchanges []*exchange
}

type exchange struct {
	id       network.RequestID
	request  *network.Request
	response *network.Response // nil until it comes
}

// listen notes everything that the tab sends to a server from now on, preflights included.
func (w *tab) listen(server string) *traffic {
	seen := &traffic{}
	chromedp.ListenTarget(w.ctx, func(event any) {
		seen.mu.Lock()
		defer seen.mu.Unlock()
		switch e := event.(type) {
		case *network.EventRequestWillBeSent:
			if strings.HasPrefix(e.Request.URL, server) {
				x := &exchange{id: e.RequestID, request: e.Request}
				seen.exchanges = append(seen.exchanges, x)
			}
		case *network.EventResponseReceived:
			for _, x := range seen.exchanges {
				if x.id == e.RequestID {
					x.response = e.Response
				}
			}
		}
	})
	return seen
}

// await waits for the answer to the n-th request of a method. What the browser tells of its traffic
// may come later than what it shows in the page.
func (s *traffic) await(t *testing.T, method string, n int) exchange {
	t.Helper()
	var found exchange
	require.Eventually(t, func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		count := 0
		for _, x := range s.exchanges {
			if x.request.Method == method {
				count++
				found = *x
			}
			if count == n {
				return found.response != nil
			}
		}
		return false
	}, patience, 5*time.Millisecond, "%s number %d to the API", method, n)
	return found
}

// header is the value of a header, "" if there is none.
func header(all network.Headers, name string) string {
	for other, value := range all {
		if strings.EqualFold(other, name) {
			text, _ := value.(string)
			return text
		}
	}
	return ""
}

// names are the names of all headers, in canonical form.
func names(all network.Headers) []string {
	var names []string
	for name := range all {
		names = append(names, http.CanonicalHeaderKey(name))
	}
	return names
}
