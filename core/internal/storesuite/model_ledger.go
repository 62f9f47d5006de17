package storesuite

import (
	"slices"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// checkAll checks what is stored against the answers alone: what was acknowledged is there unless
// something later explains that it is not, what was refused is not, and what is unknown may be.
func (w *modelWorld) checkAll() {
	w.check()
	byID := map[core.ID][]*modelRequest{}
	taken := map[string]*modelRequest{}
	for _, r := range w.done {
		if r.id != "" && (r.acknowledged() || r.unknown()) {
			byID[r.id] = append(byID[r.id], r)
		}
		w.checkTaken(r, taken)
	}
	for id, list := range byID {
		rec, alive := w.contents(id)
		if !alive {
			continue
		}
		w.checkCount(rec, list)
		for _, name := range []string{"x", "y"} {
			w.checkValue(rec, name, list)
		}
	}
	w.checkTokens()
	w.checkOwners()
}

// checkOwners checks that nobody is signed in who was before everything of the owner was revoked. A
// record that no token opens, since its sign-in was never answered, is nobody's.
func (w *modelWorld) checkOwners() {
	for _, token := range w.tokens {
		rec, alive := w.contents(raceID(token))
		if !alive || rec.owner == "" || !w.opens(token) {
			continue
		}
		for _, admin := range w.done {
			if admin.owner != rec.owner || admin.answer.err != nil {
				continue
			}
			if !w.signedInSince(raceID(token), rec.owner, admin.began) {
				w.t.Errorf("a session of %s lives on: %v", rec.owner, admin)
			}
		}
	}
}

// signedInSince reports whether a session may have been signed in after a moment.
func (w *modelWorld) signedInSince(id core.ID, owner string, moment int) bool {
	return slices.ContainsFunc(w.done, func(r *modelRequest) bool {
		return r.id == id && r.ended > moment && slices.ContainsFunc(r.steps,
			func(step raceStep) bool { return step.verb == "owner" && step.text == owner })
	})
}

// checkTaken checks that a one-time value, which is different each time, is taken once.
func (w *modelWorld) checkTaken(r *modelRequest, taken map[string]*modelRequest) {
	if !r.acknowledged() {
		return
	}
	for i, step := range r.steps {
		text := r.answer.saw[i]
		if step.verb != "takeOnce" || text == "-" || r.base(modelSecret) != text {
			continue
		}
		if r.spec.plan.ends {
			continue // it went with the session
		}
		if first := taken[text]; first != nil && first != r {
			w.t.Errorf("%q was taken once by %v and by %v", text, first, r)
		}
		taken[text] = r
	}
}

// base is a value as the request found it.
func (r *modelRequest) base(name string) string { return r.spec.base.values[name] }

// checkCount checks that each acknowledged increment counts, and each unknown one at most.
func (w *modelWorld) checkCount(rec specRecord, list []*modelRequest) {
	certain, possible, cleared := 0, 0, false
	for _, r := range list {
		mine := 0
		for _, step := range r.spec.plan.changes {
			if step.verb == "update" && step.name == modelCount {
				mine++
			}
			if step.verb == "clear" {
				cleared = true
			}
		}
		possible += mine
		if r.acknowledged() {
			certain += mine
		}
	}
	if cleared {
		certain = 0
	}
	if count := len(rec.values[modelCount]); count < certain || count > possible {
		w.t.Errorf("the count is %d, not %d to %d", count, certain, possible)
	}
}

// checkValue checks that a value is one of those that were written last.
func (w *modelWorld) checkValue(rec specRecord, name string, list []*modelRequest) {
	text, there := rec.values[name]
	explained := !there && !slices.ContainsFunc(list, func(r *modelRequest) bool {
		last, ok := r.lastly(name)
		return ok && last.verb == "set" && r.acknowledged()
	})
	for _, r := range list {
		last, ok := r.lastly(name)
		same := ok && (last.verb == "set") == there && (!there || last.text == text)
		overwritten := slices.ContainsFunc(list, func(o *modelRequest) bool {
			_, ok := o.lastly(name)
			return ok && o.acknowledged() && o.began > r.ended
		})
		if same && !overwritten {
			explained = true
		}
	}
	if !explained {
		w.t.Errorf("%s is %q (%v), which nobody wrote last", name, text, there)
	}
}

// lastly is the last thing that the request does to a value.
func (r *modelRequest) lastly(name string) (last raceStep, ok bool) {
	for _, step := range r.spec.plan.changes {
		if step.name == name || step.verb == "clear" {
			last, ok = step, true
		}
	}
	return last, ok
}

// checkTokens tries every token: of one session at most one is good.
func (w *modelWorld) checkTokens() {
	good := map[core.ID]string{}
	for _, token := range w.tokens {
		if !w.opens(token) {
			continue
		}
		if other := good[raceID(token)]; other != "" && other != token {
			w.t.Errorf("two tokens open one session: those of %v and of %v",
				w.truth.issued[other], w.truth.issued[token])
		}
		good[raceID(token)] = token
	}
}
