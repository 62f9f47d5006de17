package storesuite

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

// A modelWorld is a site, its clients, and what is known to have happened.
type modelWorld struct {
	t        *testing.T
	seed     uint64
	rng      *rand.Rand
	site     *raceSite
	observer *core.Manager // sees what is stored, and writes nothing
	faulty   float64       // how often the store's answers do not arrive
	inTurns  bool          // one request runs at a time
	owns     bool          // the store keeps owners
	running  []*modelRequest
	parked   chan struct{} // the request whose turn it was waits, or has finished

	mu       sync.Mutex // in parallel
	counting sync.Mutex // of a request that calls the store several times at once
	clock    int        // counts what happens
	done     []*modelRequest
	checks   int      // how many of those are checked
	jar      string   // the browser's token
	tokens   []string // all that were ever issued
	log      []string
	truth    modelTruth
	made     int
}

func (g *ground) model(t *testing.T, seed uint64) *modelWorld {
	rng := rand.New(rand.NewPCG(seed, 0))
	carrier := []string{"cookie", "header"}[rng.IntN(2)]
	cfg := core.Config{Lifetime: 3 * time.Hour, IdleTimeout: time.Hour}
	w := &modelWorld{
		t: t, seed: seed, rng: rng, site: g.site(t, carrier, cfg),
		parked: make(chan struct{}), faulty: []float64{0, 0.05, 0.2}[rng.IntN(3)],
		truth: newModelTruth(),
	}
	_, w.owns = w.site.store.kept.(core.OwnerIndex)
	cfg.Store, cfg.TouchInterval = w.site.store.kept, time.Hour-time.Millisecond
	cfg.Namespace = w.site.namespace
	if carrier == "header" {
		cfg.Carrier = core.Header{}
	}
	observer, err := core.New(cfg)
	require.NoError(t, err)
	w.observer = observer
	t.Cleanup(func() { _ = observer.Close(); _ = w.site.close() })
	return w
}

func (w *modelWorld) note(format string, args ...any) {
	w.log = append(w.log, fmt.Sprintf(format, args...))
}

// print says how to do it again, and what happened last.
func (w *modelWorld) print() {
	last := w.log[max(0, len(w.log)-60):]
	w.t.Logf("go test -run '%s' -seed=%d\n%s", strings.Split(w.t.Name(), "/")[0], w.seed,
		strings.Join(last, "\n"))
}

// make makes a request.
func (w *modelWorld) make() *modelRequest {
	w.made++
	r := &modelRequest{
		number: w.made, who: "browser", token: w.jar, resume: make(chan raceReply),
		end: modelEnd(w.rng), began: w.tick(), verb: "begin",
	}
	r.manager = w.site.manager
	if w.site.far != w.site.manager {
		r.manager = w.site.node(w.rng.IntN(2))
	}
	r.steps = modelSteps(w.rng, fmt.Sprint("t", r.number))
	if len(w.tokens) == 0 {
		return r
	}
	if !w.inTurns && w.owns && w.rng.IntN(15) == 0 {
		r.who, r.owner = "admin", fmt.Sprint("user:", 1+w.rng.IntN(2))
		return r
	}
	some := w.tokens[w.rng.IntN(len(w.tokens))]
	switch w.rng.IntN(20) {
	case 0, 1:
		r.who, r.token = "thief", some
	case 2:
		r.who, r.token = "thief", some[:core.IDLength]+core.NewToken().Reveal()[core.IDLength:]
	case 3:
		if w.rng.IntN(3) > 0 {
			return r
		}
		r.who, r.target = "admin", raceID(some)
	}
	return r
}

func (w *modelWorld) tick() int {
	w.clock++
	return w.clock
}

// next begins a request, or lets one go on.
func (w *modelWorld) next() {
	if len(w.running) < 3 && w.rng.IntN(2) == 0 {
		r := w.make()
		w.note("%v", r)
		w.running = append(w.running, r)
		go func() {
			<-r.resume
			r.run(w.t.Context(), w.site, func() { w.park(r, "think") })
			r.verb = ""
			w.parked <- struct{}{}
		}()
		return
	}
	if len(w.running) > 0 {
		w.resume(w.running[w.rng.IntN(len(w.running))])
	}
}

// resume lets one request run to its next call, or its end.
func (w *modelWorld) resume(r *modelRequest) {
	reply := raceArrives
	if w.rng.Float64() < w.faulty {
		bad := []raceReply{raceLost, raceRefused, raceLost, raceRefused, raceUnconfirmed}
		reply = bad[w.rng.IntN(len(bad))]
	}
	if r.verb != "begin" && r.verb != "think" {
		w.note("%d: %s %s", r.number, r.verb, reply)
	}
	r.resume <- reply
	<-w.parked
	w.align()
	if r.verb == "" {
		w.finish(r)
		w.running = slices.DeleteFunc(w.running, func(o *modelRequest) bool { return o == r })
	}
}

// align makes up for the random pauses of commits that met others, so that time does not depend on
// them.
func (w *modelWorld) align() {
	const grain = 50 * time.Millisecond
	if off := time.Duration(time.Now().UnixNano()) % grain; off != 0 {
		pass(grain - off)
	}
}

