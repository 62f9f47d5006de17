package growth

import (
	"context"
	"fmt"
	"net/http"

	"github.com/sessionserverstore/sessionserverstore/core"
	"github.com/sessionserverstore/sessionserverstore/examples/benchmarks/store"
)

// tokenLength is that of every token, so that a million of them can lie in one piece of memory
// that the collector does not look through.
const tokenLength = 128

// requests are sessions behind a Manager, with the tokens that their clients hold.
type requests struct {
	manager *core.Manager
	user    core.Value[string]
	visits  core.Value[int]
	cookie  string // name and equals sign
	tokens  []byte
}

// newRequests begins so many sessions as browsers would.
func newRequests(sessions int) (*requests, error) {
	manager, err := core.New(core.Config{})
	if err != nil {
		return nil, err
	}
	r := &requests{
		manager: manager,
		user:    core.NewValue[string]("user"), visits: core.NewValue[int]("visits"),
		tokens: make([]byte, 0, sessions*tokenLength),
	}
	for n := range sessions {
		if err := r.begin(n); err != nil {
			return nil, fmt.Errorf("begin session %d: %w", n, err)
		}
	}
	return r, r.prove(min(sessions, 100))
}

func (r *requests) begin(n int) error {
	ctx := context.Background()
	s, err := r.manager.Begin(ctx, http.Header{})
	if err != nil {
		return err
	}
	v := store.ValuesOf(n)
	r.user.Set(s, v.User)
	r.visits.Set(s, v.Visits)
	response := make(http.Header)
	if err := r.manager.Commit(ctx, s, response); err != nil {
		return err
	}
	cookie, err := http.ParseSetCookie(response.Get("Set-Cookie"))
	if err != nil {
		return err
	}
	if len(cookie.Value) != tokenLength {
		return fmt.Errorf("a token of %d characters", len(cookie.Value))
	}
	r.cookie = cookie.Name + "="
	r.tokens = append(r.tokens, cookie.Value...)
	return nil
}

// prove looks whether the first sessions hold what was put in, keep a change, and are not open to
// others.
func (r *requests) prove(sessions int) error {
	for n := range sessions {
		want := store.ValuesOf(n)
		h := r.newHand()
		for _, operation := range []Operation{Read, Write, Read} {
			if err := h.do(operation, r.key(n)); err != nil {
				return err
			}
			if operation == Write {
				want.Visits++
			}
			if h.last != want {
				return fmt.Errorf("session %d has %+v, not %+v", n, h.last, want)
			}
		}
	}
	if err := r.newHand().do(Read, r.cookie+string(make([]byte, tokenLength))); err == nil {
		return fmt.Errorf("a token that nobody was given opens a session")
	}
	return nil
}

func (r *requests) key(n int) string {
	return r.cookie + string(r.tokens[n*tokenLength:(n+1)*tokenLength])
}

func (r *requests) hand() hand { return r.newHand() }

func (r *requests) newHand() *requestHand {
	cookie := make([]string, 1)
	return &requestHand{
		requests: r, cookie: cookie, request: http.Header{"Cookie": cookie},
		response: make(http.Header),
	}
}

// requestHand reuses the headers of its requests, as a server's connection does.
type requestHand struct {
	*requests
	cookie            []string
	request, response http.Header
	last              store.Values
}

func (h *requestHand) do(operation Operation, cookie string) error {
	ctx := context.Background()
	h.cookie[0] = cookie
	clear(h.response)
	s, err := h.manager.Begin(ctx, h.request)
	if err != nil {
		return err
	}
	user, ok := h.user.Get(s)
	visits, _ := h.visits.Get(s)
	if !ok || user == "" || visits == 0 {
		return errLost
	}
	if operation == Write {
		visits++
		h.visits.Set(s, visits)
	}
	h.last = store.Values{User: user, Visits: visits}
	return h.manager.Commit(ctx, s, h.response)
}
