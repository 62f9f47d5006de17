package sessiontest

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// Request returns a request like r that belongs to a session of m, for tests of handlers: setup
// gives it its values and its owner, and the token is put where the Manager's Carrier reads it.
// If r belongs to a session already, setup changes that one. r itself is left as it is.
//
// The session is stored as it would be at the end of a request, so that the handler under test runs
// behind the real middleware. The test ends if that fails, or if there is no session after setup.
func Request(
	t testing.TB, m *core.Manager, r *http.Request, setup func(s *core.Session),
) *http.Request {
	t.Helper()
	ctx := r.Context()
	s, err := m.Begin(ctx, r.Header)
	if err != nil {
		t.Fatalf("sessiontest.Request: %v", err)
	}
	setup(s)
	response := http.Header{}
	if err := m.Commit(ctx, s, response); err != nil {
		t.Fatalf("sessiontest.Request: %v", err)
	}
	m.Seal(s)
	if s.ID() == "" {
		t.Fatalf("sessiontest.Request: there is no session, since setup set no value and no owner")
	}
	r = r.Clone(ctx)
	for _, c := range (&http.Response{Header: response}).Cookies() {
		if isToken(c.Value) {
			setCookie(r.Header, c.Name, c.Value)
		}
	}
	for name, lines := range response {
		if isToken(lines[0]) {
			setToken(r.Header, response, name, lines[0])
		}
	}
	return r
}

func isToken(text string) bool {
	_, ok := core.ParseToken(text)
	return ok
}

// setCookie replaces all cookies of that name, as a browser does.
func setCookie(request http.Header, name, value string) {
	var pairs []string
	for _, line := range request["Cookie"] {
		for pair := range strings.SplitSeq(line, ";") {
			pair = strings.TrimSpace(pair)
			other, _, _ := strings.Cut(pair, "=")
			if pair != "" && strings.TrimSpace(other) != name {
				pairs = append(pairs, pair)
			}
		}
	}
	request.Set("Cookie", strings.Join(append(pairs, name+"="+value), "; "))
}

// setToken puts a token that came in a header of the response where it is read from: in the
// header of the same name, or in Authorization. Vary lists which of them the Manager looks at.
func setToken(request, response http.Header, name, token string) {
	reads := func(name string) bool { return slices.Contains(response["Vary"], name) }
	scheme, _, _ := strings.Cut(request.Get("Authorization"), " ")
	bearer := reads("Authorization") && strings.EqualFold(scheme, "Bearer")
	if bearer || !reads(name) {
		request.Set("Authorization", "Bearer "+token)
	}
	if reads(name) && (!bearer || request.Get(name) != "") {
		request.Set(name, token)
	}
}
