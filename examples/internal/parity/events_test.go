package parity

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sessionserverstore/sessionserverstore/core"
)

func eventBehaviours() []behaviour {
	return []behaviour{
		{row: "80", name: "events", check: eventsEnd,
			promise: "a stream of events ends with its session, and says so"},
		{row: "80b", name: "events-function-ends", check: eventsFunctionEnds,
			promise: "a stream of events ends with its function, and says nothing"},
		{row: "81", name: "events-begin", check: eventsBegin,
			promise: "a session is committed before its stream of events begins"},
		{row: "81b", name: "store-down-events", check: eventsFail,
			promise: "where the store is down no stream of events begins"},
		{row: "82", name: "events-nobody", check: eventsNobody,
			promise: "who has no session is told not to come again"},
		{row: "83", name: "events-client-gone", check: eventsClientGone,
			promise: "a client that goes ends the function of its stream"},
		{row: "83b", name: "events-client-hangs", check: eventsClientHangs,
			promise: "a client that takes nothing is let go"},
		{row: "84", name: "events-shutdown", check: eventsShutdown,
			promise: "a server that stops ends its streams, and no session"},
		{row: "85", name: "events-zip", check: eventsZip,
			promise: "events arrive as they are sent where the session is outside of compression"},
		{row: "86", name: "passive", check: passive,
			promise: "a request that is passive has the session, and is no use of it"},
	}
}

// A broadcast is a route of events, /events, seen from its function.
type broadcast struct {
	streams chan *core.EventStream
	goOn    chan error // what the function is to return
	ended   chan error // why the function has ended
	// beats has the stream find out soon that its client has gone, or takes nothing. Then it is also
	// over where the machine is so busy that writing takes twice as long as a beat.
	beats bool
}

func newBroadcast() broadcast {
	return broadcast{
		streams: make(chan *core.EventStream, 1), goOn: make(chan error), ended: make(chan error, 1),
	}
}

// route makes the route, for open. Where the query says so a value is set first.
func (b broadcast) route(s *site) {
	s.handle(http.MethodGet, "/events", func(c Ctx) error {
		if val := c.Query("u"); val != "" {
			u.Set(c.Session(), strings.Clone(val))
		}
		c.SetHeader("X-Handler", "here")
		return c.Events(b.stream)
	})
}

func (b broadcast) stream(events *core.EventStream) error {
	if b.beats {
		events.Heartbeat(20 * time.Millisecond)
	}
	b.streams <- events
	select {
	case err := <-b.goOn:
		b.ended <- err
		return err
	case <-events.Context().Done():
		b.ended <- context.Cause(events.Context())
		return nil
	}
}

// begin lets a visitor open a stream.
func (b broadcast) begin(v *visitor, query string) (*answer, *core.EventStream) {
	v.t.Helper()
	a := v.start(http.MethodGet, "/events"+query, "").is(200)
	require.Equal(v.t, []string{"Content-Type: text/event-stream"}, a.named("Content-Type"))
	require.Equal(v.t, []string{"X-Accel-Buffering: no"}, a.named("X-Accel-Buffering"))
	require.Equal(v.t, []string{"Cache-Control: no-store"}, a.named("Cache-Control"))
	require.Equal(v.t, []string{"Vary: Cookie"}, a.named("Vary"))
	return a, receive(v.t, b.streams, "the stream's function")
}

// event reads one event, without the heartbeats before it; "" is the stream's end.
func (a *answer) event() string {
	a.t.Helper()
	for {
		var text strings.Builder
		for !strings.HasSuffix(text.String(), "\n\n") {
			var b [1]byte
			if _, err := io.ReadFull(a.stream, b[:]); err != nil {
				require.ErrorIs(a.t, err, io.EOF)
				require.Empty(a.t, text.String(), "an event that was cut off")
				return ""
			}
			text.Write(b[:])
		}
		if !strings.HasPrefix(text.String(), ":") {
			return text.String()
		}
	}
}

// requireQuiet requires that no stream of events goes on.
func requireQuiet(t testing.TB) {
	t.Helper()
	require.Eventually(t, func() bool {
		stacks := make([]byte, 1<<20)
		return !strings.Contains(string(stacks[:runtime.Stack(stacks, true)]), "EventStream")
	}, patience, 10*time.Millisecond)
}

func eventsEnd(t *testing.T, f framework) {
	b := newBroadcast()
	s := open(t, f, b.route, get("/out", func(c Ctx) error {
		c.Session().Destroy()
		return c.NoContent(204)
	}))
	v := s.visitor()
	v.get("/set?u=x").issues()
	a, events := b.begin(v, "")
	require.NoError(t, events.Send(core.StreamEvent{Name: "cart", ID: "7", Data: "a\r\nb"}))
	require.Equal(t, "event: cart\nid: 7\ndata: a\ndata: b\n\n", a.event())

	other := s.visitor()
	other.jar[cookieName] = v.token()
	other.get("/out").is(204)
	require.Equal(t, "event: session_expired\ndata: ended\n\n", a.event())
	require.Empty(t, a.event())
	var ended *core.EndedError
	require.ErrorAs(t, receive(t, b.ended, "the function's end"), &ended)
	require.Equal(t, idOf(t, v.token()), ended.ID)
	require.Error(t, events.Send(core.StreamEvent{}))
	requireQuiet(t)
	s.visitor().get("/events").is(204)
}

