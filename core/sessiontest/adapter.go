package sessiontest

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"testing"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// A Handler is an application's handler, written once for all frameworks. The error that it returns
// goes the way that the framework has for errors of handlers. It may panic.
type Handler func(x Exchange) error

// An Exchange is one request and its response, as a Handler sees them. It stands for the
// framework's own request, and does everything in the way in which that framework's users do it.
type Exchange interface {
	// Session returns what the adapter's Get returns.
	Session() *core.Session
	// Context returns the context that a handler hands on to whatever it calls.
	Context() context.Context
	// SetHeader sets a header of the response.
	SetHeader(name, value string)
	// SetCookie adds a cookie of the application's own to the response.
	SetCookie(name, value string)
	// Answer answers with a status and a body; if that is empty, with the status alone.
	Answer(status int, body string) error
	// Redirect answers with a redirection.
	Redirect(status int, location string) error
	// Stream sends part of a body to the client, at once. It answers with status 200 the first
	// time. Its error says that nothing more can be sent. Where the framework sends nothing before
	// the handler has returned, it does nothing, and the error is errors.ErrUnsupported.
	Stream(chunk string) error
}

// A Mount starts a server on a loopback address and returns its URL without a path. It serves each
// request, of every method, with h behind the middleware of each of the managers: of the first
// outermost, and of one that is there twice twice. Outside of them is what recovers from panics, if
// the framework does not do that by itself. What it starts it stops with t.Cleanup.
type Mount func(t testing.TB, h Handler, managers ...*core.Manager) (url string)

// An AdapterCheck holds an adapter to one sentence of what adapters promise.
type AdapterCheck struct {
	// Name is short, and no other check's.
	Name string
	// Sentence is what adapters promise.
	Sentence string
	// Needs is Streams or Disconnects where the check is about what a framework may lack, else "".
	Needs Ability
	// Run returns what contradicts the sentence.
	Run func(t testing.TB, mount Mount) error
}

// A Summary counts what TestAdapter did.
type Summary struct {
	Passed  int      // how many checks passed
	Failed  []string // the names of those that failed
	Lacking []string // the names of those that were not run, since the framework lacks the ability
}

// TestAdapter holds an adapter to what all adapters promise, each AdapterCheck in a subtest of that
// name. mount is called once or more in each. What the framework cannot do is declared in lacks:
// those checks are not run, which is logged and stands in the Summary, where a test can count it.
//
// The requests are real ones, and nothing waits for time to pass, but what never happens is given
// up after five seconds. Run it with -race.
func TestAdapter(t *testing.T, mount Mount, lacks ...Ability) Summary {
	t.Helper()
	var sum Summary
	if slices.Contains(lacks, Streams) {
		if err := streamsNothing(t, mount); err != nil {
			t.Errorf("the framework is said to lack the ability %q, but %v", Streams, err)
		}
	}
	for _, check := range AdapterChecks() {
		if check.Needs != "" && slices.Contains(lacks, check.Needs) {
			t.Logf("NOT TESTED: %s, since the framework lacks the ability %q: %s",
				check.Name, check.Needs, check.Sentence)
			sum.Lacking = append(sum.Lacking, check.Name)
			continue
		}
		passed := t.Run(check.Name, func(t *testing.T) {
			if err := check.Run(t, mount); err != nil {
				t.Errorf("%v\n\nAn adapter promises: %s", err, check.Sentence)
			}
		})
		if passed {
			sum.Passed++
		} else {
			sum.Failed = append(sum.Failed, check.Name)
		}
	}
	return sum
}

// AdapterChecks lists what TestAdapter checks, for those who run the checks in their own way.
func AdapterChecks() []AdapterCheck {
	return slices.Concat(
		answerChecks(), requestChecks(), sessionChecks(), failureChecks(), panicChecks(),
		streamChecks(),
	)
}

// streamsNothing returns an error if the framework can send something early after all.
func streamsNothing(t testing.TB, mount Mount) error {
	s := newSite(t, mount, core.Config{})
	var streamed error
	_, err := s.send(func(x Exchange) error {
		streamed = x.Stream("something")
		return x.Answer(http.StatusOK, "the answer")
	}, nil)
	if err == nil && !errors.Is(streamed, errors.ErrUnsupported) {
		err = errors.New("Exchange.Stream does not answer errors.ErrUnsupported")
	}
	return err
}
