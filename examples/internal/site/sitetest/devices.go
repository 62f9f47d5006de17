package sitetest

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// patience bounds a wait for what must happen. Only a test that fails waits that long.
const patience = time.Minute

// What browsers call themselves.
const (
	firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
	safari  = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Version/17.5 Safari/604.1"
)

// device is another visitor, with a browser of another name, who signs in at a site.
func (v *visitor) device(base, agent, name string) *visitor {
	v.t.Helper()
	other := newVisitor(v.t, base)
	other.agent = agent
	other.signIn(name)
	return other
}

// labels are what the page of devices lists; that of the visitor's own is said by itself.
func (a answer) labels() (own string, others []string) {
	item := regexp.MustCompile(`(?s)<li( id="this-device")?>.*?class="device">([^<]*)<`)
	for _, found := range item.FindAllStringSubmatch(a.body, -1) {
		if found[1] != "" {
			own = found[2]
		} else {
			others = append(others, found[2])
		}
	}
	return own, others
}

// deviceIDs are what the forms of the page name.
func (a answer) deviceIDs() (ids []string) {
	field := regexp.MustCompile(`name="id" value="([^"]*)"`)
	for _, found := range field.FindAllStringSubmatch(a.body, -1) {
		ids = append(ids, found[1])
	}
	return ids
}

func (v *visitor) requireDevices(got answer) {
	v.t.Helper()
	require.Equal(v.t, http.StatusSeeOther, got.status, got.body)
	require.Equal(v.t, "/devices", got.header.Get("Location"))
}

// listen opens the stream of events, and returns a function that reads the next one, without the
// comments before it; "" is the end.
func (v *visitor) listen() (next func() string) {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.t.Context(), patience)
	v.t.Cleanup(cancel)
	request := v.request(http.MethodGet, "/events", nil).WithContext(ctx)
	response, err := v.client.Do(request)
	require.NoError(v.t, err)
	v.t.Cleanup(func() { _ = response.Body.Close() })
	require.Equal(v.t, http.StatusOK, response.StatusCode)
	require.Equal(v.t, "text/event-stream", response.Header.Get("Content-Type"))
	lines := bufio.NewReader(response.Body)
	return func() string {
		v.t.Helper()
		var event strings.Builder
		for {
			line, err := lines.ReadString('\n')
			if err == io.EOF {
				return event.String()
			}
			require.NoError(v.t, err)
			switch {
			case strings.HasPrefix(line, ":"):
			case line != "\n":
				event.WriteString(line)
			case event.Len() > 0:
				return event.String()
			}
		}
	}
}

// lastEvent is what a stream says when its session was ended.
const lastEvent = "event: session_expired\ndata: ended\n"

func devicesAreListed(t *testing.T, v *visitor) {
	v.requireHome(v.get("/devices"))
	message, _ := v.get("/").text("flash")
	assert.Contains(t, message, "Sign in first")

	v.agent = firefox
	v.signIn("Grace")
	page := v.get("/devices")
	require.Equal(t, http.StatusOK, page.status)
	assert.Equal(t, "no-store", page.header.Get("Cache-Control"))
	own, others := page.labels()
	assert.Equal(t, "Firefox on Linux", own)
	assert.Empty(t, others)
	assert.NotContains(t, page.body, `id="sign-out-others"`)

	phone := v.device(v.base, safari, "Grace")
	own, others = v.get("/devices").labels()
	assert.Equal(t, "Firefox on Linux", own)
	assert.Equal(t, []string{"Safari on iPhone"}, others)
	own, others = phone.get("/devices").labels()
	assert.Equal(t, "Safari on iPhone", own)
	assert.Equal(t, []string{"Firefox on Linux"}, others)
	assert.Equal(t, []string{v.token[:32]}, phone.get("/devices").deviceIDs())
	assert.NotContains(t, phone.get("/devices").body, v.token)
	v.post("/sign-out", nil)
	_, others = phone.get("/devices").labels()
	assert.Empty(t, others)
}

