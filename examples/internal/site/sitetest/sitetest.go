package sitetest

import (
	"context"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Test starts a site on a free port, visits it in every way that it offers, and stops it.
func Test(
	t *testing.T,
	run func(ctx context.Context, addr, store string, stdout, stderr io.Writer) error,
) {
	lines, stop := Start(t, 1, func(ctx context.Context, stdout, stderr io.Writer) error {
		return run(ctx, "127.0.0.1:0", "memory", stdout, stderr)
	})
	require.Regexp(t, `^http://localhost:\d+/$`, lines[0])
	base := strings.TrimSuffix(lines[0], "/")
	cases := []struct {
		sentence string
		check    func(*testing.T, *visitor)
	}{
		{"whoever only looks gets no session", onlyLooks},
		{"a cart needs no account", cartWithoutAccount},
		{"an item can be removed from the cart", removeItem},
		{"a message is shown once", messageOnce},
		{"signing in renews the token and keeps session and cart", signInRenews},
		{"failed attempts are counted", failedAttempts},
		{"only who asks to be remembered gets a cookie that outlives the browser", remember},
		{"the private page is for who has signed in", privatePage},
		{"signing out ends the session", signOutEnds},
		{"a slow request does not bring an ended session back", slowRequest},
		{"the devices that somebody is signed in with are listed", devicesAreListed},
		{"one device signs out another, which hears of it", deviceSignsOutAnother},
		{"all other devices are signed out together", signOutOthers},
		{"nobody signs out a stranger's device", strangersDevice},
		{"the remaining time can be asked for", remainingTime},
		{"a form on another site is refused", crossSite},
		{"what a visitor types is text", escaped},
		{"every answer is protected, and the stylesheet has no session", assets},
	}
	for _, c := range cases {
		t.Run(c.sentence, func(t *testing.T) { c.check(t, newVisitor(t, base)) })
	}
	listener := newVisitor(t, base)
	listener.signIn("Ada")
	next := listener.listen()
	stop()
	assert.Empty(t, next(), "an open stream ends with the program, and not with its session")
	RequireClosed(t, base)
}

func onlyLooks(t *testing.T, v *visitor) {
	for range 2 {
		home := v.get("/")
		require.Equal(t, http.StatusOK, home.status)
		assert.Nil(t, home.cookie)
		assert.Contains(t, home.body, `id="sign-in"`)
		assert.NotContains(t, home.body, `id="session-id"`)
		assert.NotContains(t, home.body, `id="who"`)
		assert.Equal(t, "no-store", home.header.Get("Cache-Control"))
		assert.Equal(t, "Cookie", home.header.Get("Vary"))
	}
	slow := v.get("/slow?ms=0")
	assert.Equal(t, http.StatusOK, slow.status)
	assert.Nil(t, slow.cookie)
}

func cartWithoutAccount(t *testing.T, v *visitor) {
	added := v.post("/cart", url.Values{"item": {"  green \t tea "}})
	v.requireHome(added)
	require.NotNil(t, added.cookie)
	assert.True(t, added.cookie.Secure && added.cookie.HttpOnly)
	assert.Equal(t, http.SameSiteLaxMode, added.cookie.SameSite)
	assert.Equal(t, "/", added.cookie.Path)
	assert.Len(t, added.cookie.Value, 128)

	home := v.get("/")
	assert.Nil(t, home.cookie, "the token is sent only when it changes")
	assert.Equal(t, []string{"green tea"}, home.cart())
	id, _ := home.text("session-id")
	assert.Equal(t, v.token[:32], id)
	assert.NotContains(t, home.body, v.token, "no page shows the token")
	views, _ := v.get("/").text("views")
	assert.Equal(t, "2", views)
	_, known := home.text("idle-left")
	assert.True(t, known)

	for range 25 {
		v.requireHome(v.post("/cart", url.Values{"item": {"cup"}}))
	}
	assert.Len(t, v.get("/").cart(), 20, "the cart has a limit")
}

func removeItem(t *testing.T, v *visitor) {
	for _, item := range []string{"tea", "milk", "tea"} {
		v.requireHome(v.post("/cart", url.Values{"item": {item}}))
	}
	v.requireHome(v.post("/cart/remove", url.Values{"item": {"tea"}}))
	assert.Equal(t, []string{"milk", "tea"}, v.get("/").cart(), "one of two equal items is left")
	v.requireHome(v.post("/cart/remove", url.Values{"item": {"salt"}}))
	assert.Equal(t, []string{"milk", "tea"}, v.get("/").cart())
}

func messageOnce(t *testing.T, v *visitor) {
	v.requireHome(v.post("/cart", url.Values{"item": {"tea"}}))
	message, _ := v.get("/").text("flash")
	assert.Equal(t, "Added to the cart: tea.", message)
	_, again := v.get("/").text("flash")
	assert.False(t, again)
}

func signInRenews(t *testing.T, v *visitor) {
	v.requireHome(v.post("/cart", url.Values{"item": {"tea"}}))
	before := v.token
	home := v.signIn("Ada")
	assert.NotEqual(t, before, v.token, "the token is a new one")
	assert.Equal(t, before[:32], v.token[:32], "the ID stays")
	name, _ := home.text("who")
	assert.Equal(t, "Ada", name)
	assert.Equal(t, []string{"tea"}, home.cart())
	assert.Contains(t, home.body, `id="sign-out"`)
	assert.NotContains(t, home.body, `id="sign-in"`)

	old := v.with(before).get("/")
	assert.Contains(t, old.body, `id="sign-in"`, "the old token is worth nothing")
	assert.Empty(t, old.cart())
	assert.Nil(t, old.cookie, "and its holder's newer cookie is left alone")
	stillName, _ := v.get("/").text("who")
	assert.Equal(t, "Ada", stillName)
}

func failedAttempts(t *testing.T, v *visitor) {
	forms := []url.Values{
		{"name": {"Ada"}, "password": {"wrong"}},
		{"name": {"Ada"}, "password": {""}},
		{"name": {" "}, "password": {"right"}},
	}
	for i, form := range forms {
		v.requireHome(v.post("/sign-in", form))
		home := v.get("/")
		message, _ := home.text("flash")
		assert.Contains(t, message, "Failed attempts: "+string(rune('1'+i))+".")
		assert.NotContains(t, home.body, `id="who"`)
	}
	message, _ := v.signIn("Ada").text("flash")
	assert.Equal(t, "Welcome, Ada.", message)
}

func remember(t *testing.T, v *visitor) {
	form := url.Values{"name": {"Ada"}, "password": {"tea"}}
	short := v.post("/sign-in", form)
	require.NotNil(t, short.cookie)
	assert.Zero(t, short.cookie.MaxAge)
	form.Set("remember", "true")
	long := v.with("").post("/sign-in", form)
	require.NotNil(t, long.cookie)
	assert.Positive(t, long.cookie.MaxAge)
}

func privatePage(t *testing.T, v *visitor) {
	v.requireHome(v.get("/account"))
	message, _ := v.get("/").text("flash")
	assert.Contains(t, message, "Sign in first")

	v.signIn("Ada")
	account := v.get("/account")
	require.Equal(t, http.StatusOK, account.status)
	assert.Equal(t, "no-store", account.header.Get("Cache-Control"))
	assert.Contains(t, account.body, `id="private"`)
	name, _ := account.text("who")
	assert.Equal(t, "Ada", name)
	owner, _ := account.text("owner")
	assert.Equal(t, "user:Ada", owner)
}

func signOutEnds(t *testing.T, v *visitor) {
	v.signIn("Ada")
	before := v.token
	out := v.post("/sign-out", nil)
	require.Equal(t, http.StatusSeeOther, out.status)
	assert.Equal(t, "/?bye", out.header.Get("Location"))
	require.NotNil(t, out.cookie)
	assert.Negative(t, out.cookie.MaxAge, "the browser is told to forget the cookie")
	assert.Empty(t, v.token)

	home := v.get("/?bye")
	message, _ := home.text("flash")
	assert.Equal(t, "You have signed out.", message)
	assert.Nil(t, home.cookie, "saying goodbye begins no session")
	requireAnonymous(t, v.with(before))
}

func slowRequest(t *testing.T, v *visitor) {
	overtake(t, v, v)
}

// overtake lets a visitor sign in and send a slow request, and another, who may be at another node
// and holds the same cookie, sign out before it is answered. If the machine is so busy that the
// slow request begins only then, or is answered already, which would prove nothing, it tries again.
func overtake(t *testing.T, v, other *visitor) {
	for _, ms := range []string{"500", "2000", "5000", "5000"} {
		v.signIn("Ada")
		other.token = v.token
		if overtaken(t, v, other, ms) {
			return
		}
	}
	require.Fail(t, "the slow request came too late or was answered too early: nothing is proven")
}

// overtaken tries once, and reports whether the sign-out came while the slow request waited.
func overtaken(t *testing.T, v, other *visitor, ms string) bool {
	before := v.token
	slow := v.with(before)
	sent := make(chan struct{})
	var answered atomic.Bool
	request := slow.request(http.MethodGet, "/slow?ms="+ms, nil)
	request = request.WithContext(httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		WroteRequest:         func(httptrace.WroteRequestInfo) { close(sent) },
		GotFirstResponseByte: func() { answered.Store(true) },
	}))
	var late answer
	var waiting sync.WaitGroup
	waiting.Go(func() { late = slow.do(request) })
	defer waiting.Wait()
	<-sent
	v.with(before).get("/") // one round trip more, so that the slow request has most likely begun
	other.post("/sign-out", nil)
	inTime := !answered.Load()
	requireAnonymous(t, v.with(before))

	waiting.Wait()
	assert.Equal(t, http.StatusOK, late.status)
	assert.Nil(t, late.cookie, "nor does it touch the cookie of whatever came after")
	requireAnonymous(t, v.with(before))
	v.token = ""
	return inTime && strings.Contains(late.body, "then wrote to the session")
}

