package storesuite

import (
	"slices"
	"strings"
	"testing"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// A raceFlight is what a request does while it is in flight, and the calls to the store that it
// makes doing so.
type raceFlight struct {
	name  string
	steps []raceStep
	calls []string
}

// raceName is the value at which two requests meet: one that is there, or one that is not.
const raceName = "a"

// raceFlights are the requests in flight on a session that belongs to nobody.
func raceFlights() []raceFlight {
	write := []string{"load", "touch", "update"}
	set := func(name string) raceStep { return raceStep{verb: "set", name: name, text: "mine"} }
	one := func(verb string) []raceStep {
		return []raceStep{{verb: verb, name: raceName, text: "+"}}
	}
	return []raceFlight{
		{"a request that does not look", nil, []string{"load", "touch"}},
		{"a request that reads", one("get"), []string{"load", "touch"}},
		{"a value set", []raceStep{set(raceName)}, write},
		{"a new value set", []raceStep{set("new")}, write},
		{"a value updated", one("update"), write},
		{"a new value updated", []raceStep{{"update", "new", "+"}}, write},
		{"a value taken", one("take"), write},
		{"a value taken once", one("takeOnce"), write},
		{"a value deleted", one("delete"), write},
		{"all values cleared, and one set", []raceStep{{verb: "clear"}, set("new")}, write},
		{"a renewal", []raceStep{{verb: "renew"}}, write},
		{"a renewal with a value", []raceStep{set("b"), {verb: "renew"}}, write},
		{"a sign-in", []raceStep{{verb: "owner", text: "user:1"}, set("new")}, write},
		{"a destroy", []raceStep{set("new"), {verb: "destroy"}, {verb: "renew"}},
			[]string{"load", "touch", "delete"}},
		{"a destroy and a beginning", []raceStep{{verb: "destroy"}, set("new")},
			[]string{"load", "touch", "delete", "create"}},
	}
}

// raceOthers are what may happen meanwhile to a session that belongs to nobody.
func raceOthers() []raceOther {
	request := func(name string, steps ...raceStep) raceOther {
		return raceOther{name: name, steps: steps}
	}
	return []raceOther{
		{name: "nothing", event: "nothing"},
		{name: "a revocation", event: "revoke"},
		{name: "the timeout", event: "expiry"},
		request("a destroy", raceStep{verb: "destroy"}),
		request("a destroy and a beginning",
			raceStep{verb: "destroy"}, raceStep{"set", "b", "other"}),
		request("a renewal", raceStep{verb: "renew"}),
		request("a sign-in", raceStep{verb: "owner", text: "user:2"}),
		request("a change of the value", raceStep{"set", raceName, "other"}),
		request("a beginning of the value", raceStep{"set", "new", "other"}),
		request("a change of another value", raceStep{"set", "b", "other"}),
		request("an update of the value", raceStep{"update", raceName, "*"}),
		request("a deletion of the value", raceStep{verb: "delete", name: raceName}),
		request("the value taken once", raceStep{verb: "takeOnce", name: raceName}),
		request("a clearing", raceStep{verb: "clear"}),
	}
}

// ownedFlights and ownedOthers are on a session that belongs to user:1.
func ownedFlights() []raceFlight {
	write := []string{"load", "touch", "update"}
	over := []string{"load", "touch", "delete", "create"}
	owner := func(name string) raceStep { return raceStep{verb: "owner", text: name} }
	set := raceStep{"set", "new", "mine"}
	return []raceFlight{
		{"a value set", []raceStep{set}, write},
		{"a re-authentication", []raceStep{owner("user:1"), set}, write},
		{"a sign-in of somebody else", []raceStep{set, owner("user:2")}, over},
		{"a sign-out by owner", []raceStep{set, owner("")}, []string{"load", "touch", "delete"}},
		{"a sign-out by owner, and a value", []raceStep{owner(""), set}, over},
	}
}

func ownedOthers() []raceOther {
	owner := func(name string) []raceStep { return []raceStep{{verb: "owner", text: name}} }
	return []raceOther{
		{name: "a re-authentication", steps: owner("user:1")},
		{name: "a sign-in of somebody else", steps: owner("user:3")},
		{name: "a sign-out by owner", steps: owner("")},
		{name: "a destroy", steps: []raceStep{{verb: "destroy"}}},
		{name: "a revocation", event: "revoke"},
		{name: "a change of another value", steps: []raceStep{{"set", "b", "other"}}},
	}
}

// raceCells are all races of two requests: at every call that the one in flight makes, the other
// comes before or after, whole or begun earlier, and the answer arrives or does not.
func raceCells(owner string, flight raceFlight, other raceOther) []raceCell {
	replies := []raceReply{
		raceArrives, raceLost, raceLostTwice, raceRefused, raceRefusedTwice, raceUnconfirmed,
	}
	var cells []raceCell
	for _, verb := range flight.calls {
		for _, reply := range replies {
			for _, after := range []bool{false, true} {
				for _, early := range []bool{false, true} {
					cell := raceCell{
						owner: owner, steps: flight.steps, other: other,
						early: early, verb: verb, after: after, reply: reply,
					}
					if cell.possible() {
						cells = append(cells, cell)
					}
				}
			}
		}
	}
	return cells
}

// possible leaves out what cannot be, what is the same, and what another test is about.
func (c raceCell) possible() bool {
	switch {
	case c.early && len(c.other.steps) == 0:
		return false // only a request can have begun
	case c.verb == "load" && c.reply == raceUnconfirmed:
		return false // only a write is confirmed
	case c.verb == "touch" && c.early:
		return false // the earlier request would have touched
	case c.verb == "touch" && c.other.event == "expiry":
		return false // timeoutDuringWrite is about it
	case c.verb == "load" || c.verb == "touch":
		return c.reply != raceLostTwice && c.reply != raceRefusedTwice // it is called once
	}
	return true
}

// A meeting is one flight and one other, which meet in every way there is.
type meeting struct {
	owner  string
	flight raceFlight
	other  raceOther
}

func meetings() []meeting {
	var list []meeting
	each := func(owner string, flights []raceFlight, others []raceOther) {
		for _, flight := range flights {
			for _, other := range others {
				list = append(list, meeting{owner, flight, other})
			}
		}
	}
	each("", raceFlights(), raceOthers())
	each("user:1", ownedFlights(), ownedOthers())
	return list
}

// String names the meeting, for the test's name.
func (m meeting) String() string {
	return strings.TrimSpace(m.flight.name + " and " + m.other.name + " " + m.owner)
}

// races runs races in every way, once with a cookie and once with a header, and returns how many.
func (g *ground) races(t *testing.T, some *sample) int {
	var list []raceMeeting
	for _, m := range meetings() {
		r := raceMeeting{name: m.String()}
		for _, cell := range raceCells(m.owner, m.flight, m.other) {
			for _, cell.carrier = range []string{"cookie", "header"} {
				if some.takes() {
					r.cells = append(r.cells, cell)
				}
			}
		}
		list = append(list, r)
	}
	return g.run(t, list)
}

// racesThroughHandler runs a part of them through the middleware for net/http.
func (g *ground) racesThroughHandler(t *testing.T, some *sample) int {
	others := []string{
		"nothing", "a revocation", "the timeout", "a destroy", "a renewal", "a sign-in",
		"a deletion of the value", "the value taken once",
	}
	var list []raceMeeting
	for _, flight := range raceFlights() {
		for i, other := range raceOthers() {
			if !slices.Contains(others, other.name) {
				continue
			}
			r := raceMeeting{name: flight.name + " and " + other.name}
			for _, cell := range raceCells("", flight, other) {
				cell.served = true
				cell.carrier = []string{"cookie", "header"}[i%2]
				if some.takes() {
					r.cells = append(r.cells, cell)
				}
			}
			list = append(list, r)
		}
	}
	return g.run(t, list)
}

// A raceMeeting is what is run in one bubble.
type raceMeeting struct {
	name  string
	cells []raceCell
}

// run runs races and returns how many.
func (g *ground) run(t *testing.T, list []raceMeeting) int {
	count := 0
	var chapters []chapter
	for _, r := range list {
		if len(r.cells) == 0 {
			continue
		}
		count += len(r.cells)
		chapters = append(chapters, chapter{r.name, func(t *testing.T) {
			g.inBubble(t, func(t *testing.T) {
				for _, cell := range r.cells {
					g.one(t, cell)
				}
			})
		}})
	}
	g.each(t, chapters)
	t.Log(count, "races")
	return count
}

// one runs one race. A bubble must be around it.
func (g *ground) one(t *testing.T, cell raceCell) {
	site := g.site(t, cell.carrier, core.Config{})
	run := cell.run(site)
	if wrong := run.check(); len(wrong) > 0 {
		t.Errorf("%v:\n\t%s", cell, strings.Join(wrong, "\n\t"))
	}
	if err := site.close(); err != nil && cell.reply != raceUnconfirmed {
		t.Errorf("%v: Close: %v", cell, err)
	}
}