func deviceSignsOutAnother(t *testing.T, v *visitor) { signOutFrom(t, v, v.base) }

// signOutFrom lets one device sign out another, which is at another node perhaps.
func signOutFrom(t *testing.T, v *visitor, base string) {
	v.signIn("Edsger")
	token, next := v.token, v.listen()
	phone := v.device(base, safari, "Edsger")
	form := url.Values{"id": phone.get("/devices").deviceIDs()}
	require.Len(t, form["id"], 1)
	phone.requireDevices(phone.post("/devices/sign-out", form))
	assert.Equal(t, lastEvent, next())
	assert.Empty(t, next())
	requireAnonymous(t, v.with(token))

	page := phone.get("/devices")
	message, _ := page.text("flash")
	assert.Equal(t, "The device is signed out.", message)
	_, others := page.labels()
	assert.Empty(t, others)
	phone.requireDevices(phone.post("/devices/sign-out", form))
	message, _ = phone.get("/devices").text("flash")
	assert.Equal(t, "That device is not signed in.", message)

	phone.post("/devices/sign-out", url.Values{"id": {phone.token[:32]}})
	assert.Empty(t, phone.token, "its own is signed out as by the button for it")
}

func signOutOthers(t *testing.T, v *visitor) {
	v.signIn("Barbara")
	var devices []*visitor
	var streams []func() string
	for _, agent := range []string{firefox, safari, ""} {
		device := v.device(v.base, agent, "Barbara")
		devices, streams = append(devices, device), append(streams, device.listen())
	}
	_, others := v.get("/devices").labels()
	assert.ElementsMatch(t,
		[]string{"Firefox on Linux", "Safari on iPhone", "Unknown device"}, others)
	v.requireDevices(v.post("/devices/sign-out-others", nil))
	for i, device := range devices {
		assert.Equal(t, lastEvent, streams[i]())
		requireAnonymous(t, v.with(device.token))
	}
	page := v.get("/devices")
	message, _ := page.text("flash")
	assert.Equal(t, "Other devices signed out: 3.", message)
	_, others = page.labels()
	assert.Empty(t, others)
}

func strangersDevice(t *testing.T, v *visitor) {
	v.signIn("Alan")
	eve := v.device(v.base, firefox, "Eve")
	for _, id := range []string{v.token[:32], strings.Repeat("x", 32), "", "x", "\x00"} {
		eve.requireDevices(eve.post("/devices/sign-out", url.Values{"id": {id}}))
		message, _ := eve.get("/devices").text("flash")
		assert.Equal(t, "That device is not signed in.", message, "and no hint whose it is")
	}
	eve.requireDevices(eve.post("/devices/sign-out-others", nil))
	name, _ := v.get("/").text("who")
	assert.Equal(t, "Alan", name)
	nobody := newVisitor(t, v.base)
	nobody.requireDevices(nobody.post("/devices/sign-out", url.Values{"id": {v.token[:32]}}))
	nobody.requireHome(nobody.get("/devices"))
	name, _ = v.get("/").text("who")
	assert.Equal(t, "Alan", name)
}

func remainingTime(t *testing.T, v *visitor) {
	ask := func() (answer int) {
		t.Helper()
		got := v.get("/expires")
		require.Equal(t, http.StatusOK, got.status)
		assert.Contains(t, got.header.Get("Content-Type"), "application/json")
		assert.Equal(t, "no-store", got.header.Get("Cache-Control"))
		assert.Nil(t, got.cookie)
		var left map[string]int
		require.NoError(t, json.Unmarshal([]byte(got.body), &left))
		require.Contains(t, left, "expires_in")
		return left["expires_in"]
	}
	assert.Zero(t, ask())
	nobody := v.get("/events")
	assert.Equal(t, http.StatusNoContent, nobody.status)
	assert.Nil(t, nobody.cookie)
	v.signIn("Donald")
	assert.InDelta(t, time.Hour.Seconds(), ask(), patience.Seconds())
}