func crossSite(t *testing.T, v *visitor) {
	v.signIn("Ada")
	for name, value := range map[string]string{
		"Sec-Fetch-Site": "cross-site",
		"Origin":         "https://evil.example",
	} {
		for _, path := range []string{
			"/cart", "/cart/remove", "/sign-in", "/sign-out",
			"/devices/sign-out", "/devices/sign-out-others",
		} {
			form := url.Values{"item": {"tea"}, "name": {"Eve"}, "password": {"tea"}}
			request := v.request(http.MethodPost, path, form)
			request.Header.Set(name, value)
			refused := v.do(request)
			assert.Equal(t, http.StatusForbidden, refused.status, path)
			assert.Nil(t, refused.cookie)
		}
	}
	home := v.get("/")
	name, _ := home.text("who")
	assert.Equal(t, "Ada", name)
	assert.Empty(t, home.cart())
}

func escaped(t *testing.T, v *visitor) {
	const typed = `"><script>alert('x')</script>&`
	v.requireHome(v.post("/cart", url.Values{"item": {typed}}))
	home := v.signIn(typed)
	assert.NotContains(t, home.body, "<script")
	assert.Equal(t, []string{typed}, home.cart())
	name, _ := home.text("who")
	assert.Equal(t, typed, name)
	assert.NotContains(t, v.get("/account").body, "<script")

	long := strings.Repeat("ä", 500) + "\xff"
	v.requireHome(v.post("/cart", url.Values{"item": {long}}))
	assert.Equal(t, []string{typed, strings.Repeat("ä", 60)}, v.get("/").cart())
}

