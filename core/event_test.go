package core_test

import (
	"bytes"
	"context"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

func TestEventKindsListsEveryConstant(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "event.go", nil, 0)
	require.NoError(t, err)
	var declared []string
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if kind, isIdent := specType(spec, ok); isIdent && kind == "EventKind" {
			literal, isLiteral := spec.Values[0].(*ast.BasicLit)
			require.True(t, isLiteral)
			declared = append(declared, strings.Trim(literal.Value, `"`))
		}
		return true
	})
	require.NotEmpty(t, declared)
	var listed []string
	for _, kind := range core.EventKinds() {
		listed = append(listed, string(kind))
		assert.Regexp(t, regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`), string(kind))
	}
	assert.ElementsMatch(t, declared, listed)
	assert.Len(t, slices.Compact(slices.Sorted(slices.Values(listed))), len(listed), "each once")
}

func specType(spec *ast.ValueSpec, ok bool) (string, bool) {
	if !ok {
		return "", false
	}
	ident, ok := spec.Type.(*ast.Ident)
	if !ok {
		return "", false
	}
	return ident.Name, true
}

func TestTheNamesOfOWASPsVocabularyAreKept(t *testing.T) {
	assert.Equal(t, core.SessionCreated, core.EventKind("session_created"))
	assert.Equal(t, core.SessionRenewed, core.EventKind("session_renewed"))
	assert.Equal(t, core.SessionExpired, core.EventKind("session_expired"))
	assert.Equal(t, core.SessionUseAfterExpire, core.EventKind("session_use_after_expire"))
}

func TestASessionsLifeInEvents(t *testing.T) {
	m := newSite(t, core.Config{})
	token, id := m.start(setNote("x"))
	require.Equal(t, []core.Event{{Kind: core.SessionCreated, ID: id}}, m.events.take())

	token = tokenIn(t, m.visit(token, signIn("ada")))
	require.Equal(t, []core.Event{
		{Kind: core.SessionRenewed, ID: id, Owner: "ada", Reason: "owner"},
	}, m.events.take())

	token = tokenIn(t, m.visit(token, doRenew))
	require.Equal(t, []core.Event{
		{Kind: core.SessionRenewed, ID: id, Owner: "ada", Reason: "renew"},
	}, m.events.take())

	m.visit(token, setNote("an everyday change"))
	require.Empty(t, m.events.take())

	response := m.visit(token, signIn("bob"))
	token = tokenIn(t, response)
	second := core.ID(token[:32])
	require.Equal(t, []core.Event{
		{Kind: core.SessionExpired, ID: id, Owner: "ada", Reason: "owner"},
		{Kind: core.SessionCreated, ID: second, Owner: "bob"},
	}, m.events.take())

	m.visit(token, doDestroy)
	require.Equal(t, []core.Event{
		{Kind: core.SessionExpired, ID: second, Owner: "bob", Reason: "destroyed"},
	}, m.events.take())

	_, id = m.start(signIn("eve"))
	m.events.take()
	require.NoError(t, m.Revoke(t.Context(), id))
	require.Equal(t, []core.Event{
		{Kind: core.SessionExpired, ID: id, Owner: "eve", Reason: "revoked"},
	}, m.events.take())
	require.NoError(t, m.Revoke(t.Context(), id))
	require.Empty(t, m.events.take(), "revoking what is not there")
}

func TestObserveComesBeforeTheLoggerAndBothGetTheContext(t *testing.T) {
	type key struct{}
	var order []string
	see := func(ctx context.Context, who string) {
		assert.Equal(t, "of the request", ctx.Value(key{}))
		order = append(order, who)
	}
	m := newSite(t, core.Config{
		Observe: func(ctx context.Context, _ core.Event) { see(ctx, "observe") },
		Logger: slog.New(handlerFunc(func(ctx context.Context, _ slog.Record) {
			see(ctx, "log")
		})),
	})
	ctx := context.WithValue(t.Context(), key{}, "of the request")
	session, err := m.Begin(ctx, cookies("malformed"))
	require.NoError(t, err)
	note.Set(session, "x")
	require.NoError(t, m.Commit(ctx, session, http.Header{}))
	assert.Equal(t, []string{"observe", "log", "observe", "log"}, order)
}

// handlerFunc is a slog.Handler that calls a function.
type handlerFunc func(context.Context, slog.Record)

func (handlerFunc) Enabled(context.Context, slog.Level) bool          { return true }
func (f handlerFunc) Handle(ctx context.Context, r slog.Record) error { f(ctx, r); return nil }
func (f handlerFunc) WithAttrs([]slog.Attr) slog.Handler              { return f }
func (f handlerFunc) WithGroup(string) slog.Handler                   { return f }

func TestTheLogSaysWhatTheEventSays(t *testing.T) {
	var b bytes.Buffer
	options := &slog.HandlerOptions{Level: slog.LevelDebug}
	m := newSite(t, core.Config{Logger: slog.New(slog.NewJSONHandler(&b, options))})
	line := func() map[string]any {
		t.Helper()
		var got map[string]any
		require.NoError(t, json.Unmarshal(b.Bytes(), &got), b.String())
		b.Reset()
		delete(got, "time")
		return got
	}
	token, id := m.start(signIn("ada\n\x1b[31m"))
	assert.Equal(t, map[string]any{
		"level": "INFO", "msg": "session_created", "id": string(id), "owner": "ada\n\x1b[31m",
	}, line())

	m.begin("malformed")
	assert.Equal(t, map[string]any{"level": "WARN", "msg": "token_malformed"}, line())

	m.store.fail(errDown, opUpdate, opLoad)
	_, err := m.Begin(t.Context(), cookies(token))
	require.Error(t, err)
	assert.Equal(t, map[string]any{
		"level": "ERROR", "msg": "store_failure", "id": string(id), "reason": "load",
		"error": "session store: load " + string(id) + ": the store is down",
	}, line())
	m.store.fail(nil, opUpdate, opLoad)

	session := m.begin(token)
	core.NewValue[int]("v").Set(session, 1)
	m.commit(session)
	core.NewValue[string]("v").Get(m.begin(token))
	got := line()
	assert.Equal(t, "value_undecodable", got["msg"])
	assert.Equal(t, "v", got["name"])
	assert.Equal(t, "WARN", got["level"])
}

func TestALoggerThatIsNotInterestedGetsNothing(t *testing.T) {
	var b bytes.Buffer
	options := &slog.HandlerOptions{Level: slog.LevelError}
	m := newSite(t, core.Config{Logger: slog.New(slog.NewTextHandler(&b, options))})
	m.start(setNote("x"))
	m.begin("malformed")
	assert.Empty(t, b.String())
	assert.Len(t, m.events.take(), 2, "Observe does")
}

// TestNoEventHoldsAToken goes through every kind that one request or two can cause.
func TestNoEventHoldsAToken(t *testing.T) {
	var b bytes.Buffer
	m := newSite(t, core.Config{Logger: slog.New(slog.NewTextHandler(&b, nil))})
	token, _ := m.start(signIn("ada"))
	tokens := []string{token}
	old := token
	token = tokenIn(t, m.visit(token, doRenew))
	tokens = append(tokens, token, core.NewToken().Reveal())
	m.begin(old)
	m.begin(tokens[2])
	m.begin(tokens...)
	m.begin(token[:127])
	m.store.fail(errDown, opLoad, opUpdate, opDelete)
	_, err := m.Begin(t.Context(), cookies(token))
	require.Error(t, err)
	m.store.fail(nil, opLoad, opUpdate)
	session := m.begin(token)
	session.Destroy()
	require.Error(t, m.Commit(t.Context(), session, http.Header{}))

	kinds := map[core.EventKind]bool{}
	text := b.String()
	for _, e := range m.events.take() {
		kinds[e.Kind] = true
		text += strings.Join([]string{string(e.ID), e.Owner, e.Reason, e.Name}, " ")
		if e.Err != nil {
			text += e.Err.Error()
		}
	}
	assert.Len(t, kinds, 7)
	for _, one := range tokens {
		for i := core.IDLength; i+8 <= len(one)-1; i += 4 {
			assert.NotContains(t, text, one[i:i+8])
		}
	}
}