func (w *modelWorld) park(r *modelRequest, verb string) raceReply {
	r.verb = verb
	w.parked <- struct{}{}
	return <-r.resume
}

// caller is the request that calls the store, nil if it is somebody else. Once its handler has
// begun it touches no more: what looks so is an update that changes nothing.
func caller(call *raceCall) *modelRequest {
	r, _ := call.ctx.Value(modelKey{}).(*modelRequest)
	if r != nil && r.spec != nil && call.verb == "touch" {
		call.verb = "update"
	}
	return r
}

// turn is the store's part where one request runs at a time.
func (w *modelWorld) turn(call raceCall, do func() error) error {
	r := caller(&call)
	if r == nil {
		return do()
	}
	reply := w.park(r, call.verb)
	if err := call.ctx.Err(); err != nil {
		r.faults++
		return err
	}
	return w.answer(r, call, reply, func() error { return w.exactly(r, call, do) })
}

// atOnce is the store's part where requests run in parallel.
func (w *modelWorld) atOnce(call raceCall, do func() error) error {
	r := caller(&call)
	if r == nil {
		return do()
	}
	w.mu.Lock()
	reply := raceArrives
	if w.rng.Float64() < w.faulty {
		reply = []raceReply{raceLost, raceRefused, raceUnconfirmed}[w.rng.IntN(3)]
	}
	yields := w.rng.IntN(3)
	w.mu.Unlock()
	for range yields {
		runtime.Gosched()
	}
	return w.answer(r, call, reply, do)
}

// answer counts what took effect, and answers as the reply wants.
func (w *modelWorld) answer(
	r *modelRequest, call raceCall, reply raceReply, do func() error,
) error {
	if reply == raceUnconfirmed && call.verb == "load" {
		reply = raceRefused // only a write is confirmed
	}
	if reply != raceArrives {
		w.counting.Lock()
		r.faults++
		w.counting.Unlock()
	}
	return reply.answer(0, func() error {
		err := do()
		if err == nil {
			w.counting.Lock()
			defer w.counting.Unlock()
			switch call.verb {
			case "update":
				r.updates++
			case "create":
				r.creates++
			case "delete":
				r.deletes++
			}
		}
		return err
	})
}

// finish is when the answer has come to the client.
func (w *modelWorld) finish(r *modelRequest) {
	w.mu.Lock()
	defer w.mu.Unlock()
	r.ended = w.tick()
	r.answer.status = core.Status(r.answer.err)
	issued := r.answer.issued()
	text := errorText(r.answer.err) + sent(r.answer)
	w.note("%d: answered %d: %s", r.number, r.answer.status, text)
	w.done = append(w.done, r)
	if issued != "" {
		w.tokens = append(w.tokens, issued)
		w.truth.issued[issued] = r
	}
	if r.who == "browser" && r.delivered {
		switch {
		case issued != "":
			w.jar = issued
		case r.answer.expires():
			w.jar = ""
		}
	}
}

// errorText is an error without what is random in it.
func errorText(err error) string {
	var store *core.StoreError
	if errors.As(err, &store) {
		return "store " + store.Op
	}
	if errors.Is(err, core.ErrNotDurable) {
		return "not durable"
	}
	return fmt.Sprint(err)
}

func sent(a raceAnswer) string {
	switch {
	case a.issued() != "":
		return ", a token"
	case a.expires():
		return ", forget your token"
	}
	return ""
}

// passTime lets time pass, seldom and little while a store works, more while handlers think.
func (w *modelWorld) passTime() {
	thinking := true
	for _, r := range w.running {
		thinking = thinking && (r.verb == "think" || r.verb == "begin")
	}
	spans := []time.Duration{100 * time.Millisecond, time.Second}
	often := 25
	if thinking {
		spans = append(spans, 20*time.Second, time.Minute, 7*time.Minute, 25*time.Minute,
			59*time.Minute+59900*time.Millisecond, 61*time.Minute)
		often = 12
	}
	if w.rng.IntN(often) == 0 {
		span := spans[w.rng.IntN(len(spans))]
		w.note("%v pass", span)
		pass(span)
	}
}

// round lets n requests run at once.
func (w *modelWorld) round(n int) {
	var all sync.WaitGroup
	var list []*modelRequest
	for range n {
		r := w.make()
		w.note("%v", r)
		list = append(list, r)
	}
	for _, r := range list {
		all.Go(func() {
			r.run(w.t.Context(), w.site, runtime.Gosched)
			w.finish(r)
		})
	}
	all.Wait()
}

// goOn checks that the browser can always go on, when the store is well again.
func (w *modelWorld) goOn() {
	w.faulty = 0
	pass(time.Minute) // an outdated token becomes an unknown one
	answer := w.site.request(w.jar, raceStep{"set", "x", "on"})
	require.NoError(w.t, answer.err)
	if answer.issued() != "" {
		w.jar = answer.issued()
	}
	require.Equal(w.t, []string{"on"},
		w.site.request(w.jar, raceStep{verb: "get", name: "x"}).saw)
}
