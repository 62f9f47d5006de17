package storesuite

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// A modelRequest is one request of the random model, or a call of Revoke or RevokeOwner.
type modelRequest struct {
	number  int
	who     string // browser, thief or admin
	token   string
	manager *core.Manager // of the node that it comes to
	steps   []raceStep
	end     string  // how it ends: commit, late, panic or gone
	target  core.ID // of an admin's Revoke
	owner   string  // of an admin's RevokeOwner

	resume chan raceReply // its turn, and what becomes of its call
	verb   string         // the call at which it waits; think is none

	began, ended int          // in the order of all that happens
	spec         *specRequest // what it saw, and what its steps come to
	id           core.ID      // of the session that its values belong to
	was          core.ID      // of the session it began with
	renewals     int          // of that session when it began
	answer       raceAnswer
	delivered    bool // the client got the answer

	faults                    int // the store's answers that did not arrive
	updates, creates, deletes int // that took effect
	overtaken                 bool
}

// String says it as a failure shows it.
func (r *modelRequest) String() string {
	if r.who == "admin" {
		return fmt.Sprintf("%d: admin revokes %s", r.number, r.owner)
	}
	var steps []string
	for _, step := range r.steps {
		steps = append(steps, strings.TrimSpace(step.verb+" "+step.name+" "+step.text))
	}
	return fmt.Sprintf("%d: %s, %s, %s", r.number, r.who, strings.Join(steps, ", "), r.end)
}

// The names of the values: count is only updated, secret only set and taken once.
const (
	modelCount  = "count"
	modelSecret = "secret"
)

// modelSteps makes a handler; tag is different for each.
func modelSteps(rng *rand.Rand, tag string) []raceStep {
	var steps []raceStep
	for range 1 + rng.IntN(3) {
		name := []string{"x", "y"}[rng.IntN(2)]
		kinds := []raceStep{
			{"get", name, ""}, {"set", name, tag}, {"set", name, tag}, {"set", name, tag},
			{"update", modelCount, "+"}, {"update", modelCount, "+"}, {"update", modelCount, "+"},
			{"set", modelSecret, tag}, {"set", modelSecret, tag},
			{"takeOnce", modelSecret, ""}, {"takeOnce", modelSecret, ""},
			{"take", name, ""}, {"delete", name, ""},
			{"renew", "", ""}, {"renew", "", ""}, {"owner", "", "user:1"},
		}
		if rng.IntN(12) == 0 {
			kinds = []raceStep{
				{verb: "destroy"}, {verb: "clear"}, {verb: "owner"}, {"owner", "", "user:2"},
			}
		}
		steps = append(steps, kinds[rng.IntN(len(kinds))])
	}
	return steps
}

// modelEnd makes the way in which a request ends: mostly well.
func modelEnd(rng *rand.Rand) string {
	ends := []string{"late", "panic", "gone"}
	if i := rng.IntN(15); i < len(ends) {
		return ends[i]
	}
	return "commit"
}

type modelKey struct{}

// run does the request. think is called where the handler takes its time.
func (r *modelRequest) run(ctx context.Context, site *raceSite, think func()) {
	ctx, cancel := context.WithCancel(context.WithValue(ctx, modelKey{}, r))
	defer cancel()
	if r.who == "admin" {
		if r.owner != "" {
			_, r.answer.err = r.manager.RevokeOwner(ctx, r.owner)
			return
		}
		r.answer.err = r.manager.Revoke(ctx, r.target)
		return
	}
	m := r.manager
	s, err := m.Begin(ctx, site.header(r.token))
	if err != nil {
		r.fail(m, nil, err)
		return
	}
	r.see(s)
	header := raceHandlerHeader()
	if r.end == "late" {
		if err := m.Commit(ctx, s, header); err != nil {
			r.fail(m, s, err)
			return
		}
	}
	for _, step := range r.steps {
		r.answer.saw = append(r.answer.saw, step.do(s))
	}
	r.spec.handle(r.steps)
	r.id = s.ID()
	think()
	switch r.end {
	case "panic":
		m.Rollback(ctx, s)
		r.answer.header = http.Header{}
		return
	case "late":
		r.answer.header = header
		r.answer.err = m.Commit(ctx, s, nil)
		return
	case "gone":
		cancel()
	}
	if err := m.Commit(ctx, s, header); err != nil {
		r.fail(m, s, err)
		return
	}
	r.answer.header = header
	r.delivered = r.end == "commit"
}

// see notes what the request found.
func (r *modelRequest) see(s *core.Session) {
	r.spec = &specRequest{live: s.ID() != ""}
	r.was = s.ID()
	r.spec.base = specRecord{owner: s.Owner(), values: map[string]string{}}
	for _, name := range s.Names() {
		r.spec.base.values[name], _ = core.NewValue[string](name).Get(s)
	}
}

func (r *modelRequest) fail(m *core.Manager, s *core.Session, err error) {
	header := http.Header{}
	m.ErrorHeader(s, err, header)
	r.answer.err, r.answer.header = err, header
	r.delivered = r.end == "commit"
}

// acknowledged reports whether the request was told that its changes are stored.
func (r *modelRequest) acknowledged() bool {
	ok := r.answer.err == nil || errors.Is(r.answer.err, core.ErrNotDurable)
	return ok && r.spec != nil && r.end != "panic"
}

// unknown reports whether its changes may be stored, or not.
func (r *modelRequest) unknown() bool {
	var store *core.StoreError
	return errors.As(r.answer.err, &store) && r.spec != nil && r.end != "panic"
}

// renews reports whether its commit gives a session that was there a new token.
func (r *modelRequest) renews() bool {
	return r.spec != nil && !r.spec.plan.ends && r.spec.plan.renews
}
