package storesuite

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// settles reports whether the design leaves open which of two answers it is: a timeout that passes
// while a write is under way comes before or after it.
func (c raceCell) settles() bool {
	return c.other.event != "expiry" || c.verb != "update" || c.after && c.reply == raceArrives
}

// check compares a race with what is promised.
func (r *raceRun) check() []string {
	want := r.want()
	var wrong []string
	fail := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	if !r.sprung {
		fail("the request never came to its %s", r.verb)
	}
	tokens := map[int]string{0: r.first}
	if r.settles() {
		r.checkAnswer(fail, "this request", want.mine, r.mine, want.looked, tokens)
		if r.mine.err == nil && !slices.Equal(want.saw, r.mine.saw) {
			fail("its handler saw %q, not %q", r.mine.saw, want.saw)
		}
		r.checkEvents(fail, want.world.events)
	}
	if want.other != nil && r.otherDid != nil { // else it is told above
		r.checkAnswer(fail, "the other request", *want.other, *r.otherDid, want.otherLooked, tokens)
	}
	r.checkRecords(fail, want.world, tokens)
	return wrong
}

type raceFail func(format string, args ...any)

// checkAnswer compares error, status and the whole header, and keeps a token that was issued.
func (r *raceRun) checkAnswer(
	fail raceFail, who string, want specAnswer, got raceAnswer, looked bool, tokens map[int]string,
) {
	var store *core.StoreError
	isStore := errors.As(got.err, &store)
	if want.err == errSpecStore && !isStore ||
		want.err != errSpecStore && (isStore || !errors.Is(got.err, want.err)) {
		fail("%s: error %v, not %v: %s", who, got.err, want.err, want.because)
	}
	if status := specStatus(want.err); got.status != status {
		fail("%s: status %d, not %d: %s", who, got.status, status, want.because)
	}
	token := got.issued()
	if want.issues != nil {
		if _, ok := core.ParseToken(token); !ok {
			fail("%s: the answer brings no token: %s", who, want.because)
		} else if same := raceID(token) == raceID(r.first); same != (want.issues.session == 0) {
			fail("%s: the ID was kept: %v: %s", who, same, want.because)
		}
		if token != "" {
			tokens[want.issues.generation] = token
		}
	}
	header := r.wantHeader(want, token, looked)
	if !maps.EqualFunc(header, got.header, slices.Equal) {
		fail("%s: header %v, not %v: %s", who, got.header, header, want.because)
	}
}

// specStatus is the design's table of answers.
func specStatus(err error) int {
	switch err {
	case nil:
		return http.StatusOK
	case errSpecStore, core.ErrNotDurable:
		return http.StatusServiceUnavailable
	}
	return http.StatusConflict
}

// wantHeader is all that may be in the header of an answer.
func (r *raceRun) wantHeader(want specAnswer, token string, looked bool) http.Header {
	header := http.Header{}
	if want.err == nil {
		header = raceHandlerHeader()
	}
	if specStatus(want.err) == http.StatusServiceUnavailable {
		header.Set("Retry-After", "1")
	}
	name := "Cookie"
	if r.carrier == "header" {
		name = "Session-Id"
	}
	if looked || want.err != nil {
		header.Set("Vary", name)
	}
	if want.issues == nil && !want.expires {
		return header
	}
	header.Set("Cache-Control", "no-store")
	switch {
	case r.carrier == "header":
		header["Session-Id"] = []string{token}
		header.Set("Access-Control-Expose-Headers", "Session-Id")
	case want.issues != nil:
		header.Add("Set-Cookie",
			"__Host-sid="+token+"; Path=/; HttpOnly; Secure; SameSite=Lax")
	default:
		header.Add("Set-Cookie", "__Host-sid=; Path=/; Expires=Thu, 01 Jan 1970 00:00:01 GMT; "+
			"Max-Age=0; HttpOnly; Secure; SameSite=Lax")
	}
	return header
}

// checkEvents compares the steps of life that were told. Store trouble may be told or not, as long
// as a request does not fail for it in silence.
func (r *raceRun) checkEvents(fail raceFail, want []specEvent) {
	var must, may, got []string
	for _, e := range want {
		text := fmt.Sprintf("%s %d %s %s", e.kind, e.session, e.reason, e.name)
		if e.maybe {
			may = append(may, text)
		} else {
			must = append(must, text)
		}
	}
	trouble := false
	for _, e := range r.site.tell() {
		session := 1
		if e.ID == raceID(r.first) {
			session = 0
		}
		switch e.Kind {
		case core.StoreFailure:
			trouble = true
		case core.EndUnconfirmed:
		default:
			got = append(got, fmt.Sprintf("%s %d %s %s", e.Kind, session, e.Reason, e.Name))
		}
	}
	for _, text := range must {
		if i := slices.Index(got, text); i >= 0 {
			got = slices.Delete(got, i, i+1)
		} else {
			fail("no event told: %s", text)
		}
	}
	for _, text := range got {
		if !slices.Contains(may, text) {
			fail("an event told: %s", text)
		}
	}
	if core.Status(r.mine.err) == 503 && !errors.Is(r.mine.err, core.ErrNotDurable) && !trouble {
		fail("no event told of the store's failure")
	}
}

// checkRecords compares what is stored, and tries every token that was ever issued.
func (r *raceRun) checkRecords(fail raceFail, want *specWorld, tokens map[int]string) {
	if n := r.site.records(); n != len(want.records) {
		fail("there are %d records, not %d", n, len(want.records))
	}
	goods := map[int]specRecord{}
	for _, rec := range want.records {
		goods[rec.good] = rec
	}
	for generation, token := range tokens {
		rec, good := goods[generation]
		if alive := good && !rec.dead; r.site.opens(token) != alive {
			fail("token %d opens a session: %v", generation, !alive)
		}
	}
	rec, there := want.records[0]
	r.checkContents(fail, raceID(r.first), rec, there && !rec.dead)
	for generation, token := range tokens {
		if rec, good := goods[generation]; good && raceID(token) != raceID(r.first) {
			r.checkContents(fail, raceID(token), rec, true)
		}
	}
}

func (r *raceRun) checkContents(fail raceFail, id core.ID, want specRecord, alive bool) {
	owner, values, ok := r.site.contents(id)
	switch {
	case ok != alive:
		fail("the session is alive: %v", ok)
	case ok && owner != want.owner:
		fail("its owner is %q, not %q", owner, want.owner)
	case ok && !maps.Equal(values, want.values):
		fail("its values are %v, not %v", values, want.values)
	}
}
