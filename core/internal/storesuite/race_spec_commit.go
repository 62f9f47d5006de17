package storesuite

import (
	"slices"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// A specFault says what becomes of the first calls of one verb, and what happens right before and
// right after the first of them.
type specFault struct {
	verb          string
	reply         raceReply
	before, after func()
}

// at is the reply to a call.
func (f specFault) at(verb string, number int) raceReply {
	if f.verb != verb {
		return raceArrives
	}
	return f.reply.at(number)
}

func (f specFault) run(verb string, number int, other func()) {
	if f.verb == verb && number == 0 && other != nil {
		other()
	}
}

// commit ends a request.
func (w *specWorld) commit(r *specRequest, fault specFault) specAnswer {
	answer := specAnswer{because: "what changes nothing costs and sends nothing"}
	if r.plan.ends {
		answer = w.end(r, fault)
		if answer.err != nil && answer.err != core.ErrNotDurable {
			return answer
		}
	}
	switch {
	case r.plan.begins:
		return w.create(r, fault, answer)
	case !r.plan.ends && r.live && (r.plan.renews || len(r.plan.changes) > 0):
		return w.update(r, fault)
	}
	return answer
}

// end carries out a Destroy: it is final.
func (w *specWorld) end(r *specRequest, fault specFault) specAnswer {
	ended := false
	for number := range 2 {
		fault.run("delete", number, fault.before)
		reply := fault.at("delete", number)
		if reply != raceRefused && w.remove(r) {
			ended = true
		}
		fault.run("delete", number, fault.after)
		switch reply {
		case raceArrives:
			w.tellEnd(r, !ended)
			return specAnswer{expires: true, because: "a Destroy always ends the old session"}
		case raceUnconfirmed:
			w.tellEnd(r, !ended)
			return specAnswer{
				err: core.ErrNotDurable, expires: true,
				because: "an end that is not confirmed is 503, and the cookie goes as if it were",
			}
		}
	}
	w.tellEnd(r, true)
	return specAnswer{
		err:     errSpecStore,
		because: "an end that failed is 503, and the cookie is left untouched",
	}
}

// remove removes the record, if the request's token is, or was, good for it.
func (w *specWorld) remove(r *specRequest) bool {
	rec, there := w.records[r.token.session]
	mine := rec.good == r.token.generation || slices.Contains(rec.replaced, r.token.generation)
	if !there || !r.live && !mine {
		return false
	}
	delete(w.records, r.token.session)
	return true
}

// tellEnd tells of an end. Whether it ended anything is not always known.
func (w *specWorld) tellEnd(r *specRequest, maybe bool) {
	w.events = append(w.events, specEvent{
		kind: core.SessionExpired, session: min(r.token.session, 1), reason: r.plan.reason,
		maybe: maybe,
	})
}

// create stores a session that begins. ended is what has come of the Destroy before it.
func (w *specWorld) create(r *specRequest, fault specFault, ended specAnswer) specAnswer {
	if r.old && !r.plan.ends {
		return specAnswer{
			err:     core.ErrOutdated,
			because: "a session begun with an outdated token would overwrite the good cookie",
		}
	}
	var made *specToken
	for number := range 2 {
		fault.run("create", number, fault.before)
		reply := fault.at("create", number)
		if reply != raceRefused {
			made = w.make(r)
		}
		fault.run("create", number, fault.after)
		if made != nil {
			w.tell(core.SessionCreated, made.session, "", "")
			answer := specAnswer{
				err: ended.err, issues: made,
				because: "a session that begins gets a token of its own",
			}
			if reply == raceUnconfirmed {
				answer.err = core.ErrNotDurable
			}
			return answer
		}
	}
	ended.err = errSpecStore
	ended.because = "if the beginning fails, the answer is 503 and still carries out the end"
	return ended
}

// make makes a record with the values and the owner of the request.
func (w *specWorld) make(r *specRequest) *specToken {
	w.sessions++
	w.generations++
	rec := specRecord{good: w.generations, values: map[string]string{}}
	for _, step := range r.plan.changes {
		step.apply(rec.values)
	}
	if r.plan.owner != nil {
		rec.owner = *r.plan.owner
	}
	w.records[w.sessions] = rec
	return &specToken{session: w.sessions, generation: w.generations}
}

// update stores changes of a session that was alive when the request began.
func (w *specWorld) update(r *specRequest, fault specFault) specAnswer {
	was := r.base.revision
	for number := range 2 {
		fault.run("update", number, fault.before)
		reply := fault.at("update", number)
		rec, there := w.records[r.token.session]
		met := !there || rec.revision != was
		if reply == raceArrives || reply == raceUnconfirmed {
			answer := w.write(r)
			if reply == raceUnconfirmed && answer.err == nil && !met {
				answer.err = core.ErrNotDurable
			}
			fault.run("update", number, fault.after)
			return answer
		}
		mine, written, told := 0, specAnswer{}, []specEvent(nil)
		if reply == raceLost && !met {
			silent := *w
			written = w.write(r)
			mine, told = w.revisions, slices.Clone(w.events[len(silent.events):])
			w.events = silent.events
		}
		fault.run("update", number, fault.after)
		rec, there = w.records[r.token.session]
		switch {
		case !there:
			return w.gone(r)
		case mine != 0 && rec.revision == mine:
			w.events = append(w.events, told...)
			written.because = "one's own Revision in the store is success"
			return written
		case rec.revision != was:
			return specUnknown
		}
	}
	return specUnknown
}

var specUnknown = specAnswer{
	err:     errSpecStore,
	because: "an outcome that stays unknown is 503: doing it again could do it twice",
}

// write puts the request's changes on top of the newest record.
func (w *specWorld) write(r *specRequest) specAnswer {
	rec, there := w.records[r.token.session]
	renews := r.plan.renews
	switch {
	case !there || rec.dead:
		return w.gone(r)
	case rec.owner != r.base.owner:
		return specAnswer{
			err: core.ErrConflict, because: "where the owner changed meanwhile nothing merges",
		}
	case renews && rec.good != r.base.good:
		return specAnswer{
			err:     core.ErrConflict,
			because: "who holds an old token gets no token of the renewed session",
		}
	}
	next, dropped, err := r.merge(rec)
	if err != nil {
		return specAnswer{err: err, because: "a one-time value is taken once"}
	}
	for _, name := range dropped {
		w.tell(core.ChangesDropped, r.token.session, "value deleted", name)
	}
	answer := specAnswer{because: "the changes of both requests survive, the later one wins"}
	if renews {
		w.generations++
		next.replaced = append(slices.Clone(rec.replaced), rec.good)
		next.good = w.generations
		answer.issues = &specToken{session: r.token.session, generation: next.good}
		answer.because = "who renews gets the new token"
		reason := "renew"
		if r.plan.owner != nil {
			reason = "owner"
		}
		w.tell(core.SessionRenewed, r.token.session, reason, "")
	}
	if renews || len(dropped) < len(r.plan.changes) {
		w.revisions++
		next.revision = w.revisions
		w.records[r.token.session] = next
	}
	return answer
}

// gone is for changes of a session that ended while the request ran.
func (w *specWorld) gone(r *specRequest) specAnswer {
	w.tell(core.ChangesDropped, r.token.session, "session ended", "")
	once := slices.ContainsFunc(r.plan.changes, func(step raceStep) bool {
		return step.verb == "takeOnce"
	})
	if r.plan.renews || once {
		return specAnswer{
			err:     core.ErrGone,
			because: "a renewal, a sign-in or a one-time value cannot be as if before the end",
		}
	}
	return specAnswer{
		because: "changes go with the session, as if they had come just before its end",
	}
}
