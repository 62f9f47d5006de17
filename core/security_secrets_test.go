package core_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// secListener takes down all that leaves a Manager but by its carriers.
type secListener struct {
	mu   sync.Mutex
	text bytes.Buffer
	site *secSite
	of   *core.Session // the session at work, printed with each event
	gate *core.Gate
}

// Fail is what an adapter would answer with.
func (l *secListener) Fail(err error) { l.print(err) }

func (l *secListener) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

// print writes a value in every way in which somebody might log it.
func (l *secListener) print(values ...any) {
	for _, v := range values {
		_, isToken := v.(core.Token)
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T"} {
			fmt.Fprintf(l, verb+"\n", v)
			fmt.Fprintf(l, verb+"\n", []any{v})
			// Of a hidden pointer a wrong verb shows what it points to, and fmt asks nobody. Of a
			// token it must not even then.
			if verb != "%s" && verb != "%q" || isToken {
				fmt.Fprintf(l, verb+"\n", struct{ hidden any }{v})
			}
		}
		text, _ := json.Marshal(v)
		_, _ = l.Write(text)
		logger := l.logger()
		logger.Info("value", "v", v)
		logger.Info("in a struct", "v", struct{ V any }{v})
	}
}

// logger is a logger of everything, in text and in JSON.
func (l *secListener) logger() *slog.Logger {
	options := &slog.HandlerOptions{Level: slog.LevelDebug, AddSource: true}
	return slog.New(bothHandlers{slog.NewTextHandler(l, options), slog.NewJSONHandler(l, options)})
}

type bothHandlers [2]slog.Handler

func (b bothHandlers) Enabled(context.Context, slog.Level) bool { return true }
func (b bothHandlers) WithAttrs([]slog.Attr) slog.Handler       { return b }
func (b bothHandlers) WithGroup(string) slog.Handler            { return b }
func (b bothHandlers) Handle(ctx context.Context, r slog.Record) error {
	return errors.Join(b[0].Handle(ctx, r.Clone()), b[1].Handle(ctx, r))
}

// observe prints each event, and what is at work while it comes.
func (l *secListener) observe(ctx context.Context, e core.Event) {
	// A watch's context is others' to end meanwhile, and %d reads its fields without its lock.
	if ctx.Done() != nil {
		ctx = context.WithoutCancel(ctx)
	}
	l.print(e, &e, e.Err, ctx, l.site.manager)
	if l.of != nil {
		l.print(l.of)
	}
	if l.gate != nil {
		l.print(l.gate)
	}
}

func TestT60_NoTokenInAnyLogErrorOrDump(t *testing.T) {
	secBubble(t, "a full life", func(t *testing.T) {
		l := &secListener{}
		l.site = &secSite{}
		site := newSecSite(t, core.Config{
			Logger: l.logger(), Observe: l.observe, MaxData: 2000, IdleTimeout: time.Hour,
			Carrier: core.Carriers(core.Cookie{}, core.Header{}, core.Bearer{Header: "X-Token"}),
		})
		l.site = site
		life := &secLife{t: t, site: site, listener: l}
		life.ordinary()
		life.owners()
		life.attacks()
		life.mistakes()
		life.outages()
		life.configs()

		require.Greater(t, len(life.tokens), 12)
		seen := map[core.EventKind]bool{}
		for _, kind := range site.seen() {
			seen[kind] = true
		}
		for _, kind := range core.EventKinds() {
			require.True(t, seen[kind] || kind == core.ClockAhead, "%s did not happen", kind)
		}
		require.Contains(t, l.text.String(), life.tokens[0][:32], "the ID is there")
		requireNoSecret(t, "what was printed", l.text.String(), life.tokens)
		require.NotContains(t, l.text.String(), secMarker, "nor is any value")

		synctest.Wait() // it is closed: nobody is at work on it any more
		memory := secDump(site.manager)
		require.Contains(t, memory.text.String(), secMarker, "the store is part of it")
		requireNoSecret(t, "the Manager's memory", memory.text.String(), life.tokens)
	})
}

// secMarker is in every value; no log may hold it.
const secMarker = "card 4111 1111 1111 1111"

// secLife does all that can be done with sessions, and keeps the tokens.
type secLife struct {
	t        *testing.T
	site     *secSite
	listener *secListener
	tokens   []string
}

