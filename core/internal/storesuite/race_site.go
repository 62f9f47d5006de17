package storesuite

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// A raceStep is one thing that a handler does to its session.
type raceStep struct {
	verb string // get, set, update, take, takeOnce, delete, clear, renew, owner or destroy
	name string // of the value
	text string // what is set, what update appends, or the owner
}

// do does the step and reports what the handler saw, "-" for nothing.
func (step raceStep) do(s *core.Session) string {
	value := core.NewValue[string](step.name)
	var text string
	ok := false
	switch step.verb {
	case "get":
		text, ok = value.Get(s)
	case "set":
		value.Set(s, step.text)
	case "update":
		value.Update(s, func(was string) string { return was + step.text })
	case "take":
		text, ok = value.Take(s)
	case "takeOnce":
		text, ok = value.TakeOnce(s)
	case "delete":
		value.Delete(s)
	case "clear":
		s.Clear()
	case "renew":
		s.Renew()
	case "owner":
		s.SetOwner(step.text)
	case "destroy":
		s.Destroy()
	}
	if !ok {
		return "-"
	}
	return text
}

// A raceSite is a Manager on a raceStore, and what it told. With two nodes a second Manager, far
// from the first, has a handle of its own on the same store.
type raceSite struct {
	t       testing.TB
	store   *raceStore
	size    func() int // of a store that is the site's own, nil if it cannot tell
	manager *core.Manager
	far     *core.Manager // manager itself if there is one node
	carrier string        // cookie or header

	namespace string

	mu     sync.Mutex
	events []core.Event
}

// site makes a site; the Config's Store, Carrier and Observe are its own.
func (g *ground) site(t testing.TB, carrier string, cfg core.Config) *raceSite {
	return g.siteWith(t, carrier, cfg, func(s core.Store) core.Store { return s })
}

// siteWith is site with something put between each Manager and its store.
func (g *ground) siteWith(
	t testing.TB, carrier string, cfg core.Config, wrap func(core.Store) core.Store,
) *raceSite {
	kept, cfg := g.stores(t), g.patient(cfg)
	site := &raceSite{t: t, store: newRaceStore(kept[0]), carrier: carrier}
	if !g.Local { // on a store that sites share no two have the same owners, nor the same marks
		site.namespace = string(core.NewToken().ID())
	}
	cfg.Namespace = site.namespace
	if own, ok := kept[0].(interface{ Len() int }); ok && g.Local {
		site.size = own.Len
	}
	if carrier == "header" {
		cfg.Carrier = core.Header{}
	}
	cfg.Observe = func(_ context.Context, e core.Event) {
		site.mu.Lock()
		defer site.mu.Unlock()
		site.events = append(site.events, e)
	}
	for i, kept := range kept {
		cfg.Store = wrap(site.store.handle(kept))
		manager, err := core.New(cfg)
		require.NoError(t, err)
		if i == 0 {
			site.manager = manager
		}
		site.far = manager
	}
	return site
}

// close closes the Managers.
func (site *raceSite) close() error {
	err := site.manager.Close()
	if site.far != site.manager {
		err = errors.Join(err, site.far.Close())
	}
	return err
}

// records counts what the site's store holds of all that the site ever wrote.
func (site *raceSite) records() int {
	site.store.mu.Lock()
	ids := slices.Collect(maps.Keys(site.store.written))
	site.store.mu.Unlock()
	n := 0
	for _, id := range ids {
		_, err := site.store.kept.Load(site.t.Context(), id)
		if err == nil {
			n++
		} else if !errors.Is(err, core.ErrNotFound) {
			site.t.Errorf("Load: %v", err)
		}
	}
	if site.size != nil {
		assert.Equal(site.t, site.size(), n, "the store holds what nobody wrote")
	}
	return n
}

// tell returns the events since it was last asked.
func (site *raceSite) tell() []core.Event {
	site.mu.Lock()
	defer site.mu.Unlock()
	events := site.events
	site.events = nil
	return events
}

// told reports whether there was an event of that kind since tell was last called.
func (site *raceSite) told(kind core.EventKind) bool {
	for _, e := range site.tell() {
		if e.Kind == kind {
			return true
		}
	}
	return false
}

// header is that of a request which holds a token, or none.
func (site *raceSite) header(token string) http.Header {
	switch {
	case token == "":
		return http.Header{}
	case site.carrier == "header":
		return http.Header{"Session-Id": {token}}
	}
	return http.Header{"Cookie": {"theme=dark; __Host-sid=" + token}}
}

// A raceAnswer is what came of a request.
type raceAnswer struct {
	err    error
	status int
	header http.Header
	saw    []string
}

// issued is the token that the answer hands out, "" if it hands out none.
func (a raceAnswer) issued() string {
	if token := a.header.Get("Session-Id"); token != "" {
		return token
	}
	for _, line := range a.header.Values("Set-Cookie") {
		value, ours := strings.CutPrefix(line, "__Host-sid=")
		if token, _, _ := strings.Cut(value, ";"); ours && token != "" {
			return token
		}
	}
	return ""
}

