package sessiontest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sessionserverstore/sessionserverstore/core"
)

const (
	cookieName = "__Host-sid"     // of core.Cookie{}
	patience   = 15 * time.Second // after which something that should happen never does
)

// word is the value that handlers set and read.
func word() core.Value[string] { return core.NewValue[string]("word") }

// setWord sets word to a text and answers nothing.
func setWord(x Exchange, text string) { word().Set(x.Session(), text) }

// readWord answers with word.
func readWord(x Exchange) error {
	text, _ := word().Get(x.Session())
	return x.Answer(http.StatusOK, "word: "+text)
}

// A site is a server with the adapter under test, its store, and a client of it. Each request
// brings its own handler.
type site struct {
	store   *probe
	manager *core.Manager
	reader  *core.Manager // looks at the same records past the probe
	url     string
	client  *http.Client
	handler atomic.Pointer[Handler]
}

// newSite starts a site with one manager. Config.Store must be nil.
func newSite(t testing.TB, mount Mount, cfg core.Config) *site {
	s := newIdleSite(t, cfg)
	s.start(t, mount, s.manager)
	return s
}

// start mounts the site behind managers. The client leaves before the server is stopped, which may
// wait for it.
func (s *site) start(t testing.TB, mount Mount, managers ...*core.Manager) {
	s.url = mount(t, s.serve, managers...)
	t.Cleanup(s.client.CloseIdleConnections)
}

// newIdleSite makes a site that is not started yet.
func newIdleSite(t testing.TB, cfg core.Config) *site {
	s := &site{store: newProbe()}
	s.client = &http.Client{
		Transport: &http.Transport{DisableCompression: true},
		Timeout:   patience,
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}
	cfg.Store = s.store
	s.manager = newManager(t, cfg)
	s.reader = newManager(t, core.Config{Store: s.store.Store})
	return s
}

func newManager(t testing.TB, cfg core.Config) *core.Manager {
	m, err := core.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() })
	return m
}

// serve is the handler that is mounted.
func (s *site) serve(x Exchange) error { return (*s.handler.Load())(x) }

// visit begins a session past the adapter and returns its token.
func (s *site) visit(text string) (token string, err error) {
	ctx := context.Background()
	visitor, err := s.manager.Begin(ctx, http.Header{})
	if err != nil {
		return "", err
	}
	word().Set(visitor, text)
	header := http.Header{}
	if err := s.manager.Commit(ctx, visitor, header); err != nil {
		return "", err
	}
	s.store.reset()
	tokens := (&answer{header: header}).tokens()
	if len(tokens) == 0 {
		return header.Get("Session-Id"), nil
	}
	return tokens[0], nil
}

// cookie is the header of a client that holds a token.
func cookie(token string) http.Header { return http.Header{"Cookie": {cookieName + "=" + token}} }

// idOf is a token's public part.
func idOf(token string) core.ID { return core.ID(token[:core.IDLength]) }

// An answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

// tokens lists what the session's cookie is set to, "" where it is deleted.
func (a *answer) tokens() []string {
	var list []string
	for _, c := range (&http.Response{Header: a.header}).Cookies() {
		if c.Name == cookieName {
			list = append(list, c.Value)
		}
	}
	return list
}

// send lets h answer a GET request.
func (s *site) send(h Handler, header http.Header) (*answer, error) {
	return s.sendAs(http.MethodGet, h, header)
}

func (s *site) sendAs(method string, h Handler, header http.Header) (*answer, error) {
	response, err := s.open(context.Background(), method, h, header)
	if err != nil {
		return nil, err
	}
	return read(response)
}

// open sends a request and returns as soon as the response's header is there.
func (s *site) open(
	ctx context.Context, method string, h Handler, header http.Header,
) (*http.Response, error) {
	s.handler.Store(&h)
	r, err := http.NewRequestWithContext(ctx, method, s.url+"/", nil)
	if err != nil {
		return nil, err
	}
	if header != nil {
		r.Header = header
	}
	return s.client.Do(r)
}

func read(response *http.Response) (*answer, error) {
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	a := &answer{status: response.StatusCode, header: response.Header, body: string(body)}
	return a, err
}

// stored is what the store holds of the session with that ID.
func (s *site) stored(id core.ID) (text string, err error) {
	session, err := s.reader.Open(context.Background(), id)
	if err != nil {
		return "", err
	}
	text, _ = word().Get(session)
	return text, session.Err()
}

// keeps returns an error unless the store holds a session with word being a text.
func (s *site) keeps(id core.ID, want string) error {
	got, err := s.stored(id)
	if err != nil {
		return fmt.Errorf("the session is not in the store: %w", err)
	}
	if got != want {
		return fmt.Errorf("the store holds %q, not %q", got, want)
	}
	return nil
}

// ended returns an error if the store holds a session with that ID.
func (s *site) ended(id core.ID) error {
	_, err := s.stored(id)
	if !errors.Is(err, core.ErrNotFound) {
		return errors.New("the session is still in the store")
	}
	return nil
}

// began returns an error unless an answer hands out one token of a session that the store holds.
func (s *site) began(a *answer, text string) error {
	tokens := a.tokens()
	if len(tokens) != 1 {
		return fmt.Errorf("the response (%d) has %d session cookies, not 1", a.status, len(tokens))
	}
	if _, ok := core.ParseToken(tokens[0]); !ok {
		return errors.New("the response's session cookie holds no token")
	}
	return s.keeps(idOf(tokens[0]), text)
}

// says returns an error unless an answer has that status and body.
func (a *answer) says(status int, body string) error {
	if a.status != status || a.body != body {
		return fmt.Errorf("the response is %d %s, not %d %s",
			a.status, excerpt(a.body), status, excerpt(body))
	}
	return nil
}

// plain returns an error if an answer touches cookies.
func (a *answer) plain() error {
	if lines := a.header.Values("Set-Cookie"); len(lines) != 0 {
		return fmt.Errorf("the response (%d) has Set-Cookie: %q", a.status, lines)
	}
	return nil
}

// calls returns an error unless the store was asked that often since the last reset.
func (s *site) calls(loads, writes int32) error {
	if l, w := s.store.loads.Load(), s.store.writes.Load(); l != loads || w != writes {
		return fmt.Errorf("the store had %d loads and %d writes, not %d and %d",
			l, w, loads, writes)
	}
	return nil
}