// request serves one request, prints what it can get hold of, and keeps the token.
func (l *secLife) request(token string, f func(*core.Session)) string {
	l.t.Helper()
	w := httptest.NewRecorder()
	header := secWith(token)
	gate := new(core.Gate)
	err := l.site.manager.BeginGate(l.t.Context(), gate, header, w.Header(), l.listener)
	session := gate.Session()
	if err != nil {
		l.listener.print(err, session)
		l.listener.text.WriteString(err.Error())
		return ""
	}
	l.listener.of, l.listener.gate = session, gate
	l.listener.print(session, gate, gate.Context())
	func() {
		defer func() {
			if p := recover(); p != nil {
				gate.Rollback()
				l.listener.print(p)
			}
		}()
		f(session)
	}()
	l.listener.print(session, session.Err())
	err = gate.Open()
	l.listener.print(session, gate, err, gate.Failed(), gate.Finish())
	issued := secIssued(w.Result())
	if issued != "" {
		l.tokens = append(l.tokens, issued)
	}
	requireNoToken(l.t, session, append(l.tokens, token)...)
	return issued
}

// requireNoToken checks that nothing in a session's reach holds a token once the response is out.
func requireNoToken(t *testing.T, s *core.Session, tokens ...string) {
	t.Helper()
	memory := secDump(s)
	for _, token := range tokens {
		if len(token) == core.TokenLength {
			requireNoSecret(t, "the session's memory", memory.text.String(), []string{token})
		}
	}
}

func secMarked(s *core.Session) { secSet(secMarker)(s) }

func (l *secLife) ordinary() {
	token := l.request("", secMarked)
	token = l.request(token, func(s *core.Session) { s.SetOwner("alice"); secMarked(s) })
	old := token
	token = l.request(token, (*core.Session).Renew)
	l.request(old, secMarked) // outdated
	l.request(old, secRead)
	token = l.request(token, func(s *core.Session) { s.Persist(true) })
	token = l.request(token, func(s *core.Session) { s.SetOwner("bob"); secMarked(s) })
	l.request(token, (*core.Session).Destroy)
	l.request(token, secRead) // unknown

	token = l.request("", secMarked)
	opened, err := l.site.manager.Open(l.t.Context(), core.ID(token[:32]))
	require.NoError(l.t, err)
	opened.SetOwner("carol")
	l.listener.print(opened, l.site.manager.Commit(l.t.Context(), opened, nil))
	require.NoError(l.t, l.site.manager.Revoke(l.t.Context(), opened.ID()))

	token = l.request("", secMarked)
	secPass(time.Hour)
	l.request(token, secRead) // expired

	// Changes that another request's end takes along.
	token = l.request("", secMarked)
	slow := l.site.begin(token)
	l.request(token, (*core.Session).Destroy)
	secMarked(slow)
	l.listener.print(l.site.manager.Commit(l.t.Context(), slow, http.Header{}), slow)
}

func (l *secLife) attacks() {
	token := l.request("", secMarked)
	for _, header := range []http.Header{
		{"Cookie": {secCookie + "=" + token + "x"}},
		{"Cookie": {secCookie + "=" + token[:100]}},
		{"Cookie": {secCookie + "=" + token + "; " + secCookie + "=" + core.NewToken().Reveal()}},
		{"Cookie": {secCookie + "=" + token[:32] + core.NewToken().Reveal()[32:]}},
		{"Cookie": {secCookie + "=" + token[:127] + "\n"}},
		{"Session-Id": {token}, "Authorization": {"Bearer " + token[:127]}},
	} {
		session, err := l.site.manager.Begin(l.t.Context(), header)
		l.listener.print(session, err)
		l.listener.print(l.site.manager.Commit(l.t.Context(), session, http.Header{}))
	}
}