// expires reports whether the answer tells the client to forget its token.
func (a raceAnswer) expires() bool {
	for _, line := range a.header.Values("Set-Cookie") {
		if strings.HasPrefix(line, "__Host-sid=;") {
			return true
		}
	}
	values, there := a.header["Session-Id"]
	return there && values[0] == ""
}

// A racePending is a request whose handler has not begun.
type racePending struct {
	site    *raceSite
	manager *core.Manager
	session *core.Session
	answer  raceAnswer
}

// begin begins a request, as an adapter does.
func (site *raceSite) begin(token string) *racePending { return site.beginAt(site.manager, token) }

// beginAt begins a request at the near or the far node.
func (site *raceSite) beginAt(m *core.Manager, token string) *racePending {
	r := &racePending{site: site, manager: m}
	s, err := m.Begin(site.t.Context(), site.header(token))
	if err != nil {
		r.answer = raceAnswer{err: err, status: core.Status(err), header: http.Header{}}
		m.ErrorHeader(nil, err, r.answer.header)
		return r
	}
	r.session = s
	return r
}

// handle does the steps of a handler, unless no handler may run.
func (r *racePending) handle(steps ...raceStep) *racePending {
	if r.session == nil {
		return r
	}
	for _, step := range steps {
		r.answer.saw = append(r.answer.saw, step.do(r.session))
	}
	return r
}

// raceHandlerHeader is what every handler of these tests sets itself.
func raceHandlerHeader() http.Header {
	return http.Header{
		"X-App": {"1"}, "Cache-Control": {"private"}, "Set-Cookie": {"app=1"},
	}
}

// commit ends the request, as an adapter does.
func (r *racePending) commit() raceAnswer {
	if r.session == nil {
		return r.answer
	}
	m, header := r.manager, raceHandlerHeader()
	err := m.Commit(r.site.t.Context(), r.session, header)
	if err != nil {
		assert.Equal(r.site.t, raceHandlerHeader(), header, "a Commit that fails writes no header")
		header = http.Header{}
		m.ErrorHeader(r.session, err, header)
	}
	m.Seal(r.session)
	r.answer.err, r.answer.status, r.answer.header = err, core.Status(err), header
	return r.answer
}

// request is a whole request, at the far node.
func (site *raceSite) request(token string, steps ...raceStep) raceAnswer {
	return site.beginAt(site.far, token).handle(steps...).commit()
}

// serve is a whole request through the middleware.
func (site *raceSite) serve(token string, handle func(s *core.Session)) raceAnswer {
	var answer raceAnswer
	next := func(w http.ResponseWriter, r *http.Request) {
		s, _ := core.FromContext(r.Context())
		handle(s)
		for name, lines := range raceHandlerHeader() {
			w.Header()[name] = lines
		}
		_, _ = w.Write([]byte("done"))
	}
	cfg := core.HandlerConfig{
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			answer.err = err
			w.WriteHeader(core.Status(err))
			_, _ = w.Write([]byte("failed"))
		},
	}
	r := httptest.NewRequestWithContext(site.t.Context(), http.MethodGet, "/", nil)
	r.Header = site.header(token)
	w := httptest.NewRecorder()
	site.manager.HandlerWithConfig(cfg)(http.HandlerFunc(next)).ServeHTTP(w, r)
	answer.status, answer.header = w.Code, w.Result().Header
	answer.header.Del("Content-Type") // net/http guesses it from the body
	want := "done"
	if answer.err != nil {
		want = "failed"
	}
	assert.Equal(site.t, want, w.Body.String(), "one answer, and nothing of the other")
	return answer
}

// start begins a session with values and an owner, and returns its token.
func (site *raceSite) start(owner string, values map[string]string) string {
	var steps []raceStep
	for name, text := range values {
		steps = append(steps, raceStep{verb: "set", name: name, text: text})
	}
	if owner != "" {
		steps = append(steps, raceStep{verb: "owner", text: owner})
	}
	answer := site.request("", steps...)
	require.NoError(site.t, answer.err)
	token := answer.issued()
	require.Len(site.t, token, core.TokenLength)
	return token
}

// opens reports whether a token opens a session.
func (site *raceSite) opens(token string) bool {
	s, err := site.far.Begin(site.t.Context(), site.header(token))
	require.NoError(site.t, err)
	return s.ID() != ""
}

// contents are the owner and the values of a session that is alive; ok is false if it is not.
func (site *raceSite) contents(id core.ID) (owner string, values map[string]string, ok bool) {
	s, err := site.far.Open(site.t.Context(), id)
	if err != nil {
		require.ErrorIs(site.t, err, core.ErrNotFound)
		return "", nil, false
	}
	values = map[string]string{}
	for _, name := range s.Names() {
		values[name], _ = core.NewValue[string](name).Get(s)
	}
	return s.Owner(), values, true
}

// raceID is the public part of a token, "" of none.
func raceID(token string) core.ID { return core.ID(token[:min(len(token), core.IDLength)]) }

// racePass lets time pass in a bubble.
func pass(d time.Duration) { <-time.After(d) }
