package storesuite

import (
	"errors"
	"maps"
	"slices"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// A modelTruth is what is known of the sessions, from the writes that took effect.
type modelTruth struct {
	over     map[core.ID]string                 // those that must never be alive again, and why
	last     map[core.ID]*modelRequest          // who made the good token
	renewals map[core.ID]int                    // how often it was renewed
	issued   map[string]*modelRequest           // who got which token
	writers  map[core.ID]map[*modelRequest]bool // who changed the session
}

func newModelTruth() modelTruth {
	return modelTruth{
		over: map[core.ID]string{}, last: map[core.ID]*modelRequest{},
		renewals: map[core.ID]int{}, issued: map[string]*modelRequest{},
		writers: map[core.ID]map[*modelRequest]bool{},
	}
}

// contents are a session's, as the observer sees them.
func (w *modelWorld) contents(id core.ID) (rec specRecord, alive bool) {
	s, err := w.observer.Open(w.t.Context(), id)
	if err != nil {
		return rec, false
	}
	rec = specRecord{owner: s.Owner(), values: map[string]string{}}
	for _, name := range s.Names() {
		rec.values[name], _ = core.NewValue[string](name).Get(s)
	}
	return rec, true
}

// exactly does a call and checks that it changes the session as it must, and not otherwise.
func (w *modelWorld) exactly(r *modelRequest, call raceCall, do func() error) error {
	before, alive := w.contents(call.id)
	err := do()
	after, _ := w.contents(call.id)
	if err != nil {
		return err
	}
	switch call.verb {
	case "load":
		if r.spec == nil {
			r.renewals = w.truth.renewals[call.id]
		}
	case "create":
		w.truth.last[call.id] = r
	case "delete":
		w.over(call.id, "it was deleted")
		w.overtake(r, call.id)
	case "touch", "confirm":
		if !maps.Equal(before.values, after.values) || before.owner != after.owner {
			w.t.Errorf("%v: its %s changed %v to %v", r, call.verb, before, after)
		}
	case "update":
		if alive {
			w.mustMerge(r, call.id, before, after)
		}
		w.overtake(r, call.id)
		if r.renews() {
			w.truth.last[call.id] = r
			w.truth.renewals[call.id]++
		}
	}
	return nil
}

// overtake notes that others which run have been overtaken by a change of their session.
func (w *modelWorld) overtake(r *modelRequest, id core.ID) {
	for _, other := range w.running {
		if other != r && (other.was == id || other.token != "" && raceID(other.token) == id) {
			other.overtaken = true
		}
	}
}

// mustMerge checks that an update made exactly the changes of its request to what was there.
func (w *modelWorld) mustMerge(r *modelRequest, id core.ID, before, after specRecord) {
	if r.spec == nil {
		w.t.Errorf("%v: changed the session before its handler ran", r)
		return
	}
	switch {
	case r.updates > 0:
		w.t.Errorf("%v: its changes took effect twice", r)
	case before.owner != r.spec.base.owner:
		w.t.Errorf("%v: changed what belongs to %q now", r, before.owner)
	case r.renews() && w.truth.renewals[id] != r.renewals:
		w.t.Errorf("%v: renewed with an old token", r)
	}
	next, _, err := r.spec.merge(before)
	if err != nil {
		w.t.Errorf("%v: took again what had been taken once", r)
	} else if !maps.Equal(next.values, after.values) || next.owner != after.owner {
		w.t.Errorf("%v: changed %v to %v, not to %v", r, before, after, next)
	}
}

func (w *modelWorld) over(id core.ID, why string) {
	if _, already := w.truth.over[id]; !already {
		w.truth.over[id] = why
	}
}

// check is done after each turn.
func (w *modelWorld) check() {
	for _, token := range w.tokens {
		id := raceID(token)
		_, alive := w.contents(id)
		why, over := w.truth.over[id]
		switch {
		case alive && over:
			w.t.Errorf("a session came back: %s", why)
		case !alive && !over:
			w.over(id, "it was seen dead")
		}
		if over || !w.inTurns {
			continue
		}
		good := w.truth.last[id] == w.truth.issued[token] && alive
		if opens := w.opens(token); opens != good {
			w.t.Errorf("the token of %v opens a session: %v", w.truth.issued[token], opens)
		}
	}
	for _, r := range w.done[w.checks:] {
		w.checkAnswer(r)
		if w.inTurns && r.spec != nil {
			w.checkReason(r)
		}
	}
	w.checks = len(w.done)
	w.retire()
}

// retire forgets tokens of sessions that are long over, but for a few.
func (w *modelWorld) retire() {
	w.tokens = slices.DeleteFunc(w.tokens, func(token string) bool {
		_, over := w.truth.over[raceID(token)]
		return over && len(w.tokens) > 30
	})
}

func (w *modelWorld) opens(token string) bool {
	s, err := w.observer.Begin(w.t.Context(), w.site.header(token))
	return err == nil && s.ID() != ""
}

// checkAnswer checks a header against what the request did, and an end against the store.
func (w *modelWorld) checkAnswer(r *modelRequest) {
	issued, expires := r.answer.issued() != "", r.answer.expires()
	ends := r.spec != nil && r.spec.plan.ends
	ok := r.answer.err == nil || errors.Is(r.answer.err, core.ErrNotDurable)
	switch {
	case issued && !ok:
		w.t.Errorf("%v: an error brings a token", r)
	case expires && !ends:
		w.t.Errorf("%v: only who destroys tells the client to forget its token", r)
	case issued && expires:
		w.t.Errorf("%v: a token is issued and expired", r)
	}
	if ok && ends && r.was != "" && r.end != "panic" {
		if _, alive := w.contents(r.was); alive {
			w.t.Errorf("%v: the session that it destroyed is alive", r)
		}
		w.over(r.was, "it was destroyed")
	}
	if r.who == "admin" && r.owner == "" && ok {
		w.over(r.target, "it was revoked")
	}
}

// checkReason checks, where only one request ran at a time, that each answer has a reason.
func (w *modelWorld) checkReason(r *modelRequest) {
	plan := r.spec.plan
	ok := r.acknowledged()
	var store *core.StoreError
	switch {
	case errors.As(r.answer.err, &store) && r.faults == 0:
		w.t.Errorf("%v: 503 while the store was well", r)
	case errors.Is(r.answer.err, core.ErrConflict) && !r.overtaken:
		w.t.Errorf("%v: a conflict with nobody", r)
	case errors.Is(r.answer.err, core.ErrGone) && w.truth.over[r.was] == "":
		w.t.Errorf("%v: gone, and yet alive", r)
	case r.answer.status == 409 && r.updates+r.creates > 0 &&
		!(errors.Is(r.answer.err, core.ErrGone) && r.faults > 0): // stored, and then ended
		w.t.Errorf("%v: refused, and yet stored", r)
	}
	changes := len(plan.changes) > 0 || plan.renews
	switch {
	case !ok || r.end == "late" && plan.begins:
	case plan.begins && r.creates == 0:
		w.t.Errorf("%v: acknowledged, and no session began", r)
	case changes && !plan.ends && r.was != "" && r.updates == 0 && !r.overtaken &&
		w.truth.over[r.was] == "":
		w.t.Errorf("%v: acknowledged, and not stored", r)
	case (plan.begins || r.renews() && r.updates > 0) != (r.answer.issued() != ""):
		w.t.Errorf("%v: the new token and the answer do not go together", r)
	}
}
