package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// A tab is one tab of a browser. Its methods do what a user does, or look at what a user sees; they
// wait for what they lead to, and fail the test if that does not come.
type tab struct {
	t   *testing.T
	ctx context.Context
}

// profile opens the first tab of somebody new, who shares no cookie and no cache with anybody. It
// is closed when the test ends.
func (c *chromium) profile(t *testing.T) *tab {
	t.Helper()
	return newTab(t, c.ctx, chromedp.WithNewBrowserContext())
}

// another opens another tab of the same profile.
func (w *tab) another() *tab {
	w.t.Helper()
	return newTab(w.t, w.ctx)
}

func newTab(t *testing.T, parent context.Context, options ...chromedp.ContextOption) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(parent, options...)
	t.Cleanup(cancel)
	// The first Run makes the tab, whose life is that of the context, so it must have no timeout.
	err := chromedp.Run(ctx,
		// A tab behind another one is drawn, and gets input, as if it were in front.
		emulation.SetFocusEmulationEnabled(true),
	)
	require.NoError(t, err)
	return &tab{t: t, ctx: ctx}
}

// run runs actions of chromedp's.
func (w *tab) run(actions ...chromedp.Action) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	require.NoError(w.t, chromedp.Run(ctx, actions...))
}

// open types a URL into the address bar.
func (w *tab) open(url string) {
	w.t.Helper()
	next := w.nextPage()
	w.run(chromedp.ActionFunc(func(ctx context.Context) error {
		_, _, problem, err := page.Navigate(url).Do(ctx)
		if err == nil && problem != "" {
			err = fmt.Errorf("%s: %s", url, problem)
		}
		return err
	}))
	next.wait()
}

// reload reloads the page.
func (w *tab) reload() {
	w.t.Helper()
	next := w.nextPage()
	w.run(page.Reload())
	next.wait()
}

// back uses the browser's back button.
func (w *tab) back() {
	w.t.Helper()
	next := w.nextPage()
	w.run(chromedp.ActionFunc(func(ctx context.Context) error {
		at, entries, err := page.GetNavigationHistory().Do(ctx)
		if err != nil {
			return err
		}
		if at < 1 {
			return fmt.Errorf("there is no page before %s", entries[at].URL)
		}
		return page.NavigateToHistoryEntry(entries[at-1].ID).Do(ctx)
	}))
	next.wait()
}

// click clicks into the middle of the first element that a selector finds.
func (w *tab) click(selector string) {
	w.t.Helper()
	var at []float64
	w.eval(fmt.Sprintf(`(() => {
		const found = document.querySelector(%s);
		if (!found) throw new Error("not on the page: " + %[1]s);
		found.scrollIntoView({block: "center"});
		const box = found.getBoundingClientRect();
		return [box.left + box.width / 2, box.top + box.height / 2];
	})()`, quote(selector)), &at)
	w.run(chromedp.MouseClickXY(at[0], at[1]))
}

// submit clicks a button that leads to another page, and waits for that.
func (w *tab) submit(button string) {
	w.t.Helper()
	next := w.nextPage()
	w.click(button)
	next.wait()
}

// fill types text into an empty field.
func (w *tab) fill(selector, text string) {
	w.t.Helper()
	w.click(selector)
	w.run(input.InsertText(text))
}

// has reports whether the page has such an element.
func (w *tab) has(selector string) bool {
	w.t.Helper()
	var found bool
	w.eval("document.querySelector("+quote(selector)+") !== null", &found)
	return found
}

// text is the text of such an element, "" if there is none.
func (w *tab) text(selector string) string {
	w.t.Helper()
	var text string
	w.eval("document.querySelector("+quote(selector)+")?.innerText ?? ''", &text)
	return text
}

// texts are the texts of all such elements.
func (w *tab) texts(selector string) []string {
	w.t.Helper()
	var texts []string
	w.eval("[...document.querySelectorAll("+quote(selector)+")].map(e => e.innerText)", &texts)
	return texts
}

// url is what the address bar shows.
func (w *tab) url() string {
	w.t.Helper()
	var url string
	w.eval("location.href", &url)
	return url
}

// eval evaluates an expression in the page, waits if it is a promise, and stores what it results in
// where into points, unless that is nil.
func (w *tab) eval(expression string, into any) {
	w.t.Helper()
	w.run(chromedp.Evaluate(expression, into, awaitPromise))
}

func awaitPromise(p *runtime.EvaluateParams) *runtime.EvaluateParams {
	return p.WithAwaitPromise(true)
}

// waitText waits until an element has a text. The page tells of each change; nobody keeps asking.
func (w *tab) waitText(selector, text string) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	err := chromedp.Run(ctx, chromedp.Evaluate(fmt.Sprintf(`new Promise(resolve => {
		const look = () => {
			if (document.querySelector(%s)?.innerText === %s) {
				watch.disconnect();
				resolve();
			}
		};
		const watch = new MutationObserver(look);
		watch.observe(document, {subtree: true, childList: true, characterData: true});
		look();
	})`, quote(selector), quote(text)), nil, awaitPromise))
	if err != nil {
		require.Equal(w.t, text, w.text(selector), "%s, after %v: %v", selector, patience, err)
	}
}

// cookies are those that the browser would send to a URL.
func (w *tab) cookies(url string) []*network.Cookie {
	w.t.Helper()
	var cookies []*network.Cookie
	w.run(chromedp.ActionFunc(func(ctx context.Context) (err error) {
		cookies, err = network.GetCookies().WithURLs([]string{url}).Do(ctx)
		return err
	}))
	return cookies
}

// token is the value of the session's cookie for a URL, "" if there is none.
func (w *tab) token(url string) string {
	w.t.Helper()
	cookies := w.cookies(url)
	i := slices.IndexFunc(cookies, func(c *network.Cookie) bool { return c.Name == cookieName })
	if i < 0 {
		return ""
	}
	return cookies[i].Value
}

// quote writes a string as JavaScript does.
func quote(text string) string {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(err) // a string can always be encoded
	}
	return string(quoted)
}