func eventsFunctionEnds(t *testing.T, f framework) {
	b := newBroadcast()
	s := open(t, f, b.route)
	v := s.visitor()
	v.get("/set?u=x").issues()
	a, _ := b.begin(v, "")
	b.goOn <- errors.New("that was all")
	require.Empty(t, a.event())
	requireQuiet(t)
	s.holds(v.token(), "x")
}

func eventsBegin(t *testing.T, f framework) {
	b := newBroadcast()
	s := open(t, f, b.route)
	a, events := b.begin(s.visitor(), "?u=x")
	s.holds(a.issues(), "x")
	require.NoError(t, events.Send(core.StreamEvent{Data: "alive"}))
	require.Equal(t, "data: alive\n\n", a.event())
	require.NoError(t, events.Context().Err())
}

func eventsFail(t *testing.T, f framework) {
	b := newBroadcast()
	s := open(t, f, b.route)
	s.store.interrupt(failingWrites())
	v := s.visitor()
	requireUnavailable(t, f, v.get("/events?u=x"))
	require.Empty(t, b.streams)
	requireQuiet(t)
	v.get("/read").is(200).says("u=")
}

func eventsNobody(t *testing.T, f framework) {
	b := newBroadcast()
	s := open(t, f, b.route)
	a := s.visitor().get("/events").is(204).says("").silent()
	require.Equal(t, []string{"Cache-Control: no-store"}, a.named("Cache-Control"))
	require.Equal(t, []string{"Vary: Cookie"}, a.named("Vary"))
	require.Empty(t, a.named("Content-Type"))
	require.Empty(t, b.streams)
}

func eventsClientGone(t *testing.T, f framework) {
	b := newBroadcast()
	b.beats = true // by which fiber learns of it
	s := open(t, f, b.route)
	v := s.visitor()
	v.get("/set?u=x").issues()
	conn := v.connection()
	b.begin(v, "")
	require.NoError(t, conn.Close())
	var ended *core.EndedError
	err := receive(t, b.ended, "the function's end")
	require.Error(t, err)
	require.False(t, errors.As(err, &ended), "the session goes on")
	requireQuiet(t)
	s.holds(v.token(), "x")
}

func eventsClientHangs(t *testing.T, f framework) {
	b := newBroadcast()
	b.beats = true
	s := open(t, f, b.route)
	v := s.visitor()
	v.get("/set?u=x").issues()
	_, events := b.begin(v, "")
	much := core.StreamEvent{Data: strings.Repeat("x", 1<<20)}
	var err error
	for err == nil {
		err = events.Send(much)
	}
	require.Error(t, receive(t, b.ended, "the function's end"))
	requireQuiet(t)
}

func eventsShutdown(t *testing.T, f framework) {
	b := newBroadcast()
	s := open(t, f, b.route)
	v := s.visitor()
	v.get("/set?u=x").issues()
	a, _ := b.begin(v, "")
	limit, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	require.NoError(t, s.shutdown(limit))
	require.Empty(t, a.event(), "the session has not ended")
	require.ErrorIs(t, receive(t, b.ended, "the function's end"), context.Canceled)
	requireQuiet(t)
	s.holds(v.token(), "x")
}

func eventsZip(t *testing.T, f framework) {
	b := newBroadcast()
	s := open(t, f, with(session, zips), b.route)
	v := s.visitor()
	a := v.start(http.MethodGet, "/events?u=x", "", "Accept-Encoding: gzip").is(200)
	s.holds(a.issues(), "x")
	if len(a.named("Content-Encoding")) > 0 { // some compress all, some only what they know
		unzipped, err := gzip.NewReader(a.stream)
		require.NoError(t, err)
		a.stream = unzipped
	}
	events := receive(t, b.streams, "the stream's function")
	require.NoError(t, events.Send(core.StreamEvent{Data: "alive"}))
	require.Equal(t, "data: alive\n\n", a.event(), "it arrives before the end")
	require.NoError(t, events.Context().Err())
	b.goOn <- nil
	require.Empty(t, a.event())
	requireQuiet(t)
}

// passive looks at when the store says that the session was used last.
func passive(t *testing.T, f framework) {
	s := open(t, f, func(s *site) {
		s.config.TouchInterval = time.Millisecond
		s.passive = func(path string) bool { return path == "/poll" }
		s.handle(http.MethodGet, "/poll", func(c Ctx) error {
			val, _ := u.Get(c.Session())
			u.Set(c.Session(), "y")
			return c.Text(200, val)
		})
	})
	v := s.visitor()
	token := v.get("/set?u=x").issues()
	used := func() time.Time {
		record, err := s.store.MemoryStore.Load(t.Context(), idOf(t, token))
		require.NoError(t, err)
		return record.Used
	}
	began := used()
	require.Eventually(t, func() bool { return time.Since(began) > 10*time.Millisecond },
		patience, time.Millisecond)
	v.get("/poll").is(200).says("x").silent()
	require.Equal(t, began, used(), "not even with what it changes")
	v.get("/read").is(200).says("u=y")
	require.Greater(t, used(), began)
}
