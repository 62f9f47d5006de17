package core_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// secEvent is an event that something brings about, as docs/security.md lists it.
type secEvent struct {
	kind   core.EventKind
	level  string
	reason string
	cause  func(t *testing.T, site *secSite)
}

// failing makes one operation of the store fail.
func failing(op string, err error) func(string) error {
	return func(called string) error {
		if called == op {
			return err
		}
		return nil
	}
}

func secEventList() []secEvent {
	visit := func(before ...func(*core.Session)) func(*testing.T, *secSite) {
		return func(_ *testing.T, site *secSite) {
			visitor := site.visitor()
			for _, f := range before {
				visitor.visit(f)
			}
		}
	}
	outdated := func(f func(*core.Session)) func(*testing.T, *secSite) {
		return func(_ *testing.T, site *secSite) {
			old := secIssued(site.serve(nil, secOwned("alice", "a")))
			site.serve(secWith(old), (*core.Session).Renew)
			site.serve(secWith(old), f)
		}
	}
	header := func(cookies ...string) func(*testing.T, *secSite) {
		return func(_ *testing.T, site *secSite) {
			site.serve(http.Header{"Cookie": cookies}, func(*core.Session) {})
		}
	}
	down := func(op string, f func(*core.Session)) func(*testing.T, *secSite) {
		return func(_ *testing.T, site *secSite) {
			token := secIssued(site.serve(nil, secOwned("alice", "a")))
			secPass(10 * time.Minute)
			if op == "create" {
				token = ""
			}
			site.store.hook(failing(op, errSecDown))
			site.serve(secWith(token), f)
			site.store.hook(nil)
		}
	}
	owner := func(name string) func(*core.Session) {
		return func(s *core.Session) { s.SetOwner(name) }
	}
	unknown := secCookie + "=" + core.NewToken().Reveal()
	begin := []secEvent{
		{core.SessionCreated, "info", "", visit(secSet("a"))},
		{core.SessionRenewed, "info", "renew", visit(secSet("a"), (*core.Session).Renew)},
		{core.SessionRenewed, "info", "owner", visit(secSet("a"), owner("alice"))},
		{core.SessionExpired, "info", "destroyed", visit(secSet("a"), (*core.Session).Destroy)},
		{core.SessionExpired, "info", "destroyed", outdated((*core.Session).Destroy)},
		{core.SessionExpired, "info", "owner", visit(owner("alice"), owner("bob"))},
		{core.SessionExpired, "info", "revoked", secCauseRevoked},
		{core.SessionExpired, "info", "limit", secCauseEvicted},
		{core.SessionUseAfterExpire, "warn", "idle", secCauseIdle},
		{core.SessionUseAfterExpire, "warn", "lifetime", secCauseLifetime},
		{core.SessionUseAfterExpire, "warn", "revoked", func(t *testing.T, site *secSite) {
			token := secIssued(site.serve(nil, secSet("a")))
			secCauseAllRevoked(t, site)
			site.serve(secWith(token), secRead)
		}},
		{core.TokenUnknown, "warn", "", header(unknown)},
		{core.TokenMalformed, "warn", "", header(secCookie + "=x")},
		{core.TokenAmbiguous, "warn", "", header(unknown, secCookie+"=x")},
		{core.TokenOutdated, "info", "", outdated(secRead)},
	}
	middle := []secEvent{
		{core.ChangesDropped, "warn", "session ended", secCauseDropped((*core.Session).Destroy)},
		{core.ChangesDropped, "warn", "value deleted", secCauseDropped(secValue().Delete)},
		{core.ChangesLost, "error", "", secCauseLost},
		{core.StoreFailure, "error", "load", down("load", secRead)},
		{core.StoreFailure, "error", "touch", down("touch", secRead)},
		{core.StoreFailure, "error", "create", down("create", secSet("a"))},
		{core.StoreFailure, "error", "update", down("update", secSet("b"))},
		{core.StoreFailure, "error", "delete", down("delete", (*core.Session).Destroy)},
		{core.StoreFailure, "error", "sweep", secCauseSweep},
	}
	return slices.Concat(begin, secOwnerEvents(), middle, secOwnerFailures(), []secEvent{
		{core.EndUnconfirmed, "error", "", secCauseUnconfirmed(1)},
		{core.EndUnconfirmed, "error", "too many at once, given up", secCauseUnconfirmed(1025)},
		{core.ValueUndecodable, "warn", "", visit(secSet("a"), func(s *core.Session) {
			core.NewValue[int]("note").Get(s)
		})},
		{core.ClockAhead, "warn", "", secCauseAhead},
	})
}

