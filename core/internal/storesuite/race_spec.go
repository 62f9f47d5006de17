package storesuite

import (
	"errors"
	"maps"
	"slices"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// What follows is what the design promises of sessions, in small: it knows what a store holds, what
// a request saw when it began, and what has to come of its changes, and is written from the
// promises and not from the code. The race tests compare the Manager with it.

// errSpecStore stands for any *core.StoreError.
var errSpecStore = errors.New("503: the store failed, or the outcome is unknown")

// A specToken names a token: those of one session differ in their generation.
type specToken struct{ session, generation int }

// A specRecord is what the store holds of a session.
type specRecord struct {
	revision int
	good     int   // the generation of the good token
	replaced []int // those that it replaced
	owner    string
	values   map[string]string
	dead     bool // past a timeout; it is there until it is swept
}

// A specEvent is an event that has to come, or with maybe one that may.
type specEvent struct {
	kind    core.EventKind
	session int // 0 is the one that was there first, 1 any other
	reason  string
	name    string
	maybe   bool
}

// A specWorld is a store and what has been told.
type specWorld struct {
	records     map[int]specRecord
	sessions    int
	generations int
	revisions   int
	events      []specEvent
}

func newSpecWorld(owner string, values map[string]string) *specWorld {
	first := specRecord{owner: owner, values: values}
	return &specWorld{records: map[int]specRecord{0: first}}
}

func (w *specWorld) tell(kind core.EventKind, session int, reason, name string) {
	w.events = append(w.events, specEvent{
		kind: kind, session: min(session, 1), reason: reason, name: name,
	})
}

// expire lets the first session's timeout pass.
func (w *specWorld) expire() {
	if rec, ok := w.records[0]; ok {
		rec.dead = true
		w.records[0] = rec
	}
}

// revoke ends the first session from outside.
func (w *specWorld) revoke() {
	if _, ok := w.records[0]; ok {
		w.tell(core.SessionExpired, 0, "revoked", "")
	}
	delete(w.records, 0)
}

// A specAnswer is what a request has to be answered.
type specAnswer struct {
	err     error
	issues  *specToken
	expires bool   // the client is told to forget its token
	because string // the promise
}

// A specRequest is a request that has begun.
type specRequest struct {
	token specToken
	live  bool       // it opened a session
	old   bool       // its token was replaced a moment ago
	base  specRecord // what it saw
	plan  specPlan
	saw   []string
}

// begin begins a request that holds a token.
func (w *specWorld) begin(token specToken) *specRequest {
	r := &specRequest{token: token}
	rec, ok := w.records[token.session]
	switch {
	case ok && slices.Contains(rec.replaced, token.generation):
		r.old = true
		w.tell(core.TokenOutdated, token.session, "", "")
	case !ok || rec.good != token.generation:
		w.tell(core.TokenUnknown, token.session, "", "")
	case rec.dead:
		w.tell(core.SessionUseAfterExpire, token.session, "idle", "")
	default:
		r.live, r.base = true, rec
	}
	return r
}

// A specPlan is what a handler's steps come to, by what the request saw.
type specPlan struct {
	looked  bool
	ends    bool
	reason  string
	begins  bool
	renews  bool
	owner   *string
	changes []raceStep
}

// handle does the steps of a handler.
func (r *specRequest) handle(steps []raceStep) {
	view, owner, exists := maps.Clone(r.base.values), r.base.owner, r.live
	if view == nil {
		view = map[string]string{}
	}
	over := func(reason string) {
		r.plan = specPlan{ends: true, reason: reason}
		clear(view)
		owner, exists = "", false
	}
	for _, step := range steps {
		before, there := view[step.name]
		saw := "-"
		switch step.verb {
		case "get", "take", "takeOnce":
			if there {
				saw = before
			}
		case "destroy":
			over("destroyed")
		case "owner":
			if owner != "" && owner != step.text {
				over("owner")
			}
		}
		r.plan.note(step, there, exists)
		exists = exists || r.plan.begins
		if r.plan.owner != nil {
			owner = *r.plan.owner
		}
		step.apply(view)
		r.saw = append(r.saw, saw)
		r.plan.looked = true
	}
}

// note adds a step. there says that its value is, exists that a session is.
func (p *specPlan) note(step raceStep, there, exists bool) {
	switch step.verb {
	case "set", "update":
		p.begins = p.begins || !exists
		p.changes = append(p.changes, step)
	case "take", "takeOnce", "delete":
		if step.verb == "takeOnce" && p.changed(step.name) {
			step.verb = "delete" // what the request itself has set, nobody else can take
		}
		if there {
			p.changes = append(p.changes, step)
		}
	case "clear":
		if exists {
			p.changes = append(p.changes, step)
		}
	case "renew":
		p.renews = p.renews || exists && !p.begins
	case "owner":
		if step.text == "" {
			return
		}
		p.begins = p.begins || !exists
		p.renews = p.renews || !p.begins
		p.owner = &step.text
	}
}

// changed reports whether a value is not the record's own any more.
func (p *specPlan) changed(name string) bool {
	return slices.ContainsFunc(p.changes, func(step raceStep) bool {
		return step.name == name || step.verb == "clear"
	})
}

// apply makes the step's change to values.
func (step raceStep) apply(values map[string]string) {
	switch step.verb {
	case "set":
		values[step.name] = step.text
	case "update":
		values[step.name] += step.text
	case "take", "takeOnce", "delete":
		delete(values, step.name)
	case "clear":
		clear(values)
	}
}

// merge puts the changes on top of the newest record. dropped are the names of values that were
// there when the request began, and have been deleted by another one since.
func (r *specRequest) merge(newest specRecord) (next specRecord, dropped []string, err error) {
	next = newest
	next.values = maps.Clone(newest.values)
	for _, step := range r.plan.changes {
		was, had := r.base.values[step.name]
		is, there := newest.values[step.name]
		switch {
		case step.verb == "takeOnce" && (!there || is != was):
			return next, nil, core.ErrConflict
		case (step.verb == "set" || step.verb == "update") && had && !there:
			dropped = append(dropped, step.name)
			continue
		}
		step.apply(next.values)
	}
	if r.plan.owner != nil {
		next.owner = *r.plan.owner
	}
	return next, dropped, nil
}
