package storesuite

import (
	"fmt"
	"time"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// A raceOther is what another request, or the clock, does meanwhile.
type raceOther struct {
	name  string
	steps []raceStep // of a request with the token that the session had at first
	event string     // or else: revoke, expiry, nothing
}

// A raceCell is one race: what a request does, what another one does, and at which moment.
type raceCell struct {
	owner   string // of the session at first
	steps   []raceStep
	other   raceOther
	early   bool   // the other request began before this one; else it comes whole at the moment
	verb    string // the call of this request to the store that makes the moment
	after   bool   // the moment is after that call took effect, before its answer; else before it
	reply   raceReply
	carrier string
	served  bool // through Manager.Handler
}

// String says it as a failure shows it.
func (c raceCell) String() string {
	moment, begun := "before", ""
	if c.after {
		moment = "after"
	}
	if c.early {
		begun = " (begun earlier)"
	}
	return fmt.Sprintf("%v; %s%s %s its %s, which %s; %s",
		c.steps, c.other.name, begun, moment, c.verb, c.reply, c.carrier)
}

// What the session holds when a race begins.
func raceValues() map[string]string { return map[string]string{"a": "a0", "b": "b0"} }

// A raceRun is a race in a real Manager.
type raceRun struct {
	raceCell
	site     *raceSite
	first    string // the token that the session has at first
	begun    *racePending
	otherDid *raceAnswer
	handled  bool
	end      time.Time // when the session ends unless it is used
	calls    int       // of the verb that makes the moment
	inside   bool      // the other request runs
	mine     raceAnswer
	sprung   bool // the moment came
}

// run runs the race. A bubble must be around it.
func (c raceCell) run(site *raceSite) *raceRun {
	r := &raceRun{raceCell: c, site: site, first: site.start(c.owner, raceValues())}
	site.tell()
	r.end = time.Now().Add(time.Hour)
	if c.verb == "touch" {
		pass(10 * time.Minute)
	} else {
		pass(time.Minute) // less than the TouchInterval
	}
	if c.early {
		r.begun = site.begin(r.first).handle(c.other.steps...)
	}
	if c.verb == "load" && !c.after && c.other.event == "expiry" {
		r.meet() // the clock does not jump inside a call
	}
	site.store.on = r.intercept
	if c.served {
		var saw []string
		r.mine = site.serve(r.first, func(s *core.Session) {
			for _, step := range c.steps {
				saw = append(saw, step.do(s))
			}
			r.think()
		})
		r.mine.saw = saw
		if !r.handled { // no handler ran
			r.think()
		}
	} else {
		pending := site.begin(r.first).handle(c.steps...)
		r.think()
		r.mine = pending.commit()
	}
	site.store.on = nil
	return r
}

// think lets the handler take its time, so that the session's end is near when it commits.
func (r *raceRun) think() {
	r.handled = true
	if r.other.event != "expiry" || r.verb == "load" && !r.after {
		return
	}
	pass(time.Until(r.end.Add(-100 * time.Millisecond)))
	if r.verb == "load" {
		r.meet()
	}
}

// intercept lets the other request run at the moment, and sees to the reply.
func (r *raceRun) intercept(call raceCall, do func() error) error {
	// A commit's own load is not the one that Begin does.
	if r.inside || call.verb != r.verb || call.verb == "load" && r.handled {
		return do()
	}
	number := r.calls
	r.calls++
	if number > 0 {
		return r.reply.answer(number, do)
	}
	wait := r.verb == "load" && r.other.event == "expiry"
	if !r.after && !wait {
		r.meet()
	}
	r.sprung = true
	err := r.reply.answer(number, do)
	if r.after && !wait {
		r.meet()
	}
	return err
}

// meet lets the other request, or what else there is, happen.
func (r *raceRun) meet() {
	r.inside = true
	defer func() { r.inside = false }()
	switch r.other.event {
	case "nothing":
	case "expiry":
		rec, err := r.site.store.kept.Load(r.site.t.Context(), raceID(r.first))
		if err == nil {
			pass(time.Until(rec.Expires.Add(100 * time.Millisecond)))
		}
	case "revoke":
		if err := r.site.far.Revoke(r.site.t.Context(), raceID(r.first)); err != nil {
			r.site.t.Errorf("%v: Revoke: %v", r.raceCell, err)
		}
	default:
		if r.begun == nil {
			r.begun = r.site.beginAt(r.site.far, r.first).handle(r.other.steps...)
		}
		answer := r.begun.commit()
		r.otherDid = &answer
	}
}

// A raceWant is what the design promises of a race.
type raceWant struct {
	world       *specWorld
	mine        specAnswer
	other       *specAnswer
	looked      bool // this request's handler looked at the session
	otherLooked bool
	saw         []string
}

// want says what has to come of the race.
func (c raceCell) want() raceWant {
	w := newSpecWorld(c.owner, raceValues())
	want := raceWant{world: w, otherLooked: len(c.other.steps) > 0}
	var begun *specRequest
	if c.early {
		begun = w.begin(specToken{})
		begun.handle(c.other.steps)
	}
	meet := func() {
		switch c.other.event {
		case "nothing":
		case "expiry":
			w.expire()
		case "revoke":
			w.revoke()
		default:
			if begun == nil {
				begun = w.begin(specToken{})
				begun.handle(c.other.steps)
			}
			answer := w.commit(begun, specFault{})
			want.other = &answer
		}
	}
	fault := specFault{verb: c.verb, reply: c.reply}
	if c.after {
		fault.after = meet
	} else {
		fault.before = meet
	}
	r := c.wantBegun(w, meet)
	if r == nil {
		want.mine = specAnswer{
			err: errSpecStore, because: "if the store fails no handler runs, and the answer is 503",
		}
		return want
	}
	r.handle(c.steps)
	want.looked, want.saw = r.plan.looked, r.saw
	want.mine = w.commit(r, fault)
	return want
}

// wantBegun is the request when its handler begins, nil if none may run.
func (c raceCell) wantBegun(w *specWorld, meet func()) *specRequest {
	lost := c.reply != raceArrives && c.reply != raceUnconfirmed
	switch {
	case c.verb == "load" && lost:
		meet()
		return nil
	case c.verb == "load" && !c.after:
		meet()
		return w.begin(specToken{})
	case c.verb == "touch" && !c.after && !lost:
		// A touch that finds no record makes the request begin as if it had come a little later.
		r := w.begin(specToken{})
		meet()
		if _, there := w.records[0]; there {
			return r
		}
		return w.begin(specToken{})
	case c.verb == "load", c.verb == "touch":
		r := w.begin(specToken{})
		meet()
		return r
	}
	return w.begin(specToken{})
}