func assets(t *testing.T, v *visitor) {
	v.signIn("Ada")
	sheet := v.get("/style.css")
	assert.Equal(t, http.StatusOK, sheet.status)
	assert.Contains(t, sheet.header.Get("Content-Type"), "text/css")
	assert.Empty(t, sheet.header.Get("Vary"), "a cache may keep it")
	icon := v.get("/icon.svg")
	assert.Equal(t, http.StatusOK, icon.status)
	assert.Contains(t, icon.header.Get("Content-Type"), "image/svg+xml")
	script := v.get("/devices.js")
	assert.Equal(t, http.StatusOK, script.status)
	assert.Contains(t, script.header.Get("Content-Type"), "javascript")
	assert.Empty(t, script.header.Get("Vary"))
	missing := v.get("/nowhere")
	assert.Equal(t, http.StatusNotFound, missing.status)
	for _, got := range []answer{sheet, icon, script, missing, v.get("/"), v.get("/slow?ms=0")} {
		assert.Contains(t, got.header.Get("Content-Security-Policy"), "default-src 'none'")
		assert.Equal(t, "nosniff", got.header.Get("X-Content-Type-Options"))
		assert.Nil(t, got.cookie)
	}
}

func requireAnonymous(t *testing.T, v *visitor) {
	t.Helper()
	home := v.get("/")
	require.Equal(t, http.StatusOK, home.status)
	require.Contains(t, home.body, `id="sign-in"`)
	require.NotContains(t, home.body, `id="session-id"`)
	require.Nil(t, home.cookie)
}
