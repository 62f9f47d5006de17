package parity

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

func clientBehaviours() []behaviour {
	return []behaviour{
		{row: "29", name: "client-abort", check: clientAbort, needs: clientGone,
			promise: "a change made after the client hung up is stored, by a context that is not over"},
		{row: "29b", name: "client-abort-new", check: clientAbortNew, needs: clientGone,
			promise: "a session whose token nobody would get does not begin"},
		{row: "29c", name: "client-abort-renew", check: clientAbortRenew, needs: clientGone,
			promise: "a renewal whose token nobody would get does not take place"},
		{row: "30", name: "client-abort-slow-store", check: clientAbortSlowStore, needs: clientGone,
			promise: "a commit without a client is bounded by its timeout, and the handler ends"},
	}
}

// A deserted site has a handler that goes on after its client has hung up.
type deserted struct {
	*site
	entered, ended chan struct{}
}

// desert opens a site whose route /deserted waits until its client is gone, and then does more.
func desert(t *testing.T, f framework, do func(s *core.Session), changes ...func(*site)) deserted {
	d := deserted{entered: make(chan struct{}), ended: make(chan struct{})}
	changes = append(changes, get("/deserted", func(c Ctx) error {
		close(d.entered)
		hold(t, c.Contexts()[0].Done())
		do(c.Session())
		return c.Text(200, "to nobody")
	}), func(s *site) {
		s.wrap = func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/deserted" {
					defer close(d.ended)
				}
				next.ServeHTTP(w, r)
			})
		}
	})
	d.site = open(t, f, changes...)
	return d
}

// visit sends the request, hangs up in its middle and waits for its end.
func (d deserted) visit(v *visitor) {
	d.t.Helper()
	v.send(http.MethodGet, "/deserted", "")
	receive(d.t, d.entered, "the handler")
	v.hangUp()
	receive(d.t, d.ended, "the request's end")
}

func clientAbort(t *testing.T, f framework) {
	d := desert(t, f, setTo("y"))
	v := d.visitor()
	v.get("/set?u=x").issues()
	d.visit(v)
	d.holds(v.token(), "y")
	require.Zero(t, d.store.late.Load(), "calls of the store with a context that was over")
}

func clientAbortNew(t *testing.T, f framework) {
	d := desert(t, f, setTo("y"))
	d.visit(d.visitor())
	require.Zero(t, d.store.writes.Load())
}

func clientAbortRenew(t *testing.T, f framework) {
	d := desert(t, f, func(s *core.Session) {
		s.Renew()
		u.Set(s, "y")
	})
	v := d.visitor()
	v.get("/set?u=x").issues()
	d.visit(v)
	d.holds(v.token(), "x")
	v.get("/read").says("u=x").silent()
}

func clientAbortSlowStore(t *testing.T, f framework) {
	const limit = 50 * time.Millisecond
	d := desert(t, f, setTo("y"), func(s *site) { s.config.CommitTimeout = limit })
	v := d.visitor()
	v.get("/set?u=x").issues()
	left := make(chan time.Duration, 10)
	d.store.interrupt(func(c call) error {
		if c.op == "load" {
			return nil
		}
		end, _ := c.ctx.Deadline()
		left <- time.Until(end)
		hold(t, c.ctx.Done())
		return c.ctx.Err()
	})
	d.visit(v)
	require.LessOrEqual(t, receive(t, left, "the write"), limit)
	d.store.interrupt(nil)
	d.holds(v.token(), "x")
}
