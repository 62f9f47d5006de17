package floor

import (
	"context"
	"net/http"
	"slices"
	"sync"

	"github.com/gofiber/fiber/v2"
)

// A Visit is one request's way to its session, and the node of the request's context that carries
// it. Several goroutines may find it at once with From, and call its methods but Begin, as long as
// none of them answers the request meanwhile: the first to find it writes Vary into the header.
type Visit struct {
	context.Context
	table   *Guarded
	session *session
	header  header
	looked  sync.Once // at the session, upon which the answer varies
	started bool      // the first byte of the response has left
}

// A header is a response's, in net/http as in fasthttp.
type header interface {
	adder
	vary() // adds Vary: Cookie if it is not there
}

type visitKey struct{}

// Value implements context.Context.
func (v *Visit) Value(key any) any {
	if key == (visitKey{}) {
		return v
	}
	return v.Context.Value(key)
}

// open makes v the visit of the request with this token.
func (g *Guarded) open(v *Visit, ctx context.Context, token string, h header) {
	v.Context, v.table, v.header = ctx, g, h
	v.session = g.find(token)
}

// From finds the visit in the context of a request, at any depth. It panics if there is none, which
// is a mistake in the program.
func From(ctx context.Context) *Visit {
	return looked(ctx.Value(visitKey{}).(*Visit))
}

// looked notes that the answer depends on the session, and so on the cookie.
func looked(v *Visit) *Visit {
	v.looked.Do(v.vary)
	return v
}

func (v *Visit) vary() {
	if !v.started {
		v.header.vary()
	}
}

// Exists reports whether the request has a session.
func (v *Visit) Exists() bool { return v.session != nil }

// Name is the session's; "" without one.
func (v *Visit) Name() string {
	if v.session == nil {
		return ""
	}
	v.session.mu.RLock()
	defer v.session.mu.RUnlock()
	return v.session.values.Name
}

// Visits is the session's; 0 without one.
func (v *Visit) Visits() int {
	if v.session == nil {
		return 0
	}
	v.session.mu.RLock()
	defer v.session.mu.RUnlock()
	return v.session.values.Visits
}

// Fields are a copy of the session's; nil without one.
func (v *Visit) Fields() []string {
	if v.session == nil {
		return nil
	}
	v.session.mu.RLock()
	defer v.session.mu.RUnlock()
	return slices.Clone(v.session.values.Fields)
}

// CountVisit adds one to the session's visits. It does nothing without a session.
func (v *Visit) CountVisit() {
	if v.session == nil {
		return
	}
	v.session.mu.Lock()
	defer v.session.mu.Unlock()
	v.session.values.Visits++
}

// Begin makes a session and sends its cookie. It returns ErrStarted if that is too late.
func (v *Visit) Begin(values Values) error {
	if v.started {
		return ErrStarted
	}
	token, s := v.table.begin(values)
	v.session = s
	v.header.Add("Set-Cookie", setCookie(token))
	return nil
}

// httpHeader is a header of net/http.
type httpHeader http.Header

func (h httpHeader) Add(name, value string) { http.Header(h).Add(name, value) }

func (h httpHeader) vary() {
	if !slices.Contains(h["Vary"], "Cookie") {
		h["Vary"] = append(h["Vary"], "Cookie")
	}
}

// fiberHeader is a header of fasthttp.
type fiberHeader struct{ *fiber.Ctx }

func (h fiberHeader) Add(name, value string) { h.Response().Header.Add(name, value) }

func (h fiberHeader) vary() { h.Vary(fiber.HeaderCookie) }
