package browser

import (
	"context"
	"strings"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// An arrival is a page that is to come.
type arrival struct {
	tab    *tab
	ctx    context.Context
	cancel context.CancelFunc
	loaded chan struct{} // closed when it has come
	loader cdp.LoaderID
}

// nextPage begins to listen for another page. Redirects on the way to it are none.
func (w *tab) nextPage() *arrival {
	next := &arrival{tab: w, loaded: make(chan struct{})}
	next.ctx, next.cancel = context.WithTimeout(w.ctx, patience)
	chromedp.ListenTarget(next.ctx, next.see)
	return next
}

// see is called with all that happens in the tab, one event after another.
func (a *arrival) see(event any) {
	finished := false
	switch e := event.(type) {
	case *page.EventFrameNavigated:
		if e.Frame.ParentID == "" {
			a.loader = e.Frame.LoaderID
			// From the back/forward cache a page comes as it was, and nothing is loaded.
			finished = e.Type == page.NavigationTypeBackForwardCacheRestore
		}
	case *page.EventLifecycleEvent:
		finished = e.Name == "load" && e.LoaderID == a.loader
	}
	if finished && !a.hasCome() {
		close(a.loaded)
	}
}

// hasCome reports whether the page is there already.
func (a *arrival) hasCome() bool {
	select {
	case <-a.loaded:
		return true
	default:
		return false
	}
}

// wait waits until the page has loaded.
func (a *arrival) wait() {
	a.tab.t.Helper()
	defer a.cancel()
	select {
	case <-a.loaded:
	case <-a.ctx.Done():
		require.FailNow(a.tab.t, "no other page has come")
	}
}

// nextRequest begins to listen for a request whose URL has a part. The function that it returns
// waits until the browser sends one.
func (w *tab) nextRequest(part string) (sent func()) {
	seen := make(chan struct{}, 1)
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	chromedp.ListenTarget(ctx, func(event any) {
		e, ok := event.(*network.EventRequestWillBeSent)
		if !ok || !strings.Contains(e.Request.URL, part) {
			return
		}
		select {
		case seen <- struct{}{}:
		default: // nobody asked for a second one
		}
	})
	return func() {
		w.t.Helper()
		defer cancel()
		select {
		case <-seen:
		case <-ctx.Done():
			require.FailNow(w.t, "no such request was sent", part)
		}
	}
}