func secCauseRevoked(t *testing.T, site *secSite) {
	token := secIssued(site.serve(nil, secOwned("alice", "a")))
	require.NoError(t, site.manager.Revoke(t.Context(), core.ID(token[:32])))
}

func secCauseIdle(_ *testing.T, site *secSite) {
	token := secIssued(site.serve(nil, secSet("a")))
	secPass(time.Hour)
	site.serve(secWith(token), secRead)
}

func secCauseLifetime(_ *testing.T, site *secSite) {
	visitor := site.visitor()
	visitor.visit(secSet("a"))
	for range 48 {
		secPass(30 * time.Minute)
		visitor.visit(secRead)
	}
}

func secCauseDropped(other func(*core.Session)) func(*testing.T, *secSite) {
	return func(t *testing.T, site *secSite) {
		token := secIssued(site.serve(nil, secSet("a")))
		slow := site.begin(token)
		site.serve(secWith(token), other)
		secSet("b")(slow)
		require.NoError(t, site.manager.Commit(t.Context(), slow, http.Header{}))
	}
}

func secCauseLost(_ *testing.T, site *secSite) {
	site.serveHTTP(nil, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		s, _ := core.FromContext(r.Context())
		secSet("late")(s)
	})
}

// noSweep is a store that cannot remove what has expired.
type noSweep struct{ *secStore }

func (noSweep) DeleteExpired(context.Context, time.Time) (int, error) { return 0, errSecDown }

func secCauseSweep(t *testing.T, site *secSite) {
	manager, err := core.New(core.Config{
		Store: noSweep{site.store}, Logger: slog.New(&secLevels{site: site}),
	})
	require.NoError(t, err)
	secPass(2 * time.Minute)
	require.NoError(t, manager.Close())
}

func secCauseUnconfirmed(times int) func(*testing.T, *secSite) {
	return func(t *testing.T, site *secSite) {
		site.store.hook(failing("delete", core.ErrNotDurable))
		for range times {
			err := site.manager.Revoke(t.Context(), core.NewToken().ID())
			require.ErrorIs(t, err, core.ErrNotDurable)
		}
		site.store.hook(nil)
		secPass(time.Minute)
	}
}

func secCauseAhead(t *testing.T, site *secSite) {
	token := secIssued(site.serve(nil, secSet("a")))
	record, err := site.store.Load(t.Context(), core.ID(token[:32]))
	require.NoError(t, err)
	ahead := record
	ahead.Used = time.Now().Add(2 * time.Minute).UTC()
	require.NoError(t, site.store.Update(t.Context(), ahead, record.Revision))
	site.serve(secWith(token), secRead)
}

// secLevels is a slog.Handler that notes what is logged, and how loud.
type secLevels struct {
	mu   sync.Mutex
	list []secEvent
	site *secSite // gets what another Manager logs
}

func (l *secLevels) Enabled(context.Context, slog.Level) bool { return true }
func (l *secLevels) WithAttrs([]slog.Attr) slog.Handler       { return l }
func (l *secLevels) WithGroup(string) slog.Handler            { return l }
func (l *secLevels) Handle(ctx context.Context, r slog.Record) error {
	if l.site != nil {
		return l.site.logger.Handle(ctx, r)
	}
	e := secEvent{kind: core.EventKind(r.Message), level: strings.ToLower(r.Level.String())}
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "reason" {
			e.reason = a.Value.String()
		}
		return true
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, e)
	return nil
}