func (l *secLife) mistakes() {
	token := l.request("", secMarked)
	for _, f := range []func(*core.Session){
		func(s *core.Session) { core.NewValue[int]("note").Get(s) },
		func(s *core.Session) { core.NewValue[time.Time]("note").Get(s) },
		func(s *core.Session) { core.NewValue[[]int]("note").Take(s) },
		func(s *core.Session) { core.NewValue[any]("f").Set(s, func() string { return secMarker }) },
		func(s *core.Session) { secValue().Set(s, secMarker+"\xff") },
		func(s *core.Session) { secValue().Set(s, strings.Repeat(secMarker, 200)) },
		func(s *core.Session) { core.NewValue[int]("").Set(s, 1) },
		func(s *core.Session) { s.SetOwner("\x00") },
		func(s *core.Session) { s.SetOwner(strings.Repeat("a", 256)) },
		func(s *core.Session) { secMarked(s); panic("handler") },
	} {
		if next := l.request(token, f); next != "" {
			token = next
		}
	}
	// What comes after the first byte.
	response := l.site.serveHTTP(nil, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		s, _ := core.FromContext(r.Context())
		secMarked(s)
		l.listener.print(s, s.Err(), r.Context())
	})
	l.listener.print(response.Header)
}

func (l *secLife) outages() {
	for _, op := range []string{"create", "load", "update", "delete", "touch"} {
		for _, trouble := range []error{errSecDown, core.ErrNotDurable, context.DeadlineExceeded} {
			token := l.request("", secMarked)
			secPass(10 * time.Minute)
			l.site.store.hook(func(called string) error {
				if called == op {
					return trouble
				}
				return nil
			})
			l.request("", secMarked)
			l.request(token, (*core.Session).Renew)
			l.request(token, func(s *core.Session) { s.SetOwner("dora") })
			l.request(token, (*core.Session).Destroy)
			l.listener.print(l.site.manager.Revoke(l.t.Context(), core.ID(token[:32])))
			l.site.store.hook(nil)
		}
	}
	secPass(time.Hour)
	l.listener.print(l.site.manager.Close())
}

func (l *secLife) configs() {
	token := core.NewToken()
	l.tokens = append(l.tokens, token.Reveal())
	parsed, _ := core.ParseToken(token.Reveal())
	l.listener.print(token, &token, parsed, []core.Token{token}, token.ID())
	_, err := core.New(core.Config{Lifetime: -1, Carrier: core.Cookie{Name: "a b"}})
	l.listener.print(err, core.Config{Store: l.site.store.MemoryStore}, core.Cookie{}, core.Header{},
		core.Carriers(core.Cookie{}, core.Bearer{}), core.HandlerConfig{}, secValue(),
		&core.StoreError{Op: "load", ID: token.ID(), Err: errSecDown},
		&core.ValueError{Name: "note", Err: errSecDown}, &core.OwnerError{Reason: "is bad"},
		&core.FrameError{Version: 2, Reason: "is new"}, &core.ConfigError{Field: "a", Reason: "b"})
}

func TestT60_CVE202320866_NothingIsPrinted(t *testing.T) {
	// Spring Session wrote header tokens to the standard output. Package core has no way to: the
	// rules in examples/internal/rules forbid it fmt.Print, log and os.Stdout. Here is the rest: an
	// answer holds the token where its carrier puts it, and nowhere else.
	site := newSecSite(t, core.Config{Carrier: core.Header{}})
	for _, f := range []http.HandlerFunc{
		func(http.ResponseWriter, *http.Request) {},
		func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/x", http.StatusFound) },
		func(w http.ResponseWriter, r *http.Request) {
			s, _ := core.FromContext(r.Context())
			fmt.Fprint(w, s, r.Context())
		},
	} {
		response := site.serveHTTP(nil, func(w http.ResponseWriter, r *http.Request) {
			s, _ := core.FromContext(r.Context())
			secMarked(s)
			f(w, r)
		})
		token := secIssued(response)
		require.NotEmpty(t, token)
		response.Header.Del("Session-Id")
		var all bytes.Buffer
		require.NoError(t, response.Write(&all))
		requireNoSecret(t, "the response", all.String(), []string{token})
	}
}

func TestT64_TheClientIsToldNothingOfTheStore(t *testing.T) {
	site := newSecSite(t, core.Config{})
	token := secIssued(site.serve(nil, secSet("a")))
	site.store.hook(func(string) error { return errSecDown })
	for _, f := range []func(*core.Session){secSet("b"), (*core.Session).Destroy} {
		for _, header := range []http.Header{nil, secWith(token)} {
			response := site.serve(header, f)
			var all bytes.Buffer
			require.NoError(t, response.Write(&all))
			for _, inside := range []string{"10.0.0.7", "refused", "session", token[:32]} {
				require.NotContains(t, all.String(), inside)
			}
		}
	}
}
