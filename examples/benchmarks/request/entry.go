package request

import (
	"errors"
	"fmt"
	"time"
)

const (
	// Where each slice has a new server, these many sessions are begun before the clock runs, so
	// that tables have left their first sizes behind.
	populace = 2000
	// A slice that begins sessions has these many requests for each millisecond of its time, for
	// fast contestants and slow ones, so that all get as many sessions.
	begunPerMilli = 500
	// maxPerSlice bounds the requests of a slice.
	maxPerSlice = 1_000_000
)

// An entry is a contestant in one scenario.
type entry struct {
	contestant Contestant
	scenario   Scenario
	want       Expected
	server     Server
	exchange   Exchange
	cookie     string
	perSlice   int // requests
	costs      []cost
}

// enter builds the contestant and finds how many requests fill a slice.
func enter(c Contestant, s Scenario, slice time.Duration) (*entry, error) {
	e := &entry{contestant: c, scenario: s}
	if err := e.open(); err != nil {
		return nil, errors.Join(e.wrap(err), e.close())
	}
	if err := e.calibrate(slice); err != nil {
		return nil, errors.Join(e.wrap(err), e.close())
	}
	return e, nil
}

func (e *entry) framework() string { return e.contestant.Framework }

func (e *entry) wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s, %s: %w", e.contestant, e.scenario.Name, err)
}

// open builds the server, and the session if the scenario has one.
func (e *entry) open() error {
	e.want = Expected{Name: "user-042", Visits: 42}
	server, err := e.contestant.build(&e.want)
	if err != nil {
		return err
	}
	e.server = server
	if e.scenario.seed != "" && e.contestant.Name != Bare {
		if e.cookie, err = begin(server, e.scenario.seed); err != nil {
			return err
		}
	}
	e.exchange = server.Prepare(e.scenario.path, e.sent())
	return nil
}

// sent is the Cookie line of the requests. The bare framework has to carry one as long as ours.
func (e *entry) sent() string {
	if e.scenario.seed != "" && e.contestant.Name == Bare {
		return bareCookie()
	}
	return e.cookie
}

// close ends the server, if there is one.
func (e *entry) close() error {
	server := e.server
	if server == nil {
		return nil
	}
	e.server = nil
	return e.wrap(server.Close())
}

// calibrate finds how many requests fill a slice, by doubling them until their time can be told. It
// is processor time, which a busy machine does not stretch: slices of different lengths would meet
// the collector more or less often.
func (e *entry) calibrate(target time.Duration) error {
	if e.scenario.path == pathCreate {
		e.perSlice = max(1, int(begunPerMilli*target/time.Millisecond))
		return nil
	}
	for n := 64; ; n *= 2 {
		start := cpuTime()
		if err := repeat(e.exchange, n); err != nil {
			return err
		}
		e.did(n)
		if took := cpuTime() - start; took > target/2 || n >= maxPerSlice {
			fill := float64(n) * float64(target) / float64(max(took, 1))
			e.perSlice = min(maxPerSlice, max(1, int(fill)))
			return nil
		}
	}
}

// did notes that requests were made, which handlers count on.
func (e *entry) did(n int) {
	if e.scenario.path == pathChange {
		e.want.Visits += n
	}
}

// run measures one slice and checks what it has left behind.
func (e *entry) run() error {
	warm := e.perSlice/20 + 1
	if e.scenario.grows() {
		if err := errors.Join(e.close(), e.open()); err != nil {
			return e.wrap(err)
		}
		warm = populace
	}
	c, err := slice(e.exchange, e.perSlice, warm)
	if err != nil {
		return e.wrap(err)
	}
	e.did(warm + e.perSlice)
	e.costs = append(e.costs, c)
	if e.contestant.Name == Bare {
		return nil
	}
	return e.wrap(e.scenario.check(e))
}

// readAll has nothing left to check: the handler has, with each request.
func readAll(*entry) error { return nil }

// keptChanges demands that no change of the slice was lost.
func keptChanges(e *entry) error {
	return askAll(e.server, e.cookie, pathRead)
}

// createdSession demands that the last cookie of the slice opens a session.
func createdSession(e *entry) error {
	cookie, err := cookieOf(e.exchange)
	if err != nil {
		return err
	}
	return askAll(e.server, cookie, pathRead)
}

// sentNoCookie demands that the last answer of the slice set no cookie; of an eager contestant,
// that it set one.
func sentNoCookie(e *entry) error {
	if sent := len(e.exchange.SetCookie()) != 0; sent != e.contestant.eager {
		return fmt.Errorf("Set-Cookie: %q", e.exchange.SetCookie())
	}
	return nil
}