func TestT61_EachEventIsToldAndLogged(t *testing.T) {
	var caused []core.EventKind
	for _, want := range secEventList() {
		if !slices.Contains(caused, want.kind) {
			caused = append(caused, want.kind)
		}
		secBubble(t, string(want.kind)+" "+want.reason, func(t *testing.T) {
			levels := &secLevels{}
			site := newSecSite(t, core.Config{Logger: slog.New(levels)})
			site.logger = levels
			want.cause(t, site)
			want.cause = nil
			levels.mu.Lock()
			defer levels.mu.Unlock()
			logged := slices.ContainsFunc(levels.list, func(e secEvent) bool {
				return e.kind == want.kind && e.level == want.level && e.reason == want.reason
			})
			require.True(t, logged, "%v", levels.list)
			if want.reason == "sweep" {
				return // of another Manager
			}
			told := slices.ContainsFunc(site.seenEvents(), func(e core.Event) bool {
				return e.Kind == want.kind && e.Reason == want.reason
			})
			require.True(t, told)
		})
	}
	require.Equal(t, core.EventKinds(), caused)
}

func TestT61_TheDocumentedEventsAreTheExportedOnes(t *testing.T) {
	text, err := os.ReadFile("../docs/security.md")
	require.NoError(t, err)
	var documented []string
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, "|")
		kind := strings.Trim(strings.TrimSpace(cells[min(1, len(cells)-1)]), "`")
		if len(cells) == 7 && strings.Contains(kind, "_") {
			documented = append(documented,
				kind+"|"+strings.TrimSpace(cells[2])+"|"+strings.TrimSpace(cells[3]))
		}
	}
	var want []string
	for _, kind := range core.EventKinds() {
		level, reasons := "", []string{}
		for _, e := range secEventList() {
			if e.kind == kind {
				level = e.level
				if e.reason != "" && !slices.Contains(reasons, e.reason) {
					reasons = append(reasons, e.reason)
				}
			}
		}
		want = append(want, string(kind)+"|"+level+"|"+strings.Join(reasons, "; "))
	}
	require.Equal(t, want, documented)
}

func TestEventsNameOwnerAndSession(t *testing.T) {
	secBubble(t, "of a life", func(t *testing.T) {
		site := newSecSite(t, core.Config{})
		visitor := site.visitor()
		visitor.visit(secSet("a"))
		visitor.visit(func(s *core.Session) { s.SetOwner("alice") })
		old := visitor.token
		visitor.visit((*core.Session).Renew)
		site.serve(secWith(old), (*core.Session).Destroy)
		id := core.ID(old[:32])
		require.Equal(t, []core.Event{
			{Kind: core.SessionCreated, ID: id},
			{Kind: core.SessionRenewed, ID: id, Owner: "alice", Reason: "owner"},
			{Kind: core.SessionRenewed, ID: id, Owner: "alice", Reason: "renew"},
			{Kind: core.TokenOutdated, ID: id, Owner: "alice"},
			{Kind: core.SessionExpired, ID: id, Owner: "alice", Reason: "destroyed"},
		}, site.seenEvents())
	})
}

func TestEventsComeWithTheRequestsContext(t *testing.T) {
	type address struct{}
	without := map[core.EventKind]bool{}
	site := newSecSite(t, core.Config{Observe: func(ctx context.Context, e core.Event) {
		without[e.Kind] = ctx.Value(address{}) == nil
	}})
	token := ""
	for _, f := range []func(*core.Session){
		secSet("a"), (*core.Session).Renew, func(s *core.Session) { core.NewValue[int]("note").Get(s) },
		(*core.Session).Destroy, secRead,
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r = r.WithContext(context.WithValue(r.Context(), address{}, "192.0.2.1"))
		response := site.serveRequest(r, secWith(token),
			func(_ http.ResponseWriter, r *http.Request) {
				s, _ := core.FromContext(r.Context())
				f(s)
			})
		if next := secIssued(response); next != "" {
			token = next
		}
	}
	require.Equal(t, map[core.EventKind]bool{
		core.SessionCreated: false, core.SessionRenewed: false, core.SessionExpired: false,
		core.TokenUnknown: false, core.ValueUndecodable: true, // Get is given no context
	}, without)
}
